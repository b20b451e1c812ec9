import pytest
import torch

from lecture13.figures import universal as plots


def test_every_class_comes_once_before_any_comes_twice():
    labels = torch.tensor([0, 0, 1, 0, 2, 1, 2])
    chosen = torch.tensor([True, True, True, False, True, True, False])
    assert plots.of_different_classes(chosen, labels, 4).tolist() == [0, 2, 4, 1]
    assert plots.of_different_classes(chosen, labels, 9).tolist() == [0, 2, 4, 1, 5]
    assert plots.of_different_classes(~chosen & False, labels, 2).shape == (0,)


def test_one_for_all_names_classes_and_adds_one_perturbation():
    batch, v = torch.full((2, 3, 4, 4), 0.5), torch.full((1, 3, 4, 4), 0.25)
    figure = plots.one_for_all(batch, v, torch.tensor([0, 1]), torch.tensor([1, 1]), ["stop", "no entry"], title="t")
    assert [axis.get_title() for axis in figure.axes] == ["stop", "no\nentry", "no\nentry", "no\nentry"]
    above, below = (figure.axes[index].images[0].get_array() for index in (0, 2))
    assert above.max() == 0.5 and below.min() == 0.75


def test_patterns_are_stretched_around_grey():
    v = torch.zeros(1, 3, 2, 2)
    v[0, 0, 0, 0] = -0.01
    figure = plots.patterns({"small": v, "nothing": torch.zeros_like(v)})
    small, nothing = (axis.images[0].get_array() for axis in figure.axes)
    assert small[0, 0, 0] == 0 and small[0, 0, 1] == 0.5 and (nothing == 0.5).all()


def test_bars_are_the_shares_of_the_classes():
    figure = plots.became(torch.tensor([0, 0, 1, 1]), torch.tensor([1, 1, 1, 0]), ["a", "b", "c"], title="Labels")
    first, second = figure.axes[0].containers
    assert [bar.get_width() for bar in first] == [50, 50, 0]
    assert [bar.get_width() for bar in second] == [25, 75, 0]
    with pytest.raises(ValueError, match=r"expected one \(N,\)"):
        plots.became(torch.tensor([0]), torch.tensor([0, 1]), ["a", "b"])
