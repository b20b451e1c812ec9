"""What can be seen in a scene: the regions that a brush paints, and the concepts that each region carries.

A brush writes one region per sample; the maps of every kind are looked up from it, so they agree with each other by
construction. Regions stand from far to near: where two share a pixel equally, the nearer one takes it.
"""

import torch
from torch import Tensor

#: region → (surface, object, part, material)
REGIONS: dict[str, tuple[str, str, str, str]] = {
    "sky": ("sky", "sky", "none", "none"),
    "sun": ("sky", "sun", "none", "none"),
    "cloud": ("cloud", "cloud", "none", "none"),
    "mountain": ("hill", "mountain", "none", "stone"),
    "snow": ("hill", "mountain", "peak", "snow"),
    "hill": ("hill", "hill", "none", "foliage"),
    "grass": ("grass", "grass", "none", "grass"),
    "flower": ("grass", "flower", "none", "grass"),
    "field": ("grass", "field", "none", "grass"),
    "sand": ("sand", "beach", "none", "sand"),
    "water": ("water", "water", "none", "water"),
    "foam": ("water", "water", "foam", "water"),
    "pavement": ("pavement", "pavement", "none", "stone"),
    "road": ("road", "road", "none", "asphalt"),
    "marking": ("road", "road", "marking", "paint"),
    "path": ("road", "path", "none", "sand"),
    "chimney": ("roof", "building", "chimney", "brick"),
    "plaster wall": ("building", "building", "wall", "plaster"),
    "brick wall": ("building", "building", "wall", "brick"),
    "wooden wall": ("building", "building", "wall", "wood"),
    "concrete wall": ("building", "building", "wall", "stone"),
    "tiled roof": ("roof", "building", "roof", "tile"),
    "flat roof": ("roof", "building", "roof", "stone"),
    "window": ("window", "building", "window", "glass"),
    "door": ("door", "building", "door", "wood"),
    "trunk": ("tree", "tree", "trunk", "wood"),
    "crown": ("tree", "tree", "crown", "foliage"),
    "wheel": ("car", "car", "wheel", "rubber"),
    "car body": ("car", "car", "body", "metal"),
    "car window": ("car", "car", "car window", "glass"),
    "hull": ("boat", "boat", "hull", "wood"),
    "sail": ("boat", "boat", "sail", "cloth"),
}

#: name → number, what a brush writes.
REGION: dict[str, int] = {name: number for number, name in enumerate(REGIONS)}

#: The basic colour terms of English (Berlin & Kay 1969), as Broden's colour concepts (Bau et al. 2017).
COLOURS = ("black", "grey", "white", "red", "orange", "yellow", "green", "blue", "purple", "pink", "brown")


def _first_seen(column: int) -> tuple[str, ...]:
    names = list(dict.fromkeys(region[column] for region in REGIONS.values()))
    return tuple(["none"] * ("none" in names) + [name for name in names if name != "none"])


#: kind → names; a map's value is an index into them, and 0 is "none" where a kind does not cover everything.
CONCEPTS: dict[str, tuple[str, ...]] = {
    "surface": _first_seen(0),
    "object": _first_seen(1),
    "part": _first_seen(2),
    "material": _first_seen(3),
    "colour": COLOURS,
}


def maps(regions: Tensor, images: Tensor) -> dict[str, Tensor]:
    """The map of every kind: regions (N, S, S) and images (N, 3, S, S) to {kind: (N, S, S) uint8}."""
    found = {}
    for column, kind in enumerate(("surface", "object", "part", "material")):
        numbers = [CONCEPTS[kind].index(region[column]) for region in REGIONS.values()]
        found[kind] = torch.tensor(numbers, dtype=torch.uint8)[regions.int()]
    return found | {"colour": name_colours(images)}


def name_colours(images: Tensor) -> Tensor:
    """The basic colour term of every pixel: (N, 3, H, W) in [0, 1] to (N, H, W) uint8 into :data:`COLOURS`.

    By hue, saturation and value: black, grey and white where the saturation or the value is small; brown is a dark
    orange or red, pink a pale red or magenta.
    """
    value, low = images.amax(1), images.amin(1)
    span = value - low
    saturation = span / value.clamp(min=1e-6)
    red, green, blue = images.unbind(1)
    hue = torch.where(
        value == red,
        ((green - blue) / span.clamp(min=1e-6)) % 6,
        torch.where(value == green, (blue - red) / span.clamp(min=1e-6) + 2, (red - green) / span.clamp(min=1e-6) + 4),
    )  # in sixths of the circle: red 0, yellow 1, green 2, cyan 3, blue 4, magenta 5
    number = {name: torch.tensor(index, dtype=torch.uint8) for index, name in enumerate(COLOURS)}
    named = torch.where(hue < 2.7, number["green"], number["blue"])
    named = torch.where((hue >= 4.3) & (hue < 5.2), number["purple"], named)
    named = torch.where((hue >= 5.2) & (hue < 5.7), number["pink"], named)
    named = torch.where(hue < 1.12, number["yellow"], named)
    named = torch.where(hue < 0.75, number["orange"], named)
    warm = (hue < 0.3) | (hue >= 5.7)
    named = torch.where(warm, number["red"], named)
    named = torch.where(warm & (saturation < 0.45) & (value > 0.7), number["pink"], named)
    named = torch.where((hue < 0.9) & (value < 0.66) & ((hue >= 0.3) | (saturation < 0.6)), number["brown"], named)
    named = torch.where(saturation < 0.14, number["grey"], named)
    named = torch.where((saturation < 0.14) & (value > 0.82), number["white"], named)
    return torch.where(value < 0.16, number["black"], named)
