r"""Poses a second, beside a straightforward rasteriser; and how long the adversarial turtle takes.

    OMP_NUM_THREADS=1 PYTHONPATH=. nice python benchmarks/solids.py

The other side is the software rasteriser as it is written first, in NumPy: for each pose all over again, a loop over
the triangles, a box of pixels around each, a z-buffer, the texture looked up bilinearly. Both see the same turtle in
the same poses with the same texture, one sample a pixel, no lens, no noise; their pictures are compared. CPU time of
the process, medians of rounds in turn.

    python benchmarks/solids.py --attack     # also CPU seconds of expectation until the target has 90 % of new poses
"""

import argparse
import platform
import time

import numpy as np
import torch
from common import cpu_seconds

from lecture13 import attacks, zoo
from lecture13.render import solids
from lecture13.render.solids.views import FOCUS

BARE = {
    "blur": (0, 0),
    "noise": (0, 0),
    "exposure": (0, 0),
    "tint": (1, 1),
    "shine": (0, 0),
    "background": ("colours",),
}


def straightforward(mesh: solids.Mesh, shots: solids.Shots, size: int) -> np.ndarray:
    """(N, size, size, 3): the solid in each pose, before black; diffuse light as ours."""
    texture = mesh.texture[0].permute(1, 2, 0).numpy()
    uv, normals = mesh.uv[mesh.face_uv].numpy(), mesh.normals.numpy()
    pictures = np.zeros((len(shots), size, size, 3), np.float32)
    for n, (turn, distance, shift) in enumerate(zip(shots.rotation, shots.distance, shots.shift, strict=True)):
        camera = mesh.corners.numpy() @ turn.numpy().T
        depth = float(distance) * mesh.radius - camera[..., 2]
        x = ((FOCUS * camera[..., 0] / depth + 2 * float(shift[0]) + 1) * size - 1) / 2
        y = ((-FOCUS * camera[..., 1] / depth + 2 * float(shift[1]) + 1) * size - 1) / 2
        lamp, ambient = shots.lamp[n].numpy() @ turn.numpy(), float(shots.ambient[n])
        nearest = np.full((size, size), np.inf, np.float32)
        for k in range(len(camera)):
            low_x, high_x = max(0, int(np.ceil(x[k].min()))), min(size - 1, int(x[k].max()))
            low_y, high_y = max(0, int(np.ceil(y[k].min()))), min(size - 1, int(y[k].max()))
            area = (x[k, 1] - x[k, 0]) * (y[k, 2] - y[k, 0]) - (x[k, 2] - x[k, 0]) * (y[k, 1] - y[k, 0])
            if low_x > high_x or low_y > high_y or area >= 0:  # beside the picture, or seen from behind
                continue
            columns, rows = np.meshgrid(np.arange(low_x, high_x + 1), np.arange(low_y, high_y + 1))
            shares = []
            for i, j in ((1, 2), (2, 0), (0, 1)):
                edge = (x[k, i] - columns) * (y[k, j] - rows) - (x[k, j] - columns) * (y[k, i] - rows)
                shares.append(edge / area / depth[k, 3 - i - j])
            shares = np.stack(shares, -1)
            inside = (shares >= 0).all(-1)
            z = 1 / np.where(inside, shares.sum(-1), np.inf)
            here = inside & (z < nearest[rows, columns])
            if not here.any():
                continue
            rows, columns, weights = rows[here], columns[here], shares[here] * z[here][:, None]
            nearest[rows, columns] = z[here]
            normal = weights @ normals[k]
            facing = normal @ lamp / np.linalg.norm(normal, axis=1)
            light = ambient + (1 - ambient) * np.maximum(0.35 + 0.65 * facing, 0)
            pictures[n, rows, columns] = bilinear(texture, weights @ uv[k]) * light[:, None]
    return pictures


