import os
import subprocess
import sys
import textwrap
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.optim.swa_utils import update_bn

import lecture13
from lecture13 import checkpoints
from lecture13.checkpoints import CheckpointError
from lecture13.processes import OneProcess
from lecture13.training import batch_indices, fit, moving_average


def alone(script, folder, *arguments):
    """Run a script in a process of its own: quiet, on one core, with this lecture13."""
    file = folder / "script.py"
    file.write_text(textwrap.dedent(script))
    home = Path(lecture13.__file__).parents[1]
    environment = {**os.environ, "TQDM_DISABLE": "1", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(home)}
    subprocess.run([sys.executable, file, folder, *map(str, arguments)], env=environment, check=True, timeout=300)


class Walk:
    """The smallest thing that can be trained: a number that each step moves by chance."""

    def __init__(self):
        self.place = torch.zeros(())

    def state_dict(self):
        return {"place": self.place}

    def load_state_dict(self, state):
        self.place = state["place"]

    def step(self, index, generator):
        self.place = self.place + torch.rand((), generator=generator) + torch.rand(()) * index
        return {"place": self.place}


def noisy_run(folder=None, steps=12, **options):
    """A net with batch norm and dropout, Adam, a scheduler and an average: everything that a resume can get wrong."""
    torch.manual_seed(5)
    model = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 3))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)
    average = moving_average(model, 0.8)
    data = torch.randn(10, 6, generator=torch.Generator().manual_seed(1))
    labels = torch.arange(10) % 3

    def step(index, generator):
        chosen = batch_indices(10, 4, index, seed=3)  # 10 in fours: epochs end inside batches
        batch = data[chosen] + torch.randn(4, 6, generator=generator) / 10
        loss = nn.functional.cross_entropy(model(batch), labels[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        average.update_parameters(model)
        return {"loss": loss}

    state = {"model": model, "optimizer": optimizer, "scheduler": scheduler, "average": average}
    checkpoint = None if folder is None else folder / "run.ckpt"
    history = fit(step, state, steps=steps, seed=3, checkpoint=checkpoint, **options)
    return history, {name: part.state_dict() for name, part in state.items()}


def assert_identical(one, other):
    assert type(one) is type(other)
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one:
            assert_identical(one[key], other[key])
    elif isinstance(one, list | tuple):
        assert len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            assert_identical(a, b)
    elif isinstance(one, torch.Tensor):
        assert torch.equal(one, other)
    else:
        assert one == other


# ---- batches


@settings(max_examples=60, deadline=None)
@given(n=st.integers(1, 40), batch=st.integers(1, 60), epochs=st.integers(1, 3), seed=st.integers(0, 2**32 - 1))
def test_every_epoch_is_a_permutation(n, batch, epochs, seed):
    steps = -(-n * epochs // batch)
    order = torch.cat([batch_indices(n, batch, step, seed) for step in range(steps)])
    assert order.dtype == torch.int64 and len(order) == steps * batch
    for epoch in range(epochs):
        assert sorted(order[epoch * n : (epoch + 1) * n].tolist()) == list(range(n))


def test_batches_are_a_pure_function_of_seed_and_step():
    first = batch_indices(100, 7, 40, seed=1)
    torch.manual_seed(0)
    before = torch.get_rng_state()
    assert torch.equal(first, batch_indices(100, 7, 40, seed=1))
    assert torch.equal(before, torch.get_rng_state())
    assert not torch.equal(first, batch_indices(100, 7, 40, seed=2))
    epochs = [batch_indices(100, 100, step, seed=1) for step in range(3)]
    assert not torch.equal(epochs[0], epochs[1]) and not torch.equal(epochs[1], epochs[2])


@pytest.mark.parametrize("bad", [{"n": 0}, {"batch_size": 0}, {"step": -1}])
def test_batches_refuse_what_cannot_be(bad):
    with pytest.raises(ValueError, match="={}".format(*bad.values())):
        batch_indices(**{"n": 5, "batch_size": 2, "step": 0, **bad})


# ---- the loop


def test_steps_and_history():
    seen = []

    def step(index, generator):
        seen.append(index)
        return {"loss": torch.tensor(float(index)), "twice": 2.0 * index}

    history = fit(step, {}, steps=25, report_every=10)
    assert seen == list(range(25))
    assert history["loss"] == list(range(25)) and history["twice"] == list(range(0, 50, 2))
    assert len(history) == 25 and history.seconds > 0
    with pytest.raises(KeyError, match=r"no metric 'acc'.*loss, twice"):
        history["acc"]


def test_chance_depends_on_seed_and_step_alone():
    def draws(seed, steps):
        found = []

        def step(_, generator):
            found.append((torch.rand(2, generator=generator), torch.rand(2)))
            return {"loss": 0.0}

        fit(step, {}, steps=steps, seed=seed)
        return torch.stack([torch.cat(pair) for pair in found])

    once = draws(0, 6)
    assert torch.equal(once, draws(0, 6)) and torch.equal(once[:3], draws(0, 3))
    assert not (draws(1, 6) == once).any()
    assert len(once.flatten().unique()) == once.numel()  # no two steps, and no two generators, alike


def test_global_chance_is_left_as_it_was():
    torch.manual_seed(9)
    before = torch.get_rng_state()
    fit(Walk().step, {}, steps=3)
    assert torch.equal(before, torch.get_rng_state())


def test_a_resumed_run_is_the_uninterrupted_one_bit_for_bit(tmp_path):
    history, state = noisy_run(steps=12)
    for stops in ([5], [1, 2, 7], [12]):
        folder = tmp_path / str(stops)
        for stop in stops:
            noisy_run(folder, steps=stop)
        resumed, resumed_state = noisy_run(folder, steps=12)
        assert_identical(state, resumed_state)
        assert history.metrics == resumed.metrics


def test_sight_of_the_metrics_changes_nothing():
    assert_identical(noisy_run(report_every=1)[1], noisy_run(report_every=100)[1])


KILLED = """
    import os, signal, sys, time, torch
    from pathlib import Path
    from torch import nn
    from lecture13.training import batch_indices, fit, moving_average

    def run(checkpoint, pause, result):
        torch.manual_seed(0)
        data, labels = torch.randn(50, 6), torch.arange(50) % 3
        model = nn.Sequential(nn.Linear(6, 64), nn.Dropout(0.5), nn.ReLU(), nn.Linear(64, 3))
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
        average = moving_average(model, 0.9)

        def step(index, generator):
            chosen = batch_indices(50, 8, index, seed=1)
            batch = data[chosen] + torch.randn(8, 6, generator=generator)
            loss = nn.functional.cross_entropy(model(batch), labels[chosen])
            optimizer.zero_grad(); loss.backward(); optimizer.step(); average.update_parameters(model)
            time.sleep(pause)
            return {"loss": loss}

        state = {"model": model, "optimizer": optimizer, "average": average}
        history = fit(step, state, steps=60, checkpoint=checkpoint, checkpoint_every=3, seed=1)
        torch.save([history.metrics, {name: part.state_dict() for name, part in state.items()}], result)

    folder = Path(sys.argv[1])
    if (process := os.fork()) == 0:
        run(folder / "run.ckpt", 0.05, folder / "killed")
        os._exit(0)
    while not (folder / "run.ckpt").exists():
        time.sleep(0.02)
    time.sleep(0.5)  # some checkpoints later
    os.kill(process, signal.SIGKILL)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == -signal.SIGKILL
    (folder / "at the kill").write_bytes((folder / "run.ckpt").read_bytes())
    run(folder / "run.ckpt", 0, folder / "resumed")
    run(folder / "whole.ckpt", 0, folder / "whole")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="one import of torch for three runs needs fork")
def test_kill_9_in_the_middle_of_an_epoch(tmp_path):
    alone(KILLED, tmp_path)
    assert not (tmp_path / "killed").exists()
    assert 0 < checkpoints.load(tmp_path / "at the kill").step < 60
    assert_identical(torch.load(tmp_path / "resumed"), torch.load(tmp_path / "whole"))


def test_the_scale_of_half_precision_losses_is_saved_too(tmp_path):
    class Scaler:
        scale = 1.0

        def state_dict(self):
            return {"scale": self.scale}

        def load_state_dict(self, state):
            self.scale = state["scale"]

    class Half(OneProcess):
        def __init__(self):
            self.strategy = SimpleNamespace(precision=Scaler())

    fabric = Half()

    def grow(*_):
        fabric.strategy.precision.scale *= 2
        return {"loss": 0.0}

    fit(grow, {}, steps=3, checkpoint=tmp_path / "run.ckpt", fabric=fabric)
    fabric = Half()
    fit(grow, {}, steps=4, checkpoint=tmp_path / "run.ckpt", fabric=fabric)
    assert fabric.strategy.precision.scale == 16


def test_a_finished_run_takes_no_further_step(tmp_path):
    history, state = noisy_run(tmp_path)
    calls = []
    walk = Walk()
    assert fit(walk.step, {"walk": walk}, steps=4, checkpoint=tmp_path / "walk.ckpt")
    fit(lambda *_: calls.append(1), {"walk": walk}, steps=4, checkpoint=tmp_path / "walk.ckpt")
    assert not calls
    again, again_state = noisy_run(tmp_path)
    assert history.metrics == again.metrics
    assert_identical(state, again_state)


def test_a_run_may_be_made_longer_but_not_shorter(tmp_path):
    walk = Walk()
    fit(walk.step, {"walk": walk}, steps=6, checkpoint=tmp_path / "run.ckpt")
    with pytest.raises(CheckpointError, match=r"run\.ckpt is at step 6, beyond steps=4"):
        fit(walk.step, {"walk": walk}, steps=4, checkpoint=tmp_path / "run.ckpt")
    fit(walk.step, {"walk": walk}, steps=9, checkpoint=tmp_path / "run.ckpt")
    whole = Walk()
    fit(whole.step, {"walk": whole}, steps=9)
    assert walk.place == whole.place


@pytest.mark.parametrize("report_every", [1, 4, 100])
def test_nan_says_its_step_and_keeps_the_last_good_checkpoint(tmp_path, report_every):
    walk, path = Walk(), tmp_path / "run.ckpt"

    def step(index, generator):
        walk.step(index, generator)
        return {"loss": 1.0, "penalty": torch.tensor(float("nan") if index >= 7 else 1.0)}

    with pytest.raises(FloatingPointError, match=r"penalty is nan at step 7\. The last good checkpoint is .*run\.ckpt"):
        fit(step, {"walk": walk}, steps=20, checkpoint=path, checkpoint_every=3, report_every=report_every)
    assert checkpoints.load(path).step == 6


def test_infinite_losses_stop_too_where_nothing_is_saved():
    with pytest.raises(FloatingPointError, match=r"loss is inf at step 0\. No checkpoint was written"):
        fit(lambda *_: {"loss": torch.tensor(float("inf"))}, {}, steps=2)


def test_weights_that_are_not_finite_are_never_saved(tmp_path):
    model = nn.Linear(2, 2)

    def step(index, _):
        with torch.no_grad():
            model.weight.fill_(float("nan") if index == 3 else 1.0)
        return {"loss": 1.0}  # the loss does not know yet

    with pytest.raises(FloatingPointError, match=r"model\.weight are not finite after step 3"):
        fit(step, {"model": model}, steps=8, checkpoint=tmp_path / "run.ckpt", checkpoint_every=2)
    assert checkpoints.load(tmp_path / "run.ckpt").step == 2


def test_other_settings_seeds_and_precisions_are_refused(tmp_path):
    walk, path = Walk(), tmp_path / "run.ckpt"
    fit(walk.step, {"walk": walk}, steps=2, checkpoint=path, settings={"rate": 0.1}, seed=1)
    before = path.read_bytes()
    with pytest.raises(CheckpointError, match=r"rate was 0\.1 and is 0\.2; seed was 1 and is 2"):
        fit(walk.step, {"walk": walk}, steps=4, checkpoint=path, settings={"rate": 0.2}, seed=2)
    half = OneProcess()
    half.strategy = SimpleNamespace(precision=SimpleNamespace(precision="bf16-mixed", state_dict=dict))
    with pytest.raises(CheckpointError, match=r"precision was '32-true' and is 'bf16-mixed'"):
        fit(walk.step, {"walk": walk}, steps=4, checkpoint=path, settings={"rate": 0.1}, seed=1, fabric=half)
    assert path.read_bytes() == before


def test_a_state_of_another_shape_or_name_is_refused(tmp_path):
    def nothing(*_):
        return {"loss": 0.0}

    path = tmp_path / "run.ckpt"
    fit(nothing, {"model": nn.Linear(2, 3)}, steps=1, checkpoint=path)
    with pytest.raises(
        CheckpointError, match=r"'model' in the checkpoint .*run\.ckpt does not fit(.|\n)*size mismatch"
    ):
        fit(nothing, {"model": nn.Linear(2, 4)}, steps=2, checkpoint=path)
    with pytest.raises(CheckpointError, match=r"holds \['model'\], this run \['critic'\]"):
        fit(nothing, {"critic": nn.Linear(2, 3)}, steps=2, checkpoint=path)


def test_a_damaged_checkpoint_stops_before_any_step(tmp_path):
    path = tmp_path / "run.ckpt"
    path.write_bytes(b"half a file")
    with pytest.raises(CheckpointError, match=r"run\.ckpt is damaged"):
        fit(Walk().step, {}, steps=1, checkpoint=path)


def test_a_place_that_cannot_be_written_stops_before_any_step(tmp_path):
    (tmp_path / "file").touch()
    calls = []
    with pytest.raises(CheckpointError, match="cannot write to"):
        fit(lambda *_: calls.append(1), {}, steps=1, checkpoint=tmp_path / "file" / "run.ckpt")
    assert not calls


@pytest.mark.parametrize("bad", [{"steps": 0}, {"checkpoint_every": 0}, {"report_every": -1}])
def test_counts_below_one_are_refused(bad):
    with pytest.raises(ValueError, match="{} is {}; expected 1 or more".format(*next(iter(bad.items())))):
        fit(Walk().step, {}, **{"steps": 1, **bad})


def test_what_cannot_be_saved_or_reported_is_named():
    with pytest.raises(TypeError, match="state 'rate' is a float"):
        fit(Walk().step, {"rate": 0.1}, steps=1)
    for nothing in (None, {}, torch.zeros(())):
        with pytest.raises(TypeError, match=r"a step returned .*; expected named scalars"):
            fit(lambda *_, nothing=nothing: nothing, {}, steps=1)
    with pytest.raises(ValueError, match=r"'loss' has the shape \(2,\); expected one number"):
        fit(lambda *_: {"loss": torch.zeros(2)}, {}, steps=1)
    with pytest.raises(ValueError, match=r"\['b'\], another \['a'\]"):
        fit(lambda index, _: {"ab"[index]: 0.0}, {}, steps=2)
    with pytest.raises(TypeError, match="settings must be plain"):
        fit(Walk().step, {}, steps=1, settings={"net": nn.Linear(1, 1)})


# ---- averages


def test_moving_average_is_the_closed_form():
    model, decay = nn.Linear(1, 1, bias=False), 0.9
    average = moving_average(model, decay)
    weights = [3.0, -1.0, 4.0, 1.0, -5.0]
    for weight in weights:
        nn.init.constant_(model.weight, weight)
        average.update_parameters(model)
    # w̄_t = decay^t w_0 + (1 − decay) Σ decay^(t−s) w_s
    last = len(weights) - 1
    expected = decay**last * weights[0] + (1 - decay) * sum(
        decay ** (last - s) * weights[s] for s in range(1, last + 1)
    )
    assert average.module.weight.item() == pytest.approx(expected, rel=1e-6)
    assert model.weight.item() == -5.0


def test_moving_average_averages_the_statistics_or_has_them_measured():
    model = nn.BatchNorm1d(1, momentum=1.0).train()
    average = moving_average(model, 0.5)
    for level in (0.0, 8.0):
        model(torch.tensor([[level - 1], [level + 1]]))
        average.update_parameters(model)
    assert average.module.running_mean.item() == 4.0  # half way from 0 to 8
    batches = [torch.tensor([[1.0], [3.0]]), torch.tensor([[5.0], [7.0]])]
    update_bn(batches, average)
    assert average.module.running_mean.item() == 4.0 and average.module.running_var.item() == pytest.approx(2.0)
