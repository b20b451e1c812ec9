"""FGSM and PGD against closed forms, brute force, autograd, and the promises of their docstrings."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.functional import cross_entropy

from lecture13 import attacks
from lecture13.attacks.gradient import margin_loss

few = settings(deadline=None, max_examples=25)


def linear(classes=2, features=12, seed=0, dtype=torch.float64, scale=1.0):
    torch.manual_seed(seed)
    layer = nn.Linear(features, classes, dtype=dtype)
    with torch.no_grad():
        layer.weight.mul_(scale)
    return nn.Sequential(nn.Flatten(), layer)


def convnet(seed=0, dtype=torch.float32):
    torch.manual_seed(seed)
    layers = [nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.Dropout(0.5), nn.Flatten(), nn.Linear(6 * 36, 4)]
    return nn.Sequential(*layers).to(dtype)


def batch(count=7, shape=(3, 8, 8), classes=4, seed=0, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    images = torch.rand(count, *shape, generator=generator, dtype=torch.float64).to(dtype)
    return images, torch.randint(0, classes, (count,), generator=generator)


def loss(model, images, labels):
    model.eval()
    with torch.no_grad():
        return cross_entropy(model(images).double(), labels, reduction="none")


# the loss and its gradient


@few
@given(st.integers(0, 10**6), st.integers(2, 6), st.floats(0.1, 8))
def test_margin_loss_is_the_cross_entropy_in_another_scale(seed, classes, scale):
    generator = torch.Generator().manual_seed(seed)
    logits = (scale * torch.randn(5, classes, generator=generator, dtype=torch.float64)).requires_grad_()
    labels = torch.randint(0, classes, (5,), generator=generator)
    m, towards = margin_loss(logits.detach(), labels)
    entropy = cross_entropy(logits, labels, reduction="none")
    torch.testing.assert_close(torch.nn.functional.softplus(m), entropy.detach())
    (gradient,) = torch.autograd.grad(entropy.sum(), logits)
    torch.testing.assert_close(torch.sigmoid(m)[:, None] * towards, gradient)


def test_loss_gradient_has_the_direction_of_the_cross_entropy_gradient():
    model, (images, labels) = convnet(dtype=torch.float64).eval(), batch(dtype=torch.float64)
    inputs = images.clone().requires_grad_()
    (expected,) = torch.autograd.grad(cross_entropy(model(inputs), labels, reduction="sum"), inputs)
    found = attacks.loss_gradient(model, images, labels)
    cosine = torch.cosine_similarity(found.flatten(1), expected.flatten(1))
    torch.testing.assert_close(cosine, torch.ones_like(cosine))


def test_a_classifier_that_is_very_sure_is_fooled_all_the_same():
    model, (images, _) = linear(3, 12, dtype=torch.float32, scale=3000.0), batch(20, (12,), 3)
    labels = model(images).argmax(1)
    inputs = images.clone().requires_grad_()
    (rounded,) = torch.autograd.grad(cross_entropy(model(inputs), labels, reduction="sum"), inputs)
    lost = rounded.abs().amax(1) == 0
    assert lost.any()  # the gradient of J is rounded to nothing here
    adversarial = attacks.fgsm(model, images, labels, 0.5, bounds=None)
    assert (loss(model, adversarial, labels)[lost] > loss(model, images, labels)[lost]).all()
    assert (model(adversarial).argmax(1) != labels)[lost].all()


# closed forms on linear classifiers


@few
@given(st.integers(0, 10**6), st.floats(0, 0.5), st.sampled_from([attacks.fgsm, attacks.pgd]))
def test_margin_of_a_linear_classifier_falls_by_epsilon_times_the_one_norm(seed, epsilon, attack):
    model, (images, labels) = linear(seed=seed), batch(6, (1, 3, 4), 2, seed=seed, dtype=torch.float64)
    adversarial = attack(model, images, labels, epsilon, bounds=None)
    weight = model[1].weight.detach()
    w = weight[labels] - weight[1 - labels]  # (N, n): margin z_y − z_k = wᵀx + b
    before, after = model(images), model(adversarial)
    fall = (before - after).gather(1, labels[:, None]) - (before - after).gather(1, 1 - labels[:, None])
    torch.testing.assert_close(fall[:, 0].detach(), epsilon * w.abs().sum(1), atol=1e-9, rtol=1e-9)


def test_fgsm_is_the_worst_corner_of_the_ball_for_logistic_regression():
    model, (images, labels) = linear(features=8), batch(3, (8,), 2, dtype=torch.float64)
    found = loss(model, attacks.fgsm(model, images, labels, 0.2, bounds=None), labels)
    weight, bias = model[1].weight.detach(), model[1].bias.detach()
    w, b = weight[labels] - weight[1 - labels], bias[labels] - bias[1 - labels]
    closed = torch.nn.functional.softplus(-((w * images).sum(1) + b - 0.2 * w.abs().sum(1)))
    corners = torch.tensor(list(itertools.product((-0.2, 0.2), repeat=8)), dtype=torch.float64)
    brute = torch.stack([loss(model, images + corner, labels) for corner in corners]).amax(0)
    torch.testing.assert_close(found, closed)
    torch.testing.assert_close(found, brute)


def test_the_smallest_l2_change_that_flips_a_linear_classifier_is_margin_over_the_norm():
    model, (images, _) = linear(), batch(6, (12,), dtype=torch.float64)
    labels = model(images).argmax(1)
    weight = model[1].weight.detach()
    w = weight[labels] - weight[1 - labels]
    scores = model(images).detach()
    distance = (scores.gather(1, labels[:, None]) - scores.gather(1, 1 - labels[:, None]))[:, 0] / w.norm(dim=1)
    for image, label, radius in zip(images, labels, distance, strict=True):
        for factor, flips in ((0.99, False), (1.01, True)):
            found = attacks.pgd(
                model, image[None], label[None], float(radius * factor), norm="l2", random_start=False, bounds=None
            )
            assert bool(model(found).argmax(1) != label) is flips


def test_targeted_attacks_descend():
    model, (images, labels) = convnet(), batch()
    targets = (labels + 1) % 4
    for attack in (attacks.fgsm, attacks.pgd):
        towards = attack(model, images, targets, 0.01, targeted=True)
        assert (loss(model, towards, targets) < loss(model, images, targets)).all()
    away, towards = (attacks.fgsm(model, images, labels, 0.01, targeted=flag, bounds=None) for flag in (False, True))
    torch.testing.assert_close(away - images, images - towards)


# PGD against FGSM and brute force


@pytest.fixture(scope="module")
def circle():
    """A net of two layers that knows the inside of a circle from the outside, and points it is right about."""
    generator = torch.Generator().manual_seed(0)
    points = 2 * torch.rand(400, 2, generator=generator, dtype=torch.float64) - 1
    labels = (points.norm(dim=1) < 0.7).long()
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 2)).double()
    optimizer = torch.optim.Adam(model.parameters(), 0.02)
    for _ in range(300):
        optimizer.zero_grad()
        cross_entropy(model(points), labels).backward()
        optimizer.step()
    right = model(points).argmax(1) == labels
    return model, points[right][:40], labels[right][:40]


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_pgd_finds_what_brute_force_finds_on_a_small_relu_net(circle, norm):
    model, points, labels = circle
    epsilon = 0.15
    axis = torch.linspace(-epsilon, epsilon, 61, dtype=torch.float64)
    grid = torch.cartesian_prod(axis, axis)  # with the corners of the box
    grid = grid if norm == "linf" else grid[grid.norm(dim=1) <= epsilon]
    tried = torch.stack([loss(model, points + change, labels) for change in grid])
    fooled = torch.stack([model(points + change).argmax(1) != labels for change in grid]).any(0)
    assert 5 < fooled.sum() < 35
    generator = torch.Generator().manual_seed(0)
    options = {"norm": norm, "steps": 100, "restarts": 5, "bounds": None, "generator": generator}
    found = attacks.pgd(model, points, labels, epsilon, **options)
    assert torch.equal(model(found).argmax(1) != labels, fooled)
    assert (loss(model, found, labels) >= 0.99 * tried.amax(0) - 0.01).all()
    one_step = attacks.fgsm(model, points, labels, epsilon, bounds=None)
    if norm == "linf":
        assert (loss(model, found, labels) >= loss(model, one_step, labels) - 0.02).all()
        assert (loss(model, found, labels) > loss(model, one_step, labels) + 0.02).any()


def test_one_step_without_a_random_start_is_fgsm():
    model, (images, labels) = convnet(), batch()
    one = attacks.pgd(model, images, labels, 0.03, steps=1, random_start=False)
    torch.testing.assert_close(one, attacks.fgsm(model, images, labels, 0.03))


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_more_steps_and_more_restarts_never_help_the_defender(norm):
    model, (images, labels) = convnet(), batch(16)
    epsilon = 0.05 if norm == "linf" else 0.5
    model.eval()

    def score(**options):
        generator = torch.Generator().manual_seed(5)
        found = attacks.pgd(
            model, images, labels, epsilon, norm=norm, step_size=epsilon / 4, generator=generator, **options
        )
        logits = model(found).detach()
        return (logits.argmax(1) != labels).long(), cross_entropy(logits, labels, reduction="none")

    for weak, strong in (({"steps": 2}, {"steps": 9}), ({"steps": 4}, {"steps": 4, "restarts": 4})):
        (weak_fooled, weak_loss), (fooled, high) = score(**weak), score(**strong)
        assert (fooled >= weak_fooled).all()
        assert (high[fooled == weak_fooled] >= weak_loss[fooled == weak_fooled] - 1e-5).all()
        assert (high - weak_loss).max() > 1e-4  # and they do help the attacker


# the promises: ball, box, dtype, memory format, batch


@few
@given(
    seed=st.integers(0, 10**6),
    epsilon=st.floats(0, 1),
    norm=st.sampled_from(["linf", "l2"]),
    dtype=st.sampled_from([torch.float32, torch.float64, torch.bfloat16, torch.float16]),
    targeted=st.booleans(),
    box=st.booleans(),
)
def test_results_stay_in_ball_and_box(seed, epsilon, norm, dtype, targeted, box):
    model = linear(4, 48, seed, dtype)
    images, labels = batch(4, (3, 4, 4), seed=seed, dtype=dtype)
    images[0].clamp_(0, 0).add_(1)  # on the face of the box
    bounds = (0.0, 1.0) if box else None
    rounding = torch.finfo(dtype).eps
    found = [attacks.pgd(model, images, labels, epsilon, norm=norm, steps=3, targeted=targeted, bounds=bounds)]
    if norm == "linf":
        found += [attacks.fgsm(model, images, labels, epsilon, targeted=targeted, bounds=bounds)]
        found += [attacks.random_signs(model, images, labels, epsilon, bounds=bounds)]
    for adversarial in found:
        assert adversarial.dtype == dtype and adversarial.shape == images.shape
        change = (adversarial.double() - images.double()).flatten(1)
        if norm == "linf":
            # x + ε is rounded once: half a unit in the last place of a number below 2, and ε itself once more
            assert change.abs().max() <= epsilon + 1.5 * rounding
        else:
            assert change.norm(dim=1).max() <= epsilon + 8 * 48**0.5 * rounding
        if box:
            assert adversarial.min() >= 0 and adversarial.max() <= 1


def test_the_change_of_fgsm_is_epsilon_wherever_there_is_a_gradient():
    model, (images, labels) = convnet(), batch()
    gradient = attacks.loss_gradient(model, images, labels)
    change = attacks.fgsm(model, images, labels, 0.1, bounds=None) - images
    torch.testing.assert_close(change, 0.1 * gradient.sign(), atol=1e-6, rtol=0)
    assert (gradient != 0).float().mean() > 0.9


@pytest.mark.parametrize("attack", [attacks.fgsm, attacks.pgd, attacks.random_signs])
def test_memory_format_is_kept(attack):
    model, (images, labels) = convnet().to(memory_format=torch.channels_last), batch()
    plain = attack(model, images, labels, 0.03)
    last = attack(model, images.to(memory_format=torch.channels_last), labels, 0.03)
    assert plain.is_contiguous() and last.is_contiguous(memory_format=torch.channels_last)
    assert (plain - last).abs().max() <= 0.06 + 1e-6 and ((plain - last).abs() > 1e-5).float().mean() < 0.02


@pytest.mark.parametrize("attack", [attacks.fgsm, attacks.pgd, attacks.loss_gradient])
def test_chunks_and_single_images_give_what_the_batch_gives(attack):
    model, (images, labels) = convnet(dtype=torch.float64), batch(dtype=torch.float64)
    arguments = () if attack is attacks.loss_gradient else (0.03,)
    whole = attack(model, images, labels, *arguments)
    torch.testing.assert_close(attack(model, images, labels, *arguments, chunk_size=2), whole)
    if attack is not attacks.pgd:  # whose random start depends on the size of the batch
        one_by_one = [attack(model, images[i : i + 1], labels[i : i + 1], *arguments) for i in range(len(images))]
        torch.testing.assert_close(torch.cat(one_by_one), whole)


def test_an_empty_batch_comes_back_empty():
    images, labels = batch(0)
    assert attacks.fgsm(convnet(), images, labels, 0.1).shape == images.shape
    assert attacks.pgd(convnet(), images, labels, 0.1).shape == images.shape


def test_attacks_work_inside_no_grad_and_inference_mode():
    model, (images, labels) = convnet(), batch()
    expected = attacks.fgsm(model, images, labels, 0.03)
    for context in (torch.no_grad(), torch.inference_mode()):
        with context:
            torch.testing.assert_close(attacks.fgsm(model, images + 0, labels + 0, 0.03), expected)
            assert attacks.pgd(model, images + 0, labels + 0, 0.03, steps=2).shape == images.shape


def test_random_starts_follow_generator_and_seed():
    model, (images, labels) = convnet(), batch()

    def run(generator=None):
        return attacks.pgd(model, images, labels, 0.03, steps=1, step_size=1e-4, generator=generator)

    assert torch.equal(run(torch.Generator().manual_seed(1)), run(torch.Generator().manual_seed(1)))
    assert not torch.equal(run(torch.Generator().manual_seed(1)), run(torch.Generator().manual_seed(2)))
    torch.manual_seed(7)
    first = run()
    torch.rand(5)
    assert torch.equal(run(), first)  # the seed counts, not what was drawn since
    torch.manual_seed(8)
    assert not torch.equal(run(), first)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_random_starts_are_uniform_in_the_ball(norm):
    images = torch.full((4000, 2), 0.5)
    flat = nn.Linear(2, 2)
    nn.init.zeros_(flat.weight)  # no gradient: the result is the start
    found = (
        attacks.pgd(flat, images, torch.zeros(4000, dtype=torch.int64), 0.4, norm=norm, steps=1, bounds=None) - images
    )
    if norm == "linf":
        assert found.abs().max() > 0.39 and abs(found.abs().mean() - 0.2) < 0.005
    else:
        assert abs((found.norm(dim=1) < 0.4 / 2**0.5).float().mean() - 0.5) < 0.03  # half the disc's area
