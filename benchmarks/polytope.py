r"""``lecture13.defenses.polytope`` beside the paper's own code, a verifier's library, and a straightforward version.

    python -m venv /tmp/polytope-libraries
    /tmp/polytope-libraries/bin/pip install --no-deps --target /tmp/polytope-libraries/others \
        convex_adversarial==0.4.4 auto_LiRPA==0.3 appdirs graphviz
    OMP_NUM_THREADS=1 PYTHONPATH=.:/tmp/polytope-libraries/others python benchmarks/polytope.py

Exact margins of all classes at ε = 0.1 for the paper's MNIST net (166 406 parameters), and a robust loss with its
gradient: all sides bound the same thing. Two nets: one trained plainly, on which nearly every unit is unstable, and one
trained with interval bounds for a short while, on which few are. The straightforward version carries a row for every
unit of every layer through whole maps, image by image. Each side runs in a process of its own, in turns, on one thread;
the time is the process's CPU time, the memory what it held at most beyond what it held after import, with the net and
the images loaded (Linux).
"""

import argparse
import importlib.util
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lecture13 import data, models
from lecture13.defenses import polytope

EPSILON = 0.1


def trained(kind: str, name: str, steps: int) -> nn.Sequential:
    """The paper's net after a short training: ``"plain"``, or ``"robust"`` by interval bounds."""
    torch.manual_seed(0)
    train, net = data.load(name, "train", size=28), models.small_convnet()
    optimizer = torch.optim.Adam(net.parameters(), 1e-3)
    for step in range(steps):
        batch = torch.randint(len(train), (100,))
        images, labels = train.images[batch], train.labels[batch]
        loss = F.cross_entropy(net(images), labels)
        if kind == "robust":
            epsilon, share = EPSILON * min(1, step / (0.8 * steps)), 0.5 * min(1, step / (0.8 * steps))
            hard = polytope.robust_loss(net, images, labels, epsilon, method="interval")
            loss = (1 - share) * loss + share * hard
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return net.eval()


def straightforward(net: nn.Sequential, images: Tensor, labels: Tensor) -> Tensor:
    """Margins ``(N, K)``, as one would write Algorithm 1 down backwards: a row for every unit."""
    layers = [layer for layer in net if not isinstance(layer, models.Normalize)]  # which scales by 1 here
    cuts = [number for number, layer in enumerate(layers) if isinstance(layer, nn.ReLU)]

    def back(rows: Tensor, number: int, bounds: dict, image: Tensor) -> tuple[Tensor, Tensor]:
        """Lower and upper bounds of ``rows`` of what comes out of layers[number − 1]."""
        constant = 0.0
        low = high = torch.zeros(len(rows))
        for layer in reversed(range(number)):
            what = layers[layer]
            if isinstance(what, nn.ReLU):
                lower, upper = bounds[layer]
                unstable = (lower < 0) & (upper > 0)
                slope = torch.where(unstable, upper / (upper - lower), (lower >= 0).float())
                rows = rows * slope
                cut = torch.where(unstable, lower, 0.0)
                low = low + ((-rows).clamp(min=0) * cut).flatten(1).sum(1)
                high = high - (rows.clamp(min=0) * cut).flatten(1).sum(1)
            elif isinstance(what, nn.Linear):
                constant, rows = constant + rows @ what.bias, rows @ what.weight
            elif isinstance(what, nn.Conv2d):
                constant = constant + rows.sum((2, 3)) @ what.bias
                rows = F.conv_transpose2d(rows, what.weight, None, what.stride, what.padding)
            else:
                rows = rows.unflatten(1, (32, 7, 7))
        middle = (rows * image).flatten(1).sum(1) + constant
        radius = EPSILON * rows.abs().flatten(1).sum(1)
        return middle - radius + low, middle + radius + high

    found = []
    for image, label in zip(images, labels, strict=True):
        bounds, value = {}, image[None]
        for number, layer in enumerate(layers):
            if number in cuts:
                rows = torch.eye(value.numel()).view(-1, *value.shape[1:])
                lower, upper = back(rows, number, bounds, image)
                bounds[number] = lower.view(value.shape), upper.view(value.shape)
            value = layer(value)
        c = torch.eye(10)[label] - torch.eye(10)  # e_label − e_k
        found.append(back(c, len(layers), bounds, image)[0])
    return torch.stack(found)


def by_convex_adversarial(net: nn.Sequential, images: Tensor, labels: Tensor) -> Tensor:
    """The authors' own code."""
    from convex_adversarial import DualNetwork

    plain = nn.Sequential(*(layer for layer in net if not isinstance(layer, models.Normalize)))
    dual = DualNetwork(plain, images, EPSILON, bounded_input=False)
    return dual(torch.eye(10)[labels][:, None] - torch.eye(10)[None])


