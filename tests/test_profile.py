import random

import numpy as np
import pytest
import torch

from lecture13 import profile
from lecture13.profile import PROFILES, SIZES, data_folder, use


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch):
    for name in ("LECTURE13_PROFILE", "LECTURE13_DEVICE", "LECTURE13_DATA", "LECTURE13_RUNS"):
        monkeypatch.delenv(name, raising=False)


def test_laptop_is_the_default_and_the_environment_the_fallback(monkeypatch):
    assert use().name == "laptop"
    monkeypatch.setenv("LECTURE13_PROFILE", "smoke")
    assert use().name == "smoke"
    assert use("full").name == "full"  # what a notebook says wins


@pytest.mark.parametrize("name", ["tiny", "", "Laptop"])
def test_unknown_profiles_list_the_three(monkeypatch, name):
    with pytest.raises(ValueError, match=rf"unknown profile '{name}'; choose one of 'smoke', 'laptop', 'full'"):
        use(name)
    if name:
        monkeypatch.setenv("LECTURE13_PROFILE", name)
        with pytest.raises(ValueError, match=name):
            use()


@pytest.mark.parametrize("seed", [-1, 2**32, 1.0, "0", True, None])
def test_seeds_out_of_range_are_named(seed):
    with pytest.raises(ValueError, match=r"seed .*expected a whole number from 0 to"):
        use(seed=seed)


def test_one_seed_seeds_everything():
    def draws(seed):
        use("smoke", seed=seed)
        return random.random(), np.random.random(), torch.rand(()).item()  # noqa: NPY002

    assert draws(3) == draws(3)
    assert all(a != b for a, b in zip(draws(3), draws(4), strict=True))
    assert use(seed=2**32 - 1).seed == 2**32 - 1


def test_the_device_is_the_best_there_is_unless_one_is_asked_for(monkeypatch):
    for kinds, best in (((False, False), "cpu"), ((False, True), "mps"), ((True, True), "cuda")):
        monkeypatch.setattr(torch.cuda, "is_available", lambda there=kinds[0]: there)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda there=kinds[1]: there)
        run = use()
        assert run.device == torch.device(best)
    assert use(device="cpu").device == use(device=torch.device("cpu")).device == torch.device("cpu")
    monkeypatch.setenv("LECTURE13_DEVICE", "cpu")
    assert use().device == torch.device("cpu")
    assert use(device="mps").device == torch.device("mps")  # what a notebook says wins
    with pytest.raises(ValueError, match=r"'cuda:1' is not on this machine; it has 1 CUDA"):
        use(device="cuda:1")


@pytest.mark.parametrize(
    ("device", "instructions", "precision"),
    [
        ("cuda", {}, "bf16-mixed"),
        ("mps", {"avx512_bf16": True}, "32-true"),
        ("cpu", {"avx512_bf16": True, "amx_bf16": False}, "bf16-mixed"),
        ("cpu", {"amx_bf16": True}, "bf16-mixed"),
        ("cpu", {"avx512_bf16": False}, "32-true"),
        ("cpu", None, "32-true"),
    ],
)
def test_half_the_precision_where_the_device_multiplies_in_it(device, instructions, precision, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    if instructions is None:  # an older torch, which does not say
        monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    else:
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: instructions, raising=False)
    assert use(device=device).precision == precision


def test_devices_that_are_not_there_are_named(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    for device in ("cuda", "mps", "meta"):
        with pytest.raises(ValueError, match=rf"device '{device}' is not on this machine; it has cpu"):
            use(device=device)
    with pytest.raises(ValueError, match="unknown device 'gpu'; this machine has cpu"):
        use(device="gpu")


def test_sizes_follow_the_profile(monkeypatch):
    monkeypatch.setitem(SIZES, "test.steps", (1, 20, 300))
    assert [use(name)["test.steps"] for name in PROFILES] == [1, 20, 300]
    with pytest.raises(KeyError, match=r"no size 'test\.step'; known: .*test\.steps"):
        use()["test.step"]


def test_every_size_has_one_value_a_profile():
    assert all(isinstance(row, tuple) and len(row) == len(PROFILES) for row in SIZES.values())
    assert all("." in name for name in SIZES)  # the chapter or room, then what


def test_the_label_says_profile_and_device():
    assert use("smoke", device="cpu").label == "smoke profile, cpu"


@pytest.mark.parametrize("name", PROFILES)
def test_the_banner_says_what_this_run_is(name):
    text = use(name, device="cpu", seed=7).banner("digits: real handwriting", "scenes: drawn").data
    for part in (f"`{name}`", "`cpu`", "seed 7", "digits: real handwriting", "scenes: drawn"):
        assert part in text
    assert ("no results" in text) == (name == "smoke")


def test_the_data_folder(monkeypatch, tmp_path):
    import platformdirs

    assert data_folder() == platformdirs.user_cache_path("lecture13")
    monkeypatch.setenv("LECTURE13_DATA", "")
    assert data_folder() == platformdirs.user_cache_path("lecture13")
    monkeypatch.setenv("LECTURE13_DATA", str(tmp_path))
    assert data_folder() == tmp_path
    monkeypatch.setenv("LECTURE13_DATA", "~/data")
    assert data_folder() == profile.Path.home() / "data"


def test_the_folder_of_a_notebooks_own_runs(monkeypatch, tmp_path):
    monkeypatch.setenv("LECTURE13_DATA", str(tmp_path))
    assert profile.runs_folder() == tmp_path / "runs"
    monkeypatch.setenv("LECTURE13_RUNS", "~/runs")
    assert profile.runs_folder() == profile.Path.home() / "runs"
