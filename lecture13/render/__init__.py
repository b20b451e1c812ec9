"""Embedded worlds, drawn by program with exact ground truth: outdoor scenes, road signs, solids."""
