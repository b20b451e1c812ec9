"""Noise of FGSM's size that knows nothing of the model."""

import pytest
import torch

from lecture13 import attacks


def test_every_value_moves_by_epsilon_either_way():
    images = torch.full((4, 3, 16, 16), 0.5)
    change = attacks.random_signs(None, images, None, 0.1) - images
    torch.testing.assert_close(change.abs(), torch.full_like(images, 0.1))
    assert abs((change > 0).float().mean() - 0.5) < 0.05


def test_reproducible_and_clipped_to_the_box():
    images = torch.rand(4, 3, 8, 8)
    one, same, other = (
        attacks.random_signs(None, images, None, 0.3, generator=torch.Generator().manual_seed(seed))
        for seed in (1, 1, 2)
    )
    assert torch.equal(one, same) and not torch.equal(one, other)
    assert one.min() >= 0 and one.max() <= 1
    state = torch.get_rng_state()
    attacks.random_signs(None, images, None, 0.3)
    assert torch.equal(torch.get_rng_state(), state)


def test_bad_epsilon():
    with pytest.raises(ValueError, match=r"epsilon=-0\.1"):
        attacks.random_signs(None, torch.rand(1, 3, 8, 8), None, -0.1)
