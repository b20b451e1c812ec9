"""Evaluation against counts by hand, closed forms and other libraries."""

import math
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from sklearn.metrics import zero_one_loss
from torch import nn

from lecture13 import attacks, evaluation


@pytest.fixture
def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(12, 3), nn.Dropout(0.5))


@pytest.fixture
def data(model):
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(50, 3, 2, 2, generator=generator)
    labels = model.eval()(images).argmax(1)
    labels[:10] = (labels[:10] + 1) % 3  # 10 of 50 are wrong
    model.train()
    return SimpleNamespace(images=images, labels=labels)


def test_error_counts_and_leaves_the_model_as_it_was(model, data):
    model[1].eval()
    assert evaluation.error(model, data) == 0.2
    assert evaluation.error(model, data, batch_size=7) == 0.2
    assert evaluation.error(model, data) == pytest.approx(
        zero_one_loss(data.labels, evaluation.predict(model, data.images)[0])
    )
    assert [module.training for module in model] == [True, False, True]
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_confidence_is_the_softmax_of_the_largest_logit(model, data):
    classes, confidence = evaluation.predict(model, data.images)
    expected = torch.softmax(model.eval()(data.images), 1).gather(1, classes[:, None])[:, 0]
    torch.testing.assert_close(confidence, expected.detach())


def test_an_attack_that_does_nothing_changes_nothing(model, data):
    result = evaluation.robustness(model, lambda model, images, labels: images, data, name="nothing")
    assert result.clean_error == result.adversarial_error and result.success.value == 0
    assert result.relative_l2.value == result.linf.value == result.rmsd.value == 0
    assert result.count == 50 and result.seconds >= 0


def test_sizes_of_a_perturbation_that_is_known(model, data):
    def brighter(model, images, labels):
        return images + 0.1

    result = evaluation.robustness(model, brighter, data, batch_size=16)
    norms = np.linalg.norm(data.images.double().flatten(1).numpy(), axis=1)
    assert result.relative_l2.value == pytest.approx(np.mean(0.1 * math.sqrt(12) / norms), rel=1e-5)
    assert result.linf.value == pytest.approx(0.1, rel=1e-5)
    assert result.rmsd.value == pytest.approx(25.5, rel=1e-5)
    assert result.relative_l2.low < result.relative_l2.value < result.relative_l2.high


def test_success_is_counted_over_the_images_that_were_right(model, data):
    def first_half(model, images, labels):
        """Fools everything with an even index, as the model sees the sign of the first value."""
        images = images.clone()
        images[::2] = 1 - images[::2]
        return images

    chosen = SimpleNamespace(images=data.images[10:], labels=data.labels[10:])
    flipped = evaluation.predict(model, first_half(model, data.images, None))[0] != data.labels
    result = evaluation.robustness(model, first_half, data)
    assert result.adversarial_error.value == pytest.approx(flipped.float().mean().item())
    assert result.success.value == pytest.approx(flipped[10:].float().mean().item())
    assert 0 < result.success.value < 1
    alone = evaluation.robustness(model, first_half, chosen)
    assert alone.success.value == alone.adversarial_error.value == result.success.value
    assert alone.clean_error.value == 0


def test_targets_go_to_the_attack_and_are_what_counts(model, data):
    targets = torch.full_like(data.labels, 2)
    attack = partial(attacks.pgd, epsilon=1.0, targeted=True, steps=20)
    result = evaluation.robustness(model, attack, data, targets=targets)
    adversarial = attack(model, data.images, targets)
    counted = (evaluation.predict(model, data.images)[0] == data.labels) & (data.labels != 2)
    became = evaluation.predict(model, adversarial)[0] == 2
    assert result.success.value == pytest.approx((became & counted).sum().item() / counted.sum().item())
    assert result.success.value > 0.5
    with pytest.raises(ValueError, match=r"labels have shape \(3,\)"):
        evaluation.robustness(model, attack, data, targets=targets[:3])


def test_a_set_with_nothing_right_has_no_success(model, data):
    wrong = SimpleNamespace(images=data.images[:10], labels=data.labels[:10])
    result = evaluation.robustness(model, partial(attacks.fgsm, epsilon=0.01), wrong)
    assert math.isnan(result.success.value) and "none to count" in str(result)


