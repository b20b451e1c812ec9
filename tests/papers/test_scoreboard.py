import subprocess
import sys

import pytest
import torch

from lecture13 import papers
from lecture13.papers import records
from lecture13.profile import Profile


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "FOLDER", tmp_path)


def test_every_result_has_its_section_and_says_what_is_recorded():
    full = Profile("full", torch.device("cpu"), "32-true", 0)
    papers.record("turtle", {"adversarial": {"viewpoints": 97.5}}, run=full, data="solids", device="H200", commit="abc")
    page = papers.scoreboard_markdown()
    results = [name for name in papers.names() if papers.table(name).kind == "results"]
    sections = page.split("\n## ")[1:]
    assert page.startswith(f"Full runs are recorded for 1 of {len(results)} tables.")
    assert len(sections) == len(results)
    for name, section in zip(results, sections, strict=True):
        assert f"`{name}`" in section
        assert ("none recorded yet" in section) == (name != "turtle")
        assert ("97.5" in section and "H200" in section) == (name == "turtle")


def test_what_is_shipped_reads_back(monkeypatch):
    monkeypatch.undo()
    for path in records.FOLDER.glob("*.json"):
        assert papers.recorded(path.stem)


def test_the_command_writes_the_page():
    done = subprocess.run([sys.executable, "-m", "lecture13.papers"], capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Full runs are recorded for ") and "## The panda" in done.stdout
