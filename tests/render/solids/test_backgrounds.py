import pytest
import torch

from lecture13.render.solids import BACKGROUNDS, Poses
from lecture13.render.solids.backgrounds import backgrounds


@pytest.mark.parametrize("kind", BACKGROUNDS)
def test_each_kind_is_in_range_varied_and_a_function_of_its_key(kind):
    shots = Poses(background=(kind,)).draw(12, torch.Generator().manual_seed(1))
    images = backgrounds(shots, 24)
    assert images.shape == (12, 3, 24, 24) and images.min() >= 0 and images.max() <= 1
    assert images.mean((2, 3)).std(0).min() > 0.03
    torch.testing.assert_close(backgrounds(shots[5:7], 24), images[5:7], atol=1e-6, rtol=0)


def test_kinds_are_mixed_and_colours_are_the_papers():
    shots = Poses().draw(60, torch.Generator().manual_seed(1))
    assert shots.background.bincount(minlength=3).min() > 8
    colours = backgrounds(Poses(background=("colours",)).draw(60, torch.Generator()), 8)
    assert colours.min() >= 0.1 - 1e-6
    assert (colours.std((2, 3)).amax(1) < 1e-6).any() and (colours.std((2, 3)).amax(1) > 0.05).any()
