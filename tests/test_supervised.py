import math

import pytest
import torch
from torch import nn

from lecture13 import models
from lecture13.processes import start
from lecture13.supervised import cosine, supervised
from lecture13.training import batch_indices, fit, moving_average


def tiny(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 3))


@pytest.mark.parametrize("pixels", [False, True])
def test_the_step_is_the_loop_that_one_would_write(pixels):
    torch.manual_seed(1)
    images = torch.rand(20, 3, 8, 8)
    labels = torch.randint(4, (20, 8, 8) if pixels else (20,)).to(torch.uint8)

    def net():
        torch.manual_seed(2)
        if pixels:
            return models.segmenter(classes=4, widths=(4, 4, 4, 4))
        return models.scene_classifier(classes=4, widths=(4, 4, 4, 4, 4))

    ours, theirs = net(), net()
    optimizer = torch.optim.Adam(ours.parameters(), lr=0.01)
    history = fit(supervised(ours, optimizer, images, labels, batch_size=6, seed=4), {"model": ours}, steps=5, seed=4)

    optimizer = torch.optim.Adam(theirs.parameters(), lr=0.01)
    theirs.train()
    for step in range(5):
        chosen = batch_indices(20, 6, step, 4)
        logits, target = theirs(images[chosen]), labels[chosen].long()
        loss = -logits.log_softmax(1).gather(1, target.unsqueeze(1)).mean()  # cross-entropy by its definition
        assert history["loss"][step] == pytest.approx(loss.item(), rel=1e-4)
        assert history["accuracy"][step] == pytest.approx((logits.argmax(1) == target).double().mean().item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-4)


def test_augmentation_sees_the_batch_and_its_own_chance():
    model, seen = tiny(), []

    def augment(images, labels, generator):
        seen.append((images.shape, labels.tolist(), torch.rand((), generator=generator).item()))
        return images, (labels + 1) % 3

    images, labels = torch.rand(6, 1, 4, 4), torch.tensor([0, 0, 0, 0, 0, 0])
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    fit(supervised(model, optimizer, images, labels, batch_size=2, augment=augment), {}, steps=60)
    assert all(shape == (2, 1, 4, 4) and old == [0, 0] for shape, old, _ in seen)
    assert len({chance for *_, chance in seen}) == 60
    assert (model(images).argmax(1) == 1).all()  # it learned the labels that the augmentation gave


def test_the_learning_rate_is_set_before_each_step():
    model = tiny()
    optimizer = torch.optim.SGD(model.parameters(), lr=123.0)
    rates = []

    def rate(index):
        rates.append(index)
        return 0.5 if index < 2 else 0.0

    step = supervised(model, optimizer, torch.rand(6, 1, 4, 4), torch.arange(6) % 3, batch_size=3, learning_rate=rate)
    weights = []
    fit(lambda *where: step(*where) | {"norm": weights.append(model[1].weight.clone()) or 0.0}, {}, steps=4)
    assert rates == [0, 1, 2, 3]
    assert not torch.equal(weights[0], weights[1]) and torch.equal(weights[1], weights[3])


def test_the_average_follows_the_model():
    model = tiny()
    average = moving_average(model, 0.0)  # no memory: the model itself
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    images, labels = torch.rand(6, 1, 4, 4), torch.arange(6) % 3
    fit(supervised(model, optimizer, images, labels, batch_size=3, average=average), {}, steps=3)
    assert torch.equal(average.module[1].weight, model[1].weight)
    assert not torch.equal(model[1].weight, tiny()[1].weight)


def test_bf16_on_the_cpu_learns_too():
    fabric = start("cpu", "bf16-mixed")
    model = tiny()
    model, optimizer = fabric.setup(model, torch.optim.Adam(model.parameters(), lr=0.1))
    images, labels = torch.eye(16)[:6].view(6, 1, 4, 4), torch.arange(6) % 3
    step = supervised(model, optimizer, images, labels, batch_size=6, fabric=fabric)
    history = fit(step, {"model": model, "optimizer": optimizer}, steps=40, fabric=fabric)
    assert history["loss"][-1] < 0.3 < 0.9 < history["loss"][0]


def test_cosine():
    rate = cosine(0.2, 110, warmup=10)
    assert [rate(0), rate(4), rate(9)] == pytest.approx([0.02, 0.1, 0.2])
    assert [rate(10), rate(60), rate(110)] == pytest.approx([0.2, 0.1, 0.0])
    assert rate(35) == pytest.approx(0.1 * (1 + math.cos(math.pi / 4)))
    assert all(rate(i) >= rate(i + 1) for i in range(10, 110))
