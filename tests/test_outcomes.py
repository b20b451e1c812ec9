import pytest
import torch

from lecture13.outcomes import outcomes


def test_each_image_counts_once():
    counted = outcomes(torch.tensor([1, 1, 1, 0, 5, 6, 1, 0]), 0, 1)
    assert (counted.adversarial.value, counted.correct.value, counted.other.value) == (0.5, 0.25, 0.25)
    assert counted.count == 8 and counted.correct.low < 0.25 < counted.correct.high


def test_a_target_that_is_the_label_is_named():
    with pytest.raises(ValueError, match="target=3 equals the label"):
        outcomes(torch.tensor([3]), 3, 3)


@pytest.mark.parametrize("found", [torch.tensor([], dtype=torch.int64), torch.zeros(2, 2)])
def test_nothing_to_count_is_named(found):
    with pytest.raises(ValueError, match=r"expected \(N,\), with one class or more"):
        outcomes(found, 0, 1)
