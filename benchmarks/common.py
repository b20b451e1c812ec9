"""What the benchmarks of attacks share: the net and its images, the unit, and CPU time measured in turns."""

import argparse
import platform
import time
from collections.abc import Callable, Hashable
from statistics import median

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from lecture13 import data, evaluation, zoo


def arguments(description: str, *, images: int, repeats: int) -> argparse.Namespace:
    """The command line: which net on which data, how many images and rounds."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--net", default="lenet-digits", help="of the zoo, of 28×28 grey images")
    parser.add_argument("--data", default="digits", help="what it reads: digits, or mnist in $LECTURE13_DATA")
    parser.add_argument("--images", type=int, default=images)
    parser.add_argument("--repeats", type=int, default=repeats)
    return parser.parse_args()


def start(options: argparse.Namespace, note: str) -> tuple[nn.Module, data.Dataset]:
    """The net, its parameters frozen, and its first test images; prints what is measured on what."""
    model, test = zoo.load(options.net), data.load(options.data, "test", size=28).take(options.images)
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    print(f"{platform.machine()}, {torch.get_num_threads()} thread(s), torch {torch.__version__}, {options.net}")
    print(f"{len(test)} images of {test.source}; clean error {evaluation.error(model, test):.1%}")
    print(f"{note}; medians of {options.repeats} rounds\n")
    return model, test


def unit(model: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    """One forward pass and input gradient: eval mode, parameters frozen, the summed cross-entropy."""
    inputs = images.clone().requires_grad_()
    return torch.autograd.grad(cross_entropy(model(inputs), labels, reduction="sum"), inputs)[0]


def cpu_seconds(runs: dict[Hashable, Callable[[], Tensor]], repeats: int) -> dict[Hashable, float]:
    """Median CPU time of each, run in turn, so that a busy moment of the machine meets all of them."""
    times = {name: [] for name in runs}
    for repeat in range(repeats + 1):
        for name, run in runs.items():
            began = time.process_time()
            run()
            if repeat:  # the first round warms up
                times[name].append(time.process_time() - began)
    return {name: median(found) for name, found in times.items()}
