"""What every executed copy must show."""

import json

from tests.notebooks.conftest import tagged


def test_every_figure_is_described(executed):
    for cell in executed.cells:
        if cell.cell_type == "code" and any("image/png" in output.get("data", {}) for output in cell.outputs):
            alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
            assert len(alt.split()) >= 4, f"say what this figure shows (mystnb.image.alt is {alt!r}):\n{cell.source}"


def test_every_code_cell_ran(executed):
    assert all(cell.execution_count for cell in executed.cells if cell.cell_type == "code" and cell.source)


def test_says_nothing_on_stderr(executed):
    for cell in executed.cells:
        for output in cell.get("outputs", []):
            assert output.get("name") != "stderr", f"{cell.source}\n\n{output.text}"


def test_says_its_profile(executed):
    assert any(
        "Profile `smoke`" in output.get("data", {}).get("text/markdown", "")
        for cell in executed.cells
        for output in cell.get("outputs", [])
    ), "run.banner(...) should say the profile"


def test_stubs_left_alone_are_not_attempted(executed):
    for cell in tagged(executed, "check"):
        shown = json.dumps([output.get("data", {}) for output in cell.outputs])
        assert "not attempted" in shown, cell.source
