"""What a scene class holds: ranges and probabilities, class by class.

Neighbours overlap on purpose (a farm may have three houses and a village two; a lake may reach both edges of the
picture and a coast may be green), so that a classifier can be wrong.
"""

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from lecture13.render.chance import Chance


@dataclass(frozen=True)
class Layout:
    """A scene class. Pairs are ranges that each scene draws from, single numbers probabilities.

    Lengths are in canvas sides; ``*_at`` are depths, 0 at the horizon (or at the near shore of water), 1 at the lower
    edge.
    """

    horizon: tuple = (0.46, 0.60)
    hills: float = 0.7
    mountains: float = 0.1
    ground: tuple = (1.0, 0.0, 0.0)  # weights of grass, sand and pavement
    fields: float = 0.0
    water: float = 0.0
    sea: float = 0.0  # that water reaches the horizon
    water_from: tuple = (0.0, 0.1)
    water_to: tuple = (0.5, 0.8)
    road: float = 0.0  # a road to the horizon …
    paved: float = 0.0  # … of asphalt
    road_width: tuple = (0.06, 0.14)
    street: float = 0.0  # a road across the picture
    doorstep: float = 0.0  # a path from a house's door
    far_trees: tuple = (0, 3)
    far_tree_size: tuple = (0.13, 0.26)
    far_houses: tuple = (0, 0)  # on the horizon, beyond the water
    far_house_size: tuple = (0.20, 0.32)
    trees: tuple = (1, 4)
    trees_at: tuple = (0.05, 0.75)
    tree_size: tuple = (0.22, 0.40)
    conifers: float = 0.3
    houses: tuple = (0, 0)
    houses_at: tuple = (0.15, 0.4)
    house_size: tuple = (0.34, 0.5)
    blocks: tuple = (0, 0)
    blocks_at: tuple = (0.1, 0.3)
    block_size: tuple = (0.4, 0.7)
    cars: tuple = (0, 0)
    cars_at: tuple = (0.45, 0.8)
    car_size: tuple = (0.20, 0.28)
    boats: tuple = (0, 0)
    boat_size: tuple = (0.10, 0.26)


LAYOUTS = {
    "farm": Layout(
        fields=0.6,
        road=0.15,
        doorstep=0.6,
        houses=(1, 3),
        houses_at=(0.08, 0.42),
        house_size=(0.34, 0.56),
        trees=(0, 5),
    ),
    "village": Layout(
        fields=0.1,
        road=0.45,
        paved=0.4,
        street=0.12,
        doorstep=0.4,
        houses=(2, 5),
        houses_at=(0.08, 0.42),
        house_size=(0.30, 0.46),
        blocks=(0, 1),
        blocks_at=(0.05, 0.2),
        block_size=(0.34, 0.5),
        trees=(0, 4),
        cars=(0, 1),
    ),
    "street": Layout(
        horizon=(0.48, 0.58),
        hills=0.35,
        mountains=0.05,
        ground=(0.7, 0.0, 0.3),
        street=0.9,
        houses=(1, 3),
        houses_at=(0.26, 0.34),
        house_size=(0.40, 0.54),
        blocks=(0, 2),
        blocks_at=(0.22, 0.32),
        block_size=(0.44, 0.64),
        cars=(0, 2),
        trees=(0, 3),
        trees_at=(0.3, 0.42),
        tree_size=(0.26, 0.42),
    ),
    "city": Layout(
        horizon=(0.5, 0.62),
        hills=0.2,
        mountains=0.05,
        ground=(0.25, 0.0, 0.75),
        street=0.85,
        houses=(0, 1),
        houses_at=(0.24, 0.34),
        house_size=(0.38, 0.5),
        blocks=(2, 5),
        blocks_at=(0.16, 0.32),
        block_size=(0.45, 0.8),
        cars=(0, 3),
        trees=(0, 3),
        trees_at=(0.3, 0.45),
        tree_size=(0.2, 0.36),
        far_trees=(0, 1),
        conifers=0.1,
    ),
    "forest": Layout(
        horizon=(0.44, 0.58),
        hills=0.7,
        mountains=0.15,
        water=0.1,
        water_to=(0.3, 0.5),
        road=0.4,
        paved=0.15,
        road_width=(0.05, 0.10),
        far_trees=(0, 4),
        trees=(4, 9),
        tree_size=(0.32, 0.58),
        conifers=0.5,
        houses=(0, 1),
        houses_at=(0.05, 0.3),
        house_size=(0.26, 0.38),
    ),
    "lake": Layout(
        horizon=(0.38, 0.52),
        hills=0.7,
        mountains=0.35,
        ground=(0.85, 0.15, 0.0),
        water=1.0,
        water_from=(0.0, 0.12),
        water_to=(0.35, 0.85),
        far_trees=(0, 4),
        far_houses=(0, 1),
        trees=(0, 3),
        conifers=0.5,
        boats=(0, 2),
    ),
    "coast": Layout(
        horizon=(0.38, 0.52),
        hills=0.35,
        mountains=0.15,
        ground=(0.22, 0.78, 0.0),
        water=1.0,
        sea=0.9,
        water_from=(0.0, 0.0),
        water_to=(0.35, 0.85),
        far_trees=(0, 0),
        trees=(0, 2),
        trees_at=(0.1, 0.9),
        tree_size=(0.26, 0.42),
        houses=(0, 1),
        houses_at=(0.2, 0.8),
        house_size=(0.26, 0.38),
        boats=(0, 2),
    ),
    "hills": Layout(
        horizon=(0.46, 0.62),
        hills=1.0,
        mountains=0.4,
        fields=0.4,
        water=0.1,
        water_from=(0.02, 0.1),
        water_to=(0.25, 0.5),
        road=0.5,
        paved=0.35,
        far_trees=(0, 4),
        trees=(0, 6),
        tree_size=(0.2, 0.42),
        houses=(0, 1),
        houses_at=(0.02, 0.2),
        house_size=(0.2, 0.34),
    ),
}

CLASSES = tuple(LAYOUTS)


class Plan:
    """The layouts of n scenes, by their labels (n,): ``plan["trees"]`` is (n, 2) for a pair, (n,) for a probability."""

    def __init__(self, labels: Tensor) -> None:
        self.labels = labels
        self.columns = {
            field.name: torch.tensor([getattr(layout, field.name) for layout in LAYOUTS.values()], dtype=torch.float32)
            for field in fields(Layout)
        }

    def __getitem__(self, name: str) -> Tensor:
        return self.columns[name][self.labels]

    def most(self, name: str) -> int:
        """The largest number that any class may draw."""
        return int(self.columns[name].max())

    def draw(self, chance: Chance, name: str) -> Tensor:
        """A number from each scene's range, (n,)."""
        low, high = self[name].unbind(1)
        return chance.uniform(name, low, high)

    def happens(self, chance: Chance, name: str) -> Tensor:
        """Whether it happens in each scene, (n,)."""
        return chance.happens(name, self[name])
