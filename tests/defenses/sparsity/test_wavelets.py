import numpy as np
import pytest
import pywt
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lecture13.defenses.sparsity.wavelets import Wavelet, analysis_matrix

NAMES = ("haar", "db2", "db4", "sym3", "coif1", "coif2")


def mallat(image, wavelet, levels):
    """PyWavelets' coefficients, laid out as an image."""
    found, *details = pywt.wavedec2(image, wavelet, mode="periodization", level=levels)
    for horizontal, vertical, diagonal in details:
        found = np.block([[found, vertical], [horizontal, diagonal]])
    return found


@pytest.mark.parametrize("wavelet", NAMES)
@pytest.mark.parametrize(("shape", "levels"), [((28, 28), 1), ((28, 28), 2), ((8, 16), 3), ((4, 2), 1)])
@pytest.mark.filterwarnings("ignore:Level value")  # PyWavelets thinks that a long filter makes a level pointless
def test_coefficients_are_those_of_pywavelets(wavelet, shape, levels):
    image = np.random.default_rng(0).random(shape)
    found = Wavelet(wavelet, shape, levels)(torch.from_numpy(image)[None])[0]
    np.testing.assert_allclose(found.numpy(), mallat(image, wavelet, levels), atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(
    wavelet=st.sampled_from(NAMES),
    height=st.integers(1, 5),
    width=st.integers(1, 5),
    levels=st.integers(1, 3),
    channels=st.integers(1, 3),
    seed=st.integers(0, 2**16),
)
def test_it_keeps_lengths_and_angles_and_its_inverse_is_its_transpose(wavelet, height, width, levels, channels, seed):
    shape = (channels, height << levels, width << levels)
    transform, generator = Wavelet(wavelet, shape, levels), torch.Generator().manual_seed(seed)
    x, y = torch.randn(2, 1, *shape, dtype=torch.float64, generator=generator)
    torch.testing.assert_close(transform(x).norm(), x.norm(), rtol=1e-9, atol=1e-9)  # Parseval
    torch.testing.assert_close((transform(x) * y).sum(), (x * transform.inverse(y)).sum(), rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(transform.inverse(transform(x)), x, rtol=1e-9, atol=1e-9)


def test_channels_are_transformed_one_by_one():
    images = torch.rand(2, 3, 8, 8)
    one, three = Wavelet("db2", (8, 8)), Wavelet("db2", (3, 8, 8))
    torch.testing.assert_close(three(images), one(images))


def test_haar_by_hand():
    found = Wavelet("haar", (2, 2))(torch.tensor([[[1.0, 2.0], [3.0, 6.0]]]))
    torch.testing.assert_close(found, torch.tensor([[[6.0, -2.0], [-3.0, 1.0]]]))  # half the sums and differences


def test_one_level_is_orthogonal_even_where_the_filter_is_longer_than_the_signal():
    for wavelet in pywt.wavelist("db") + pywt.wavelist("coif"):
        matrix = analysis_matrix(wavelet, 6)
        torch.testing.assert_close(matrix @ matrix.T, torch.eye(6, dtype=torch.float64), atol=1e-6, rtol=0)


def test_half_precision_is_computed_in_float32():
    images = torch.rand(2, 1, 8, 8)
    found = Wavelet("haar", (1, 8, 8))(images.half())
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, Wavelet("haar", (1, 8, 8))(images), atol=1e-2, rtol=0)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("haa", (8, 8)), "unknown wavelet 'haa'.*'db2'"),
        (("bior2.2", (8, 8)), "unknown wavelet 'bior2.2'; choose an orthonormal one"),
        (("haar", (7, 8)), "7×8 cannot be halved 1 time; expected sides that are multiples of 2"),
        (("haar", (28, 28), 3), "28×28 cannot be halved 3 times; .* multiples of 8"),
        (("haar", (8,)), r"shape=\(8,\)"),
        (("haar", (0, 8)), r"shape=\(0, 8\)"),
        (("haar", (8, 8), 0), "levels=0"),
    ],
)
def test_errors_say_what_to_do(arguments, says):
    with pytest.raises(ValueError, match=says):
        Wavelet(*arguments)


def test_images_of_another_shape():
    with pytest.raises(ValueError, match=r"shape \(1, 1, 8, 4\); expected \(N, 1, 8, 8\)"):
        Wavelet("haar", (1, 8, 8))(torch.rand(1, 1, 8, 4))
    with pytest.raises(ValueError, match="size=5; expected an even number"):
        analysis_matrix("haar", 5)
