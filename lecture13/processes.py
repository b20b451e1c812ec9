"""One process or many: the devices that a training runs on, and each process's share of a batch."""

import contextlib
import os
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from lightning_fabric import Fabric


class OneProcess:
    """What a step and the loop ask of a Fabric, for one process in full precision, where Fabric would change nothing.

    Importing Fabric takes longer than many a notebook trains.
    """

    device, world_size, global_rank, is_global_zero, strategy = torch.device("cpu"), 1, 0, True, None

    def autocast(self) -> contextlib.AbstractContextManager:
        """A context in which nothing is computed in lower precision."""
        return contextlib.nullcontext()

    def backward(self, loss: Tensor) -> None:
        """Add the loss's gradients to the parameters' ``grad``."""
        loss.backward()

    def all_reduce(self, values: Tensor, reduce_op: str) -> Tensor:
        """The values over all processes: this one's."""
        return values

    def barrier(self) -> None:
        """Wait for the other processes: there are none."""


def start(device: str | torch.device = "cpu", precision: str = "32-true") -> "Fabric":
    """A Fabric on ``device``, for one process or, under ``torchrun`` or ``srun``, for its share of many.

    Args:
        device: "cpu", "cuda", "cuda:1", "mps"; under a launcher each process takes its own of that kind.
        precision: "32-true", "bf16-mixed" or "16-mixed".
    """
    from lightning_fabric import Fabric  # takes seconds, which one process in full precision can spare

    device, environment = torch.device(device), os.environ
    if "LOCAL_WORLD_SIZE" in environment:  # torchrun
        here = int(environment["LOCAL_WORLD_SIZE"])
        nodes = int(environment["WORLD_SIZE"]) // here
    else:  # srun, or one process
        nodes = int(environment.get("SLURM_STEP_NUM_NODES", 1))
        here = int(environment.get("SLURM_STEP_NUM_TASKS", 1)) // nodes
    one = here * nodes == 1
    devices = [device.index] if one and device.index is not None and device.type != "cpu" else here
    fabric = Fabric(accelerator=device.type, devices=devices, num_nodes=nodes, precision=precision)
    fabric.launch()
    return fabric


def precision(fabric: "Fabric | OneProcess") -> str:
    """What ``fabric`` computes in, as :func:`start` takes it."""
    return getattr(getattr(fabric.strategy, "precision", None), "precision", "32-true")


def share(fabric: "Fabric | OneProcess", joint: Tensor) -> Tensor:
    """This process's rows of a batch that all processes drew alike; all of them where there is one process.

    Raises:
        ValueError: a batch that the processes cannot share equally, whose mean would not be the joint one.
    """
    size, mine = fabric.world_size, fabric.global_rank
    if len(joint) % size:
        raise ValueError(f"a batch of {len(joint)} for {size} processes; choose a multiple of {size}")
    each = len(joint) // size
    return joint[mine * each : (mine + 1) * each]
