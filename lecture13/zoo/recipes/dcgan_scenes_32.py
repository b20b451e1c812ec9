"""DCGAN on scenes at 32×32, from three seeds: a claim about its units is tested on three nets, not on one.

``python -m lecture13 train dcgan-scenes-32-seed-1 --seed 1``: the name says the seed, which is the command's.
"""

from dataclasses import replace

from lecture13.zoo.recipes import dcgan_scenes

SEEDS = (0, 1, 2)
RECIPES = tuple(
    replace(
        dcgan_scenes.RECIPE,
        name=f"dcgan-scenes-32-seed-{seed}",
        about=f"DCGAN that draws scenes at 32×32, after five passes over the training scenes, seed {seed}",
        size=32,
        steps=5 * dcgan_scenes.PASS // dcgan_scenes.BATCH,
        maps=(128, 96, 48),
        continues=None,
    )
    for seed in SEEDS
)
