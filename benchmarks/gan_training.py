"""The engine of ``lecture13.gan`` beside the loops that a student would copy: images a second for the same nets.

``python benchmarks/gan_training.py`` [--device cuda] [--rounds 7] [--size 64]

The copied loops are written afresh after two that are read most: the DCGAN example of the PyTorch repository (the
critic's noise reused for the generator, whose gradients go through the critic into the critic's own parameters; losses
read with ``.item()`` at every step) and the usual WGAN-GP (the critic's loss differentiated through the generator).
Both sides play with the same nets, weights, data and batch, in turns; a round is the median of a few iterations of
each, and the ratio printed is the median over rounds. Ours plays twice: in float32, and in bf16 where the device has
instructions for it, which is what ``lecture13.profile`` chooses there. On a CPU the time is the process's own, so that
other work on the machine counts less; on CUDA it is the clock's, after waiting for the device. "Share" is the
operations that an iteration's products and convolutions ask for, by what a product of matrices reaches in that time and
precision. "Memory" is what a process of its own needs beyond what it held before the first iteration.
"""

import argparse
import copy
import multiprocessing
import platform
import re
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from lecture13 import processes
from lecture13.gan import dcgan, nets, objectives, training
from lecture13.profile import use
from lecture13.render import scenes

NOISE = 100
BATCH = 32
MAPS = {64: (128, 96, 64, 32), 32: (128, 96, 48)}
Iteration = Callable[[], None]


def copied_dcgan(G: nn.Module, D: nn.Module, images: Tensor, batch: int) -> Iteration:
    """One iteration as the PyTorch example does it."""
    rule = partial(torch.optim.Adam, lr=2e-4, betas=(0.5, 0.999))
    step_d, step_g, device = rule(D.parameters()), rule(G.parameters()), images.device

    def iteration() -> None:
        x = images[torch.randint(len(images), (batch,)).to(device)].float() / 127.5 - 1
        real, fake = torch.ones(batch, device=device), torch.zeros(batch, device=device)
        D.zero_grad()
        loss_real = binary_cross_entropy_with_logits(D(x), real)
        loss_real.backward()
        drawn = G(torch.randn(batch, NOISE, device=device))
        loss_fake = binary_cross_entropy_with_logits(D(drawn.detach()), fake)
        loss_fake.backward()
        (loss_real + loss_fake).item()
        step_d.step()
        G.zero_grad()
        loss = binary_cross_entropy_with_logits(D(drawn), real)
        loss.backward()
        loss.item()
        step_g.step()

    return iteration


def copied_wgan_gp(G: nn.Module, D: nn.Module, images: Tensor, batch: int) -> Iteration:
    """Five critic steps and one of the generator, as the usual implementation does them."""
    rule = partial(torch.optim.Adam, lr=1e-4, betas=(0.0, 0.9))
    step_d, step_g, device = rule(D.parameters()), rule(G.parameters()), images.device

    def iteration() -> None:
        for _ in range(5):
            x = images[torch.randint(len(images), (batch,)).to(device)].float() / 127.5 - 1
            step_d.zero_grad()
            fake = G(torch.randn(batch, NOISE, device=device))
            share = torch.rand(batch, 1, 1, 1, device=device)
            between = (share * x.data + (1 - share) * fake.data).requires_grad_(True)
            logits = D(between)
            (slope,) = torch.autograd.grad(logits, between, torch.ones_like(logits), create_graph=True)
            penalty = ((slope.view(batch, -1).norm(2, dim=1) - 1) ** 2).mean()
            loss = D(fake).mean() - D(x).mean() + 10 * penalty
            loss.backward()
            step_d.step()
            loss.item()
        step_g.zero_grad()
        loss = -D(G(torch.randn(batch, NOISE, device=device))).mean()
        loss.backward()
        step_g.step()
        loss.item()

    return iteration


class Stepped:
    """A box of ``lecture13.gan.training``, run for a number of iterations at a time in a run that goes on."""

    def __init__(self, box: Callable, G: nn.Module, D: nn.Module, images: Tensor, precision: str, **options):
        fabric = (
            None if (images.device.type, precision) == ("cpu", "32-true") else processes.start(images.device, precision)
        )
        data, prior = training.from_bytes(images), nets.normal(NOISE)
        self.play = partial(box, G, D, data, prior, batch=BATCH, fabric=fabric, **options)

    def seconds(self, iterations: int, clock: Callable[[], float]) -> float:
        marks = []
        self.play(steps=iterations + 1, before=lambda index: marks.append(clock()))  # the first warms up
        return (clock() - marks[1]) / iterations


adam = partial(training.adam, lr=2e-4, betas=(0.5, 0.999))
#: name → (the critic's norm, the copied loop, our box, its settings, real images an iteration).
GAMES = {
    "DCGAN step": (
        "batch", copied_dcgan, training.algorithm_1, {"objective": objectives.non_saturating, "rule": adam}, BATCH
    ),
    "WGAN-GP iteration": ("layer", copied_wgan_gp, training.wgan_gp, {}, 5 * BATCH),
}  # fmt: skip


