"""Front end and network sparsity, alone and together, trained alike and judged alike: the set-up of Figure 6."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from lecture13 import attacks, guard
from lecture13.attacks.calling import Attack
from lecture13.defenses.sparsity.front_end import GRADIENTS, SparseFrontEnd
from lecture13.defenses.sparsity.rows import projected, row_norms, sparsity
from lecture13.estimates import Estimate, share
from lecture13.models.binary_mlp import binary_mlp
from lecture13.supervised import supervised
from lecture13.training import fit

#: what a net is defended by: name → (front end, network sparsity)
DEFENCES = {
    "none": (False, False),
    "front end": (True, False),
    "network sparsity": (False, True),
    "both": (True, True),
}


@dataclass(frozen=True)
class Defended:
    """A trained net, and the front end that it sees images through, if any."""

    network: nn.Sequential
    front: SparseFrontEnd | None = None

    @property
    def model(self) -> nn.Sequential:
        """Images in, logits out."""
        return self.through("exact")

    def through(self, gradient: str) -> nn.Sequential:
        """The same values, with another gradient of the front end; without one, all are the same."""
        return self.network if self.front is None else nn.Sequential(self.front.through(gradient), self.network)

    @property
    def zeros(self) -> list[float]:
        """The share of weights that are exactly 0, of each trained layer."""
        return sparsity(self.network)

    @property
    def norms(self) -> list[float]:
        """The largest ℓ1 norm of a row, of each trained layer."""
        return row_norms(self.network)


def train(
    images: Tensor,
    labels: Tensor,
    *,
    defence: str,
    keep: int,
    gammas: Sequence[float],
    steps: int,
    wavelet: str = "coif1",
    hidden: int = 10,
    batch_size: int = 100,
    learning_rate: float = 1e-3,
    l2: float = 1e-3,
    seed: int = 0,
    checkpoint: Path | str | None = None,
) -> Defended:
    """Train the binary net 784-10-1 with one of :data:`DEFENCES`.

    Behind a front end it is trained on what that lets through.

    Args:
        images, labels: ``(N, C, H, W)`` in [0, 1], H = W, and int64 ``(N,)`` of 0 and 1.
        defence: its name.
        keep, wavelet: of :class:`~lecture13.defenses.sparsity.front_end.SparseFrontEnd`.
        gammas: γ of the two layers, for :func:`~lecture13.defenses.sparsity.rows.projected`.
        steps, batch_size, learning_rate: of Adam.
        hidden: units.
        l2: λ of the penalty λ‖w‖₂² on all weights.
        seed: of weights and batches.
        checkpoint: see :func:`lecture13.training.fit`.

    Raises:
        ValueError: an unknown defence, labels other than 0 and 1, what the parts raise.
    """
    if defence not in DEFENCES:
        raise ValueError(f"unknown defence {defence!r}; choose one of {', '.join(map(repr, DEFENCES))}")
    labels = guard.check_labels(labels, images)
    if not len(labels) or int(labels.max()) > 1:
        raise ValueError(f"{len(labels)} labels up to {int(labels.max()) if len(labels) else None}; expected 0 and 1")
    sees, sparse = DEFENCES[defence]
    channels, size = images.shape[1], images.shape[-1]
    front = SparseFrontEnd(keep, wavelet=wavelet, shape=(channels, size, size)).to(images.device) if sees else None
    if front is not None:
        images = torch.cat([front(part) for part in images.split(1000)])
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        network = binary_mlp(in_channels=channels, size=size, hidden=hidden)
    network.to(images.device)
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    optimizer = torch.optim.Adam(trained, learning_rate, weight_decay=2 * l2)
    step = supervised(network, optimizer, images, labels, batch_size=batch_size, seed=seed)
    settings = {"defence": defence, "keep": keep, "wavelet": wavelet, "hidden": hidden, "batch_size": batch_size}
    settings |= {"learning_rate": learning_rate, "l2": l2, "gammas": list(gammas), "examples": len(images)}
    fit(
        projected(step, network, gammas) if sparse else step,
        {"network": network, "optimizer": optimizer},
        steps=steps,
        seed=seed,
        checkpoint=checkpoint,
        settings=settings,
        description=f"defence: {defence}",
    )
    return Defended(network.eval(), front)


def linear_attacks(defended: Defended, epsilon: float) -> dict[str, Attack]:
    """The locally linear attack through each gradient of the front end, by name."""
    return {
        f"locally linear, {gradient}": _on(partial(attacks.locally_linear, epsilon=epsilon), defended.through(gradient))
        for gradient in _gradients(defended)
    }


def adaptive_attacks(
    defended: Defended, surrogate: nn.Module, epsilon: float, *, steps: int = 20, queries: int = 200
) -> dict[str, Attack]:
    """All that is thrown at a defence, by name; what is left after all of it is what can be claimed.

    :func:`linear_attacks`; PGD through each gradient; PGD on another net, undefended, and on its logits and the
    defended ones together; and a random search that sees no gradient.

    Args:
        defended: what is attacked.
        surrogate: an undefended net of the same task. Its images transfer.
        epsilon: ℓ∞ radius, pixel units.
        steps: of PGD.
        queries: of the random search; 0: none.
    """
    pgd = partial(attacks.pgd, epsilon=epsilon, steps=steps)
    found = linear_attacks(defended, epsilon)
    found |= {f"PGD, {gradient}": _on(pgd, defended.through(gradient)) for gradient in _gradients(defended)}
    if defended.network is not surrogate:
        found["PGD on the plain net"] = _on(pgd, surrogate)
        found["PGD on both nets together"] = _on(pgd, _Together(defended.through("identity"), surrogate))
    if queries:
        found["random search"] = partial(attacks.square, epsilon=epsilon, queries=queries)
    return found


def accuracies(
    defended: Defended, images: Tensor, labels: Tensor, suite: Mapping[str, Attack]
) -> tuple[Estimate, dict[str, Estimate]]:
    """The accuracy that is left when each image meets the worst attack of ``suite``, and under each attack alone."""
    clean = defended.model(images).argmax(1) == labels
    _, broken = attacks.strongest(defended.model, images, labels, suite)
    each = {name: share(int((~lost).sum()), len(labels)) for name, lost in broken.items()}
    lost = torch.stack([~clean, *broken.values()]).any(0)
    return share(int((~lost).sum()), len(labels)), each


def epsilon_of(
    model: nn.Module, images: Tensor, labels: Tensor, accuracy: float = 0.5, *, highest: float = 0.5, steps: int = 20
) -> float:
    """The ε at which PGD brings the accuracy of ``model`` down to ``accuracy``, by halving [0, highest] ten times.

    Raises:
        ValueError: the accuracy is not crossed in that range.
    """

    def left(epsilon: float) -> float:
        found = attacks.pgd(model, images, labels, epsilon, steps=steps)
        with torch.no_grad():
            return float((model(found).argmax(1) == labels).double().mean())

    low, high = 0.0, highest
    if not left(high) < accuracy <= left(low):
        raise ValueError(f"the accuracy is {left(low):.3g} at ε = 0 and {left(high):.3g} at {high:g}: no {accuracy:g}")
    for _ in range(10):
        middle = (low + high) / 2
        low, high = (middle, high) if left(middle) >= accuracy else (low, middle)
    return (low + high) / 2


class _Together(nn.Module):
    """The sum of two models' logits."""

    def __init__(self, first: nn.Module, second: nn.Module):
        super().__init__()
        self.first, self.second = first, second

    def forward(self, images: Tensor) -> Tensor:
        return self.first(images) + self.second(images)


def _gradients(defended: Defended) -> tuple[str, ...]:
    return GRADIENTS if defended.front is not None else GRADIENTS[:1]


def _on(attack: Attack, model: nn.Module) -> Attack:
    """``attack``, always on ``model``, whatever it is judged by."""

    def run(_: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
        return attack(model, images, labels)

    return run
