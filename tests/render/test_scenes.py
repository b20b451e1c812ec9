import pytest
import torch

from lecture13.render import scenes, series
from lecture13.render.chance import Chance
from lecture13.render.palette import Sky

KINDS = ("surface", "object", "part", "material", "colour")


@pytest.fixture(scope="module")
def drawn():
    return scenes.draw(256, seed=5)


def index(kind: str, name: str) -> int:
    return scenes.CONCEPTS[kind].index(name)


def inside(mask: torch.Tensor) -> torch.Tensor:
    """Pixels whose eight neighbours carry the same label."""
    return -torch.nn.functional.max_pool2d(-mask.float()[:, None], 3, stride=1, padding=1)[:, 0] > 0.5


def test_shapes_types_and_ranges(drawn):
    assert drawn.images.shape == (256, 3, 32, 32) and drawn.images.dtype == torch.float32
    assert drawn.images.min() >= 0 and drawn.images.max() <= 1
    assert drawn.labels.dtype == torch.int64
    assert drawn.labels.bincount().tolist() == [32] * len(scenes.CLASSES)
    assert set(drawn.maps) == set(KINDS)
    for kind, found in drawn.maps.items():
        assert found.shape == (256, 32, 32) and found.dtype == torch.uint8
        assert found.max() < len(scenes.CONCEPTS[kind])


def test_the_same_seed_gives_the_same_scenes_and_another_seed_others(drawn):
    again = scenes.draw(32, seed=5)
    assert torch.equal(again.images, drawn.images[:32])
    assert not torch.equal(scenes.draw(8, seed=6).images, drawn.images[:8])


def test_a_scene_does_not_depend_on_the_chunk_or_on_what_else_is_drawn(drawn, monkeypatch):
    monkeypatch.setattr(series, "CHUNK_PIXELS", 7 * 32 * 32)
    part = scenes.draw(20, seed=5, first=100)
    assert torch.equal(part.images, drawn.images[100:120])
    assert torch.equal(part.labels, drawn.labels[100:120])
    for kind in KINDS:
        assert torch.equal(part.maps[kind], drawn.maps[kind][100:120])


def test_the_global_random_state_is_left_alone():
    before = torch.get_rng_state()
    scenes.draw(4)
    assert torch.equal(torch.get_rng_state(), before)


def test_no_scenes_are_no_error():
    empty = scenes.draw(0)
    assert empty.images.shape == (0, 3, 32, 32) and empty.maps["surface"].shape == (0, 32, 32)


def test_sky_pixels_have_the_skys_colours(drawn):
    sky = Sky.draw(Chance.of_images(5, 0, 256))
    low, high = (f(sky.zenith, sky.horizon).transpose(0, 1) for f in (torch.minimum, torch.maximum))
    mask = inside(drawn.maps["object"] == index("object", "sky"))[:, None].expand(-1, 3, -1, -1)
    # thin cloud and the sun's glow may brighten it, the sensor's noise is ±.02
    assert (drawn.images > low - 0.03)[mask].float().mean() > 0.99
    assert (drawn.images < high + 0.03)[mask].float().mean() > 0.80


def test_masks_and_colours_agree(drawn):
    red, green, blue = drawn.images.unbind(1)
    surface = drawn.maps["surface"]

    def share(name: str, is_so: torch.Tensor) -> float:
        return is_so[inside(surface == index("surface", name))].float().mean().item()

    assert share("grass", green > blue) > 0.97
    assert share("sand", red > blue) > 0.95
    assert share("road", (red - blue).abs() < 0.25) > 0.9
    assert share("tree", green > blue) > 0.8
    clear = drawn.images[:, 2].flatten(1).mean(1) > 0.55
    assert share("water", (blue > red) | ~clear[:, None, None]) > 0.9


def test_what_is_visible_agrees_between_kinds(drawn):
    maps = drawn.maps
    for surface, kind, name in (
        ("window", "object", "building"),
        ("door", "part", "door"),
        ("sand", "object", "beach"),
        ("car", "object", "car"),
        ("window", "material", "glass"),
    ):
        there = maps["surface"] == index("surface", surface)
        assert there.any()
        assert (maps[kind][there] == index(kind, name)).all()
    assert torch.equal(maps["object"] == index("object", "tree"), maps["surface"] == index("surface", "tree"))


def test_shares_of_the_surfaces_are_those_of_a_landscape(drawn):
    shares = drawn.maps["surface"].flatten().long().bincount(minlength=len(scenes.CONCEPTS["surface"])) / (256 * 32**2)
    for name, low, high in (
        ("sky", 0.2, 0.45),
        ("cloud", 0.02, 0.10),
        ("grass", 0.15, 0.35),
        ("building", 0.04, 0.14),
        ("tree", 0.05, 0.15),
        ("window", 0.015, 0.06),
        ("door", 0.005, 0.03),
        ("car", 0.002, 0.03),
    ):
        assert low < shares[index("surface", name)] < high, name


def test_classes_show_what_their_names_say(drawn):
    def share(scene: str, surface: str) -> float:
        of_class = drawn.maps["surface"][drawn.labels == scenes.CLASSES.index(scene)]
        return (of_class == index("surface", surface)).float().mean().item()

    assert share("forest", "tree") > 3 * share("street", "tree")
    assert share("lake", "water") > 0.1 and share("coast", "water") > 0.1
    assert share("city", "window") > share("village", "window") > share("hills", "window")
    assert share("coast", "sand") > share("farm", "sand") == 0
    assert share("street", "road") > 3 * share("farm", "road")


def test_a_larger_picture_shows_the_same_scene(drawn):
    large = scenes.draw(16, size=64, seed=5)
    assert torch.equal(large.labels, drawn.labels[:16])
    small = torch.nn.functional.avg_pool2d(large.images, 2)
    assert (small - drawn.images[:16]).abs().mean() < 0.05


def test_what_cannot_be_drawn_is_an_error():
    with pytest.raises(ValueError, match="size=4"):
        scenes.draw(1, size=4)
