r"""What a certificate costs against width and depth: margins of drawn nets 784-w-…-w-10, a picture of the times.

    OMP_NUM_THREADS=1 PYTHONPATH=. python benchmarks/polytope_scaling.py --figure benchmarks/polytope_scaling.webp

ε = 0.1, with which nearly every unit of such a net is unstable: the dearest case. Algorithm 1 carries a row for each
unstable unit of a layer back through the layers before it, so that the products cost w² for each of w units and each
pair of layers. CPU time of one thread, medians.
"""

import argparse
import platform
import statistics
import time
from itertools import pairwise
from pathlib import Path

import matplotlib.pyplot as plt
import torch
from torch import nn

from lecture13 import data
from lecture13.defenses import polytope

WIDTHS, DEPTHS = (25, 50, 100, 200, 400), (1, 2, 3, 4, 6)
WIDTH, DEPTH = 100, 2  # while the other varies


def drawn(width: int, depth: int) -> nn.Sequential:
    """784-w-…-w-10 with PyTorch's initial weights."""
    torch.manual_seed(0)
    sizes = [784] + [width] * depth
    layers = [layer for a, b in pairwise(sizes) for layer in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(nn.Flatten(), *layers, nn.Linear(width, 10)).eval()


def milliseconds(net: nn.Sequential, images: torch.Tensor, labels: torch.Tensor, rounds: int) -> tuple[float, float]:
    """For one image, and the share of units that are unstable."""
    times = []
    for _ in range(rounds + 1):  # the first is a warm-up
        start = time.process_time()
        polytope.margins(net, images, labels, 0.1)
        times.append(1000 * (time.process_time() - start) / len(images))
    hidden = polytope.bounds(net, images, 0.1)[:-1]
    unstable = torch.cat([((lower < 0) & (upper > 0)).flatten() for lower, upper in hidden]).float().mean()
    return statistics.median(times[1:]), float(unstable)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--figure", type=Path)
    options = parser.parse_args()
    digits = data.load("digits", "test", size=28, count=options.images)
    print(
        f"{platform.machine()}, {torch.get_num_threads()} thread(s), torch {torch.__version__}, batch {len(digits)}\n"
    )
    print("| width | hidden layers | unstable | ms an image |\n|---|---|---|---|")
    figure, panels = plt.subplots(1, 2, figsize=(8, 3), sharey=True, layout="constrained")
    for panel, what, values in zip(panels, ("width", "hidden layers"), (WIDTHS, DEPTHS), strict=True):
        found = []
        for value in values:
            width, depth = (value, DEPTH) if what == "width" else (WIDTH, value)
            spent, unstable = milliseconds(drawn(width, depth), digits.images, digits.labels, options.rounds)
            print(f"| {width} | {depth} | {unstable:.0%} | {spent:.2f} |", flush=True)
            found.append(spent)
        panel.loglog(values, found, "o-")
        panel.set(xlabel=what, title=f"{DEPTH} hidden layers" if what == "width" else f"width {WIDTH}")
        panel.set_xticks(values, map(str, values), minor=False)
        panel.minorticks_off()
    panels[0].set_ylabel("CPU ms an image")
    if options.figure:
        figure.savefig(options.figure, dpi=110)


if __name__ == "__main__":
    main()
