"""Algorithm 1 against the paper's own form of it, sampling, attacks, closed forms and the exact answer."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from lecture13 import attacks
from lecture13.defenses import polytope
from lecture13.defenses.polytope import radii
from tests.defenses.polytope.nets import CONVOLUTIONS, algorithm_1, before_relus, convnet, mlp, pixels

few = settings(deadline=None, max_examples=15)
kinds = st.sampled_from(["linear", *CONVOLUTIONS])
METHODS = ["dual", "interval", "tighter", "mixed"]


def build(kind, seed, dtype=torch.float64, scale=2.0):
    return mlp(seed, dtype=dtype, scale=scale) if kind == "linear" else convnet(kind, seed, dtype, scale)


def inside(found, values, slack=0.0):
    for (lower, upper), value in zip(found, values, strict=True):
        assert lower.shape == value.shape[-lower.ndim :]
        assert (value >= lower - slack).all() and (value <= upper + slack).all()


@few
@given(kinds, st.integers(0, 10**6), st.floats(0, 0.4))
def test_equals_the_papers_algorithm(kind, seed, epsilon):
    network = build(kind, seed)
    images, labels = pixels(network, seed=seed)
    found = polytope.bounds(network, images, epsilon)
    plain = polytope.bounds(network, images, epsilon, rounded=False)
    margins = polytope.margins(network, images, labels, epsilon)
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        expected = algorithm_1(network, image, epsilon)
        for (lower, upper), (low, high), (low_, high_) in zip(expected, found, plain, strict=True):
            torch.testing.assert_close(low[number].flatten(), lower, atol=1e-9, rtol=1e-9)
            torch.testing.assert_close(high[number].flatten(), upper, atol=1e-9, rtol=1e-9)
            assert (low <= low_).all() and (high >= high_).all()
        # a last layer that gives the differences has the margins as its bounds
        classes = len(expected[-1][0])
        difference = nn.Linear(classes, classes, bias=False, dtype=torch.float64)
        with torch.no_grad():
            difference.weight.copy_(torch.eye(classes)[label] - torch.eye(classes))
        lower, _ = algorithm_1(nn.Sequential(network, difference), image, epsilon)[-1]
        torch.testing.assert_close(margins[number], lower, atol=1e-9, rtol=1e-9)
        assert margins[number, label] == 0


@few
@given(kinds, st.integers(0, 10**6), st.floats(0, 0.4), st.sampled_from(METHODS), st.booleans(), st.booleans())
def test_contains_sampled_and_attacked_points(kind, seed, epsilon, method, box, single):
    network = build(kind, seed, torch.float32 if single else torch.float64)
    images, labels = pixels(network, seed=seed)
    limits = (0.0, 1.0) if box else None
    found = polytope.bounds(network, images, epsilon, method=method, box=limits)
    margins = polytope.margins(network, images, labels, epsilon, method=method, box=limits)
    generator = torch.Generator().manual_seed(seed)
    corners = torch.randint(0, 2, (100, *images.shape), generator=generator) * 2.0 - 1
    noise = torch.cat([corners, torch.rand(100, *images.shape, generator=generator) * 2 - 1]).to(images)
    tried = images + epsilon * noise
    tried = list(tried.clamp(0, 1) if box else tried)
    for norm_steps, targets in ((1, labels), (20, labels), (20, (labels + 1) % 3)):
        targeted = targets is not labels
        tried.append(
            attacks.pgd(
                network,
                images,
                targets,
                epsilon,
                steps=norm_steps,
                targeted=targeted,
                bounds=limits,
                generator=generator,
            )
        )
    for points in tried:
        values = before_relus(network, points)
        inside(found, values)
        own = values[-1].gather(1, labels[:, None]) - values[-1]
        # the difference is rounded once more
        assert (own >= margins - 4 * torch.finfo(images.dtype).eps * values[-1].abs().amax()).all()


@few
@given(st.integers(0, 10**6), st.floats(0, 1), st.floats(0.3, 3))
def test_is_the_closed_form_with_one_hidden_layer(seed, epsilon, scale):
    network = mlp(seed, (5, 7, 3), scale=scale)
    images, _ = pixels(network, seed=seed)
    (w, b), (v, c) = ((layer.weight.detach(), layer.bias.detach()) for layer in (network[0], network[2]))
    middle, radius = images @ w.T + b, epsilon * w.abs().sum(1)
    l, u = middle - radius, middle + radius  # noqa: E741
    unstable = (l < 0) & (u > 0)
    d = torch.where(unstable, u / (u - l), (l >= 0).double())
    nu = v[None] * d[:, None]  # (N, K, hidden)
    centre = (nu * middle[:, None]).sum(2) + c
    spread = epsilon * torch.einsum("nkh,hi->nki", nu, w).abs().sum(2)
    low = centre - spread + (torch.where(unstable, l, 0.0)[:, None] * (-nu).clamp(min=0)).sum(2)
    high = centre + spread - (torch.where(unstable, l, 0.0)[:, None] * nu.clamp(min=0)).sum(2)
    for found, expected in zip(polytope.bounds(network, images, epsilon), ((l, u), (low, high)), strict=True):
        torch.testing.assert_close(found, expected, atol=1e-10, rtol=1e-10)


@pytest.mark.parametrize("kind", ["linear", *CONVOLUTIONS])
@pytest.mark.parametrize("method", METHODS)
def test_without_a_ball_bounds_are_the_logits(kind, method):
    network = build(kind, 1)
    images, labels = pixels(network)
    inside(polytope.bounds(network, images, 0.0, method=method), before_relus(network, images))
    with torch.no_grad():
        logits = network(images)
    for each in polytope.bounds(network, images, 0.0, method=method)[-1]:
        torch.testing.assert_close(each, logits, atol=1e-10, rtol=1e-10)
    expected = logits.gather(1, labels[:, None]) - logits
    torch.testing.assert_close(polytope.margins(network, images, labels, 0.0, method=method), expected)


@few
@given(kinds, st.integers(0, 10**6), st.floats(0, 0.3))
def test_a_box_tightens_the_first_layer_and_interval_bounds_everywhere(kind, seed, epsilon):
    network = build(kind, seed)
    images, _ = pixels(network, seed=seed)
    free, boxed = (polytope.bounds(network, images, epsilon, box=box) for box in (None, (0, 1)))
    assert (boxed[0][0] >= free[0][0] - 1e-9).all() and (boxed[0][1] <= free[0][1] + 1e-9).all()
    free, boxed = (polytope.bounds(network, images, epsilon, box=box, method="interval") for box in (None, (0, 1)))
    for (low, high), (lower, upper) in zip(free, boxed, strict=True):
        assert (lower >= low - 1e-9).all() and (upper <= high + 1e-9).all()
    # the box alone is the input set where ε is 1
    whole = polytope.bounds(network, images, 1.0, box=(0, 1))
    for lower, upper in whole:
        torch.testing.assert_close(lower, lower[:1].expand_as(lower))
        torch.testing.assert_close(upper, upper[:1].expand_as(upper))


@few
@given(kinds, st.integers(0, 10**6), st.floats(0, 0.3))
def test_tighter_is_never_looser_than_intervals(kind, seed, epsilon):
    network = build(kind, seed)
    images, labels = pixels(network, seed=seed)
    both, interval = (polytope.bounds(network, images, epsilon, method=method) for method in ("tighter", "interval"))
    for (lower, upper), (low, high) in zip(both, interval, strict=True):
        assert (lower >= low - 1e-9).all() and (upper <= high + 1e-9).all()
    first, second = (polytope.margins(network, images, labels, epsilon, method=m) for m in ("tighter", "interval"))
    assert (first >= second - 1e-9).all()


def test_mixed_is_algorithm_1_between_interval_bounds():
    """With one hidden layer both have the same bounds before the ReLU; with more, interval bounds are looser there."""
    network = mlp(3, (5, 7, 3), scale=2.0)
    images, labels = pixels(network)
    mixed, dual = (polytope.margins(network, images, labels, 0.2, method=method) for method in ("mixed", "dual"))
    torch.testing.assert_close(mixed, dual, atol=1e-9, rtol=1e-9)
    network = mlp(3, scale=2.0)
    images, _ = pixels(network)
    found, interval = (polytope.bounds(network, images, 0.2, method=method) for method in ("mixed", "interval"))
    for one, two in zip(found[:-1], interval[:-1], strict=True):
        torch.testing.assert_close(one, two)
    assert not torch.allclose(found[-1][0], interval[-1][0])


def test_dual_and_interval_bounds_are_not_comparable():
    relu = nn.Sequential(nn.ReLU(), nn.Linear(1, 1, bias=False)).double()
    with torch.no_grad():
        relu[1].weight.fill_(1.0)
    zero = torch.zeros(1, 1, dtype=torch.float64)
    (dual, _), (interval, _) = (polytope.bounds(relu, zero, 1.0, method=m)[-1] for m in ("dual", "interval"))
    assert float(dual) == pytest.approx(-0.5) and float(interval) == pytest.approx(0.0, abs=1e-12)
    assert float(polytope.bounds(relu, zero, 1.0, method="tighter")[-1][0]) == pytest.approx(0.0, abs=1e-12)
    # and the other way round: x − x is 0
    difference = nn.Sequential(nn.Linear(1, 2), nn.ReLU(), nn.Linear(2, 1)).double()
    with torch.no_grad():
        for layer, weight, bias in ((difference[0], [[1.0], [1.0]], [5.0, 5.0]), (difference[2], [[1.0, -1.0]], [0.0])):
            layer.weight.copy_(torch.tensor(weight))
            layer.bias.copy_(torch.tensor(bias))
    (dual, _), (interval, _) = (polytope.bounds(difference, zero, 1.0, method=m)[-1] for m in ("dual", "interval"))
    assert float(dual) == pytest.approx(0.0, abs=1e-12) and float(interval) == pytest.approx(-2.0)


def test_the_bound_is_not_monotone_in_epsilon_but_the_exact_value_is():
    """relu(x) − .3·relu(x + 10) + 3 at x = −.5."""
    network = nn.Sequential(nn.Linear(1, 2), nn.ReLU(), nn.Linear(2, 1)).double()
    with torch.no_grad():
        network[0].weight.fill_(1.0)
        network[0].bias.copy_(torch.tensor([0.0, 10.0]))
        network[2].weight.copy_(torch.tensor([[1.0, -0.3]]))
        network[2].bias.fill_(3.0)
    point = torch.full((1, 1), -0.5, dtype=torch.float64)
    radii_ = torch.linspace(0, 2, 41).tolist()
    lower = [float(polytope.bounds(network, point, epsilon)[-1][0]) for epsilon in radii_]
    exact = [float(polytope.milp_bounds(network, point, epsilon)[-1][0]) for epsilon in radii_[::5]]
    assert max(later - sooner for sooner, later in itertools.pairwise(lower)) > 1e-3
    assert all(later <= sooner + 1e-7 for sooner, later in itertools.pairwise(exact))


def test_epsilon_for_each_image():
    for network in (mlp(0), convnet("strided")):
        images, labels = pixels(network, 4)
        each = torch.tensor([0.0, 0.05, 0.2, 0.1], dtype=torch.float64)
        joint = polytope.margins(network, images, labels, each)
        alone = [
            polytope.margins(network, images[i : i + 1], labels[i : i + 1], float(each[i])) for i in range(len(images))
        ]
        torch.testing.assert_close(joint, torch.cat(alone))


@pytest.mark.parametrize("kind", ["linear", *CONVOLUTIONS])
def test_chunks_and_small_batches_of_rows_change_nothing(kind, monkeypatch):
    network = build(kind, 3)
    images, labels = pixels(network, 5)
    margins, whole = polytope.margins(network, images, labels, 0.1), polytope.bounds(network, images, 0.1)
    monkeypatch.setitem(radii.BUDGET, "cpu", 100)
    torch.testing.assert_close(polytope.margins(network, images, labels, 0.1, chunk_size=2), margins)
    for found, expected in zip(polytope.bounds(network, images, 0.1, chunk_size=3), whole, strict=True):
        torch.testing.assert_close(found, expected)


def test_memory_format_and_layout_do_not_matter():
    network = convnet("pooled")
    images, labels = pixels(network)
    expected = polytope.margins(network, images, labels, 0.1)
    last = images.to(memory_format=torch.channels_last)
    torch.testing.assert_close(polytope.margins(network, last, labels, 0.1), expected)
    network.to(memory_format=torch.channels_last)
    torch.testing.assert_close(polytope.margins(network, images, labels, 0.1), expected)


@pytest.mark.parametrize("bias", [-100.0, 100.0])
def test_relus_that_are_all_off_or_all_on(bias):
    network = mlp(0)
    images, _ = pixels(network)
    with torch.no_grad():
        network[2].bias.fill_(bias)
    lower, upper = polytope.bounds(network, images, 0.1)[-1]
    if bias < 0:  # nothing gets through
        torch.testing.assert_close(lower, network[4].bias.detach().expand_as(lower))
        torch.testing.assert_close(upper, lower)
    else:  # one hidden layer is left: its closed form
        joint = nn.Linear(8, 4, dtype=torch.float64)
        with torch.no_grad():
            joint.weight.copy_(network[4].weight @ network[2].weight)
            joint.bias.copy_(network[4](network[2].bias))
        expected = polytope.bounds(nn.Sequential(network[0], network[1], joint), images, 0.1)[-1]
        torch.testing.assert_close((lower, upper), expected)


def test_networks_without_activations_and_other_corner_cases():
    images = torch.rand(3, 4, dtype=torch.float64)
    layer = nn.Linear(4, 3, dtype=torch.float64)
    radius = 0.2 * layer.weight.detach().abs().sum(1)
    for network in (layer, nn.Sequential(layer), nn.Sequential(nn.Flatten(), nn.Sequential(layer))):
        ((lower, upper),) = polytope.bounds(network, images, 0.2)
        torch.testing.assert_close(lower, layer(images).detach() - radius)
        torch.testing.assert_close(upper, layer(images).detach() + radius)
    # two maps without a ReLU between them are one
    deep = nn.Sequential(nn.Linear(4, 5), nn.Linear(5, 3)).double()
    with torch.no_grad():
        joint = nn.Linear(4, 3, dtype=torch.float64)
        joint.weight.copy_(deep[1].weight @ deep[0].weight)
        joint.bias.copy_(deep[1](deep[0].bias))
    torch.testing.assert_close(polytope.bounds(deep, images, 0.2), polytope.bounds(joint, images, 0.2))
    ((lower, upper),) = polytope.bounds(nn.Sequential(), images, 0.2)
    torch.testing.assert_close((lower, upper), (images - 0.2, images + 0.2))
    # a ReLU after a ReLU, a ReLU at the start, a ReLU at the end
    network = nn.Sequential(nn.ReLU(), layer, nn.ReLU(), nn.ReLU())
    found = polytope.bounds(network, images - 0.5, 0.2)
    assert len(found) == 4
    for _ in range(50):
        inside(found, before_relus(network, images - 0.5 + 0.4 * torch.rand_like(images) - 0.2))
