import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lecture13.gan.scores.spectrum import checkerboard, power_spectrum, radial, shared


def noise(count=20, side=16, channels=3, seed=0):
    return torch.rand(count, channels, side, side, generator=torch.Generator().manual_seed(seed))


def test_against_numpy():
    images = noise(count=130, side=10)
    transformed = np.fft.fftshift(np.fft.fft2(images.double().numpy()), axes=(2, 3))
    np.testing.assert_allclose(power_spectrum(images), (abs(transformed) ** 2).mean((0, 1)) / 1e4, rtol=1e-9)


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 4), st.integers(2, 17), st.integers(2, 17), st.integers(0, 99))
def test_parseval(count, height, width, seed):
    images = torch.randn(count, 2, height, width, generator=torch.Generator().manual_seed(seed))
    assert power_spectrum(images).sum().item() == pytest.approx(images.double().square().mean().item())


@settings(deadline=None, max_examples=10)
@given(st.integers(4, 20), st.integers(0, 99))
def test_rings_hold_all_the_power(side, seed):
    spectrum = power_spectrum(noise(2, side, seed=seed))
    rings = radial(spectrum)
    assert int(rings.cells.sum()) == side**2
    assert (rings.power * rings.cells).sum().item() == pytest.approx(spectrum.sum().item())


@pytest.mark.parametrize("cycles", [1, 3, 6])
def test_a_wave_is_a_peak_at_its_frequency(cycles):
    wave = torch.cos(2 * torch.pi * cycles * torch.arange(16) / 16).expand(1, 1, 16, 16)
    rings = radial(power_spectrum(wave))
    assert rings.frequency[rings.power.argmax()].item() == cycles / 16
    assert (rings.power * rings.cells).sum().item() == pytest.approx(0.5)


def test_a_constant_image_is_its_middle():
    spectrum = power_spectrum(torch.full((1, 1, 8, 8), 0.5))
    assert spectrum[4, 4].item() == pytest.approx(0.25)
    assert spectrum.sum().item() == pytest.approx(0.25)


def board(side, period):
    """1 at every ``period``-th pixel."""
    pattern = torch.zeros(1, 1, side, side)
    pattern[..., ::period, ::period] = 1
    return pattern


@pytest.mark.parametrize("period", [2, 4, 8])
def test_a_faint_checkerboard_stands_out_at_its_period(period):
    plain = noise(200, 32, 1)
    flat = checkerboard(power_spectrum(plain), period)
    assert flat == pytest.approx(1, abs=0.3)
    assert checkerboard(power_spectrum(plain + 0.01 * period**2 * board(32, period)), period) > 1.5 * flat


def test_a_longer_period_is_told_apart():
    spectrum = power_spectrum(noise(200, 32, 1) + 0.2 * board(32, 2))
    assert checkerboard(spectrum, 2) > 5
    assert checkerboard(spectrum, 4) == pytest.approx(1, abs=0.3)


def test_images_that_are_all_alike_share_all_their_power():
    np.testing.assert_allclose(shared(noise(1).expand(9, -1, -1, -1)), 1)


def test_images_without_anything_in_common_share_one_nth():
    images = torch.randn(50, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    assert shared(images).mean().item() == pytest.approx(1 / 50, rel=0.1)


def test_a_repeated_texture_is_told_from_what_differs():
    """With a wave of power a in every image, and noise of power b there: a/(a + b) of it is shared, for N → ∞."""
    wave = torch.cos(2 * torch.pi * 5 * torch.arange(16) / 16).expand(1, 1, 16, 16)
    images = wave / 8 + torch.randn(4000, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    a, b = (1 / 16) ** 2, 1 / 256  # |F|²/(HW)² of the wave, and E|F|²/(HW)² of the noise
    found = shared(images)
    assert found[8, 13].item() == pytest.approx(a / (a + b), abs=0.03)
    assert found[13, 8].item() < 0.01


@pytest.mark.parametrize(("side", "period"), [(16, 3), (16, 1), (16, 8), (10, 4)])
def test_periods_that_do_not_fit_are_refused(side, period):
    with pytest.raises(ValueError, match=f"period={period} in a spectrum of side {side}"):
        checkerboard(power_spectrum(noise(2, side)), period)


@pytest.mark.parametrize("images", [torch.zeros(0, 3, 4, 4), torch.zeros(3, 4, 4), torch.full((1, 1, 4, 4), torch.nan)])
def test_bad_images_are_refused(images):
    for measure in (power_spectrum, shared):
        with pytest.raises(ValueError, match="images"):
            measure(images)


def test_only_squares_have_rings():
    with pytest.raises(ValueError, match=r"\(4, 6\)"):
        radial(power_spectrum(torch.zeros(1, 1, 4, 6)))
    with pytest.raises(ValueError, match=r"\(4, 6\)"):
        checkerboard(power_spectrum(torch.zeros(1, 1, 4, 6)))
