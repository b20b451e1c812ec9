import numpy as np
import pytest
import pywt
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from lecture13 import attacks
from lecture13.defenses.sparsity import GRADIENTS, SparseFrontEnd
from lecture13.defenses.sparsity.front_end import SOFTNESS

SHAPE = (1, 8, 8)


def chance(seed):
    return torch.Generator().manual_seed(seed)


def by_pywavelets(image, keep, wavelet):
    """The front end on one image (H, W), by PyWavelets and NumPy."""
    coefficients, slices = pywt.coeffs_to_array(pywt.wavedec2(image, wavelet, mode="periodization", level=1))
    smallest = np.sort(np.abs(coefficients).ravel())[-keep]
    kept = np.where(np.abs(coefficients) >= smallest, coefficients, 0)
    sparse = pywt.waverec2(pywt.array_to_coeffs(kept, slices, "wavedec2"), wavelet, mode="periodization")
    return np.clip(sparse, 0, 1)


@pytest.mark.filterwarnings("ignore:Level value")  # PyWavelets thinks that a long filter makes a level pointless
@pytest.mark.parametrize("wavelet", ["haar", "db3", "coif1"])
@pytest.mark.parametrize("keep", [1, 20, 63])
def test_values_are_those_of_pywavelets(wavelet, keep):
    images = torch.rand(5, *SHAPE, generator=chance(0), dtype=torch.float64)
    for gradient in GRADIENTS:
        found = SparseFrontEnd(keep, wavelet=wavelet, shape=SHAPE, gradient=gradient)(images)
        for image, each in zip(images, found, strict=True):
            np.testing.assert_allclose(each[0], by_pywavelets(image[0].numpy(), keep, wavelet), atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(keep=st.integers(1, 192), wavelet=st.sampled_from(["haar", "db2", "coif1"]), seed=st.integers(0, 999))
def test_it_is_the_nearest_of_all_images_with_k_coefficients(keep, wavelet, seed):
    front = SparseFrontEnd(keep, wavelet=wavelet, shape=(3, 8, 8))
    images = torch.rand(2, 3, 8, 8, generator=chance(seed), dtype=torch.float64)
    support = front.support(images)
    assert support.flatten(1).sum(1).tolist() == [keep, keep]  # of all channels together
    best = front.project(images, support)
    other = torch.zeros(2, 192, dtype=torch.bool)
    other[:, torch.randperm(192, generator=chance(seed))[:keep]] = True
    worse = front.project(images, other.view_as(images))
    assert ((images - best).flatten(1).norm(dim=1) <= (images - worse).flatten(1).norm(dim=1) + 1e-9).all()
    torch.testing.assert_close(front.project(best, support), best)  # a projection
    assert front(images).min() >= 0 and front(images).max() <= 1


def test_all_coefficients_are_the_identity():
    images = torch.rand(3, 3, 8, 8, generator=chance(1), dtype=torch.float64)
    torch.testing.assert_close(SparseFrontEnd(192, wavelet="db2", shape=(3, 8, 8), levels=3)(images), images)


def test_k_are_kept_among_equal_ones():
    front = SparseFrontEnd(5, wavelet="haar", shape=SHAPE)
    assert front.support(torch.zeros(2, *SHAPE)).flatten(1).sum(1).tolist() == [5, 5]


def test_the_exact_gradient_is_the_derivative_away_from_ties():
    images = torch.rand(2, 1, 4, 4, generator=chance(2), dtype=torch.float64).requires_grad_()
    front = SparseFrontEnd(6, wavelet="db2", shape=(1, 4, 4))
    magnitudes = front.transform(images).detach().flatten(1).abs().sort(1).values
    assert (magnitudes[:, -6] - magnitudes[:, -7]).min() > 1e-3  # no tie at the edge of the support
    assert torch.autograd.gradcheck(front, images)


def test_the_gradients():
    images = torch.rand(4, *SHAPE, generator=chance(3), dtype=torch.float64).requires_grad_()
    towards = torch.randn(4, *SHAPE, generator=chance(4), dtype=torch.float64)
    front = SparseFrontEnd(9, wavelet="coif1", shape=SHAPE)
    found = {name: torch.autograd.grad(front.through(name)(images), images, towards)[0] for name in GRADIENTS}
    support = front.support(images)
    inside = front.project(images, support)
    inside = (inside > 0) & (inside < 1)
    assert not inside.all()
    torch.testing.assert_close(found["identity"], towards)
    torch.testing.assert_close(found["projection"], front.project(towards, support))
    torch.testing.assert_close(found["exact"], front.project(towards * inside, support))
    c = front.transform(images).detach()
    edge = c.abs().flatten(1).sort(1).values[:, -9].view(4, 1, 1, 1)
    share = ((c.abs() - edge) / SOFTNESS).sigmoid()  # d/dc of c·share
    slope = share + c.abs() * share * (1 - share) / SOFTNESS
    torch.testing.assert_close(found["soft"], front.transform.inverse(front.transform(towards) * slope))


def test_the_values_do_not_depend_on_the_gradient():
    images = torch.rand(4, *SHAPE, generator=chance(5))
    front = SparseFrontEnd(9, shape=SHAPE)
    for name in GRADIENTS:
        other = front.through(name)
        assert other.gradient == name and other.keep == 9 and torch.equal(other(images), front(images))


def test_a_batch_gives_what_each_image_gives_in_any_precision():
    images = torch.rand(6, *SHAPE, generator=chance(6))
    front = SparseFrontEnd(9, shape=SHAPE)
    assert torch.allclose(front(images)[3:4], front(images[3:4]), atol=1e-6)
    assert front(images.half()).dtype == torch.float16 and front(images.double()).dtype == torch.float64
    assert front(images[:0]).shape == (0, *SHAPE)
    assert front.share == 9 / 64 and "keep=9 of 64" in repr(front) and not list(front.parameters())
    assert not front.state_dict()  # settings, nothing learned


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
def test_on_a_gpu():
    images, front = torch.rand(6, *SHAPE, generator=chance(7)), SparseFrontEnd(9, shape=SHAPE)
    torch.testing.assert_close(front.cuda()(images.cuda()).cpu(), front.cpu()(images), atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"keep": 0}, "keep=0; expected K, a whole number from 1 to N = 64"),
        ({"keep": 65}, "keep=65"),
        ({"keep": 0.035}, r"keep=0.035; .*round\(0.035 \* 64\)"),
        ({"keep": True}, "keep=True"),
        (
            {"keep": 3, "gradient": "none"},
            "unknown gradient 'none'; choose one of 'exact', 'projection', 'identity', 'soft'",
        ),
        ({"keep": 3, "wavelet": "morl"}, "unknown wavelet 'morl'"),
        ({"keep": 3, "levels": 4}, "cannot be halved 4 times"),
    ],
)
def test_errors_say_what_to_do(options, says):
    with pytest.raises(ValueError, match=says):
        SparseFrontEnd(**{"shape": SHAPE, **options})


