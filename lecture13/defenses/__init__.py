"""Defences: certificates that no attack can cross, training for them, and sparsity, which makes the fall gentler."""
