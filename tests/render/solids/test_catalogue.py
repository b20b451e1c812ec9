import pytest
import torch

from lecture13.render import series, solids
from tests.render.solids.small import STILL


@pytest.fixture(scope="module")
def drawn():
    return solids.draw(40, size=32, seed=2)


def test_a_turtle_a_rifle_and_at_least_seven_others():
    assert {"sea turtle", "rifle"} < set(solids.CLASSES) and len(solids.CLASSES) >= 9


@pytest.mark.parametrize("name", solids.CLASSES)
def test_every_solid_is_closed_fits_and_is_painted(name):
    mesh = solids.solid(name)
    assert mesh.closed and mesh.radius == pytest.approx(1) and 300 < len(mesh.faces) < 3000
    assert mesh.texture.shape == (1, 3, 128, 128) and mesh.name == name
    assert mesh.texture.std((2, 3)).max() > 0.05


def test_variants_differ_and_are_the_same_each_time():
    plain, other = solids.solid("car"), solids.solid("car", variant=7)
    assert not torch.equal(plain.positions, other.positions) and not torch.equal(plain.texture, other.texture)
    solids.solid.cache_clear()
    again = solids.solid("car", variant=7)
    assert torch.equal(again.texture, other.texture) and torch.equal(again.positions, other.positions)
    assert solids.solid("car", texels=64).texture.shape == (1, 3, 64, 64)


def test_the_turtle_swims_forward_with_its_shell_up():
    """Seen from above it is brown, from below it is pale; the head is in front, so that azimuth 90 shows the eyes."""
    turtle = solids.solid("sea turtle")
    still = STILL | {"roll": (0, 0), "shift": (0, 0)}
    light = []
    for elevation in (90.0, -90.0):
        shots = solids.Poses(**still).draw(1).moved(azimuth=0, elevation=elevation)
        views = solids.look(turtle, shots, size=64, samples=1)
        image = solids.radiance(turtle.texture, views)
        light.append(float(image[0, :, 28:36, 28:36].mean()))
    assert light[1] > light[0] + 0.15
    assert turtle.positions[:, 2].abs().max() == pytest.approx(-float(turtle.positions[:, 2].min()), abs=1e-5)


def test_shapes_types_ranges_and_balance(drawn):
    assert drawn.images.shape == (40, 3, 32, 32) and drawn.images.dtype == torch.float32
    assert drawn.images.min() >= 0 and drawn.images.max() <= 1 and drawn.images.isfinite().all()
    assert drawn.labels.bincount().tolist() == [4] * len(solids.CLASSES)


def test_an_image_does_not_depend_on_the_chunk_or_on_what_else_is_drawn(drawn, monkeypatch):
    monkeypatch.setattr(series, "CHUNK_PIXELS", 7 * 32 * 32)
    part = solids.draw(12, size=32, seed=2, first=20)
    torch.testing.assert_close(part.images, drawn.images[20:32], atol=1e-6, rtol=0)
    assert torch.equal(part.labels, drawn.labels[20:32])
    assert not torch.equal(solids.draw(12, size=32, seed=3).images, part.images)


def test_ranges_may_be_given():
    ranges = solids.Poses(background=("colours",), noise=(0, 0), distance=(8, 8))
    far, near = solids.draw(3, size=16, poses=ranges), solids.draw(3, size=16)
    assert not torch.equal(far.images, near.images)


def test_what_there_is_not_is_an_error():
    assert solids.draw(0).images.shape == (0, 3, 64, 64)
    for bad, message in (
        ({"name": "tortoise"}, "unknown solid 'tortoise'; known: sea turtle, rifle"),
        ({"name": "car", "variant": -1}, "variant=-1"),
        ({"name": "car", "texels": 8}, "texels=8; expected a whole number from 32"),
    ):
        with pytest.raises(ValueError, match=message):
            solids.solid(**bad)
    with pytest.raises(ValueError, match="size=3"):
        solids.draw(1, size=3)
