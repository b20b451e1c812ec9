import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tqdm import tqdm

from lecture13.render import series
from lecture13.render.series import check, classes_in_turn, paint_in_chunks


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(0, 10**6), st.integers(0, 60), st.integers(1, 15))
def test_classes_come_in_turn_wherever_one_starts(seed, first, count, classes):
    labels = classes_in_turn(seed, first, count, classes)
    assert len(labels) == count
    begin = first // classes * classes
    longer = classes_in_turn(seed, begin, 5 * classes + count, classes)
    assert torch.equal(longer[first - begin :][:count], labels)
    assert (longer[: 5 * classes].view(5, classes).sort(1).values == torch.arange(classes)).all()


def test_every_part_is_painted_once_and_the_threads_are_as_before():
    threads, painted = torch.get_num_threads(), torch.zeros(3000)

    def paint(part: slice) -> None:
        assert torch.get_num_threads() == 1
        painted[part] += 1

    paint_in_chunks(paint, 3000, 32, "thing", progress=False)
    assert painted.eq(1).all()
    assert torch.get_num_threads() == threads


def test_an_error_while_painting_is_the_callers():
    threads = torch.get_num_threads()

    def paint(part: slice) -> None:
        raise RuntimeError("no more paint")

    with pytest.raises(RuntimeError, match="no more paint"):
        paint_in_chunks(paint, 3000, 32, "thing", progress=False)
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"count": -1}, "count=-1"),
        ({"count": 1.5}, "count=1.5"),
        ({"size": 7}, "size=7: expected a whole number from 8"),
        ({"size": True}, "size=True"),
        ({"seed": -1}, "seed=-1"),
        ({"seed": 2**32}, "seed=4294967296"),
        ({"first": -1}, "first=-1"),
        ({"first": 2**32 - 1, "count": 2}, "below"),
    ],
)
def test_what_cannot_be_drawn_is_named(bad, message):
    with pytest.raises(ValueError, match=message):
        check(**({"count": 1, "size": 32, "seed": 0, "first": 0} | bad))


def test_progress_shows_and_can_be_switched_off(capsys, monkeypatch):
    monkeypatch.setattr(series, "tqdm", lambda **settings: tqdm(**{"disable": False} | settings | {"delay": 0}))
    paint_in_chunks(lambda part: None, 10, 32, "thing", progress=False)
    assert capsys.readouterr().err == ""
    paint_in_chunks(lambda part: None, 10, 32, "thing", progress=True)
    assert "drawing things" in capsys.readouterr().err
