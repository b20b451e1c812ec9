import dataclasses

import pytest
import torch

from lecture13.papers.runs import store
from lecture13.profile import use

ORIGIN = store.Origin("laptop", "cpu, threads: 1", "2026-11-22", "abc123def456", 0, "scenes")


def test_a_run_comes_back_as_it_was_written(tmp_path):
    content = {"budget": {"size": 16}, "cells": [{"losses": [[1, 0.5], [2, 0.25]], "failure": ""}]}
    store.write("grid", ORIGIN, content, folder=tmp_path)
    assert store.read("grid", folder=tmp_path) == (ORIGIN, content)
    for part in ("laptop profile", "cpu, threads: 1", "scenes", "2026-11-22", "abc123def", "seed 0"):
        assert part in ORIGIN.label


def test_pictures_come_back_to_the_bit(tmp_path):
    images = torch.randint(256, (3, 5, 3, 7, 7), dtype=torch.uint8)
    store.write_picture("grid", images, folder=tmp_path)
    assert torch.equal(store.read_picture("grid", 7, folder=tmp_path), images)


def test_what_is_missing_or_damaged_says_so(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"runs\.grid FOLDER makes one"):
        store.read("grid", folder=tmp_path)
    (tmp_path / "grid.json").write_text('{"origin": {"profile": "laptop"}}')
    with pytest.raises(ValueError, match="is not a recorded run"):
        store.read("grid", folder=tmp_path)
    store.write_picture("grid", torch.zeros(1, 2, 3, 4, 4, dtype=torch.uint8), folder=tmp_path)
    with pytest.raises(ValueError, match="8×4; expected multiples of size=3"):
        store.read_picture("grid", 3, folder=tmp_path)
    with pytest.raises(ValueError, match="expected uint8"):
        store.write_picture("grid", torch.zeros(1, 2, 3, 4, 4), folder=tmp_path)


def test_numbers_that_are_not_finite_are_not_recorded(tmp_path):
    with pytest.raises(ValueError, match="JSON compliant"):
        store.write("grid", ORIGIN, {"loss": float("nan")}, folder=tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_origin_is_this_machines():
    run = dataclasses.replace(use("smoke", device="cpu"), seed=3)
    origin = store.Origin.here(run, "digits")
    assert (origin.profile, origin.seed, origin.data) == ("smoke", 3, "digits")
    assert origin.device.startswith("cpu") and len(origin.commit) >= 7
