"""The faces of road signs, drawn once at high resolution: distances for shapes, a font for digits and letters."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import matplotlib
import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from lecture13.render.shapes import convex, convex_distance, cover, ellipse, rectangle

RED, BLUE, YELLOW = (0.78, 0.11, 0.13), (0.08, 0.33, 0.66), (0.97, 0.77, 0.10)
WHITE, BLACK = (0.95, 0.95, 0.94), (0.08, 0.08, 0.09)


class Face:
    """One sign on the square [−1, 1]², y down: colours (3, R, R) and the sign's coverage (R, R)."""

    def __init__(self, resolution: int) -> None:
        self.resolution, self.pitch = resolution, 2 / resolution
        steps = (torch.arange(resolution) + 0.5) * self.pitch - 1
        self.x, self.y = steps[None, None, :], steps[None, :, None]
        self.colour = torch.full((3, resolution, resolution), 0.5)
        self.cover = torch.zeros(resolution, resolution)

    def paint(self, shape: Tensor, colour: tuple[float, float, float]) -> None:
        """Paint a coverage (1, R, R); the first one is the sign's outline."""
        shape = shape.reshape(self.resolution, self.resolution)
        self.colour = torch.lerp(self.colour, torch.tensor(colour).view(3, 1, 1).expand_as(self.colour), shape)
        # Around the sign its own rim goes on, so that no foreign colour bleeds in when the face is resampled.
        if not self.cover.any():
            self.colour = torch.tensor(colour).view(3, 1, 1).expand_as(self.colour).clone()
        self.cover = torch.maximum(self.cover, shape)

    def disc(self, radius: float, x: float = 0.0, y: float = 0.0) -> Tensor:
        """Coverage of a disc."""
        return ellipse(self.x, self.y, x, y, radius, radius, self.pitch)

    def box(self, left: float, top: float, right: float, bottom: float) -> Tensor:
        """Coverage of a rectangle."""
        return rectangle(self.x, self.y, left, top, right, bottom, self.pitch)

    def polygon(self, *corners: tuple[float, float]) -> Tensor:
        """Coverage of a convex polygon, its corners clockwise."""
        return convex(self.x, self.y, list(corners), self.pitch)

    def regular(self, corners: int, radius: float, turn: float) -> Tensor:
        """A regular polygon, its first corner ``turn`` radians from the right."""
        angles = turn + 2 * torch.pi * torch.arange(corners) / corners
        points = [(radius * float(torch.cos(a)), radius * float(torch.sin(a))) for a in angles]
        return convex(self.x, self.y, points, self.pitch)

    def triangle(self, inset: float, up: bool) -> Tensor:
        """An equilateral triangle with rounded corners, ``inset`` from the full size."""
        sign = 1 if up else -1
        corners = [(0.0, -0.80 * sign), (0.86, 0.62 * sign), (-0.86, 0.62 * sign)]
        distance = convex_distance(self.x, self.y, corners if up else corners[::-1])
        return cover(distance + inset, self.pitch) * self.disc(0.99, 0.0, 0.0)

    def text(self, text: str, height: float, width: float, y: float = 0.0) -> Tensor:
        """Letters of DejaVu Sans Bold, which ships with matplotlib, ``height`` high and ``width`` wide."""
        size = 4 * self.resolution  # drawn four times as large, then averaged
        font_file = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans-Bold.ttf"
        font = ImageFont.truetype(str(font_file), size // 2)
        left, top, right, bottom = font.getbbox(text)
        letters = Image.new("L", (right - left, bottom - top))
        ImageDraw.Draw(letters).text((-left, -top), text, fill=255, font=font)
        pixels = (max(1, round(width / self.pitch)), max(1, round(height / self.pitch)))
        drawn = torch.from_numpy(np.asarray(letters.resize(pixels, Image.Resampling.LANCZOS), np.float32) / 255)
        sheet = torch.zeros(self.resolution, self.resolution)
        row = round((y - height / 2 + 1) / self.pitch)
        column = round((1 - width / 2) / self.pitch)
        sheet[row : row + pixels[1], column : column + pixels[0]] = drawn
        return sheet


def _stop(face: Face) -> None:
    face.paint(face.regular(8, 0.97, torch.pi / 8), WHITE)
    face.paint(face.regular(8, 0.90, torch.pi / 8), RED)
    face.paint(face.text("STOP", 0.52, 1.36), WHITE)


def _yield(face: Face) -> None:
    face.paint(face.triangle(0.0, up=False), RED)
    face.paint(face.triangle(0.17, up=False), WHITE)


def _no_entry(face: Face) -> None:
    face.paint(face.disc(0.95), WHITE)
    face.paint(face.disc(0.91), RED)
    face.paint(face.box(-0.66, -0.17, 0.66, 0.17), WHITE)


def _no_vehicles(face: Face) -> None:
    face.paint(face.disc(0.95), RED)
    face.paint(face.disc(0.72), WHITE)


def _limit(number: str) -> Callable[[Face], None]:
    def draw(face: Face) -> None:
        _no_vehicles(face)
        face.paint(face.text(number, 0.64, 0.98), BLACK)

    return draw


def _priority(face: Face) -> None:
    face.paint(face.regular(4, 0.98, 0.0), BLACK)
    face.paint(face.regular(4, 0.95, 0.0), WHITE)
    face.paint(face.regular(4, 0.66, 0.0), YELLOW)


def _arrow(turn: float) -> Callable[[Face], None]:
    """A white arrow on a blue disc, ``turn`` radians clockwise from up."""

    def draw(face: Face) -> None:
        face.paint(face.disc(0.95), WHITE)
        face.paint(face.disc(0.90), BLUE)
        c, s = float(np.cos(turn)), float(np.sin(turn))

        def turned(*corners: tuple[float, float]) -> Tensor:
            return face.polygon(*((c * x - s * y, s * x + c * y) for x, y in corners))

        face.paint(turned((-0.13, -0.2), (0.13, -0.2), (0.13, 0.62), (-0.13, 0.62)), WHITE)
        face.paint(turned((0.0, -0.68), (0.42, -0.12), (-0.42, -0.12)), WHITE)

    return draw


def _warning(face: Face) -> None:
    face.paint(face.triangle(0.0, up=True), RED)
    face.paint(face.triangle(0.15, up=True), WHITE)


def _caution(face: Face) -> None:
    _warning(face)
    face.paint(face.polygon((-0.11, -0.30), (0.11, -0.30), (0.06, 0.16), (-0.06, 0.16)), BLACK)
    face.paint(face.disc(0.09, 0.0, 0.31), BLACK)


def _pedestrians(face: Face) -> None:
    _warning(face)
    face.paint(face.disc(0.095, 0.02, -0.27), BLACK)
    face.paint(face.polygon((-0.08, -0.17), (0.10, -0.17), (0.10, 0.13), (-0.08, 0.13)), BLACK)
    face.paint(face.polygon((-0.06, 0.08), (0.06, 0.08), (-0.12, 0.44), (-0.24, 0.44)), BLACK)
    face.paint(face.polygon((-0.02, 0.08), (0.10, 0.08), (0.27, 0.44), (0.15, 0.44)), BLACK)
    face.paint(face.polygon((0.06, -0.16), (0.12, -0.16), (0.28, 0.08), (0.21, 0.12)), BLACK)
    face.paint(face.polygon((-0.10, -0.16), (-0.04, -0.16), (-0.18, 0.12), (-0.25, 0.08)), BLACK)


#: class → how its face is drawn
FACES: dict[str, Callable[[Face], None]] = {
    "stop": _stop,
    "yield": _yield,
    "no entry": _no_entry,
    "no vehicles": _no_vehicles,
    **{f"speed limit {number}": _limit(str(number)) for number in (20, 30, 50, 60, 70, 80, 100, 120)},
    "priority road": _priority,
    "ahead only": _arrow(0.0),
    "keep right": _arrow(3 * np.pi / 4),
    "caution": _caution,
    "pedestrians": _pedestrians,
}


@cache
def faces(resolution: int) -> Tensor:
    """Every sign's colours and coverage, (K, 4, resolution, resolution), in the order of :data:`FACES`."""
    drawn = []
    for draw in FACES.values():
        face = Face(resolution)
        draw(face)
        drawn.append(torch.cat([face.colour, face.cover[None]]))
    return torch.stack(drawn)
