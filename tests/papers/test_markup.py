from html.parser import HTMLParser

from lecture13.papers import markup
from lecture13.papers.markup import Grid, Mark

GRID = Grid(
    "A <caption> | with signs",
    ["net", Mark("ours", "laptop")],
    [["A|B", Mark("1 < 2", "smoke", pale=True)], ["ρ̂ row", "x_y*z"]],
    ["a note"],
)


class Texts(HTMLParser):
    def __init__(self, source):
        super().__init__()
        self.tags, self.texts = [], []
        self.feed(source)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.texts.append(data)


def test_html_is_escaped_and_its_heads_are_scoped():
    seen = Texts(markup.to_html(GRID))
    assert {"A <caption> | with signs", "1 < 2", "A|B"} <= set(seen.texts)
    scopes = [attrs["scope"] for tag, attrs in seen.tags if tag == "th"]
    assert scopes == ["col", "col", "row", "row"]
    box = seen.tags[0][1]
    assert box["tabindex"] == "0" and box["role"] == "group" and box["aria-label"] == GRID.caption


def test_markdown_keeps_its_columns_whatever_the_texts():
    rows = [line for line in markup.to_markdown(GRID).splitlines() if line.startswith("|")]
    assert rows[1] == "| --- | --- |"
    assert rows[2] == "| A\\|B | *1 \\< 2* (smoke) |"
    assert rows[3] == "| ρ̂ row | x\\_y\\*z |"


def test_text_lines_up():
    lines = markup.to_text(GRID).splitlines()
    assert lines[1] == "net    ours (laptop)"
    assert lines[2] == "A|B    1 < 2 (smoke)"
    assert lines[3] == "ρ̂ row  x_y*z"  # the combining hat takes no place
    assert lines[4] == "- a note"
