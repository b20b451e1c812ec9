"""What attacks leave as they found it, and what they say about bad input."""

import re

import pytest
import torch
from torch import nn

from lecture13 import attacks, guard

ATTACKS = [attacks.fgsm, attacks.pgd]


class Noisy(nn.Module):
    """Draws numbers, has parts in either mode and a frozen parameter."""

    def __init__(self, fail=False):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5), nn.Flatten(), nn.Linear(144, 5)
        )
        self.train()
        self.body[1].eval()
        self.body[4].bias.requires_grad_(False)
        self.fail = fail

    def forward(self, images):
        assert not any(module.training for module in self.modules())
        if self.fail:
            raise RuntimeError("half way")
        return self.body(images + 0.01 * torch.randn_like(images))


def batch(count=3):
    generator = torch.Generator().manual_seed(0)
    return torch.rand(count, 3, 8, 8, generator=generator), torch.randint(0, 5, (count,), generator=generator)


def fingerprint(model):
    return (
        [module.training for module in model.modules()],
        [(p.requires_grad, None if p.grad is None else p.grad.clone().tolist()) for p in model.parameters()],
        [buffer.tolist() for buffer in model.buffers()],
        [parameter.tolist() for parameter in model.parameters()],
        torch.get_rng_state().tolist(),
    )


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("fail", [False, True])
def test_model_and_random_state_are_left_as_found(attack, fail):
    torch.manual_seed(0)
    model, (images, labels) = Noisy(fail), batch()
    model.body[0].weight.grad = torch.ones_like(model.body[0].weight)
    images.requires_grad_()
    copy, before = images.detach().clone(), fingerprint(model)
    if fail:
        with pytest.raises(RuntimeError, match="half way"):
            attack(model, images, labels, 0.03)
    else:
        assert not attack(model, images, labels, 0.03).requires_grad
    assert fingerprint(model) == before
    assert torch.equal(images.detach(), copy) and images.grad is None


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
def test_cuda_results_stay_on_the_device_and_its_random_state_is_kept():
    model, (images, labels) = Noisy().cuda(), batch()
    before = torch.cuda.get_rng_state()
    for attack in ATTACKS:
        for generator in (None, torch.Generator().manual_seed(0)) if attack is attacks.pgd else (None,):
            options = {"generator": generator} if generator else {}
            assert attack(model, images.cuda(), labels.cuda(), 0.03, **options).is_cuda
    assert torch.equal(torch.cuda.get_rng_state(), before)


def test_any_function_will_do_for_a_model():
    model, (images, labels) = Noisy().eval(), batch()
    assert attacks.fgsm(lambda batch: model(batch), images, labels, 0.03).shape == images.shape


def nan_at(images, where):
    images = images.clone()
    images[where] = torch.nan
    return images


BAD = {
    "nan": (
        lambda x, y: (nan_at(x, (1, 2, 3, 4)), y, 0.1),
        ValueError,
        r"1 values that are NaN .* index \(1, 2, 3, 4\): nan",
    ),
    "inf": (lambda x, y: (x / 0, y, 0.1), ValueError, "NaN or infinite"),
    "too large": (lambda x, y: (255 * x, y, 0.1), ValueError, r"outside bounds=\(0, 1\)"),
    "negative": (lambda x, y: (x - 0.5, y, 0.1), ValueError, r"images lie in \[-0\.4"),
    "bytes": (lambda x, y: ((255 * x).byte(), y, 0.1), TypeError, r"torch\.uint8.*/ 255"),
    "no tensor": (lambda x, y: (x.numpy(), y, 0.1), TypeError, "ndarray"),
    "one image": (lambda x, y: (x[0], y[:1], 0.1), ValueError, r"\(3, 8, 8\).*image\[None\]"),
    "label type": (lambda x, y: (x, y.int(), 0.1), TypeError, r"torch\.int32"),
    "label list": (lambda x, y: (x, [0, 1, 2], 0.1), TypeError, "list"),
    "label shape": (lambda x, y: (x, y[:2], 0.1), ValueError, r"labels have shape \(2,\)"),
    "label too large": (lambda x, y: (x, y * 0 + 5, 0.1), ValueError, "label 5 is out of range: .* 5 classes"),
    "label negative": (lambda x, y: (x, y * 0 - 1, 0.1), ValueError, "label -1"),
    "epsilon negative": (lambda x, y: (x, y, -0.1), ValueError, r"epsilon=-0\.1"),
    "epsilon nan": (lambda x, y: (x, y, float("nan")), ValueError, "epsilon=nan"),
    "epsilon of bytes": (lambda x, y: (x, y, 8), ValueError, "write 8 / 255"),
    "epsilon text": (lambda x, y: (x, y, "8/255"), TypeError, "epsilon='8/255'"),
}


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_named(attack, case):
    make, error, message = BAD[case]
    with pytest.raises(error, match=message):
        attack(Noisy(), *make(*batch()))


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize(
    ("model", "message"),
    [
        (lambda images: images, r"shape \(3, 3, 8, 8\)"),
        (lambda images: images.flatten(1)[:2], r"shape \(2, 192\)"),
        (lambda images: images.flatten(1)[:, :1], r"shape \(3, 1\)"),
        (lambda images: (images.flatten(1),), "tuple"),
        (lambda images: images.flatten(1).detach(), "do not depend on the images"),
        (lambda images: images.flatten(1) * torch.nan, "NaN"),
    ],
)
def test_a_model_that_is_no_classifier_is_named(attack, model, message):
    with pytest.raises(ValueError, match=message):
        attack(model, *batch(), 0.1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"norm": "l1"}, "unknown norm 'l1'; choose one of 'linf', 'l2'"),
        ({"steps": 0}, "steps=0"),
        ({"restarts": 0}, "restarts=0"),
        ({"step_size": -1.0}, r"step_size=-1\.0"),
        ({"restarts": 2, "random_start": False}, "restarts=2 without a random start"),
        ({"chunk_size": 0}, "chunk_size=0"),
        ({"bounds": (1, 0)}, r"bounds=\(1, 0\)"),
        ({"bounds": 1.0}, r"bounds=1\.0"),
    ],
)
def test_bad_options_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        attacks.pgd(Noisy(), *batch(), 0.1, **options)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16])
def test_rounding_outside_the_box_is_no_error_and_is_moved_onto_it(dtype):
    eps = torch.finfo(dtype).eps
    images = torch.tensor([[-3 * eps, 1 + 2 * eps, 0.5]], dtype=dtype)
    inside = guard.check_images(images, (0.0, 1.0))
    assert inside.tolist() == [[0.0, 1.0, 0.5]]
    with pytest.raises(ValueError, match=re.escape("outside bounds=(0, 1)")):
        guard.check_images(images - 8 * eps, (0.0, 1.0))
    assert guard.check_images(torch.tensor([[-3e-8, 1.0]]), (0.0, 1.0)).min() == 0


def test_default_chunks_shrink_with_the_image():
    assert [part.stop - part.start for part in guard.chunks(torch.empty(300, 3, 32, 32), None)][:1] == [256]
    assert [part.stop - part.start for part in guard.chunks(torch.empty(20, 3, 224, 224), None)][:1] == [13]
