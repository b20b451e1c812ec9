"""Painting in a kernel: every stroke runs the generator. Plain ipywidgets, so that Colab and JupyterLab show it alike.

The cells are buttons that lie on the picture: a style sheet of their own puts it behind them.
"""

import html
from collections.abc import Callable
from typing import Any

from lecture13.painting.canvas import ACTIONS, Canvas, encode
from lecture13.widgets import alert, unique

#: The side of the picture on the screen, in pixels.
SIDE = 320
#: What a brush covers, by the cells that it reaches to each side.
REACHES = {"one cell": 0, "3×3 cells": 1, "everything": 10**6}


def live(canvas: Canvas, alt: str) -> Any:
    """Show a canvas in a kernel: an ipywidgets box. See :func:`lecture13.painting.paint`."""
    import ipywidgets as w

    rows, columns = canvas.size
    look = {"layout": w.Layout(width="min(100%, 34em)"), "style": {"description_width": "6em"}}
    scene = w.Dropdown(options=[(str(n + 1), n) for n in range(len(canvas))], description="scene", **look)
    brush = w.Dropdown(
        options=[(brush.name, n) for n, brush in enumerate(canvas.brushes)], description="concept", **look
    )
    kinds = {"style": {"button_width": "5.5em", "description_width": "6em"}, "layout": look["layout"]}
    action = w.ToggleButtons(options=ACTIONS, description="stroke", **kinds)
    reach = w.Dropdown(options=list(REACHES.items()), description="brush", **look)
    buttons = [
        w.Button(
            tooltip=f"row {row + 1}, column {column + 1}", layout=w.Layout(width="auto", height="auto", margin="0")
        )
        for row in range(rows)
        for column in range(columns)
    ]
    cells = w.GridBox(
        buttons,
        layout=w.Layout(
            width=f"{SIDE}px",
            height=f"{SIDE}px",
            grid_template_rows=f"repeat({rows}, 1fr)",
            grid_template_columns=f"repeat({columns}, 1fr)",
            grid_gap="0",
        ),
    )
    name = unique("paint", encode(canvas.pictures[0]))
    cells.add_class(name)
    style, beside, told = w.HTML(), w.HTML(), w.HTML()
    again = w.Button(description="start over", layout=w.Layout(width="auto"))

    def draw() -> None:
        style.value = _style(name, encode(canvas.picture(scene.value)))
        beside.value = _original(encode(canvas.pictures[scene.value]), f"{alt} (scene {scene.value + 1}, as drawn)")
        told.value = f'<span role="status">Scene {scene.value + 1}: {html.escape(canvas.told(scene.value))}.</span>'

    def after(step: Callable[[], None]) -> None:
        try:
            step()
            draw()
        except Exception as error:  # shown: a widget's callback has no other place where a student would see it
            told.value = alert(error)

    def stroke(cell: tuple[int, int]) -> None:
        canvas.paint(scene.value, brush.value, action.value, canvas.near(cell, reach.value))

    for number, button in enumerate(buttons):
        button.on_click(lambda _, number=number: after(lambda: stroke(divmod(number, columns))))
    again.on_click(lambda _: after(lambda: canvas.clear(scene.value)))
    scene.observe(lambda _: after(lambda: None), "value")
    draw()  # what fails at once fails the cell
    return w.VBox([scene, brush, action, reach, w.HBox([cells, beside]), w.HBox([again, told]), style])


def _style(name: str, source: str) -> str:
    return (
        f"<style>.{name} {{background: url({source}) 0 0 / 100% 100%; image-rendering: pixelated}}"
        f".{name} button {{background: none; box-shadow: none; padding: 0; min-width: 0}}"
        f".{name} button:hover, .{name} button:focus {{outline: 1px solid black; box-shadow: inset 0 0 0 1px white}}"
        "</style>"
    )


def _original(source: str, alt: str) -> str:
    return (
        f'<img src="{source}" alt="{html.escape(alt)}" width="{SIDE // 2}" height="{SIDE // 2}" '
        'style="image-rendering:pixelated;margin-left:1em"><br><span style="margin-left:1em">as drawn</span>'
    )