def bilinear(texture: np.ndarray, uv: np.ndarray) -> np.ndarray:
    high, wide, _ = texture.shape
    x, y = np.clip(uv[:, 0] * wide - 0.5, 0, wide - 1), np.clip((1 - uv[:, 1]) * high - 0.5, 0, high - 1)
    left, top = np.minimum(x.astype(int), wide - 2), np.minimum(y.astype(int), high - 2)
    a, b = (x - left)[:, None], (y - top)[:, None]
    above = texture[top, left] * (1 - a) + texture[top, left + 1] * a
    below = texture[top + 1, left] * (1 - a) + texture[top + 1, left + 1] * a
    return above * (1 - b) + below * b


def poses_per_second(count: int, size: int, repeats: int) -> None:
    turtle = solids.solid("sea turtle")
    shots = solids.Poses(**BARE).draw(count, torch.Generator().manual_seed(0))
    views = solids.look(turtle, shots, size=size, samples=1)
    ours = (solids.radiance(turtle.texture, views) - views.base).permute(0, 2, 3, 1).numpy()
    theirs = straightforward(turtle, shots[:3], size)
    print(f"mean difference of the pictures: {np.abs(ours[:3] - theirs).mean():.1e}\n")

    few = shots[: max(2, count // 20)]
    texels = turtle.texture.clone().requires_grad_()
    smooth = solids.look(turtle, solids.Poses().draw(count, torch.Generator().manual_seed(0)), size=size)

    def backward(each: solids.Views) -> None:
        solids.render(texels, each).sum().backward()

    rows = {
        "straightforward, all of it": (lambda: straightforward(turtle, few, size), len(few)),
        "ours, UV maps and render": (
            lambda: solids.render(turtle.texture, solids.look(turtle, shots, size=size, samples=1)),
            count,
        ),
        "ours, render (UV maps cached)": (lambda: solids.render(turtle.texture, views), count),
        "ours, render and gradient": (lambda: backward(views), count),
        "4 samples a pixel, UV maps and render": (
            lambda: solids.render(turtle.texture, solids.look(turtle, shots, size=size)),
            count,
        ),
        "4 samples a pixel, render": (lambda: solids.render(turtle.texture, smooth), count),
        "4 samples a pixel, render and gradient": (lambda: backward(smooth), count),
    }
    print("| | poses a CPU second | beside the straightforward |\n|---|---|---|")
    seconds = cpu_seconds({name: run for name, (run, _) in rows.items()}, repeats)
    rates = {name: poses / seconds[name] for name, (_, poses) in rows.items()}
    for name, rate in rates.items():
        print(f"| {name} | {rate:.0f} | {rate / next(iter(rates.values())):.0f} |")


def attack(target: str, size: int) -> None:
    net, turtle = zoo.load("solid-classifier"), solids.solid("sea turtle")
    shoot, label = solids.camera(turtle, size=size), solids.CLASSES.index(target)
    unseen = {"poses": shoot, "count": 500, "generator": torch.Generator().manual_seed(1)}
    began, wall = time.process_time(), time.monotonic()
    found = attacks.expectation(net, solids.render, turtle.texture, label, poses=shoot, steps=2000, success_rate=0.9)
    spent = time.process_time() - began
    classes = attacks.predict_poses(net, solids.render, found, **unseen)
    share = float((classes == label).float().mean())
    change = (found - turtle.texture).square().mean().sqrt() * 255
    print(f"\nsea turtle → {target}: {spent:.0f} CPU seconds ({time.monotonic() - wall:.0f} s) to 90 % of new poses; ")
    print(f"{share:.1%} of 500 others; texture changed by {change:.0f} of 255 (RMS)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--poses", type=int, default=64)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--attack", action="store_true")
    parser.add_argument("--target", default="rifle", choices=solids.CLASSES[1:])
    options = parser.parse_args()
    print(
        f"{platform.machine()}, {torch.get_num_threads()} thread(s), torch {torch.__version__}, {options.size} pixels"
    )
    poses_per_second(options.poses, options.size, options.repeats)
    if options.attack:
        attack(options.target, options.size)


if __name__ == "__main__":
    main()
