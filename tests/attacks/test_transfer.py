"""The ensemble attack against a plain loop of Adam, decision regions point by point, and both docstrings."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.functional import cross_entropy

from lecture13 import attacks

few = settings(deadline=None, max_examples=15)


def convnet(seed=0, dtype=torch.float32, classes=4):
    torch.manual_seed(seed)
    layers = [nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.Dropout(0.5), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(6 * 36, classes)).to(dtype)


def linear(seed=0, dtype=torch.float64):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Flatten(), nn.Linear(192, 4, dtype=dtype))


def batch(count=5, dtype=torch.float64, seed=0):
    generator = torch.Generator().manual_seed(seed)
    images = torch.rand(count, 3, 8, 8, generator=generator, dtype=torch.float64).to(dtype)
    return images, torch.randint(0, 4, (count,), generator=generator)


def mean_probability(models, weights, images, labels):
    mixed = sum(weight * model.eval()(images).softmax(1) for model, weight in zip(models, weights, strict=True))
    return mixed.gather(1, labels[:, None])[:, 0]


def plain_loop(models, weights, images, labels, targeted, distance_weight, steps):
    """The formulas of Liu et al. 2017 as they stand, with torch's Adam and autograd."""
    points = images.clone().requires_grad_()
    adam = torch.optim.Adam([points], lr=4 / 255)
    for _ in range(steps):
        p = mean_probability(models, weights, points, labels)
        loss = -(p if targeted else 1 - p).log()
        distance = 255 * ((points - images).flatten(1).square().mean(1) + 1e-30).sqrt()
        adam.zero_grad()
        (loss + distance_weight * distance).sum().backward()
        adam.step()
        with torch.no_grad():
            points.clamp_(0, 1)
    return points.detach()


@pytest.mark.parametrize("targeted", [False, True])
@pytest.mark.parametrize("distance_weight", [0.0, 0.1])
def test_it_is_adam_on_the_papers_formula(targeted, distance_weight):
    models, (images, labels) = [convnet(seed, torch.float64) for seed in (0, 1, 2)], batch()
    options = {"targeted": targeted, "distance_weight": distance_weight, "steps": 6}
    found = attacks.ensemble(models, images, labels, weights=[1, 2, 5], **options)
    expected = plain_loop(models, [1 / 8, 2 / 8, 5 / 8], images, labels, **options)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("targeted", [False, True])
def test_an_ensemble_of_one_is_that_models_own_attack(targeted):
    model, (images, labels) = convnet(dtype=torch.float64), batch()
    options = {"targeted": targeted, "steps": 8}
    alone = attacks.ensemble([model], images, labels, **options)
    torch.testing.assert_close(alone, plain_loop([model], [1.0], images, labels, targeted, 0.0, 8), rtol=0, atol=1e-6)
    torch.testing.assert_close(attacks.ensemble([model, model, model], images, labels, **options), alone)
    other = convnet(1, torch.float64)
    torch.testing.assert_close(attacks.ensemble([model, other], images, labels, weights=[3, 0], **options), alone)


def test_the_sum_is_inside_the_logarithm():
    models, (images, labels) = [linear(0), linear(1)], batch()
    with torch.no_grad():
        for model in models:
            model[1].weight.mul_(40)
    inside = attacks.ensemble(models, images, labels, targeted=True, steps=3)
    points = images.clone().requires_grad_()
    adam = torch.optim.Adam([points], lr=4 / 255)
    for _ in range(3):
        adam.zero_grad()
        sum(cross_entropy(model(points), labels, reduction="sum") for model in models).backward()
        adam.step()
        with torch.no_grad():
            points.clamp_(0, 1)
    assert (inside - points).abs().max() > 1e-3  # the mean of logarithms goes elsewhere


def test_models_that_are_very_sure_still_have_a_gradient():
    models, (images, _) = [linear(seed, torch.float32) for seed in (0, 1)], batch(dtype=torch.float32)
    with torch.no_grad():
        for model in models:
            model[1].weight.zero_()[0, :50] = 0.1  # both are sure of class 0: 1 − p rounds to 0
            model[1].bias.copy_(torch.tensor([20.0, 0, 0, 0]))
    labels = torch.zeros(5, dtype=torch.int64)
    assert (1 - models[0](images).softmax(1)[:, 0] == 0).all()
    found = attacks.ensemble(models, images, labels, steps=30)
    assert (models[0](found)[:, 0] < models[0](images)[:, 0] - 1).all()


@pytest.mark.parametrize("targeted", [False, True])
def test_all_models_are_fooled_at_once(targeted):
    models, (images, _) = [convnet(seed, torch.float64) for seed in (0, 1, 2)], batch(8)
    labels = models[0].eval()(images).argmax(1)
    if targeted:
        labels = (labels + 1) % 4
    found = attacks.ensemble(models, images, labels, targeted=targeted, steps=60)
    for model in models:
        assert ((model.eval()(found).argmax(1) == labels) == targeted).float().mean() > 0.9


