"""Training against the worst case: what each defence buys, and that a killed run ends where it would have ended."""

import copy
from functools import partial

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from lecture13 import attacks
from lecture13.checkpoints import CheckpointError
from lecture13.defenses import polytope
from lecture13.defenses import robust_training as training
from lecture13.processes import OneProcess


def points(count=200, seed=0):
    """Two classes in the quarters of a square, like a chessboard's, 0.16 apart."""
    generator = torch.Generator().manual_seed(seed)
    images = torch.rand(count, 2, generator=generator)
    side = images > 0.5
    return images + 0.08 * (2 * side.float() - 1), (side[:, 0] ^ side[:, 1]).long()


def net(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 2))


run = partial(training.train, epsilon=0.06, steps=150, learning_rate=1e-2, box=None)


def test_a_provable_net_has_the_smallest_bound():
    images, labels = points()
    bound, attacked = {}, {}
    for defence in training.DEFENCES:
        network = net()
        history = run(network, images, labels, defence=defence, attack_steps=5)
        assert len(history) == 150
        bound[defence] = polytope.robust_error(network, images, labels, 0.06)
        found = attacks.pgd(network, images, labels, 0.06, bounds=None)
        attacked[defence] = float((network(found).argmax(1) != labels).float().mean())
        assert attacked[defence] <= bound[defence]
    assert bound["provable"] < bound["plain"] and bound["provable"] < 0.1
    assert attacked["adversarial"] <= attacked["plain"] + 0.02


def test_the_ramp():
    epsilon = training.ramp(0.05, 0.1, 100)
    assert [epsilon(index) for index in (0, 50, 100, 1000)] == pytest.approx([0.05, 0.075, 0.1, 0.1])
    history = run(net(), *points(), defence="provable", steps=10)
    assert history["epsilon"] == pytest.approx([0.03 + 0.006 * min(index, 5) for index in range(10)])


def test_the_provable_step_is_a_step_of_adam_on_the_robust_loss():
    images, labels = points(50)
    network, other = net(), net()
    history = run(network, images, labels, defence="provable", steps=1)
    optimizer = torch.optim.Adam(other.parameters(), 1e-2)
    loss = polytope.robust_loss(other, images, labels, 0.03)
    loss.backward()
    optimizer.step()
    assert history["loss"] == pytest.approx([float(loss)])
    for one, two in zip(network.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(one, two)


def test_the_warm_up_mixes_interval_bounds_in():
    images, labels = points(50)
    loss = training.provable(training.ramp(0.1, 0.1, 1), warmup=10)
    generator = torch.Generator()
    for index, part in ((0, 0.0), (3, 0.3), (5, 0.5), (9, 0.5)):  # it rises over the first half
        value, report = loss(net(), images, labels, index, generator)
        hard = polytope.robust_loss(net(), images, labels, 0.2 * part, method="interval")
        expected = (1 - part) * cross_entropy(net()(images), labels) + part * hard
        assert float(value) == pytest.approx(float(expected)) and report["epsilon"] == pytest.approx(0.2 * part)
    value, _ = loss(net(), images, labels, 10, generator)
    assert float(value) == pytest.approx(float(polytope.robust_loss(net(), images, labels, 0.1)))
    loss = training.provable(training.ramp(0.1, 0.1, 1), warmup=10, mixed=5)
    for index, method in ((10, "mixed"), (14, "mixed"), (15, "dual")):
        value, _ = loss(net(), images, labels, index, generator)
        assert float(value) == pytest.approx(float(polytope.robust_loss(net(), images, labels, 0.1, method=method)))


def test_the_learning_rate_falls_to_zero_over_the_second_half(monkeypatch):
    rates, original = [], torch.optim.Adam.step

    def noted(self, *arguments, **keywords):
        rates.append(self.param_groups[0]["lr"])
        return original(self, *arguments, **keywords)

    monkeypatch.setattr(torch.optim.Adam, "step", noted)
    for falling, expected in ((True, [1, 1, 1, 0.75, 0.5, 0.25]), (False, [1] * 6)):
        rates.clear()
        run(net(), *points(), defence="plain", steps=6 if not falling else 8, falling=falling)
        assert rates[-6:] == pytest.approx([1e-2 * each for each in expected])


@pytest.mark.parametrize("defence", training.DEFENCES)
def test_a_killed_run_goes_on_as_if_nothing_had_happened(defence, tmp_path):
    images, labels = points()
    options = {"defence": defence, "steps": 12, "attack_steps": 2, "warmup": 4 if defence == "provable" else 0}
    whole, killed = net(), net()
    expected = run(whole, images, labels, **options)
    original = torch.optim.Adam.step

    def dies(self, *arguments, **keywords):
        dies.calls += 1
        if dies.calls > 7:
            raise KeyboardInterrupt
        return original(self, *arguments, **keywords)

    dies.calls = 0
    file = tmp_path / "run.ckpt"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.optim.Adam, "step", dies)
        with pytest.raises(KeyboardInterrupt):
            run(killed, images, labels, checkpoint=file, checkpoint_every=3, **options)
    fresh = net(1)
    history = run(fresh, images, labels, checkpoint=file, checkpoint_every=3, **options)
    assert history.metrics == expected.metrics
    for one, two in zip(whole.parameters(), fresh.parameters(), strict=True):
        assert torch.equal(one, two)
    with pytest.raises(CheckpointError):
        run(net(), images, labels, checkpoint=file, **{**options, "batch_size": 20})


