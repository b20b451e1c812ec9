"""Certificates and the loss against attacks and finite differences; every refusal."""

import subprocess
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.functional import cross_entropy
from torch.nn.utils import parametrizations

from lecture13 import attacks
from lecture13.defenses import polytope
from tests.defenses.polytope.nets import CONVOLUTIONS, convnet, mlp, pixels

few = settings(deadline=None, max_examples=10)
METHODS = ["dual", "interval", "tighter", "mixed"]


# certificates


@few
@given(st.sampled_from(["linear", *CONVOLUTIONS]), st.integers(0, 10**6), st.floats(0, 0.1), st.sampled_from(METHODS))
def test_no_attack_does_more_damage_than_the_robust_error(kind, seed, epsilon, method):
    network = mlp(seed) if kind == "linear" else convnet(kind, seed)
    images, _ = pixels(network, 30, seed)
    with torch.no_grad():
        logits = network(images)
    labels = logits.argmax(1)
    labels[::5] = (labels[::5] + 1) % 3  # and some that are wrong as they are
    bound = polytope.robust_error(network, images, labels, epsilon, method=method, batch_size=7)
    for options in ({"steps": 20}, {"steps": 1, "random_start": False}, {"steps": 40, "step_size": 0.01}):
        found = attacks.pgd(network, images, labels, epsilon, bounds=None, **options)
        with torch.no_grad():
            error = float((network(found).argmax(1) != labels).double().mean())
        assert error <= bound
    if epsilon < 0.01 and bool((logits.std(0) > 1e-3).all()):  # a dead net's logits are level, and certify nothing
        assert bound < 1
    assert 0.2 <= bound <= polytope.robust_error(network, images, labels, 5.0, method=method) == 1.0


def test_robust_error_counts_ties_and_takes_images_in_batches():
    network = nn.Linear(2, 2, bias=False)
    with torch.no_grad():
        network.weight.copy_(torch.eye(2))
    images, labels = torch.tensor([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]]), torch.tensor([0, 0, 0])
    assert polytope.robust_error(network, images, labels, 0.0) == pytest.approx(2 / 3)  # right, a tie, wrong
    assert polytope.robust_error(network, images, labels, 0.49) == pytest.approx(2 / 3)
    assert polytope.robust_error(network, images, labels, 0.51) == 1.0
    each = torch.tensor([0.49, 0.0, 0.0])
    assert polytope.robust_error(network, images, labels, each, batch_size=2) == pytest.approx(2 / 3)
    assert polytope.robust_error(network, images[:0], labels[:0], 0.1) != polytope.robust_error(
        network, images[:0], labels[:0], 0.1
    )  # NaN


def test_certified_asks_every_class_but_the_label():
    margins = torch.tensor([[0.0, 1.0, 2.0], [1.0, 0.0, 0.0], [-0.1, 3.0, 0.0]])
    assert polytope.certified(margins, torch.tensor([0, 1, 2])).tolist() == [True, False, False]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_memory_stays_flat():
    """On the paper's net, untrained, in a process of its own: batches of 20 images and of 200."""
    script = """
import torch
from pathlib import Path
from lecture13 import models
from lecture13.defenses import polytope
torch.set_num_threads(1)
torch.manual_seed(0)
net, images = models.small_convnet(), torch.rand(200, 1, 28, 28)
def peak():
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1])
net(images[:20])
before = peak()
for count in (20, 200):
    polytope.margins(net, images[:count], torch.zeros(count, dtype=torch.int64), 0.1)
    print((peak() - before) / 1000)
"""
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    few_images, many = (float(line) for line in told.split())
    assert few_images < 300 and many < 300  # MB


def test_two_classes_and_the_other_choice_of_c():
    """c = 2e_label − 1 is e_label − e_other for two classes; for three neither sign implies the other."""
    for logits, robust, slide in (([1.0, 2.0, -5.0], False, True), ([3.0, 2.0, 2.0], True, False)):
        network = nn.Linear(1, 3)
        with torch.no_grad():
            network.weight.zero_()
            network.bias.copy_(torch.tensor(logits))
        margins = polytope.margins(network, torch.zeros(1, 1), torch.tensor([0]), 0.1)
        assert bool((margins[0, 1:] > 0).all()) is robust
        assert (2 * logits[0] - sum(logits) > 0) is slide


# the loss


