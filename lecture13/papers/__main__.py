"""``python -m lecture13.papers`` writes the scoreboard in Markdown."""

import sys

from lecture13.papers import scoreboard_markdown

sys.stdout.write(scoreboard_markdown())
