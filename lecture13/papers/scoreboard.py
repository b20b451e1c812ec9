"""Every table of the lecture at once, beside our recorded full runs: the scoreboard page of the book."""

from lecture13.papers import markup
from lecture13.papers.comparison import side_by_side
from lecture13.papers.records import recorded
from lecture13.papers.tables import names, table


def scoreboard_markdown() -> str:
    """The scoreboard's body in Markdown, a section for each table with something to measure, in the lecture's order."""
    results = [table(name) for name in names() if table(name).kind == "results"]
    done = [known for known in results if recorded(known.name)]
    parts = [f"Full runs are recorded for {len(done)} of {len(results)} tables.\n"]
    for known in results:
        runs = recorded(known.name)
        text = markup.to_markdown(side_by_side(known)) if runs else known._repr_markdown_()
        source = f"[arXiv:{known.arxiv}](https://arxiv.org/abs/{known.arxiv})"
        told = "" if runs else "Our full run: none recorded yet. These are the paper's numbers.\n\n"
        parts.append(f"## {known.title}\n\n{source}, `{known.name}`\n\n{told}{text}")
    return "\n".join(parts)
