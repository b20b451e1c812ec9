"""Every number of the lecture's tables and figures as data, our recorded full runs, and both beside this run.

>>> papers.compare("deepfool-table-1", {"LeNet (MNIST)": {"ρ̂ DeepFool": 0.21}}, run=run, data=dataset.source)
"""

from lecture13.papers.comparison import Comparison, compare
from lecture13.papers.records import Record, record, recorded
from lecture13.papers.scoreboard import scoreboard_markdown
from lecture13.papers.tables import Column, Table, names, table

__all__ = [
    "Column",
    "Comparison",
    "Record",
    "Table",
    "compare",
    "names",
    "record",
    "recorded",
    "scoreboard_markdown",
    "table",
]
