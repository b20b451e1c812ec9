import numpy as np
import pytest
import torch

from lecture13 import attacks

# sRGB in CIE L*a*b*, D65, 2° (Lindbloom's calculator)
KNOWN = {
    (0, 0, 0): (0, 0, 0),
    (255, 255, 255): (100, 0, 0),
    (119, 119, 119): (50.03, 0, 0),
    (255, 0, 0): (53.24, 80.09, 67.20),
    (0, 255, 0): (87.73, -86.18, 83.18),
    (0, 0, 255): (32.30, 79.19, -107.86),
    (255, 255, 0): (97.14, -21.55, 94.48),
}


@pytest.mark.parametrize("colour", KNOWN)
def test_known_colours(colour):
    image = torch.tensor(colour, dtype=torch.float64).view(1, 3, 1, 1) / 255
    np.testing.assert_allclose(attacks.lab(image).flatten(), KNOWN[colour], atol=0.03)


def test_gradients_are_right_and_finite_at_black():
    images = torch.rand(2, 3, 3, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 0.9 + 0.05
    assert torch.autograd.gradcheck(attacks.lab, images.requires_grad_())
    black = torch.zeros(1, 3, 2, 2, requires_grad=True)
    (gradient,) = torch.autograd.grad(attacks.lab(black).sum(), black)
    assert gradient.isfinite().all() and gradient.abs().max() > 0


def test_it_is_continuous_at_both_knees():
    for knee in (0.04045, 0.0031308 * 12.92, 0.094):
        steps = torch.full((1, 3, 1, 3), knee, dtype=torch.float64) + torch.tensor(
            [-1e-6, 0, 1e-6], dtype=torch.float64
        )
        assert attacks.lab(steps).diff(dim=3).abs().max() < 2e-3


def test_shape_and_dtype_are_kept_and_grey_pictures_refused():
    assert attacks.lab(torch.rand(2, 3, 4, 5)).shape == (2, 3, 4, 5)
    assert attacks.lab(torch.rand(2, 3)).dtype == torch.float32
    with pytest.raises(ValueError, match=r"shape \(2, 1, 4, 5\)"):
        attacks.lab(torch.rand(2, 1, 4, 5))
