from itertools import combinations

import pytest
import torch

from lecture13.data.small import GTSRB_CLASSES
from lecture13.render import series, signs
from lecture13.render.faces import FACES, faces


@pytest.fixture(scope="module")
def drawn():
    return signs.draw(10 * len(signs.CLASSES), seed=2)


def test_shapes_types_ranges_and_balance(drawn):
    assert drawn.images.shape == (10 * len(signs.CLASSES), 3, 32, 32) and drawn.images.dtype == torch.float32
    assert drawn.images.min() >= 0 and drawn.images.max() <= 1
    assert drawn.labels.bincount().tolist() == [10] * len(signs.CLASSES)
    assert len(signs.CLASSES) >= 8


def test_a_sign_does_not_depend_on_the_chunk_or_on_what_else_is_drawn(drawn, monkeypatch):
    monkeypatch.setattr(series, "CHUNK_PIXELS", 7 * 32 * 32)
    part = signs.draw(20, seed=2, first=50)
    assert torch.equal(part.images, drawn.images[50:70])
    assert torch.equal(part.labels, drawn.labels[50:70])


def test_another_seed_gives_others(drawn):
    assert not torch.equal(signs.draw(12, seed=3).images, drawn.images[:12])


@pytest.mark.parametrize("size", [16, 48, 64])
def test_any_size(size):
    assert signs.draw(3, size=size).images.shape == (3, 3, size, size)


def test_the_sign_in_the_middle_has_its_colours(drawn):
    middle = drawn.images[:, :, 13:19, 13:19].mean((2, 3))
    stop, priority, ahead = (
        middle[drawn.labels == signs.CLASSES.index(n)] for n in ("stop", "priority road", "ahead only")
    )
    assert (stop[:, 0] > stop[:, 2]).float().mean() > 0.9
    assert (priority[:, 0] > priority[:, 2]).float().mean() > 0.9
    assert (drawn.images[drawn.labels == signs.CLASSES.index("ahead only")].mean((2, 3))[:, 2].mean()) > 0
    assert (ahead[:, 2] > ahead[:, 0]).float().mean() > 0.8


def test_faces_are_what_they_are_called():
    colour, cover = faces(96)[:, :3], faces(96)[:, 3]
    number = {name: i for i, name in enumerate(FACES)}
    red = (colour[:, 0] > 0.6) & (colour[:, 1] < 0.4) & (cover > 0.5)
    blue = (colour[:, 2] > 0.5) & (colour[:, 0] < 0.3) & (cover > 0.5)
    area = cover.sum((1, 2)) / 96**2 * 4
    assert red[number["stop"]].sum() > 0.6 * cover[number["stop"]].sum()
    assert blue[number["ahead only"]].any() and not blue[number["stop"]].any()
    assert area[number["no vehicles"]] == pytest.approx(torch.pi * 0.95**2, rel=0.01)  # a disc
    assert area[number["priority road"]] == pytest.approx(2 * 0.98**2, rel=0.01)  # a square on its corner
    assert cover[number["yield"], :30].sum() > cover[number["yield"], -30:].sum()  # on its tip
    assert cover[number["caution"], :30].sum() < cover[number["caution"], -30:].sum()  # on its side


def test_the_limits_of_the_road_are_there_and_each_pair_differs():
    limits = [name for name in FACES if name.startswith("speed limit")]
    assert limits == [f"speed limit {n}" for n in (20, 30, 50, 60, 70, 80, 100, 120)]
    assert set(limits) <= set(GTSRB_CLASSES)  # called as the photographs' classes are
    plates = {name: faces(96)[list(FACES).index(name), 0, 32:64, 24:72] for name in limits}
    for plate in plates.values():  # black on white
        assert plate.min() < 0.2 and plate.max() > 0.9
    for one, other in combinations(limits, 2):
        assert (plates[one] - plates[other]).abs().mean() > 0.03


def test_no_signs_are_no_error_and_a_bad_size_is():
    assert signs.draw(0).images.shape == (0, 3, 32, 32)
    with pytest.raises(ValueError, match="size=3"):
        signs.draw(1, size=3)
