"""``lecture13.dissection`` beside a straightforward dissection: one layer of 512 units, 1000 images, 20 concepts.

``python benchmarks/dissection.py`` [--device cuda] [--images 1000] [--units 512] [--rounds 1]

The straightforward version keeps all activations, takes ``torch.quantile`` of each unit's upsampled maps, and counts
intersection and union in a loop over units and concepts. Both get the same net, images (64×64) and maps, and take the
levels on activations upsampled to the masks' size, the top 1 %. Each runs in a process of its own, in turns; on a CPU
the time is the process's own, and the memory what it held at most beyond net, images and maps (Linux). On CUDA the
time is the clock's and the memory the device's.
"""

import argparse
import json
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from lecture13 import dissection
from lecture13.dissection.levels import KEPT

SIDE, CELLS, CONCEPTS, SHARE, LAYER = 64, 16, 20, 0.01, "3"


def net(units: int) -> nn.Sequential:
    """Two light convolutions with random weights: 512 units on 16×16 cells, as a generator's middle layers have."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 48, 5, stride=2, padding=2), nn.ReLU(), nn.Conv2d(48, units, 1, stride=2), nn.ReLU()
    )


def world(images: int) -> tuple[Tensor, Tensor]:
    """Blurred noise (N, 3, 64, 64) in [0, 1], and maps (N, 64, 64) of 20 concepts in patches."""
    chance = torch.Generator().manual_seed(1)
    coarse = torch.rand(images, 3, 12, 12, generator=chance)
    patches = torch.randint(CONCEPTS, (images, 1, 8, 8), generator=chance, dtype=torch.uint8)
    return interpolate(coarse, size=(SIDE, SIDE), mode="bilinear"), interpolate(patches, size=(SIDE, SIDE))[:, 0]


@torch.no_grad()
def straightforward(model: nn.Sequential, images: Tensor, maps: Tensor) -> tuple[Tensor, Tensor]:
    """Levels (C,) and IoU (C, K), as one would write it down."""
    kept = torch.cat([model(part) for part in images.split(32)])
    masks = [maps == concept for concept in range(CONCEPTS)]
    levels, ious = torch.zeros(kept.shape[1]), torch.zeros(kept.shape[1], CONCEPTS)
    for unit in range(kept.shape[1]):
        large = interpolate(kept[:, unit : unit + 1], size=(SIDE, SIDE), mode="bilinear")[:, 0]
        levels[unit] = torch.quantile(large.flatten(), 1 - SHARE)
        region = large > levels[unit]
        for concept, mask in enumerate(masks):
            ious[unit, concept] = (region & mask).sum() / (region | mask).sum().clamp(min=1)
    return levels, ious


def ours(model: nn.Sequential, images: Tensor, maps: Tensor) -> tuple[Tensor, Tensor]:
    """The same by the library, without the baseline of shuffled masks that it adds unless told not to."""
    names = {"concept": [f"concept {number}" for number in range(CONCEPTS)]}
    found = dissection.dissect(model, LAYER, images, {"concept": maps}, names, quantile=SHARE, shuffle=False)
    level = found[LAYER].level
    return level.thresholds[:, 0], level.iou


SIDES = {"straightforward": straightforward, "lecture13": ours}


def measure(side: str, images: int, units: int, device: torch.device, threads: int | None) -> None:
    """Run one side, and print what it took as JSON."""
    if threads:
        torch.set_num_threads(threads)
    model, (pictures, maps) = net(units).to(device), world(images)
    pictures, maps = pictures.to(device), maps.to(device)
    SIDES[side](model, pictures[:16], maps[:16])  # warms up
    held = peak(device, reset=True)
    start = clock(device)
    levels, ious = SIDES[side](model, pictures, maps)
    seconds, memory = clock(device) - start, peak(device) - held
    print(json.dumps({"seconds": seconds, "memory": memory, "levels": levels.tolist(), "iou": ious.tolist()}))


def clock(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize()
        return time.perf_counter()
    return time.process_time()


def peak(device: torch.device, *, reset: bool = False) -> int:
    """Bytes held at most since the last reset; right after one, bytes held."""
    if device.type == "cuda":
        if reset:
            torch.cuda.reset_peak_memory_stats()
        return torch.cuda.max_memory_allocated()
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return 1024 * int(status["VmHWM"].split()[0])


def main() -> None:
    """Print tables in Markdown."""
    options = argparse.ArgumentParser()
    options.add_argument("--device", default="cpu")
    options.add_argument("--images", type=int, default=1000)
    options.add_argument("--units", type=int, default=512)
    options.add_argument("--rounds", type=int, default=1)
    options.add_argument("--threads", type=int)
    options.add_argument("--side", choices=SIDES, help="run this one, here, and print JSON")
    asked = options.parse_args()
    device = torch.device(asked.device)
    if asked.side:
        measure(asked.side, asked.images, asked.units, device, asked.threads)
        return

    def run(side: str, images: int) -> dict:
        words = [sys.executable, __file__, "--side", side, "--device", asked.device, "--images", images]
        words += ["--units", asked.units, *(["--threads", asked.threads] if asked.threads else [])]
        told = subprocess.run([str(word) for word in words], check=True, capture_output=True, text=True)
        return json.loads(told.stdout.splitlines()[-1])

    threads = asked.threads or torch.get_num_threads()
    print(
        f"{platform.processor() or platform.machine()}, {device}, threads {threads}, torch {torch.__version__}; "
        f"{asked.units} units of {CELLS}×{CELLS} cells, {asked.images} images and masks of {SIDE}×{SIDE}, "
        f"{CONCEPTS} concepts, median of {asked.rounds}\n"
    )
    rows = {side: [] for side in SIDES}
    for _ in range(asked.rounds):
        for side in SIDES:
            rows[side].append(run(side, asked.images))
    triples = asked.units * asked.images * CONCEPTS
    medians = {}
    print("| | s | peak memory, MB | units·images·concepts per s |\n|---|---|---|---|")
    for side, found in rows.items():
        seconds, memory = (statistics.median(row[name] for row in found) for name in ("seconds", "memory"))
        medians[side] = seconds, memory
        print(f"| {side} | {seconds:.2f} | {memory / 1e6:.0f} | {triples / seconds:.2g} |", flush=True)
    ratios = [their / mine for their, mine in zip(*medians.values(), strict=True)]
    print(f"| ratio | {ratios[0]:.1f} | {ratios[1]:.1f} | |\n")
    their, mine = (torch.tensor(rows[side][0]["iou"]) for side in SIDES)
    their_levels, my_levels = (torch.tensor(rows[side][0]["levels"]) for side in SIDES)
    print(
        f"Levels, up to {their_levels.max():.2f}, differ by {(their_levels - my_levels).abs().max():.1e} at most (if "
        f"more than {KEPT} values lie above, they are those of a sample, within .1 % of all places in rank), IoU by "
        f"{(their - mine).abs().max():.1e} of up to {their.max():.3f}.\n"
    )
    print("| images | s | s per 1000 images | peak memory, MB |\n|---|---|---|---|")
    for images in (asked.images // 4, asked.images // 2, asked.images, 2 * asked.images):
        row = run("lecture13", images)
        seconds = row["seconds"]
        print(f"| {images} | {seconds:.2f} | {1e3 * seconds / images:.2f} | {row['memory'] / 1e6:.0f} |", flush=True)


if __name__ == "__main__":
    main()
