"""The colours of the world: moods of the sky and the light, and what things are painted with."""

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from lecture13.render.chance import Chance


@dataclass(frozen=True)
class Mood:
    """A weather and a time of day."""

    weight: float
    zenith: tuple[float, float, float]
    horizon: tuple[float, float, float]
    light: tuple[float, float, float]  # multiplies every colour under it
    clouds: tuple[float, float]  # share of the sky, from … to
    shadow: float  # how dark a cast shadow is
    lamps: float  # how often a window is lit


MOODS = {
    "clear": Mood(3, (0.22, 0.47, 0.84), (0.70, 0.85, 0.96), (1.0, 1.0, 0.98), (0.0, 0.25), 0.42, 0.0),
    "fair": Mood(4, (0.33, 0.57, 0.88), (0.80, 0.90, 0.96), (1.0, 1.0, 1.0), (0.15, 0.45), 0.36, 0.0),
    "hazy": Mood(2, (0.56, 0.70, 0.84), (0.90, 0.92, 0.90), (0.97, 0.97, 0.95), (0.0, 0.35), 0.22, 0.0),
    "overcast": Mood(1.5, (0.60, 0.65, 0.72), (0.80, 0.83, 0.85), (0.84, 0.87, 0.90), (0.3, 0.6), 0.10, 0.1),
    "golden": Mood(2, (0.40, 0.56, 0.80), (0.99, 0.87, 0.64), (1.06, 0.96, 0.80), (0.05, 0.35), 0.45, 0.1),
    "sunset": Mood(1.2, (0.30, 0.32, 0.56), (0.99, 0.60, 0.38), (0.88, 0.70, 0.62), (0.1, 0.4), 0.35, 0.5),
    "dusk": Mood(0.9, (0.13, 0.18, 0.38), (0.52, 0.50, 0.66), (0.54, 0.56, 0.70), (0.0, 0.3), 0.20, 0.85),
    "dawn": Mood(1.2, (0.55, 0.63, 0.84), (0.99, 0.84, 0.80), (0.96, 0.87, 0.87), (0.05, 0.4), 0.30, 0.2),
}


@dataclass(frozen=True)
class Sky:
    """The mood of each of n images: colours (3, n, 1, 1), the rest (n, 1, 1); ``sun``: the side it is on, −1 … 1."""

    zenith: Tensor
    horizon: Tensor
    light: Tensor
    clouds: Tensor
    shadow: Tensor
    lamps: Tensor
    sun: Tensor

    @classmethod
    def draw(cls, chance: Chance) -> "Sky":
        """Draw a mood for each image, a little mixed with another, so that no two skies are the same."""
        moods = list(MOODS.values())
        weights = [mood.weight for mood in moods]
        first, second = chance.pick("mood", weights), chance.pick("second mood", weights)
        share = chance.uniform("mood share", 0.0, 0.35)

        def mixed(values: list) -> Tensor:
            table = torch.tensor(values).reshape(len(moods), -1)
            value = torch.lerp(table[first], table[second], share[:, None])
            return value.T[:, :, None, None] if value.shape[1] > 1 else value[:, :, None]

        cloudiness = mixed([mood.clouds for mood in moods])
        pixels = chance.over_pixels()
        return cls(
            zenith=mixed([mood.zenith for mood in moods]),
            horizon=mixed([mood.horizon for mood in moods]),
            light=mixed([mood.light for mood in moods]) * pixels.uniform("exposure", 0.92, 1.06),
            clouds=cloudiness[0] + (cloudiness[1] - cloudiness[0]) * pixels.uniform("cloudiness"),
            shadow=mixed([mood.shadow for mood in moods]),
            lamps=mixed([mood.lamps for mood in moods]),
            sun=torch.where(pixels.happens("sun side", 0.5), 1.0, -1.0) * pixels.uniform("sun height", 0.35, 1.0),
        )

    def of(self, images: Tensor) -> "Sky":
        """The same for some of the images."""
        return Sky(*(getattr(self, f.name)[..., images, :, :] for f in fields(self)))


def _colours(*hexes: str) -> Tensor:
    return torch.tensor([[int(h[i : i + 2], 16) / 255 for i in (0, 2, 4)] for h in hexes])


GRASS = _colours("6FA84B", "7FB154", "5E9A48", "93B45A", "A9B368", "6A9E5C")
FIELDS = _colours("D8C26A", "C9B15C", "A7B85E", "E0CE83", "8FAE55")
FLOWERS = _colours("F4E04D", "F2F0F4", "D9534F", "B784D6", "F29BB7")
HILLS = _colours("6E9A5A", "7DA36B", "5C8A63", "8AA27A", "6F8F7F")
ROCKS = _colours("7C8291", "8B8694", "6F7788", "938A86")
SANDS = _colours("E6D3A3", "DEC795", "EBDDB8", "D6BE8C")
WATERS = _colours("3F7FA6", "4A8FA8", "2F6C96", "5A9AA0", "3C78B0")
PAVEMENTS = _colours("B9B4AC", "A9A7A5", "C4BBAE", "ADA59B")
ROADS = _colours("5D5F66", "6B6A6C", "54565C", "74716F")
PATHS = _colours("CDB48A", "BFA478", "D6C29B", "B59C7A")
PLASTER = _colours("F3E9D7", "EFD9A7", "F2C9A0", "D9E2E6", "F4EFE9", "E8B7A0", "C9D8B8", "E9D36C", "B8CCE0")
BRICK = _colours("B4583F", "A34E3C", "C06F4E", "96503F")
TIMBER = _colours("8C5E3C", "A9764A", "6E4B34", "9C3B30", "7A6A58")
CONCRETE = _colours("B7B4AE", "A2A8B0", "CFC7BA", "8F98A6", "D8D2C8", "B59A86")
TILES = _colours("B5482F", "8E3B2E", "C86A3C", "6B4A45", "59606E", "A65A3A", "4E5B66")
FLAT_ROOFS = _colours("6C6A6E", "7F7873", "565B66", "8E8577")
DOORS = _colours("6B3F24", "8A2B2B", "2F4F3A", "2C4270", "4A3326", "B06A2E", "1F5F66")
GLASS = _colours("3B4F66", "4A6480", "2F4258", "5B7890")
TRUNKS = _colours("6B4A32", "5A4030", "7A5A42")
SUMMER = _colours("3F7F3A", "4F8F3F", "2F6F3A", "5F9A45", "6FA03F", "3A7550")
AUTUMN = _colours("D98A2B", "C65A2A", "E0B13A", "B0452C", "C9782F")
CONIFERS = _colours("24573F", "2F6246", "1F4F44", "3A6B45")
CARS = _colours("C8322B", "2C5AA0", "E8E8EA", "2A2C30", "E0B02C", "3C8A5A", "8F959C", "D9762E")
HULLS = _colours("8A3B2A", "F0EEE8", "2C4F7C", "5A3A28")
SAILS = _colours("F7F4EA", "F2E3C4", "E4574A", "F7F4EA")
