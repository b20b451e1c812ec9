"""The engine of ``lecture13.gan`` beside the loops that a student would copy: images a second for the same nets.

``python benchmarks/gan_training.py`` [--device cuda] [--rounds 7] [--size 64]

The copied loops are written afresh after two that are read most: the DCGAN example of the PyTorch repository (the
critic's noise reused for the generator, whose gradients go through the critic into the critic's own parameters; losses
read with ``.item()`` at every step) and the usual WGAN-GP (the critic's loss differentiated through the generator).
Both sides play with the same nets, weights, data and batch, in turns; a round is the median of a few iterations of
each, and the ratio printed is the median over rounds. On a CPU the time is the process's own, so that other work on
the machine counts less; on CUDA it is the clock's, after waiting for the device.
"""

import argparse
import copy
import platform
import statistics
import time
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from lecture13 import processes
from lecture13.gan import dcgan, nets, objectives, training

NOISE = 100
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

    def __init__(self, box: Callable, G: nn.Module, D: nn.Module, images: Tensor, batch: int, **options):
        self.play = partial(
            box, G, D, training.from_bytes(images), nets.normal(NOISE), batch=batch,
            fabric=processes.start(images.device, "bf16-mixed") if images.is_cuda else None, **options,
        )  # fmt: skip

    def seconds(self, iterations: int, clock: Callable[[], float]) -> float:
        marks = []
        self.play(steps=iterations + 1, before=lambda index: marks.append(clock()))  # the first warms up
        return (clock() - marks[1]) / iterations


def main() -> None:
    """Print a table in Markdown."""
    options = argparse.ArgumentParser()
    options.add_argument("--device", default="cpu")
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--iterations", type=int, default=4)
    options.add_argument("--size", type=int, default=64)
    options.add_argument("--batch", type=int, default=32)
    asked = options.parse_args()
    device = torch.device(asked.device)

    def clock() -> float:
        if device.type == "cuda":
            torch.cuda.synchronize()
            return time.perf_counter()
        return time.process_time()

    maps = {64: (128, 96, 64, 32), 32: (128, 96, 48)}[asked.size]
    torch.manual_seed(0)
    images = torch.randint(0, 256, (2048, 3, asked.size, asked.size), dtype=torch.uint8).to(device)
    adam = partial(training.adam, lr=2e-4, betas=(0.5, 0.999))
    games = {
        "DCGAN step": (
            "batch",
            copied_dcgan,
            training.algorithm_1,
            {"objective": objectives.non_saturating, "rule": adam},
            1,
        ),
        "WGAN-GP iteration": ("layer", copied_wgan_gp, training.wgan_gp, {}, 5),
    }
    flops = matrix_throughput(device, clock)
    print(
        f"{platform.processor() or platform.machine()}, {device}, threads {torch.get_num_threads()}, "
        f"torch {torch.__version__}, "
        f"{asked.size}×{asked.size}, batch {asked.batch}, fp32 matrix product {flops / 1e9:.0f} GFLOP/s\n"
    )
    print("| | copied loop, ms | ours, ms | ratio | lowest–highest | ours, images/s |\n|---|---|---|---|---|---|")
    for name, (norm, copied, box, settings, reals) in games.items():
        G = dcgan.Generator(asked.size, maps, noise=NOISE, kernel=4).to(device)
        D = dcgan.Critic(asked.size, maps, kernel=4, norm=norm).to(device)
        theirs = copied(copy.deepcopy(G), copy.deepcopy(D), images, asked.batch)
        ours = Stepped(box, G, D, images, asked.batch, **settings)
        rows = []
        for _ in range(asked.rounds):
            mine = ours.seconds(asked.iterations, clock)
            theirs()
            start = clock()
            for _ in range(asked.iterations):
                theirs()
            rows.append(((clock() - start) / asked.iterations, mine))
        ratios = [their / mine for their, mine in rows]
        their, mine = (statistics.median(column) for column in zip(*rows, strict=True))
        print(
            f"| {name} | {1e3 * their:.0f} | {1e3 * mine:.0f} | {statistics.median(ratios):.2f} | "
            f"{min(ratios):.2f}–{max(ratios):.2f} | {reals * asked.batch / mine:.0f} |",
            flush=True,
        )


def matrix_throughput(device: torch.device, clock: Callable[[], float], side: int = 1024) -> float:
    """Floating-point operations a second in a matrix product in float32: the machine's measure."""
    a, b = torch.randn(side, side, device=device), torch.randn(side, side, device=device)
    times = []
    for _ in range(8):
        start = clock()
        a @ b
        times.append(clock() - start)
    return 2 * side**3 / min(times)


if __name__ == "__main__":
    main()
