"""The shipped classifier of solids, on the turtle that chapter 14 attacks."""

import torch

from lecture13 import attacks, zoo
from lecture13.render import solids


def test_the_turtle_is_a_turtle_from_nearly_everywhere():
    turtle = solids.solid("sea turtle")
    options = {"poses": solids.camera(turtle), "count": 200, "generator": torch.Generator().manual_seed(123)}
    found = attacks.predict_poses(zoo.load("solid-classifier"), solids.render, turtle.texture, **options)
    assert (found == solids.CLASSES.index("sea turtle")).double().mean() >= 0.95
