r"""RP2 on one core: seconds until 80 % of pictures are read as the target, batched and a picture at a time.

    OMP_NUM_THREADS=1 PYTHONPATH=. python benchmarks/graffiti.py

Both sides paint the same mask on the same sign against the same net, with Adam and the same loss, and are judged on the
same pictures from Table 5's fifteen places after every 10 steps; medians of rounds with other views. The other side is
what a straightforward script does: it goes through the pictures one by one and warps, lights and blurs each with
torchvision's functions.
"""

import argparse
import math
import platform
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor
from torchvision.transforms.v2 import functional as V

from lecture13 import attacks, papers, roadside, zoo
from lecture13.render import scenes
from lecture13.render.camera import frame, project
from lecture13.render.faces import faces
from lecture13.render.signs import CLASSES
from lecture13.render.snapshots import FACE, Snapshots

CORNERS = torch.tensor([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])


def one_by_one(camera: Snapshots) -> Callable[[Tensor, torch.Generator], Tensor]:
    """Views drawn alike, each picture by torchvision: perspective, composition before a scene, light, blur, noise."""
    side = camera.size * 3
    pool = scenes.draw(128, size=32, seed=1).images

    def take(signs: Tensor, generator: torch.Generator) -> Tensor:
        found = []
        for sign in signs:
            shot = camera.draw(1, generator)
            homography = camera.camera.homography(shot.distance, shot.angle, tilt=shot.tilt, roll=shot.roll)
            cut = frame(homography, shot.margin, shot.shift)
            pixel = camera.size / (2 * float(cut[0, 0, 0]))  # a sensor's pixel, in pixels of the picture
            inside = torch.linalg.inv(cut) @ homography
            ends = ((project(inside, CORNERS)[0] + 1) / 2 * side).tolist()
            starts = ((CORNERS + 1) / 2 * side).tolist()
            both = torch.cat([sign, camera.cover[None].to(sign)])
            large = V.resize(both, [side, side], antialias=False)
            warped = V.perspective(large, starts, ends)
            top, left = torch.randint(12, (2,), generator=generator).tolist()
            scene = V.resized_crop(pool[shot.keys[0] % len(pool)], top, left, 20, 20, [side, side], antialias=False)
            image = torch.lerp(scene.to(sign), warped[:3], warped[3:].expand(3, -1, -1))
            image = V.resize(image, [camera.size, camera.size], antialias=True)
            blur = max(0.1, math.hypot(float(shot.blur), pixel / 2))
            image = V.gaussian_blur(image, [5, 5], [blur]) * shot.gain[0, :, None, None]
            noise = shot.noise * min(1, pixel) * torch.randn(image.shape, generator=generator)
            found.append((image + noise).clamp(0, 1))
        return torch.stack(found)

    return take


def seconds_to(
    goal: float,
    transforms: Callable,
    sign: Tensor,
    mask: Tensor,
    model: torch.nn.Module,
    target: int,
    *,
    most: int,
    seed: int,
) -> tuple[float, int, float]:
    """CPU seconds and steps until ``goal`` of the test pictures are hit, and the share at the end."""
    camera, places = transforms_of_test(sign), [roadside.place_of(row) for row in papers.table("graffiti-table-5").rows]
    spent, found = 0.0, 0.0
    for steps in range(10, most + 1, 10):
        start = time.process_time()
        delta = attacks.graffiti(
            model, sign, target, mask=mask, transforms=transforms, steps=steps, batch_size=16, learning_rate=0.05,
            generator=torch.Generator().manual_seed(seed),
        )  # fmt: skip
        spent = time.process_time() - start
        readings = roadside.read_from(
            model,
            attacks.paint(sign, delta),
            places,
            snapshots=camera,
            count=10,
            generator=torch.Generator().manual_seed(1),
        )
        found = roadside.overall(readings, target).value
        if found >= goal:
            break
    return spent, steps, found


def transforms_of_test(sign: Tensor) -> Snapshots:
    return Snapshots(cover=faces(sign.shape[-1])[0, 3])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--goal", type=float, default=0.8)
    parser.add_argument("--most", type=int, default=200, help="steps at most")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    model, target = zoo.load("sign-classifier"), CLASSES.index("speed limit 80")
    face = faces(FACE)[0]
    sign, region = face[None, :3], (face[3] > 0.99).float()
    camera = Snapshots(cover=face[3])
    search = {"transforms": camera, "batch_size": 16, "generator": torch.Generator().manual_seed(0)}
    heat = attacks.vulnerable(model, sign, target, region=region, steps=60, **search)
    mask = attacks.graffiti_mask(heat, region, shape="camouflage", share=0.25)
    print(f"{platform.machine()}, {torch.get_num_threads()} thread(s), torch {torch.__version__}\n")
    print("| views | CPU s of one step of 16 pictures | steps | CPU s | success |")
    print("|---|---|---|---|---|")
    sides = {"lecture13, batched": camera, "one by one, torchvision": one_by_one(camera)}
    rounds = {name: [] for name in sides}
    for seed in range(options.rounds):
        for name, transforms in sides.items():
            found = seconds_to(options.goal, transforms, sign, mask, model, target, most=options.most, seed=seed)
            rounds[name].append(found)
    for name, found in rounds.items():
        each = statistics.median(spent / steps for spent, steps, _ in found)
        spent, steps, share = (statistics.median(column) for column in zip(*found, strict=True))
        print(f"| {name} | {each:.3f} | {steps} | {spent:.2f} | {share:.0%} |")


if __name__ == "__main__":
    main()
