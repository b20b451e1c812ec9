"""Certificates that hold in floating point: full precision while they are computed, and a slack for the rounding.

The centre and the radius of a bound are sums of products. A sum of n terms, in whatever order, is off by at most
``γ_n = n·u/(1 − n·u)`` times the sum of the absolute values, u half a unit in the last place (Higham 2002, ch. 3). This
worst case is what float64 is given. In float32 it would be thousands of times what happens; there a sum of n > 4 terms
is taken to be off by at most ``λ√n·u`` with λ = 2, since rounding errors go both ways (Higham & Mary 2019).

What rounding does at one unit goes on through the network like any other change of that unit. So it is added to what
the unit may deviate by, and the rows that add up the deviations add it up as well.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from lecture13.defenses.polytope.layers import Affine

LAMBDA = 2.0


def unit(terms: int, dtype: torch.dtype) -> float:
    """By what share of its terms' absolute sum a sum of ``terms`` may be off."""
    half = torch.finfo(dtype).eps / 2
    proven = terms * half / (1 - terms * half)
    return proven if dtype == torch.float64 else min(proven, LAMBDA * math.sqrt(terms) * half)


def of_inputs(centre: Tensor, radius: Tensor) -> Tensor:
    """What the rounding of an image ``x ± ε``, and of its box, comes to."""
    return unit(4, centre.dtype) * (centre.abs() + radius)


def of_sums(affine: Affine, size: Tensor) -> Tensor:
    """What rounding comes to in the sums of ``affine`` on inputs of at most ``size``: in those that give the centre, in
    those that the network itself takes, and in those that carry a row back.
    """
    dtype = size.dtype
    share = 2 * unit(affine.terms, dtype) + unit(affine.terms_back + 6, dtype)
    return share * (affine.spread(size) + affine.offset(size))


@contextmanager
def full_precision(device: torch.device) -> Iterator[None]:
    """No autocast, no TF32 and no bfloat16 inside products and convolutions; afterwards all is as it was."""
    with torch.autocast(device.type, enabled=False):
        if not hasattr(torch.backends.cudnn, "conv"):  # before torch 2.9
            before = torch.backends.cudnn.allow_tf32, torch.get_float32_matmul_precision()
            try:
                torch.backends.cudnn.allow_tf32 = False
                torch.set_float32_matmul_precision("highest")
                yield
            finally:
                torch.backends.cudnn.allow_tf32 = before[0]
                torch.set_float32_matmul_precision(before[1])
            return
        backends = torch.backends
        switches = (backends.cuda.matmul, backends.cudnn.conv, backends.mkldnn.matmul, backends.mkldnn.conv)
        before = [switch.fp32_precision for switch in switches]
        try:
            for switch in switches:
                switch.fp32_precision = "ieee"
            yield
        finally:
            for switch, value in zip(switches, before, strict=True):
                switch.fp32_precision = value
