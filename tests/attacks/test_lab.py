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


def test_every_grey_and_colour_by_the_standards_formulas():
    """IEC 61966-2-1 and CIE 15:2004 in NumPy, dark colours below both knees among them."""
    ramp = np.linspace(0, 1, 41)
    dark = np.linspace(0, 0.1, 41)
    levels = np.concatenate([np.stack([ramp, ramp, ramp]), np.stack([dark, dark, dark]), [dark, ramp, 1 - ramp]], 1)
    linear = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
    matrix = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    t = matrix @ linear / matrix.sum(1, keepdims=True)  # over the white
    x, y, z = np.where(t > 216 / 24389, np.cbrt(t), (24389 / 27 * t + 16) / 116)
    found = attacks.lab(torch.from_numpy(levels.T.copy())[:, :, None, None])[:, :, 0, 0].T
    np.testing.assert_allclose(found, [116 * y - 16, 500 * (x - y), 200 * (y - z)], atol=1e-9)


def test_the_distance_of_two_images_is_the_root_mean_square_of_delta_e():
    first, second = torch.rand(2, 4, 3, 5, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    delta_e = np.linalg.norm(attacks.lab(first).numpy() - attacks.lab(second).numpy(), axis=1)
    found = attacks.lab_distance(first, second)
    np.testing.assert_allclose(found, np.sqrt((delta_e**2).mean((1, 2))), rtol=1e-12)
    same = first.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(attacks.lab_distance(same, first).sum(), same)
    assert (gradient == 0).all()


def test_gradients_are_right_and_finite_at_black():
    images = torch.rand(2, 3, 3, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 0.9 + 0.05
    assert torch.autograd.gradcheck(attacks.lab, images.requires_grad_())
    black = torch.zeros(1, 3, 2, 2, requires_grad=True)
    (gradient,) = torch.autograd.grad(attacks.lab(black).sum(), black)
    assert gradient.isfinite().all() and gradient.abs().max() > 0


def test_it_is_continuous_at_both_knees():
    for knee in (0.04045, 0.0031308 * 12.92, ((6 / 29) ** 3) ** (1 / 2.4) * 1.055 - 0.055):  # the last one of L*
        steps = torch.full((1, 3, 1, 3), knee, dtype=torch.float64) + torch.tensor(
            [-1e-6, 0, 1e-6], dtype=torch.float64
        )
        assert attacks.lab(steps).diff(dim=3).abs().max() < 2e-3


def test_shape_and_dtype_are_kept_and_grey_pictures_refused():
    assert attacks.lab(torch.rand(2, 3, 4, 5)).shape == (2, 3, 4, 5)
    assert attacks.lab(torch.rand(2, 3)).dtype == torch.float32
    with pytest.raises(ValueError, match=r"shape \(1, 3, 4, 4\), others \(1, 3, 1, 4\)"):
        attacks.lab_distance(torch.rand(1, 3, 4, 4), torch.rand(1, 3, 1, 4))
    with pytest.raises(ValueError, match=r"shape \(2, 1, 4, 5\)"):
        attacks.lab(torch.rand(2, 1, 4, 5))
