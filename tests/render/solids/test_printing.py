import numpy as np
import pytest
import torch
from scipy import ndimage

from lecture13.render.solids import printed
from tests.render.solids.small import texture


def test_black_white_and_colours_become_ink_paper_and_paler():
    colours = torch.tensor([[0.0, 0, 0], [1, 1, 1], [1, 0, 0]]).view(3, 3, 1, 1).expand(3, 3, 4, 4)
    black, white, red = printed(colours, ink=0.1, paper=0.9, gamut=0.7, levels=1001)[:, :, 0, 0]
    torch.testing.assert_close(black, torch.full((3,), 0.1))
    torch.testing.assert_close(white, torch.full((3,), 0.9))
    # towards the grey of 1/3: red 1/3 + .7 · 2/3 = .8, the others .7 less than that, .1
    torch.testing.assert_close(red, 0.1 + 0.8 * torch.tensor([0.8, 0.1, 0.1]), atol=1e-3, rtol=0)


def test_dots_spread_as_a_gaussian():
    texels = texture(20, 24)
    found = printed(texels, blur=1.3, gamut=1.0, ink=0.0, paper=1.0, levels=10**6)[0]
    expected = ndimage.gaussian_filter(texels[0].numpy(), (0, 1.3, 1.3), mode="nearest", truncate=4.3)
    np.testing.assert_allclose(found, expected, atol=1e-3)


@pytest.mark.parametrize("levels", [2, 5, 32])
def test_there_are_only_so_many_levels(levels):
    found = printed(texture(40, 40), blur=0, gamut=1.0, levels=levels).unique()
    assert len(found) == levels and found.min() >= 0.06 and found.max() <= 0.95
    if levels > 2:
        assert found.diff().std() < 1e-6


def test_a_perfect_printer_changes_nothing():
    torch.testing.assert_close(printed(texture(), blur=0, gamut=1, ink=0, paper=1, levels=2**20), texture())


def test_without_levels_nothing_is_rounded_and_gradients_are_right():
    texels = texture(5, 6, dtype=torch.float64)
    exact, rounded = (printed(texels, levels=levels) for levels in (None, 33))
    assert 0 < (exact - rounded).abs().max() <= 0.5 * 0.89 / 32 + 1e-9
    assert torch.autograd.gradcheck(lambda t: printed(t, levels=None), texels.requires_grad_())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"blur": -1}, "blur=-1; expected a number from 0 to 20"),
        ({"gamut": 2}, "gamut=2"),
        ({"ink": 0.9, "paper": 0.5}, r"ink=0\.9 is not darker than paper=0\.5"),
        ({"levels": 1}, "levels=1"),
    ],
)
def test_bad_printers_are_named(changes, message):
    with pytest.raises(ValueError, match=message):
        printed(texture(), **changes)
    with pytest.raises(ValueError, match="the texture's values lie in"):
        printed(texture() * 3)
