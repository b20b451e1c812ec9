import json
import os
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch

import lecture13
from lecture13 import checkpoints
from lecture13.processes import OneProcess, share, start


def alone(script, folder, *arguments):
    """Run a script in a process of its own: quiet, on one core, with this lecture13."""
    file = folder / "script.py"
    file.write_text(textwrap.dedent(script))
    home = Path(lecture13.__file__).parents[1]
    environment = {**os.environ, "TQDM_DISABLE": "1", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(home)}
    subprocess.run([sys.executable, file, folder, *map(str, arguments)], env=environment, check=True, timeout=300)


JOINT = """
    import json, os, sys, torch
    from pathlib import Path
    from torch import nn
    from lecture13.supervised import supervised
    from lecture13.processes import start
    from lecture13.training import fit
    import lightning_fabric

    def run(folder, name, **launcher):
        os.environ.update(launcher)
        fabric = start("cpu")
        torch.manual_seed(0)
        model = nn.Sequential(nn.Flatten(), nn.Linear(16, 12), nn.ReLU(), nn.Linear(12, 3))
        model, optimizer = fabric.setup(model, torch.optim.SGD(model.parameters(), lr=0.5, momentum=0.9))
        images, labels = torch.rand(30, 1, 4, 4), torch.arange(30) % 3

        def augment(batch, target, generator):
            return batch + torch.randn(batch.shape, generator=generator) / 10, target

        step = supervised(model, optimizer, images, labels, batch_size=8, augment=augment, fabric=fabric)
        checkpoint, state = folder / (name + ".ckpt"), {"model": model, "optimizer": optimizer}
        fit(step, state, steps=7, fabric=fabric, checkpoint=checkpoint)
        history = fit(step, state, steps=15, fabric=fabric, checkpoint=checkpoint)
        if fabric.is_global_zero:
            (folder / name).write_text(json.dumps([fabric.world_size, history["loss"], history["accuracy"]]))

    folder, processes = Path(sys.argv[1]), []
    torchrun = {"TORCHELASTIC_RUN_ID": "test", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": sys.argv[2]}
    torchrun |= {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "GROUP_RANK": "0"}
    for rank in "01":
        processes.append(os.fork())
        if not processes[-1]:
            run(folder, "two", **torchrun, RANK=rank, LOCAL_RANK=rank)
            os._exit(0)
    assert not any(os.waitpid(process, 0)[1] for process in processes)
    run(folder, "one")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="one import of Fabric for three processes needs fork")
def test_two_processes_are_one_with_the_joint_batch(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    alone(JOINT, tmp_path, port)
    one, two = (json.loads((tmp_path / name).read_text()) for name in ("one", "two"))
    assert (one[0], two[0]) == (1, 2)
    assert two[1] == pytest.approx(one[1], rel=1e-5) and two[2] == pytest.approx(one[2])
    weights = [checkpoints.load(tmp_path / name).state["model"]["1.weight"] for name in ("one.ckpt", "two.ckpt")]
    assert torch.allclose(*weights, atol=1e-6)


def test_a_batch_that_processes_cannot_share():
    class Three:
        world_size, global_rank = 3, 1

    assert share(Three, torch.arange(9)).tolist() == [3, 4, 5]
    with pytest.raises(ValueError, match="a batch of 8 for 3 processes; choose a multiple of 3"):
        share(Three, torch.arange(8))


def test_one_process_is_a_fabric_that_changes_nothing():
    fabric = start("cpu")
    alone = OneProcess()
    for name in ("world_size", "global_rank", "is_global_zero", "device"):
        assert getattr(alone, name) == getattr(fabric, name)
    values = torch.tensor([1.0, 2.0])
    assert torch.equal(alone.all_reduce(values, reduce_op="mean"), fabric.all_reduce(values, reduce_op="mean"))
    assert torch.equal(share(alone, values), values)
    weight = torch.tensor(3.0, requires_grad=True)
    alone.backward(weight**2)
    assert weight.grad == 6


@pytest.mark.parametrize(
    ("device", "environment", "expected"),
    [
        ("cpu", {}, ("cpu", 1, 1)),
        ("cuda", {}, ("cuda", 1, 1)),
        ("cuda:1", {}, ("cuda", [1], 1)),
        ("cuda:1", {"LOCAL_WORLD_SIZE": "4", "WORLD_SIZE": "8"}, ("cuda", 4, 2)),
        ("cuda", {"SLURM_STEP_NUM_TASKS": "6", "SLURM_STEP_NUM_NODES": "3"}, ("cuda", 2, 3)),
        ("cpu", {"SLURM_NTASKS": "6", "SLURM_NNODES": "3"}, ("cpu", 1, 1)),  # an allocation, but no srun
    ],
)
def test_devices_and_nodes_follow_the_launcher(monkeypatch, device, environment, expected):
    import lightning_fabric

    class Asked:
        def __init__(self, *, accelerator, devices, num_nodes, precision):
            self.asked, self.launched = (accelerator, devices, num_nodes), False
            assert precision == "bf16-mixed"

        def launch(self):
            self.launched = True

    for name in [name for name in os.environ if name.startswith("SLURM") or "WORLD_SIZE" in name]:
        monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(lightning_fabric, "Fabric", Asked)
    fabric = start(device, "bf16-mixed")
    assert fabric.asked == expected and fabric.launched