def by_auto_lirpa(net: nn.Sequential, images: Tensor, labels: Tensor) -> Tensor:
    """CROWN with the upper slope on both sides."""
    from auto_LiRPA import BoundedModule, BoundedTensor
    from auto_LiRPA.perturbations import PerturbationLpNorm

    plain = nn.Sequential(*(layer for layer in net if not isinstance(layer, models.Normalize)))
    options = {"activation_bound_option": "same-slope", "conv_mode": "patches"}
    bounded = BoundedModule(plain, images[:1], bound_opts=options, device="cpu")
    ball = BoundedTensor(images, PerturbationLpNorm(norm=float("inf"), eps=EPSILON))
    c = torch.eye(10)[labels][:, None] - torch.eye(10)[None]
    return bounded.compute_bounds(x=(ball,), C=c, method="CROWN", bound_upper=False)[0]


def ours(net: nn.Sequential, images: Tensor, labels: Tensor) -> Tensor:
    """The library, without its slack for rounding if a graph is asked for."""
    if torch.is_grad_enabled():
        return polytope.training_margins(net, images, labels, EPSILON)
    return polytope.margins(net, images, labels, EPSILON)


SIDES: dict[str, tuple[str, Callable[..., Tensor]]] = {
    "lecture13": ("lecture13", ours),
    "straightforward": ("lecture13", straightforward),
    "convex_adversarial 0.4.4": ("convex_adversarial", by_convex_adversarial),
    "auto_LiRPA 0.3": ("auto_LiRPA", by_auto_lirpa),
}


def measure(side: str, weights: str, batch: int, task: str, rounds: int, name: str) -> None:
    """Run one side, and print what it took as JSON."""
    torch.set_num_threads(1)
    module, run = SIDES[side]
    __import__(module)
    net = models.small_convnet()
    net.load_state_dict(torch.load(weights, weights_only=True))
    test = data.load(name, "test", size=28).take(2 * batch)
    images, labels = test.images[batch:], test.labels[batch:]

    def once(images: Tensor, labels: Tensor) -> Tensor:
        with torch.set_grad_enabled(task == "loss"):
            found = run(net, images, labels)
            if task == "loss":
                net.zero_grad()
                F.cross_entropy(-found, labels).backward()
        return found.detach()

    Path("/proc/self/clear_refs").write_text("5")
    held = peak()
    found, seconds = once(images, labels), []
    memory = peak() - held
    for _ in range(rounds):
        start = time.process_time()
        once(images, labels)
        seconds.append(time.process_time() - start)
    print(json.dumps({"ms": 1e3 * statistics.median(seconds) / batch, "memory": memory / 1e6, "found": found.tolist()}))


def peak() -> int:
    """Bytes that the process held at most."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return 1024 * int(status["VmHWM"].split()[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="mnist", choices=("mnist", "digits"))
    parser.add_argument("--nets", nargs="*", default=["plain", "robust"])
    parser.add_argument("--tasks", nargs="*", default=["margins", "loss"])
    parser.add_argument("--sides", nargs="*", default=list(SIDES))
    parser.add_argument("--steps", type=int, default=1000, help="of the training")
    parser.add_argument("--weights", type=Path, help="folder with plain.pt and robust.pt; trained and kept if missing")
    parser.add_argument("--batch", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--run", nargs=3, metavar=("SIDE", "WEIGHTS", "TASK"), help="one side, here, as JSON")
    asked = parser.parse_args()
    if asked.run:
        measure(asked.run[0], asked.run[1], asked.batch, asked.run[2], asked.rounds, asked.data)
        return
    where = f"{platform.machine()}, one thread, torch {torch.__version__}"
    print(f"{where}, {asked.data}, {asked.batch} images, ε = {EPSILON}")
    sides = [side for side in asked.sides if importlib.util.find_spec(SIDES[side][0])]
    print(f"left out, not installed: {', '.join(side for side in asked.sides if side not in sides) or 'none'}\n")
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.weights or Path(temporary)
        print("| net | task | side | ms per image | memory, MB | largest difference of a margin from ours |")
        print("|---|---|---|---|---|---|")
        for kind in asked.nets:
            weights = folder / f"{kind}.pt"
            if not weights.exists():
                torch.save(trained(kind, asked.data, asked.steps).state_dict(), weights)
            for task in asked.tasks:
                reference = None
                for side in sides:
                    words = [sys.executable, __file__, "--run", side, weights, task, "--batch", asked.batch]
                    words += ["--rounds", asked.rounds, "--data", asked.data]
                    told = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False)
                    if told.returncode:
                        print(f"| {kind} | {task} | {side} | failed: {told.stderr.splitlines()[-1]} | | |", flush=True)
                        continue
                    row = json.loads(told.stdout.splitlines()[-1])
                    found = torch.tensor(row["found"])
                    reference = found if reference is None else reference
                    gap = float((found - reference).abs().max())
                    text = f"{gap:.1e} of up to {float(found.abs().max()):.1f}"
                    print(f"| {kind} | {task} | {side} | {row['ms']:.1f} | {row['memory']:.0f} | {text} |", flush=True)


if __name__ == "__main__":
    main()