@pytest.mark.parametrize("kind", ["linear", "strided", "dilated", "pooled", "global", "deep"])
@pytest.mark.parametrize("method", METHODS)
def test_the_gradient_is_that_of_finite_differences(kind, method):
    network = mlp(2, scale=2.0) if kind == "linear" else convnet(kind, 2, scale=2.0)
    images, labels = pixels(network, 3)

    def loss():
        return polytope.robust_loss(network, images, labels, 0.05, method=method)

    loss().backward()
    torch.manual_seed(0)
    parameters = list(network.parameters())
    ways = [torch.randn_like(parameter) for parameter in parameters]
    slope = sum(float((way * parameter.grad).sum()) for way, parameter in zip(ways, parameters, strict=True))

    def at(step):
        with torch.no_grad():
            for parameter, way in zip(parameters, ways, strict=True):
                parameter.add_(way, alpha=step)
            value = float(loss())
            for parameter, way in zip(parameters, ways, strict=True):
                parameter.sub_(way, alpha=step)
        return value

    assert (at(1e-7) - at(-1e-7)) / 2e-7 == pytest.approx(slope, rel=1e-4, abs=1e-6)


@few
@given(st.integers(0, 10**6), st.floats(0, 0.2), st.sampled_from(METHODS))
def test_the_loss_is_above_that_of_any_attack(seed, epsilon, method):
    network = mlp(seed)
    images, labels = pixels(network, 10, seed)
    loss = float(polytope.robust_loss(network, images, labels, epsilon, method=method))
    found = attacks.pgd(network, images, labels, epsilon, bounds=None)
    assert loss >= float(cross_entropy(network(found), labels)) - 1e-9
    margins = polytope.margins(network, images, labels, epsilon, method=method, rounded=False)
    assert loss == pytest.approx(float(cross_entropy(-margins, labels)))
    if epsilon == 0:
        assert loss == pytest.approx(float(cross_entropy(network(images), labels)))


def test_training_lowers_the_bound():
    torch.manual_seed(0)
    network = mlp(0, (2, 20, 20, 2), dtype=torch.float32)
    points = torch.rand(60, 2) * 2 - 1
    points[:, 0] += 0.3 * points[:, 0].sign()
    labels = (points[:, 0] > 0).long()
    before = polytope.robust_error(network, points, labels, 0.15)
    optimizer = torch.optim.Adam(network.parameters(), 5e-3)
    for _ in range(120):
        optimizer.zero_grad()
        polytope.robust_loss(network, points, labels, 0.15).backward()
        optimizer.step()
    assert polytope.robust_error(network, points, labels, 0.15) == 0.0 < before


def test_frozen_weights_get_no_gradient_and_the_loss_works_without_grad():
    network = mlp(0)
    images, labels = pixels(network)
    network[0].weight.requires_grad_(False)
    polytope.robust_loss(network, images, labels, 0.1).backward()
    assert network[0].weight.grad is None and network[2].weight.grad is not None
    with torch.no_grad():
        assert not polytope.robust_loss(network, images, labels, 0.1).requires_grad


# the promises


def test_the_network_is_left_as_it_was(unchanged):
    network = convnet("strided").train()
    images, labels = pixels(network)
    check = unchanged(network)
    polytope.bounds(network, images, 0.1)
    polytope.margins(network, images, labels, 0.1)
    polytope.robust_error(network, images, labels, 0.1)
    for context in (torch.no_grad(), torch.inference_mode()):
        with context:
            assert not polytope.margins(network, images + 0, labels, 0.1).requires_grad
    check()
    found = polytope.margins(network, images, labels, 0.1)
    assert not found.requires_grad and not polytope.bounds(network, images, 0.1)[0][0].requires_grad


def test_a_parametrised_layer_is_what_its_weight_says():
    network = mlp(0)
    images, labels = pixels(network)
    expected = polytope.margins(network, images, labels, 0.1)
    parametrizations.weight_norm(network[0])
    torch.testing.assert_close(polytope.margins(network, images, labels, 0.1), expected)


def test_an_empty_batch():
    network = convnet("strided")
    images, labels = pixels(network)
    assert polytope.margins(network, images[:0], labels[:0], 0.1).shape == (0, 3)
    whole, none = (polytope.bounds(network, each, 0.1) for each in (images, images[:0]))
    assert [each.shape[1:] for each, _ in whole] == [each.shape[1:] for each, _ in none]
    with pytest.raises(ValueError, match="no images to take the loss of"):
        polytope.robust_loss(network, images[:0], labels[:0], 0.1)


# refusals


class Odd(nn.Linear):
    def forward(self, x):
        return super().forward(x) ** 2


