"""Drawing from a trained generator, and batch norm's statistics for it."""

import torch
from torch import Tensor, nn

from lecture13.gan.images import to_unit
from lecture13.gan.nets import normal

CHUNK = 100


@torch.no_grad()
def sample(G: nn.Module, z: Tensor, y: Tensor | None = None) -> Tensor:
    """What ``G`` draws in eval mode from z (N, noise), and y (N,) if it has classes: (N, C, H, W) in [0, 1], on CPU.

    In parts of a hundred, so that memory stays flat; the net's mode is left as it was.
    """
    mode, device = G.training, next(G.parameters()).device
    G.eval()
    try:
        parts = [G(*(p[at : at + CHUNK].to(device) for p in (z, y) if p is not None)) for at in range(0, len(z), CHUNK)]
    finally:
        G.train(mode)
    return torch.cat([to_unit(part).cpu() for part in parts])


@torch.no_grad()
def recalibrate(G: nn.Module, *, batches: int = 50, batch: int = 100, seed: int = 0) -> nn.Module:
    """Measure batch norm's statistics anew, on ``batches`` minibatches of noise; the generator itself, in eval mode.

    A moving average of weights has statistics of its own: the average of those of the nets on its way are not it.

    Args:
        G: with ``noise``, the dimensions of z ~ N(0, I), and ``classes``, None or the number of its labels.
    """
    norms = [layer for layer in G.modules() if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d)]
    if not norms:
        return G.eval()
    device, chance = next(G.parameters()).device, torch.Generator().manual_seed(seed)
    momenta = [layer.momentum for layer in norms]
    for layer in norms:
        layer.reset_running_stats()
        layer.momentum = None  # the plain mean over the minibatches
    G.train()
    for _ in range(batches):
        y = [] if G.classes is None else [torch.randint(G.classes, (batch,), generator=chance).to(device)]
        G(normal(G.noise)(batch, chance).to(device), *y)
    for layer, momentum in zip(norms, momenta, strict=True):
        layer.momentum = momentum
    return G.eval()
