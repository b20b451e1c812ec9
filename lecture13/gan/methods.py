"""The methods of Gulrajani et al. 2017, Figures 2 and 3: objective, box, optimiser and critic's steps, with settings.

>>> G, D = architectures.build("dcgan", norm=FIGURE_2["WGAN-GP"].norm)
>>> history = FIGURE_2["WGAN-GP"].train(G, D, data, nets.normal(128), steps=200_000)

The numbers are those of the authors' code, RMSProp's besides the rate TensorFlow's defaults. A method has one set of
them for every architecture: that is the point of Figure 2.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Unpack

import torch
from torch import Tensor, nn

from lecture13.gan import objectives, training
from lecture13.gan.dcgan import Norm
from lecture13.gan.engine import History, Options, Rule
from lecture13.gan.samplers import Sampler

Optimiser = Callable[..., torch.optim.Optimizer]
Box = Callable[..., History]

_adam = partial(torch.optim.Adam, fused=True)
_rmsprop = partial(torch.optim.RMSprop, alpha=0.9, eps=1e-10, foreach=True)


@dataclass(frozen=True)
class Method:
    """How a generator and a critic are trained.

    Args:
        name: as the figures have it.
        box: the loop, with everything of the method but the optimiser bound to it.
        optimiser: makes one from (parameters, lr=...).
        rate: the authors' learning rate.
        critic_steps: for each of the generator's.
        norm: of the critics that have normalisation: batch norm, or layer norm where each sample is penalised.
        about: optimiser, critic's steps and what is special, in words.
    """

    name: str
    box: Box
    optimiser: Optimiser
    rate: float
    critic_steps: int
    norm: Norm
    about: str

    def rule(self, speed: float = 1.0) -> Rule:
        """Parameters → optimiser, at ``speed`` times the authors' learning rate."""
        return partial(self.optimiser, lr=speed * self.rate)

    def train(
        self,
        G: nn.Module,
        D: nn.Module,
        data: Sampler,
        prior: Callable[[int, torch.Generator | None], Tensor],
        *,
        steps: int,
        batch: int = 64,
        speed: float = 1.0,
        **engine: Unpack[Options],
    ) -> History:
        """Train both nets for ``steps`` iterations of the generator; see :mod:`lecture13.gan.training`.

        Args:
            G, D, data, prior, steps, batch, engine: as every box takes them.
            speed: factor on the learning rate, the same for every method of a comparison. A run that is a hundred
                times shorter than the authors' does not get far at their rates.

        Raises:
            ValueError: a speed that is not positive, or as the box.
        """
        if not speed > 0:
            raise ValueError(f"speed={speed}; expected a factor above 0, 1 is the authors' learning rate")
        options = {"description": self.name, **engine}
        return self.box(G, D, data, prior, steps=steps, batch=batch, rule=self.rule(speed), **options)


_DCGAN = Method(
    "DCGAN",
    partial(training.algorithm_1, objective=objectives.non_saturating, k=1),
    partial(_adam, betas=(0.5, 0.999)),
    2e-4,
    1,
    "batch",
    "non-saturating loss, Adam 2e-4, β = (0.5, 0.999), 1 critic step",
)
_LSGAN = Method(
    "LSGAN",
    partial(training.algorithm_1, objective=objectives.least_squares, k=1),
    _rmsprop,
    1e-4,
    1,
    "batch",
    "least squares, RMSProp 1e-4, 1 critic step",
)
_CLIPPING = Method(
    "WGAN",
    partial(training.wgan, n_critic=5, clip=0.01),
    _rmsprop,
    5e-5,
    5,
    "batch",
    "weights clipped to ±0.01, RMSProp 5e-5, 5 critic steps",
)


def _penalised(name: str, optimiser: Optimiser, rate: float, norm: Norm, about: str) -> Method:
    box = partial(training.wgan_gp, n_critic=5, penalty=10.0)
    return Method(name, box, optimiser, rate, 5, norm, f"gradient penalty, λ = 10, {about}, 5 critic steps")


#: The columns of Figure 2.
FIGURE_2: dict[str, Method] = {
    method.name: method
    for method in (
        _DCGAN,
        _LSGAN,
        _CLIPPING,
        _penalised("WGAN-GP", partial(_adam, betas=(0.0, 0.9)), 1e-4, "layer", "Adam 1e-4, β = (0, 0.9)"),
    )
}

#: The curves of Figure 3. The penalty is tried with the optimiser and the rate of clipping, and with Adam; the authors'
#: CIFAR-10 code has β₁ = .5 where Algorithm 1 has 0, and its critics have batch norm under clipping alone.
FIGURE_3: dict[str, Method] = {
    method.name: method
    for method in (
        replace(_CLIPPING, name="weight clipping"),
        _penalised("WGAN-GP (RMSProp)", _rmsprop, 5e-5, None, "RMSProp 5e-5"),
        _penalised("WGAN-GP (Adam)", partial(_adam, betas=(0.5, 0.9)), 1e-4, None, "Adam 1e-4, β = (0.5, 0.9)"),
        replace(_DCGAN, norm=None),
    )
}
