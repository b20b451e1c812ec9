"""Checks of chapter 02: the fractionally strided convolution, its checkerboard, an arc through z, and copies."""

from collections.abc import Callable, Sequence
from unittest.mock import patch

import torch
import torch.nn.functional as F
from torch import Tensor

from lecture13.exercises import NotYet, close, exercise, expect
from lecture13.gan.scores import interpolation, suspicious


@exercise("02.1", title="A fractionally strided convolution, from an ordinary one")
def _(fractionally_strided: Callable[[Tensor, Tensor, int], Tensor]):
    chance = torch.Generator().manual_seed(0)
    cases = [(1, 3, 1), (2, 2, 3), (2, 5, 4), (3, 4, 3)]  # stride, kernel, side
    made = [
        (torch.randn(2, 3, s, s, generator=chance), torch.randn(3, 4, k, k, generator=chance), stride)
        for stride, k, s in cases
    ]
    wanted = [F.conv_transpose2d(maps, weight, stride=stride) for maps, weight, stride in made]
    unturned = [F.conv_transpose2d(maps, weight.flip(2, 3), stride=stride) for maps, weight, stride in made]

    def refuse(*args, **kwargs):
        raise NotYet("That is PyTorch's own. Make it from `F.conv2d`: zeros between the inputs, and a turned kernel.")

    with patch("torch.nn.functional.conv_transpose2d", refuse), patch("torch.conv_transpose2d", refuse):
        for (maps, weight, stride), right, wrong in zip(made, wanted, unturned, strict=True):
            found = fractionally_strided(maps, weight, stride)
            k = weight.shape[-1]
            said = f"For stride {stride}, a {k}×{k} kernel and {maps.shape[-1]}×{maps.shape[-1]} maps."
            expect(isinstance(found, Tensor), f"{said} Return a tensor; got {type(found).__name__}.")
            expect(
                found.shape != wrong.shape or not torch.allclose(found, wrong, atol=1e-4),
                f"{said} The shape is right, but the kernel is not turned: `conv2d` is a correlation.",
            )
            close(found.detach(), right, said, rtol=1e-3, atol=1e-4)
    return (
        "The stride of the ordinary convolution that does the same is 1/stride of an input: hence the paper's name for "
        "it. Everything between is multiplied with zeros, which a good implementation never does."
    )


@exercise("02.2", title="Where checkerboards come from")
def _(contributions: Callable[[int, int], Sequence[int]]):
    for kernel, stride in ((5, 2), (4, 2), (3, 2), (2, 2), (6, 3), (4, 3), (3, 1)):
        ones = F.conv_transpose1d(torch.ones(1, 1, 12), torch.ones(1, 1, kernel), stride=stride)[0, 0]
        inside = 4 * stride  # far from both ends
        right = ones[inside : inside + stride].round().int().tolist()
        found = contributions(kernel, stride)
        found = found.tolist() if isinstance(found, Tensor) else list(found)
        expect(
            len(found) == stride,
            f"For stride {stride}, give {stride} numbers, one for each output pixel of a period; got {found}.",
        )
        said = f"Kernel {kernel}, stride {stride}: output o hears input i where 0 ≤ o − stride·i < kernel."
        expect([int(n) for n in found] == right, f"{said} Expected {right}, got {found}.")
    return (
        "The kernel 5 of the paper gives 3 and 2 inputs to neighbouring pixels, in two dimensions 9, 6, 6 and 4. A "
        "kernel that the stride divides gives all the same number, and so does resizing first."
    )


@exercise("02.3", title="An arc, not a chord")
def _(arc: Callable[[Tensor, Tensor, float], Tensor]):
    chance = torch.Generator().manual_seed(1)
    start, end = torch.randn(2, 100, generator=chance, dtype=torch.float64)
    expect(isinstance(arc(start, end, 0.5), Tensor), "Return a tensor of 100 numbers, like both ends.")
    close(arc(start, end, 0.0), start, "At t = 0 the arc is at its start.")
    close(arc(start, end, 1.0), end, "At t = 1 the arc is at its end.")
    middle, line = arc(start, end, 0.5).norm(), ((start + end) / 2).norm()
    expect(
        (middle - line).abs() > 0.1,
        f"At t = ½ your point has the length {middle:.2f}, as the straight line's middle has; both ends have about 10.",
    )
    points = interpolation.spherical(start, end, 5)
    for t, point in zip((0.25, 0.5, 0.75), points[1:4], strict=True):
        close(arc(start, end, t), point, f"At t = {t}, sin((1 − t)ω)/sin ω · start + sin(tω)/sin ω · end.")
    return f"Its middle has the length {middle:.1f}; the straight line's has {line:.1f}, where the prior never draws."


@exercise("02.4", title="How many are copies?")
def _(copied: Callable[[Tensor, Tensor], float]):
    chance = torch.Generator().manual_seed(2)
    fresh = 0.2 + 0.03 * torch.randn(2000, generator=chance)
    honest = 0.2 + 0.03 * torch.randn(2000, generator=chance)
    blurred = 0.15 + 0.01 * torch.randn(2000, generator=chance)
    copies = torch.cat([0.01 * torch.rand(500, generator=chance), honest[:1500]])
    cases = {"an honest generator": honest, "a quarter of copies": copies, "a generator of blurred means": blurred}
    for name, distance in cases.items():
        wanted = suspicious(distance, fresh)
        found = float(copied(distance, fresh))
        expect(0 <= found <= 1, f"For {name}: give a share, between 0 and 1; got {found:g}.")
        close(found, wanted, f"For {name}: the share below the 1 % quantile of the fresh images' distances.", atol=2e-3)
    return (
        "An honest generator gets 1 %, by construction, and a quarter of copies 26 %. But so near to everything does a "
        "blurred mean lie in pixels that it looks like a copy too: look at the pairs, and compare features as well."
    )