def test_the_distance_term_and_the_ball_keep_images_near():
    models, (images, labels) = [convnet(0, torch.float64)], batch()
    free = attacks.rmsd(images, attacks.ensemble(models, images, labels, steps=30))
    near = attacks.rmsd(images, attacks.ensemble(models, images, labels, steps=30, distance_weight=1.0))
    assert (near < free).all()
    boxed = attacks.rmsd(images, attacks.ensemble(models, images, labels, steps=30, max_rmsd=3.0))
    assert free.min() > 3.1 and boxed.max() <= 3 + 1e-9 and boxed.min() > 2.5


@few
@given(
    st.integers(0, 10**6),
    st.floats(0.01, 60),
    st.sampled_from([torch.float32, torch.float64, torch.bfloat16, torch.float16]),
    st.booleans(),
    st.sampled_from([None, (0.0, 1.0)]),
)
def test_results_stay_in_ball_and_box(seed, limit, dtype, targeted, bounds):
    models, (images, labels) = [linear(s, dtype) for s in (seed, seed + 1)], batch(3, dtype, seed)
    found = attacks.ensemble(models, images, labels, targeted=targeted, max_rmsd=limit, steps=4, bounds=bounds)
    assert found.dtype == dtype and found.shape == images.shape
    assert attacks.rmsd(images.double(), found.double()).max() <= limit + 255 * torch.finfo(dtype).eps
    if bounds:
        assert found.min() >= 0 and found.max() <= 1


def test_rmsd_is_on_the_scale_of_bytes():
    images = torch.full((2, 3, 8, 8), 0.5)
    change = torch.tensor([0.1, -0.2]).view(2, 1, 1, 1)
    expected = np.sqrt(np.mean((255 * change.expand_as(images).numpy()) ** 2, axis=(1, 2, 3)))
    torch.testing.assert_close(attacks.rmsd(images, images + change), torch.tensor(expected))
    with pytest.raises(ValueError, match=r"shapes \(2, 3, 8, 8\) and \(1, 3, 8, 8\)"):
        attacks.rmsd(images, images[:1])


def test_mode_state_chunks_and_memory_format():
    models, (images, labels) = [convnet(0).train(), convnet(1).eval()], batch(dtype=torch.float32)
    models[0][1].eval()
    models[0][5].bias.requires_grad_(False)
    models[0][0].weight.grad = torch.ones_like(models[0][0].weight)
    state, copy = torch.get_rng_state(), images.clone()
    found = attacks.ensemble(models, images.requires_grad_(), labels, steps=5)
    assert [module.training for module in models[0]] == [True, False, True, True, True, True]
    assert not any(module.training for module in models[1].modules())
    assert not models[0][5].bias.requires_grad and models[0][5].weight.requires_grad
    assert torch.equal(models[0][0].weight.grad, torch.ones_like(models[0][0].weight))
    assert models[1][0].weight.grad is None and models[1][0].weight.requires_grad
    assert torch.equal(torch.get_rng_state(), state) and torch.equal(images.detach(), copy) and images.grad is None
    assert not found.requires_grad
    assert torch.equal(attacks.ensemble(models, copy, labels, steps=5), found)  # dropout is off
    for context in (torch.no_grad(), torch.inference_mode()):
        with context:
            assert torch.equal(attacks.ensemble(models, copy + 0, labels + 0, steps=5), found)
    assert attacks.ensemble(models, copy[:0], labels[:0]).shape == (0, 3, 8, 8)
    models = [model.double() for model in models]
    whole = attacks.ensemble(models, copy.double(), labels, steps=5)
    torch.testing.assert_close(attacks.ensemble(models, copy.double(), labels, steps=5, chunk_size=2), whole)
    one = attacks.ensemble(models, copy[1:2].double(), labels[1:2], steps=5)
    torch.testing.assert_close(one, whole[1:2])
    models = [model.float().to(memory_format=torch.channels_last) for model in models]
    last = attacks.ensemble(models, copy.to(memory_format=torch.channels_last), labels, steps=5)
    assert last.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"weights": [1.0]}, ValueError, r"weights=\[1\.0\]; expected 2 numbers"),
        ({"weights": [0, 0]}, ValueError, "not all 0"),
        ({"weights": [1, -1]}, ValueError, "weights=-1; expected a number"),
        ({"distance_weight": -1}, ValueError, "distance_weight=-1"),
        ({"max_rmsd": 0}, ValueError, r"max_rmsd=0; expected a number in \(0, 255\]"),
        ({"steps": 0}, ValueError, "steps=0"),
        ({"learning_rate": 0}, ValueError, r"learning_rate=0\.0"),
        ({"bounds": (0.5, 1)}, ValueError, "images lie in"),
        ({"chunk_size": 0}, ValueError, "chunk_size=0"),
    ],
)
def test_bad_options_are_named(options, error, message):
    with pytest.raises(error, match=message):
        attacks.ensemble([convnet(0), convnet(1)], *batch(2, torch.float32), **options)


