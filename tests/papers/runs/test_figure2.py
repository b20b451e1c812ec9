import dataclasses

import pytest
import torch

from lecture13.gan import architectures, cells
from lecture13.gan.methods import FIGURE_2
from lecture13.papers.runs import figure2, parts, store
from lecture13.profile import SIZES, use

BUDGET = {"size": 16, "width": 4, "depth": 1, "batch": 4, "steps": 2, "single": 1, "speed": 5.0}
BUDGET |= {"images": 8, "samples": 200}


@pytest.fixture
def run(monkeypatch):
    """Random pictures in the scenes' place: drawing takes its time."""

    def scene_bytes(count, *, size, split="train"):
        chance = torch.Generator().manual_seed(len(split))
        return torch.randint(256, (count, 3, size, size), dtype=torch.uint8, generator=chance)

    monkeypatch.setitem(SIZES, "methods.grid", (BUDGET, BUDGET, BUDGET))
    monkeypatch.setattr(figure2, "scene_bytes", scene_bytes)
    return use("smoke", device="cpu")


def test_a_run_is_resumed_recorded_and_read(run, monkeypatch, tmp_path):
    pairs = [("tanh", "WGAN-GP"), ("mlp", "DCGAN")]
    monkeypatch.setattr(figure2, "keys", lambda: pairs)
    with pytest.raises(ValueError, match="no cell of Figure 2"):
        figure2.record(run, tmp_path)
    figure2.train(run, tmp_path)
    times = {pair: parts.path(tmp_path, *pair).stat().st_mtime_ns for pair in pairs}
    parts.path(tmp_path, *pairs[1]).unlink()
    figure2.train(run, tmp_path)  # the second again, the first not
    assert parts.path(tmp_path, *pairs[0]).stat().st_mtime_ns == times[pairs[0]]
    cell, samples = parts.read_cell(parts.path(tmp_path, *pairs[1]))
    assert (cell.architecture, cell.method, cell.iterations) == ("mlp", "DCGAN", 2)
    failed = dataclasses.replace(cell, architecture="gated", failure="the loss is nan", critic=[])
    parts.write_cell(failed, torch.zeros_like(samples), tmp_path)
    monkeypatch.setattr(figure2, "keys", lambda: [*pairs, ("gated", "DCGAN"), ("resnet", "LSGAN")])

    figure2.record(run, tmp_path, into=tmp_path / "out")
    grid = figure2.load(folder=tmp_path / "out")
    assert list(grid.judged) == [*pairs, ("gated", "DCGAN")] and grid.missing == [("resnet", "LSGAN")]
    assert grid["mlp", "DCGAN"].cell == cell and grid.budget == cells.Budget(**BUDGET)
    assert grid["gated", "DCGAN"].verdict == "fails" and grid["gated", "DCGAN"].distance is None
    assert torch.equal(grid.sheets["mlp", "DCGAN"], samples[: figure2.SHEET])
    assert sum(grid.count("DCGAN", verdict) for verdict in ("trains", "collapses", "fails")) == 2
    assert cell.scores[-1][3] == pytest.approx(grid["mlp", "DCGAN"].distance)


def test_the_recorded_grid():
    """What ships: its verdicts follow from its numbers, its cells are the figure's, and it is small."""
    grid = figure2.load()
    assert set(grid.judged) <= set(figure2.keys()) and len(figure2.keys()) == 28
    for (architecture, method), found in grid.judged.items():
        assert found.cell.iterations == grid.budget.iterations(FIGURE_2[method])
        assert found.verdict == (
            "fails" if found.distance is None else grid.criterion.judge(found.distance, found.apart)
        )
        norm = FIGURE_2[method].norm
        pair = architectures.build(
            architecture, norm=norm, size=grid.budget.size, width=grid.budget.width, depth=grid.budget.depth
        )
        assert found.cell.parameters == tuple(sum(p.numel() for p in net.parameters()) for net in pair)
        assert grid.sheets[architecture, method].shape == (figure2.SHEET, 3, grid.budget.size, grid.budget.size)
    assert sum(file.stat().st_size for file in store.FOLDER.glob("figure2.*")) < 600_000


def test_the_command_line_asks_for_a_folder(capsys):
    with pytest.raises(SystemExit):
        parts.command_line("about", figure2.train, figure2.record, [])
    assert "FOLDER" in capsys.readouterr().err


def test_the_command_line_trains_or_records(tmp_path):
    done = []

    def call(what):
        return lambda run, folder: done.append((what, run.name, run.seed, folder))

    arguments = [str(tmp_path), "--profile", "smoke", "--device", "cpu", "--seed", "4"]
    for further in ([], ["--record"]):
        assert parts.command_line("about", call("train"), call("record"), [*arguments, *further]) == 0
    assert done == [("train", "smoke", 4, tmp_path), ("record", "smoke", 4, tmp_path)]
