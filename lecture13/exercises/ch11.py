"""Checks of chapter 11: where a pixel goes, the worst of k poses, a majority over poses, the black canvas."""

import math
from typing import Any

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from lecture13 import attacks
from lecture13.exercises import close, exercise, expect


def _points(found: Any) -> torch.Tensor:
    """What a student's function gave, as float64."""
    return torch.as_tensor(found).double()


@exercise("11.1", title="Where a pixel goes")
def _(destination):
    """``destination(p, angle, shift, centre)``: R(θ)·(p − c) + c + t."""
    points = 32 * torch.rand(6, 2, dtype=torch.float64)
    centre, shift = torch.tensor([15.5, 11.5], dtype=torch.float64), torch.tensor([3.0, -2.0], dtype=torch.float64)
    still, offset = 0 * shift, points - centre
    close(destination(points, 0.0, still, centre), points, "Angle 0 and shift 0 leave every pixel where it is.")
    moved = _points(destination(points, 0.0, shift, centre))
    expect(
        not torch.allclose(moved, points - shift),
        "That is where the pixel p came from. The question is where it goes: the other way.",
    )
    close(moved, points + shift, "Shifted by t, what was at p is at p + t.")
    close(destination(centre[None], 30.0, still, centre), centre[None], "The centre of the image stays where it is.")
    theta = math.radians(30)
    turn = torch.tensor([[math.cos(theta), -math.sin(theta)], [math.sin(theta), math.cos(theta)]], dtype=torch.float64)
    turned = _points(destination(points, 30.0, still, centre))
    expect(
        not torch.allclose(turned, offset @ turn + centre),
        "This turns the other way. R(−θ) leads back to where a pixel came from; R(θ) leads on. (Row vectors are "
        "multiplied by the transpose.)",
    )
    close(turned, offset @ turn.T + centre, "Is the angle in radians where a cosine is taken? R(θ)(p − c) + c.")
    both = _points(destination(points, 30.0, shift, centre))
    expect(
        not torch.allclose(both, (offset + shift) @ turn.T + centre),
        "Here the image is shifted first and rotated last. The chapter rotates first.",
    )
    close(both, offset @ turn.T + centre + shift, "First the rotation about the centre, then the shift.")
    return "An image is drawn the other way round: every pixel asks where it comes from, so that none stays empty."


@exercise("11.2", title="The worst of k")
def _(worst):
    """``worst(logits (k, N, K), labels (N,))``: the index (N,) of the pose kept for each image."""
    logits, labels = 2 * torch.randn(10, 40, 3), torch.randint(3, (40,))
    # misclassified with a loss of .80, beside poses of higher loss that are read right
    logits[:, 0] = torch.tensor([0.40, 0.31, 0.29]).log()
    logits[3, 0], labels[0] = torch.tensor([0.45, 0.50, 0.05]).log(), 0
    # never misclassified
    logits[:, 1], labels[1] = torch.randn(10, 3), 2
    logits[:, 1, 2] += 8
    found = worst(logits, labels)
    expect(isinstance(found, torch.Tensor), f"Return a tensor of indices; this is a {type(found).__name__}.")
    expect(
        found.shape == labels.shape,
        f"Every image has a pose of its own: expected the shape {tuple(labels.shape)}, got {tuple(found.shape)}.",
    )
    loss = torch.stack([cross_entropy(each, labels, reduction="none") for each in logits])
    fooled = logits.argmax(2) != labels
    best = torch.where(fooled == fooled.any(0), loss, -torch.inf).argmax(0)
    expect(
        not torch.equal(found, loss.argmax(0)),
        "This keeps the highest loss. A pose that is read right can have a higher loss than a misclassified one (three "
        "classes at 40, 31 and 29 %, against 45 % for the truth and 50 % for another): misclassified ones come first.",
    )
    expect(not torch.equal(found, loss.argmin(0)), "This keeps the pose that the net likes best; the worst is wanted.")
    expect(
        not torch.equal(found, fooled.int().argmax(0)),
        "This keeps the first misclassified pose. Of several, the one of highest loss is wanted.",
    )
    expect(
        bool((found[~fooled.any(0)] == best[~fooled.any(0)]).all()),
        "Where no pose is misclassified, the one of highest loss is still the worst.",
    )
    close(found, best, "A misclassified pose before any other; among equals, the one of highest loss.")
    return "With this order more tries never make the attack weaker."


@exercise("11.3", title="A majority over poses")
def _(majority):
    """``majority(model, images, angles (k,), shifts (k, 2))``: the class (N,) that most poses are given."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(3 * 12 * 12, 3)).eval()
    images = torch.rand(30, 3, 12, 12)
    angles, shifts = 60 * torch.rand(7) - 30, 2.4 * torch.rand(7, 2) - 1.2
    with torch.no_grad():
        model[1].weight[:, :] *= 6
        poses = [
            attacks.rotate_and_translate(images, angle.expand(30), shift.expand(30, 2))
            for angle, shift in zip(angles, shifts, strict=True)
        ]
        logits = torch.stack([model(moved) for moved in poses])
    votes = nn.functional.one_hot(logits.argmax(2), 3).sum(0)
    with torch.no_grad():
        found = majority(model, images, angles, shifts)
    expect(isinstance(found, torch.Tensor), f"Return a tensor of classes; this is a {type(found).__name__}.")
    expect(
        found.shape == (30,) and not found.is_floating_point(),
        f"One class for each image: expected whole numbers (30,), got {found.dtype} {tuple(found.shape)}.",
    )
    elected = votes.gather(1, found[:, None])[:, 0] == votes.amax(1)  # any of those that tie
    alone, mean = model(images).argmax(1), logits.mean(0).argmax(1)
    expect(
        elected.all() or not torch.equal(found, alone),
        "These are the classes of the images as they are: rotate and shift them first.",
    )
    expect(
        elected.all() or not torch.equal(found, mean),
        "This averages the logits: one very sure pose outvotes all others. Let each pose name one class, and count.",
    )
    expect(elected.all(), f"{int((~elected).sum())} of 30 images are given a class that fewer poses voted for.")
    return "A pose that fools the net has to fool it in most poses near by as well."


@exercise("11.4", title="The black canvas")
def _(canvas_side):
    """``canvas_side(side, max_rotation, max_shift)`` for squares and angles up to 45°: s(cos θ + sin θ) + 2t."""
    close(canvas_side(32, 0, 0), 32, "Without motion the image needs its own side.")
    close(canvas_side(32, 0, 3), 38, "It may be shifted either way: t on each side.")
    close(canvas_side(10, 45, 0), 10 * math.sqrt(2), "Turned by 45° a square is as wide as its diagonal.")
    for side, angle, shift in ((32, 30, 3.2), (28, 17, 2.8)):
        theta = math.radians(angle)
        wanted = side * (math.cos(theta) + math.sin(theta)) + 2 * shift
        found = canvas_side(side, angle, shift)
        expect(
            abs(float(found) - (side * math.sqrt(2) + 2 * shift)) > 1e-6,
            "That is enough for any angle. Within ±θ a corner does not swing out as far as the diagonal.",
        )
        close(found, wanted, "A square turned by θ spans s·cos θ + s·sin θ; the shift comes on top, twice.")
    return "The nets of this chapter get 52 × 52 pixels for an image of 32 × 32, most of them black."