@pytest.mark.parametrize(
    ("layer", "name"),
    [
        (nn.BatchNorm2d(3), r"network\.1\.0 is a BatchNorm2d.*It knows Linear, Conv2d"),
        (nn.MaxPool2d(2), "MaxPool2d"),
        (nn.Sigmoid(), "Sigmoid"),
        (nn.Dropout(), "Dropout"),
        (nn.LeakyReLU(), "LeakyReLU"),
        (nn.Conv2d(3, 3, 3, padding=1, padding_mode="reflect"), "padding_mode='reflect'"),
        (nn.Flatten(0), "start_dim"),
        (Odd(9, 9), "Odd"),
    ],
)
def test_a_layer_that_is_not_supported_is_named(layer, name):
    network = nn.Sequential(nn.Conv2d(2, 3, 3), nn.Sequential(layer, nn.Flatten()), nn.LazyLinear(3))
    for call in (
        lambda: polytope.bounds(network, torch.zeros(1, 2, 8, 9), 0.1),
        lambda: polytope.robust_loss(network, torch.zeros(1, 2, 8, 9), torch.tensor([0]), 0.1),
    ):
        with pytest.raises(TypeError, match=name):
            call()


def test_what_is_no_network_and_hooks_are_refused():
    with pytest.raises(TypeError, match="network is a function"):
        polytope.bounds(lambda x: x, torch.zeros(1, 2), 0.1)
    with pytest.raises(TypeError, match="network is a function"):
        polytope.robust_error(lambda x: x, torch.zeros(1, 2), torch.tensor([0]), 0.1)
    network = mlp(0)
    network[2].register_forward_hook(lambda module, taken, given: 2 * given)
    with pytest.raises(TypeError, match=r"network\.2, a Linear, has forward hooks"):
        polytope.bounds(network, pixels(mlp(0))[0], 0.1)


@pytest.mark.parametrize(
    ("epsilon", "kind", "message"),
    [
        (-0.1, ValueError, "epsilon=-0.1"),
        (float("nan"), ValueError, "epsilon=nan"),
        (float("inf"), ValueError, "epsilon=inf"),
        ("0.1", TypeError, "epsilon='0.1'"),
        (torch.tensor([0.1, -0.2, 0.1]), ValueError, "epsilon holds -0.2"),
        (torch.tensor([0.1, float("nan"), 0.1]), ValueError, "epsilon holds nan"),
        (torch.tensor([0.1, 0.2]), ValueError, r"epsilon has shape \(2,\)"),
    ],
)
def test_bad_epsilons(epsilon, kind, message):
    network = mlp(0)
    images, labels = pixels(network)
    for call in (polytope.margins, polytope.robust_error, polytope.robust_loss):
        with pytest.raises(kind, match=message):
            call(network, images, labels, epsilon)
    with pytest.raises(kind, match=message):
        polytope.bounds(network, images, epsilon)


def test_bad_labels_images_and_options():
    network = mlp(0)
    images, labels = pixels(network)
    for call in (polytope.margins, polytope.robust_error, polytope.robust_loss):
        with pytest.raises(ValueError, match="label 4 is out of range: the network has 4 classes"):
            call(network, images, labels.clamp(max=0) + 4, 0.1)
        with pytest.raises(ValueError, match="label -1 is negative"):
            call(network, images, labels * 0 - 1, 0.1)
        with pytest.raises(TypeError, match=r"labels are torch\.int32"):
            call(network, images, labels.int(), 0.1)
        with pytest.raises(ValueError, match="unknown method 'crown'"):
            call(network, images, labels, 0.1, method="crown")
        with pytest.raises(ValueError, match=r"outside bounds=\(0, 1\)"):
            call(network, images + 1, labels, 0.1, box=(0, 1))
        with pytest.raises(ValueError, match="NaN or infinite"):
            call(network, images * float("nan"), labels, 0.1)
        with pytest.raises(ValueError, match=r"network\.0, .* does not take inputs of shape \(5,\)"):
            call(network, images[:, :5], labels, 0.1)
    with pytest.raises(ValueError, match=r"expected logits \(N, K\) with K ≥ 2"):
        polytope.margins(nn.Sequential(network, nn.Linear(4, 1)).double(), images, labels, 0.1)
    with pytest.raises(ValueError, match="chunk_size=0"):
        polytope.bounds(network, images, 0.1, chunk_size=0)
    with torch.no_grad():
        network[2].weight[0, 0] = torch.nan
    with pytest.raises(ValueError, match=r"network\.2.*NaN"):
        polytope.bounds(network, images, 0.1)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_refused(dtype):
    network = mlp(0, dtype=torch.float32)
    images, labels = pixels(network)
    with pytest.raises(TypeError, match="half precision is too coarse"):
        polytope.margins(network.to(dtype), images.to(dtype), labels, 0.1)
    with pytest.raises(TypeError, match="half precision is too coarse"):
        polytope.bounds(network, images, 0.1)
    with pytest.raises(TypeError, match=r"network\.0\.weight is torch.float32"):
        polytope.bounds(network.float(), images.double(), 0.1)
