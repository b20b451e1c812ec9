"""The engine under the boxes: what a run survives, and that one process or two play the same game."""

import json
import math
import os
import socket
import subprocess
import sys
import textwrap
from functools import partial
from pathlib import Path

import pytest
import torch

import lecture13
from lecture13.checkpoints import CheckpointError
from lecture13.gan import dcgan, nets, training

IMAGES = torch.randint(0, 256, (40, 3, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
ADAM = partial(training.adam, lr=1e-3, betas=(0.5, 0.999))


def game(norm="batch", **options):
    torch.manual_seed(0)
    G, D = dcgan.Generator(8, (6,), noise=5, kernel=4), dcgan.Critic(8, (6,), kernel=4, norm=norm, minibatch_std=True)
    return G, D, training.from_bytes(IMAGES, mirror=True), nets.normal(5), options


def play(steps, *, box="algorithm_1", **options):
    norm = "layer" if box == "wgan_gp" else "batch"
    G, D, data, prior, options = game(norm, **options)
    options = {"rule": ADAM, "batch": 8, "average": 0.9, **options}
    return G, getattr(training, box)(G, D, data, prior, steps=steps, **options)


@pytest.mark.parametrize("box", ["algorithm_1", "wgan", "wgan_gp"])
def test_a_run_that_is_killed_and_resumed_ends_where_it_would_have(tmp_path, box):
    class Killed(Exception):
        pass

    def kill(index):
        if index == 5:
            raise Killed

    plain = {"record": lambda done: torch.tensor([done]), "every": 2, "box": box}
    G, whole = play(8, **plain)
    saved = {**plain, "checkpoint": tmp_path / "run.ckpt", "checkpoint_every": 3}
    with pytest.raises(Killed):
        play(8, **saved, before=kill)
    again, resumed = play(8, **saved)
    for name, values in G.state_dict().items():
        assert torch.equal(values, again.state_dict()[name]), name
    for name, values in whole.average.state_dict().items():
        assert torch.equal(values, resumed.average.state_dict()[name]), name
    assert all(torch.equal(values, resumed.metrics[name]) for name, values in whole.metrics.items())
    assert whole.records == resumed.records and [done for done, _ in resumed.records] == [0, 2, 4, 6, 8]


def test_a_longer_run_goes_on_from_a_shorter_ones_checkpoint(tmp_path):
    play(3, checkpoint=tmp_path / "run.ckpt")
    G, _ = play(6, checkpoint=tmp_path / "run.ckpt")
    assert torch.equal(G.project.weight, play(6)[0].project.weight)
    with pytest.raises(CheckpointError, match="other settings"):
        play(6, checkpoint=tmp_path / "run.ckpt", settings={"batch": 7})


def test_the_moving_average_by_hand():
    path = []
    G, D, data, prior, _ = game()
    start = G.project.weight.detach().clone()
    history = training.algorithm_1(
        G, D, data, prior, steps=4, batch=8, rule=ADAM, average=0.75, every=1,
        record=lambda done: path.append(G.project.weight.detach().clone()),
    )  # fmt: skip
    # torch's average starts at the weights after the first step
    expected = path[1]
    for weight in path[2:]:
        expected = 0.75 * expected + 0.25 * weight
    assert torch.allclose(history.average.project.weight, expected, atol=1e-6)
    assert not torch.equal(start, path[1])


def test_a_nan_stops_with_its_step_and_the_last_good_checkpoint(tmp_path):
    G, D, data, prior, _ = game()

    def broken(number, count, generator):
        (x,) = data(number, count, generator)
        return (x * (math.nan if number == 4 else 1.0),)

    run = tmp_path / "run.ckpt"
    with pytest.raises(FloatingPointError, match=rf"nan at step 4. The last good checkpoint is {run}"):
        training.algorithm_1(
            G, D, broken, prior, steps=8, batch=8, rule=ADAM, checkpoint=run, checkpoint_every=2
        )  # fmt: skip


def test_the_machines_formats_do_not_change_the_game():
    plain, fast = (play(3, channels_last=last)[1] for last in (False, True))
    assert torch.allclose(plain.generator_loss, fast.generator_loss, atol=1e-4)
    assert play(1)[0].blocks.block4[0].weight.dtype == torch.float32


def test_batch_and_critic_steps_may_be_functions_of_the_iteration():
    sizes = []
    G, D, data, prior, _ = game()

    def watched(number, count, generator):
        sizes.append(count)
        return data(number, count, generator)

    training.algorithm_1(G, D, watched, prior, steps=3, batch=lambda i: 2 + 2 * i, k=lambda i: 1 + i, rule=ADAM)
    assert sizes == [2, 4, 4, 6, 6, 6]


def test_before_comes_before_each_iteration():
    calls, (G, D, data, prior, _) = [], game()
    training.algorithm_1(G, D, data, prior, steps=3, batch=2, rule=ADAM, before=calls.append)
    assert calls == [0, 1, 2]


def test_what_cannot_be_is_refused(tmp_path):
    with pytest.raises(ValueError, match="compile=True on cpu; expected CUDA"):
        play(1, compile=True)
    with pytest.raises(TypeError, match="record of iteration 0 holds a Event"):
        play(1, checkpoint=tmp_path / "run.ckpt", record=lambda done: torch.Event())
    with pytest.raises(TypeError, match="unexpected keyword argument 'momentums'"):
        play(1, momentums=3)

    class Half:
        class strategy:
            class precision:
                scaler = object()

        device = torch.device("cpu")

    with pytest.raises(ValueError, match="take bf16-mixed"):
        play(1, fabric=Half())


def test_bfloat16_gives_full_precision_losses():
    from lecture13 import processes

    G, history = play(2, fabric=processes.start("cpu", "bf16-mixed"))
    assert history.critic_loss.isfinite().all() and G.project.weight.dtype == torch.float32
    full = play(2)[1]
    assert torch.allclose(history.critic_loss, full.critic_loss, atol=0.05)
    assert not torch.equal(history.critic_loss, full.critic_loss)  # it did compute in bf16


JOINT = """
    import json, os, sys, torch
    from functools import partial
    from pathlib import Path
    import lightning_fabric
    from lecture13 import processes
    from lecture13.gan import dcgan, nets, training

    class Plain(torch.nn.Module):  # no batch statistics
        def __init__(self):
            super().__init__()
            self.net = torch.nn.Sequential(
                torch.nn.Linear(5, 20), torch.nn.Tanh(), torch.nn.Linear(20, 192), torch.nn.Tanh()
            )

        def forward(self, z):
            return self.net(z).view(-1, 3, 8, 8)

    def run(folder, name, **launcher):
        os.environ.update(launcher)
        fabric = processes.start("cpu")
        images = torch.randint(0, 256, (40, 3, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
        rule, told = partial(training.adam, lr=1e-3, betas=(0.5, 0.999)), {}
        for box in ("algorithm_1", "wgan", "wgan_gp"):
            torch.manual_seed(fabric.global_rank)  # the others start where the first does
            G, D = Plain(), dcgan.Critic(8, (6,), kernel=4, norm="layer")
            history = getattr(training, box)(
                G, D, training.from_bytes(images, mirror=True), nets.normal(5), steps=5, batch=8, rule=rule,
                fabric=fabric,
            )
            told[box] = {name: values.tolist() for name, values in history.metrics.items()}
        if fabric.is_global_zero:
            (folder / name).write_text(json.dumps([fabric.world_size, told]))

    folder, children = Path(sys.argv[1]), []
    torchrun = {"TORCHELASTIC_RUN_ID": "test", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": sys.argv[2]}
    torchrun |= {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "GROUP_RANK": "0"}
    for rank in "01":
        children.append(os.fork())
        if not children[-1]:
            run(folder, "two", **torchrun, RANK=rank, LOCAL_RANK=rank)
            os._exit(0)
    assert not any(os.waitpid(child, 0)[1] for child in children)
    run(folder, "one")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="one import of Fabric for three processes needs fork")
def test_two_processes_play_the_game_of_one_with_the_joint_batch(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    file = tmp_path / "script.py"
    file.write_text(textwrap.dedent(JOINT))
    home = str(Path(lecture13.__file__).parents[1])
    environment = {**os.environ, "TQDM_DISABLE": "1", "OMP_NUM_THREADS": "1", "PYTHONPATH": home}
    subprocess.run([sys.executable, file, tmp_path, str(port)], env=environment, check=True, timeout=300)
    one, two = (json.loads((tmp_path / name).read_text()) for name in ("one", "two"))
    assert (one[0], two[0]) == (1, 2)
    for box, metrics in one[1].items():
        for name, values in metrics.items():
            assert two[1][box][name] == pytest.approx(values, rel=1e-3, abs=1e-4), (box, name)
