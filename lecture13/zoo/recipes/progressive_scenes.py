"""Progressive GAN on scenes: grown from 4×4 to 64×64, with a snapshot at the end of every resolution."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from lecture13.data.stock import scene_bytes
from lecture13.gan.growing import Level, Schedule, at_stage, grow
from lecture13.gan.progressive import Critic, Generator, resolutions
from lecture13.gan.sampling import sample
from lecture13.gan.scores import frechet_distance, scene_features
from lecture13.training import History
from lecture13.zoo import quality
from lecture13.zoo.base import Measurement, go_on_from

IMAGES = 50_000  # one pass
SHEET = 36  # samples of fixed noise that the checkpoint keeps along the way

#: The paper shows 800 000 images in each phase, seven million up to 64×64. With a twentieth of that, ours takes twice
#: the paper's step from 16×16 on.
SCHEDULE = Schedule(
    (
        Level(4, fade=0, settle=20_000),
        Level(8, fade=15_000, settle=20_000),
        Level(16, fade=15_000, settle=25_000, rate=2e-3),
        Level(32, fade=30_000, settle=40_000, rate=2e-3),
        Level(64, fade=40_000, settle=100_000, rate=2e-3),
    )
)


@dataclass(frozen=True)
class Growing:
    """A :class:`~lecture13.zoo.base.Recipe`: what stands when the level of ``size`` is over.

    One training gives them all. Each goes on from the checkpoint of the one before, if that lies beside its own.

    Args:
        size: the resolution of this snapshot.
        steps: iterations from the start; beyond the schedule's the last level goes on.
        widths: feature maps at 4×4, 8×8, … of both nets, which hold all levels from the start.
    """

    name: str
    about: str
    size: int
    steps: int
    continues: str | None
    schedule: Schedule = SCHEDULE
    widths: tuple[int, ...] = (64, 64, 64, 32, 16)
    images: int = IMAGES
    decay: float = 0.999

    @property
    def trained_on(self) -> str:
        """The data, in a line."""
        shown = self.schedule.at(self.steps).images
        return f"scenes up to {self.size}×{self.size}, train split, {self.images} images, {shown} shown"

    def settings(self) -> dict[str, Any]:
        """Plain values that decide the result, beside the seed; those of the training are :func:`grow`'s defaults."""
        levels = [list(vars(level).values()) for level in self.schedule.levels]
        return {"images": self.images, "widths": self.widths, "decay": self.decay, "levels": levels}

    def build(self) -> Generator:
        """The untrained generator with the levels of this snapshot, from torch's global generator."""
        return Generator(self.size, self.widths[: len(resolutions(self.size))])

    def train(
        self, fabric, *, steps: int, seed: int, checkpoint: Path, examples: int | None
    ) -> tuple[nn.Module, History]:
        """Grow; see :class:`~lecture13.zoo.base.Recipe`."""
        whole = self.schedule.levels[-1].size
        with torch.random.fork_rng([]):
            torch.manual_seed(seed)
            G, D = Generator(whole, self.widths), Critic(whole, self.widths)
            z = torch.randn(SHEET, G.noise)
        go_on_from(self.continues, checkpoint)
        images = min(examples or self.images, self.images)
        played = grow(
            G,
            D,
            scene_bytes(images, size=whole).to(fabric.device),
            self.schedule,
            steps=steps,
            seed=seed,
            average=self.decay,
            checkpoint=checkpoint,
            checkpoint_every=250,
            settings={**self.settings(), "images": images},
            record=lambda done: sample(G, z).mul(255).round().byte(),
            every=250,
            fabric=fabric,
            description=self.name,
        )
        metrics = {name: values.tolist() for name, values in played.metrics.items()}
        return played.average.up_to(self.size), History(metrics, played.seconds)

    def measure(self, net: nn.Module) -> Measurement:
        """At the full resolution what every generator of scenes is measured by, :func:`lecture13.zoo.quality.scenes`.

        The segmenter reads images of 64×64. So a snapshot's scenes, and the drawn ones shrunk to its resolution by the
        box filter, are both blown up to that size.
        """
        whole = self.schedule.levels[-1].size
        if self.size == whole:
            return quality.scenes(net)
        from lecture13.zoo import load  # which knows this recipe

        z = torch.randn(quality.COUNT, net.noise, generator=torch.Generator().manual_seed(0))
        drawn = at_stage(scene_bytes(2 * quality.COUNT, size=whole, split="test").float() / 255, self.size)
        generated, drawn = (nn.functional.interpolate(images, size=whole) for images in (sample(net, z), drawn))
        score = frechet_distance(
            drawn[: quality.COUNT],
            generated,
            scene_features(load("scene-segmenter")),
            fresh=drawn[quality.COUNT :],
        )
        where = f"scenes at {self.size}×{self.size}, blown up to {whole}×{whole}, test split"
        return Measurement(
            score.name, score.value, quality.COUNT, where, {"drawn scenes in their place": score.baseline}
        )


def _snapshot(size: int) -> Growing:
    last = size == SCHEDULE.levels[-1].size
    return Growing(
        name="progressive-scenes" if last else f"progressive-scenes-{size}",
        about=f"Progressive GAN that draws scenes, grown to {size}×{size}",
        size=size,
        steps=SCHEDULE.end(size),
        continues=None if size == SCHEDULE.levels[0].size else f"progressive-scenes-{size // 2}",
    )


#: The snapshots from 4×4 upward; the last is the net itself.
SNAPSHOTS = tuple(_snapshot(level.size) for level in SCHEDULE.levels)
RECIPE = SNAPSHOTS[-1]