def sides(game: str, size: int, device: torch.device, precisions: list[str]) -> tuple[Iteration, dict[str, Stepped]]:
    """The copied loop, and ours in each precision, all from the same weights and data."""
    norm, copied, box, settings, _ = GAMES[game]
    torch.manual_seed(0)
    images = torch.randint(0, 256, (2048, 3, size, size), dtype=torch.uint8).to(device)
    G = dcgan.Generator(size, MAPS[size], noise=NOISE, kernel=4).to(device)
    D = dcgan.Critic(size, MAPS[size], kernel=4, norm=norm).to(device)
    ours = {p: Stepped(box, copy.deepcopy(G), copy.deepcopy(D), images, p, **settings) for p in precisions}
    return copied(G, D, images, BATCH), ours


def clock_of(device: torch.device) -> Callable[[], float]:
    """Seconds, of this process on a CPU, by the clock on CUDA."""

    def clock() -> float:
        if device.type == "cuda":
            torch.cuda.synchronize()
            return time.perf_counter()
        return time.process_time()

    return clock


def memory(game: str, side: str, size: int, device: str) -> float:
    """The MB that a few iterations of one side need, in this process, beyond what it held before."""
    theirs, ours = sides(game, size, torch.device(device), [] if side == "copied" else [side])
    on_cuda = device.startswith("cuda")

    def peak() -> float:
        if on_cuda:
            return torch.cuda.max_memory_allocated() / 1e6
        status = Path("/proc/self/status").read_text()  # Linux; getrusage would count the parent's peak too
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1e3

    before = 0.0 if on_cuda else peak()
    if side == "copied":
        for _ in range(3):
            theirs()
    else:
        ours[side].play(steps=3)
    return peak() - before


def matrix_throughput(device: torch.device, precision: str, side: int = 1024) -> float:
    """Floating-point operations a second in a product of matrices: the machine's measure."""
    kind, clock = torch.bfloat16 if precision == "bf16-mixed" else torch.float32, clock_of(device)
    a, b = (torch.randn(side, side, device=device).to(kind) for _ in range(2))
    times = []
    for _ in range(12):
        start = clock()
        a @ b
        times.append(clock() - start)
    return 2 * side**3 / min(times)


class Operations(TorchDispatchMode):
    """Counts the floating-point operations of products and convolutions, of second derivatives too."""

    total = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        if func.overloadpacket in flop_registry:
            self.total += flop_registry[func.overloadpacket](*args, **(kwargs or {}), out_val=out)
        return out


def operations(iteration: Iteration) -> int:
    """Floating-point operations of one iteration."""
    with Operations() as counted:
        iteration()
    return counted.total


def rendering(count: int = 200) -> str:
    """A row for each size of scenes."""
    rows = []
    for size in (32, 64):
        scenes.draw(10, size=size)
        start = time.process_time()
        scenes.draw(count, size=size)
        rows.append(f"| {size}×{size} | {count / (time.process_time() - start):.0f} |")
    return "\n".join(["| scenes drawn, with all their masks | a second of one core |", "|---|---|", *rows])


def main() -> None:
    """Print tables in Markdown."""
    options = argparse.ArgumentParser()
    options.add_argument("--device", default="cpu")
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--iterations", type=int, default=4)
    options.add_argument("--size", type=int, default=64, choices=MAPS)
    asked = options.parse_args()
    device = torch.device(asked.device)
    clock, precisions = clock_of(device), list(dict.fromkeys(["32-true", use(device=asked.device).precision]))
    reached = {precision: matrix_throughput(device, precision) for precision in precisions}
    products = ", ".join(f"{precision} {flops / 1e9:.0f} GFLOP/s" for precision, flops in reached.items())
    print(
        f"{platform.processor() or platform.machine()}, {device}, threads {torch.get_num_threads()}, torch "
        f"{torch.__version__}; {asked.size}×{asked.size}, batch {BATCH}; product of matrices: {products}\n\n"
        f"| | precision | copied loop (float32), ms | ours, ms | ratio | lowest–highest | ours, images/s | "
        f"share, copied | share, ours | memory, copied | memory, ours |\n|{'---|' * 11}"
    )
    for game, (*_, reals) in GAMES.items():
        theirs, ours = sides(game, asked.size, device, precisions)
        asked_of = operations(theirs), operations(lambda ours=ours: ours["32-true"].play(steps=1))
        rows = []
        for _ in range(asked.rounds):
            theirs()
            start = clock()
            for _ in range(asked.iterations):
                theirs()
            times = {"copied": (clock() - start) / asked.iterations}
            rows.append(times | {p: stepped.seconds(asked.iterations, clock) for p, stepped in ours.items()})
        needs = {}
        for side in rows[0]:
            with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
                needs[side] = process.submit(memory, game, side, asked.size, asked.device).result()
        their = statistics.median(row["copied"] for row in rows)
        for precision in precisions:
            mine, ratios = statistics.median(row[precision] for row in rows), [r["copied"] / r[precision] for r in rows]
            print(
                f"| {game} | {precision} | {1e3 * their:.0f} | {1e3 * mine:.0f} | {statistics.median(ratios):.2f} | "
                f"{min(ratios):.2f}–{max(ratios):.2f} | {reals / mine:.0f} | "
                f"{asked_of[0] / their / reached['32-true']:.0%} | {asked_of[1] / mine / reached[precision]:.0%} | "
                f"{needs['copied']:.0f} MB | {needs[precision]:.0f} MB |",
                flush=True,
            )
    print(f"\n{rendering()}")


if __name__ == "__main__":
    main()