def test_processes_average_their_gradients():
    class Half(OneProcess):
        """One of two processes, the other of which has the same data: half of the batch, and their mean gradient."""

        world_size = 2

        def all_reduce(self, values, reduce_op):
            assert reduce_op == "mean"
            return values

    images, labels = points(25)
    twice, plan = (torch.cat([images, images]), torch.cat([labels, labels])), training.provable(lambda index: 0.05)
    networks = [net(), net()]
    for network, fabric in zip(networks, (None, Half()), strict=True):
        optimizer = torch.optim.SGD(network.parameters(), 0.1)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(training, "batch_indices", lambda n, size, index, seed: torch.arange(50))
            training.step(plan, network, optimizer, *twice, fabric=fabric)(0, torch.Generator())
    for one, two in zip(*(network.parameters() for network in networks), strict=True):
        torch.testing.assert_close(one, two)


@pytest.mark.parametrize("shape", [(561,), (3, 32, 32)], ids=["HAR", "SVHN"])
def test_the_papers_other_nets_train_on_a_synthetic_batch(shape):
    torch.manual_seed(0)
    if shape == (561,):
        network, classes, epsilon = nn.Sequential(nn.Linear(561, 500), nn.ReLU(), nn.Linear(500, 6)), 6, 0.05
    else:
        layers = [nn.Conv2d(3, 16, 4, 2, 1), nn.ReLU(), nn.Conv2d(16, 32, 4, 2, 1), nn.ReLU(), nn.Flatten()]
        network = nn.Sequential(*layers, nn.Linear(2048, 100), nn.ReLU(), nn.Linear(100, 10))
        classes, epsilon = 10, 0.01
    images, labels = torch.rand(4, *shape), torch.randint(0, classes, (4,))
    before = float(polytope.robust_loss(network, images, labels, epsilon))
    training.train(
        network, images, labels, defence="provable", epsilon=epsilon, first_epsilon=epsilon, steps=3, batch_size=4
    )
    assert float(polytope.robust_loss(network, images, labels, epsilon)) < before


def test_bad_settings():
    network, (images, labels) = net(), points(20)
    before = copy.deepcopy(network.state_dict())
    for options, message in (
        (
            {"defence": "distillation"},
            "unknown defence 'distillation'; choose one of 'plain', 'adversarial'",
        ),
        ({"defence": "provable", "epsilon": -1.0}, "epsilon=-1.0"),
        ({"defence": "provable", "first_epsilon": float("nan")}, "first_epsilon=nan"),
        ({"defence": "provable", "warmup": 150}, "warmup=150"),
        ({"defence": "plain", "warmup": 5}, "warmup=5"),
        ({"defence": "provable", "warmup": 100, "mixed": 50}, "warmup=100, mixed=50"),
        ({"defence": "provable", "mixed": -1}, "mixed=-1"),
    ):
        with pytest.raises(ValueError, match=message):
            run(network, images, labels, **options)
    for name, values in network.state_dict().items():
        assert torch.equal(values, before[name])
    with pytest.raises(ValueError, match="steps=0"):
        training.ramp(0.1, 0.2, 0)