def test_black_images_are_left_out_of_the_relative_perturbation(model, data):
    data.images[0] = 0
    result = evaluation.robustness(model, lambda model, images, labels: images + 0.1, data)
    assert math.isfinite(result.relative_l2.value)


def test_attacks_without_labels_and_results_with_images_are_measured_too(model, data):
    deep = evaluation.robustness(model, partial(attacks.deepfool, overshoot=0.05), data, batch_size=20)
    assert deep.success.value == 1 and deep.name == "deepfool, overshoot=0.05"
    change = attacks.deepfool(model, data.images, overshoot=0.05) - data.images
    ratio = change.flatten(1).norm(dim=1) / data.images.flatten(1).norm(dim=1)
    assert deep.relative_l2.value == pytest.approx(ratio.mean().item(), rel=1e-5)
    assert deep.rmsd.value == pytest.approx(attacks.rmsd(data.images, data.images + change).mean().item(), rel=1e-5)
    moved = evaluation.robustness(model, partial(attacks.spatial, grid=(1, 1, 3)), data)
    found = attacks.spatial(model, data.images, data.labels, grid=(1, 1, 3)).images
    wrong = evaluation.predict(model, found)[0] != data.labels
    assert moved.adversarial_error.value == pytest.approx(wrong.double().mean().item())
    assert moved.adversarial_error.value >= moved.clean_error.value
    with pytest.raises(ValueError, match="nothing returned NoneType"):
        evaluation.robustness(model, lambda model, images: None, data, name="nothing")


def test_a_mistake_inside_an_attack_is_not_taken_for_another_signature(model, data):
    def broken(model, images, labels):
        raise TypeError("inside")

    with pytest.raises(TypeError, match="inside"):
        evaluation.robustness(model, broken, data)


def test_names_of_attacks(model, data):
    result = evaluation.robustness(model, partial(attacks.pgd, epsilon=8 / 255, steps=2), data)
    assert result.name == "pgd, epsilon=0.0314, steps=2"


def test_table_as_text_and_html(model, data):
    rows = [evaluation.robustness(model, partial(attacks.fgsm, epsilon=e), data, name=f"a|b <{e}>") for e in (0.0, 0.1)]
    table = evaluation.Table(rows, caption="smoke profile, cpu")
    lines = str(table).splitlines()
    assert len(lines) == 4 and len(set(map(len, lines))) == 1 and repr(table) == str(table)
    assert r"a\|b <0.0>" in lines[2] and "20.0 % [11.2, 33.0]" in lines[2]
    html = table._repr_html_()
    assert html.count("<tr>") == 3 and "a|b &lt;0.1&gt;" in html and "smoke profile, cpu" in html
    assert "ms per image" in html and "ms per image" not in evaluation.Table(rows, timed=False)._repr_html_()
    assert "20.0 %" in rows[0]._repr_html_()
    with pytest.raises(ValueError, match="no results"):
        evaluation.Table([])


def test_bad_data_and_bad_attacks_are_named(model, data):
    with pytest.raises(ValueError, match="no images"):
        evaluation.error(model, SimpleNamespace(images=data.images[:0], labels=data.labels[:0]))
    with pytest.raises(ValueError, match=r"labels have shape \(3,\)"):
        evaluation.error(model, SimpleNamespace(images=data.images, labels=data.labels[:3]))
    with pytest.raises(ValueError, match="NaN"):
        evaluation.error(model, SimpleNamespace(images=data.images * math.nan, labels=data.labels))
    with pytest.raises(ValueError, match="shape"):
        evaluation.error(nn.Identity(), data)
    with pytest.raises(ValueError, match=r"half returned shape \(25, 3, 2, 2\)"):
        evaluation.robustness(model, lambda model, images, labels: images[::2], data, name="half")
    with pytest.raises(ValueError, match="batch_size=0"):
        evaluation.error(model, data, batch_size=0)
    with torch.no_grad():
        model[1].weight.fill_(math.nan)
    with pytest.raises(ValueError, match="logits hold NaN"):
        evaluation.error(model, data)