def test_bad_models_and_labels_are_named():
    images, labels = batch(2, torch.float32)
    for models, message in (
        (convnet(), r"models is a Sequential; expected a list .* \[model\]"),
        ([], "models is empty"),
        ([convnet(), convnet(classes=5)], r"the models have \[4, 5\] classes"),
        ([lambda images: images], r"returned shape \(2, 3, 8, 8\)"),
        ([lambda images: images.flatten(1).detach()], "do not depend on the images"),
        ([lambda images: images.flatten(1) * torch.nan], "NaN"),
    ):
        with pytest.raises(ValueError, match=message):
            attacks.ensemble(models, images, labels, steps=1)
    with pytest.raises(ValueError, match="label 4 is out of range"):
        attacks.ensemble([convnet()], images, labels * 0 + 4)
    with pytest.raises(ValueError, match="NaN or infinite"):
        attacks.ensemble([convnet()], images * torch.nan, labels)


# decision regions


def test_regions_are_the_predictions_and_their_centre_is_that_of_the_image():
    models, (images, labels) = [convnet(0, torch.float64), convnet(1, torch.float64)], batch(1)
    gradient = attacks.loss_gradient(models[0], images, labels)
    axes = attacks.plane(gradient, generator=torch.Generator().manual_seed(0))
    models[0].train()
    regions = attacks.decision_regions(models, images[0], axes, 60.0, 7, chunk_size=10)
    assert regions.shape == (2, 7, 7) and regions.dtype == torch.int64 and models[0].training
    steps = [-60.0, -40.0, -20.0, 0.0, 20.0, 40.0, 60.0]
    for model, region in zip(models, regions, strict=True):
        model.eval()
        assert region[3, 3] == model(images).argmax()
        for i, v in enumerate(steps):
            for j, u in enumerate(steps):
                assert region[i, j] == model(images + u * axes[0] + v * axes[1]).argmax()
    cut = attacks.decision_regions(models, images, axes, 60.0, 7, bounds=(0, 1))
    corner = (images + 60 * axes[0] - 60 * axes[1]).clamp(0, 1)
    assert cut[1, 0, 6] == models[1](corner).argmax()
    assert len(regions.unique()) > 1


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_the_centre_is_exact_in_every_dtype(dtype):
    seen = []

    def model(points):
        seen.append(points)
        return points.flatten(1)[:, :4]

    image = batch(1, dtype)[0]
    axes = attacks.plane(torch.randn(3, 8, 8, generator=torch.Generator().manual_seed(0)))
    attacks.decision_regions([model], image, axes, 20.0, 31)
    assert torch.equal(torch.cat(seen)[31 * 15 + 15], image[0]) and seen[0].dtype == dtype


@few
@given(st.integers(0, 10**6))
def test_the_axes_are_orthogonal_and_one_unit_is_one_level(seed):
    gradient = torch.randn(1, 3, 5, 4, generator=torch.Generator().manual_seed(seed))
    first, second = attacks.plane(gradient, generator=torch.Generator().manual_seed(seed + 1))
    zero = torch.zeros(1, 3, 5, 4)
    torch.testing.assert_close(attacks.rmsd(zero, first[None]), torch.ones(1))
    torch.testing.assert_close(attacks.rmsd(zero, second[None]), torch.ones(1))
    assert abs((first * second).sum() / first.square().sum()) < 1e-6
    assert torch.cosine_similarity(first.flatten(), gradient.flatten(), dim=0) > 1 - 1e-6


def test_bad_regions_are_named():
    model, (images, _) = convnet(dtype=torch.float64), batch(2)
    axes = attacks.plane(images[:1])
    for arguments, message in (
        ((images, axes, 1.0, 3), r"image has shape \(2, 3, 8, 8\); expected one image"),
        ((images[0], axes[:1], 1.0, 3), r"directions have shape \(1, 3, 8, 8\); expected \(2, 3, 8, 8\)"),
        ((images[0], axes, 0.0, 3), "extent=0; expected"),
        ((images[0], axes, 1.0, 4), "resolution=4 has no middle; expected an odd number, such as 5"),
        ((images[0] * torch.nan, axes, 1.0, 3), "NaN"),
    ):
        with pytest.raises(ValueError, match=message):
            attacks.decision_regions([model], *arguments)
    with pytest.raises(ValueError, match="largest entry 0; expected"):
        attacks.plane(torch.zeros(3, 8, 8))
    with pytest.raises(ValueError, match=r"shape \(2, 3, 8, 8\)"):
        attacks.plane(images)