def test_images_of_another_shape():
    with pytest.raises(ValueError, match=r"expected \(N, 1, 8, 8\)"):
        SparseFrontEnd(3, shape=SHAPE)(torch.rand(2, 3, 8, 8))


def test_a_defence_that_only_breaks_gradients_is_found_out():
    """Behind a front end that clips nearly all away, the exact gradient is 0, and PGD on it alone finds nothing."""

    class Masked(nn.Module):
        def __init__(self, gradient):
            super().__init__()
            self.gradient = gradient

        def forward(self, images):
            rounded = (images * 4).round() / 4
            return images + (rounded - images).detach() if self.gradient == "identity" else rounded + 0 * images

    weight = torch.randn(2, 64, generator=chance(8))
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 2, bias=False))
    net[1].weight.data = weight
    images = torch.rand(40, *SHAPE, generator=chance(9))
    judge = nn.Sequential(Masked("exact"), net)
    labels = judge(images).argmax(1)

    def pgd(gradient):
        return lambda model, x, y: attacks.pgd(nn.Sequential(Masked(gradient), net), x, y, 0.2, random_start=False)

    masked = attacks.strongest(judge, images, labels, {"exact": pgd("exact")})[1]["exact"]
    _, broken = attacks.strongest(
        judge,
        images,
        labels,
        {"BPDA": pgd("identity"), "no gradient": lambda m, x, y: attacks.square(m, x, y, 0.2, queries=200)},
    )
    assert masked.sum() == 0 and broken["BPDA"].float().mean() > 0.8 and broken["no gradient"].float().mean() > 0.5
