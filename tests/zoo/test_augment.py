import numpy as np
import pytest
import torch
from scipy import ndimage

from lecture13.zoo.augment import Affine, Flip, Jitter


def chance(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("augment", [Flip(), Affine(20, 0.2, 0.1), Affine(20, 0.2, 0.1, "border"), Jitter(0.3, 0.1)])
@pytest.mark.parametrize("shape", [(1, 1, 28, 28), (6, 3, 32, 24)])
def test_images_stay_images(augment, shape):
    images, labels = torch.rand(shape), torch.arange(shape[0])
    before = images.clone()
    changed, kept = augment(images, labels, chance())
    assert changed.shape == images.shape and changed.dtype == images.dtype
    assert changed.min() >= 0 and changed.max() <= 1
    assert torch.equal(kept, labels) and torch.equal(images, before)
    assert torch.equal(changed, augment(images, labels, chance())[0])
    assert "=" in repr(augment) or augment == Flip()


def test_flip_mirrors_image_and_map_together_one_by_one():
    maps = torch.randint(5, (40, 6, 8))
    images = maps[:, None].float() / 5  # the image shows its map
    flipped, labels = Flip()(images, maps, chance())
    assert torch.equal(flipped[:, 0], labels.float() / 5)
    mirrored = [torch.equal(labels[i], maps[i].flip(-1)) for i in range(40)]
    untouched = [torch.equal(labels[i], maps[i]) for i in range(40)]
    assert all(a != b for a, b in zip(mirrored, untouched, strict=True)) and 10 < sum(mirrored) < 30


@pytest.mark.parametrize("augment", [Affine(0, 0, 0), Jitter(0)])
def test_nothing_asked_nothing_changed(augment):
    images = torch.rand(3, 3, 16, 16)
    assert torch.allclose(augment(images, torch.zeros(3), chance())[0], images, atol=1e-6)


def test_affine_turns_as_scipy_does():
    image = ndimage.gaussian_filter(np.random.default_rng(0).random((33, 33)), 2)
    turned = Affine(30, 0, 0, "zeros")(torch.tensor(image, dtype=torch.float32)[None, None], torch.zeros(1), chance(1))
    angle = ((torch.rand(4, 1, generator=chance(1)) * 2 - 1)[0] * 30).item()
    expected = ndimage.rotate(image, angle, reshape=False, order=1)
    inside = np.hypot(*np.mgrid[-16:17, -16:17]) < 13
    assert abs(angle) > 5
    assert np.abs(turned[0][0, 0].numpy() - expected)[inside].max() < 1e-4


def test_affine_shifts_within_its_bound_and_each_image_by_itself():
    images = torch.zeros(200, 1, 21, 21)
    images[:, 0, 10, 10] = 1
    shifted = Affine(0, 0, 0.2)(images, torch.zeros(200), chance())[0]
    steps = torch.arange(21.0)
    row, column = (shifted.sum((1, 3)) * steps).sum(1) - 10, (shifted.sum((1, 2)) * steps).sum(1) - 10
    for moved in (row, column):
        assert moved.abs().max() <= 0.2 * 21 + 1e-3 and moved.abs().max() > 0.17 * 21
        assert len(moved.unique()) > 190
    assert abs(np.corrcoef(row, column)[0, 1]) < 0.2


def test_affine_refuses_maps():
    with pytest.raises(ValueError, match=r"\(2, 8, 8\); a turned image needs a turned map: use Flip"):
        Affine(1, 0, 0)(torch.rand(2, 3, 8, 8), torch.zeros(2, 8, 8), chance())


def test_jitter_is_per_image_and_bounded():
    images = torch.full((50, 3, 4, 4), 0.5)
    gains = Jitter(0.2)(images, torch.zeros(50), chance())[0] / 0.5
    assert gains.min() >= 0.8**2 - 1e-5 and gains.max() <= 1.2**2 + 1e-5
    assert torch.allclose(gains.std((2, 3)), torch.zeros(50, 3), atol=1e-6)  # no noise: flat stays flat
    assert len(gains[:, :, 0, 0].unique()) > 140
    noise = Jitter(0, noise=0.1)(images, torch.zeros(50), chance())[0].flatten(1).std(1)
    assert noise.max() < 0.13 and noise.min() < 0.03
