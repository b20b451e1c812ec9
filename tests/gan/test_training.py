import math
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from lecture13.gan import densities, nets, objectives, training

STILL = partial(torch.optim.SGD, lr=0.0)
TARGET = densities.line([-1.0, 2.0], [0.3, 0.5])


def pair(width=8):
    torch.manual_seed(0)
    return nets.mlp([1, width, 1], nn.Tanh), nets.Critic(1, (width,))


def weights(net):
    return torch.cat([parameter.detach().clone().flatten() for parameter in net.parameters()])


def play(G, D, *, data=None, prior=None, steps=5, seed=0, **options):
    draws = data or training.from_mixture(TARGET)
    return training.algorithm_1(G, D, draws, prior or nets.normal(1), steps=steps, batch=16, seed=seed, **options)


class Spy(nn.Module):
    """Remembers what the net inside was given."""

    def __init__(self, net):
        super().__init__()
        self.net, self.given = net, []

    def forward(self, *inputs):
        self.given.append([part.detach().clone() for part in inputs])
        return self.net(*inputs)


@pytest.mark.parametrize("objective", [objectives.minimax, objectives.non_saturating], ids=lambda o: o.name)
def test_two_iterations_by_hand(objective):
    """The box, written once more with NumPy's chain rule: an affine generator, a linear critic, momentum."""
    G, D = nn.Linear(1, 1), nets.Critic(1, ())
    a, b = G.weight.item(), G.bias.item()
    w, c = D.layers[0].weight.item(), D.layers[0].bias.item()
    rng = np.random.default_rng(0)
    z, x = iter(rng.normal(size=(6, 4, 1))), iter(rng.normal(size=(6, 4, 1)) + 2)
    zs, xs = list(z), list(x)
    tensors = [iter([torch.tensor(part).float() for part in parts]) for parts in (zs, xs)]
    training.algorithm_1(
        G, D, lambda number, count, generator: (next(tensors[1]),), lambda count, generator: next(tensors[0]),
        steps=2, k=2, batch=4, objective=objective, rule=partial(torch.optim.SGD, lr=0.1, momentum=0.5),
    )  # fmt: skip

    def sigmoid(logit):
        return 1 / (1 + np.exp(-logit))

    z, x, speed = iter(zs), iter(xs), np.zeros(4)
    for _ in range(2):
        for _ in range(2):
            noise, real = next(z), next(x)
            fake = a * noise + b
            up, down = 1 - sigmoid(w * real + c), -sigmoid(w * fake + c)  # dV/d logit
            ascent = [(up * real).mean() + (down * fake).mean(), up.mean() + down.mean()]
            speed[:2] = 0.5 * speed[:2] - ascent
            w, c = np.array([w, c]) - 0.1 * speed[:2]
        noise = next(z)
        slope = sigmoid(w * (a * noise + b) + c)
        slope = -slope if objective is objectives.minimax else slope - 1
        descent = [(slope * w * noise).mean(), (slope * w).mean()]
        speed[2:] = 0.5 * speed[2:] + descent
        a, b = np.array([a, b]) - 0.1 * speed[2:]
    np.testing.assert_allclose([G.weight.item(), G.bias.item()], [a, b], rtol=1e-4)
    np.testing.assert_allclose([D.layers[0].weight.item(), D.layers[0].bias.item()], [w, c], rtol=1e-4)


def test_noise_is_never_used_twice():
    G, D = pair()
    spy = Spy(G)
    play(spy, D, steps=3, k=2)
    seen = torch.stack([z for (z,) in spy.given])
    assert len(seen) == 3 * (2 + 1)
    assert seen.flatten().unique().numel() == seen.numel()


def test_each_step_moves_its_own_net_alone():
    for rules, moved in ((("rule", "generator_rule"), 1), (("generator_rule", "rule"), 0)):
        G, D = pair()
        before = weights(G), weights(D)
        play(G, D, **dict(zip(rules, (training.momentum, STILL), strict=True)))
        changes = [not torch.equal(old, weights(net)) for old, net in zip(before, (G, D), strict=True)]
        assert changes == [moved == 0, moved == 1]


def test_no_gradient_leaks_into_the_other_net():
    """The critic's loss does not reach G; the generator's goes through D and leaves nothing there."""
    left = {}

    class Watch(torch.optim.SGD):
        def __init__(self, parameters, name):
            super().__init__(parameters, lr=0.01)
            self.name = name

        def step(self, closure=None):
            left.setdefault(self.name, []).append([[p.grad is not None for p in net.parameters()] for net in (G, D)])
            super().step()
            for parameter in (*G.parameters(), *D.parameters()):
                parameter.grad = None

    G, D = pair()
    play(G, D, k=2, rule=partial(Watch, name="D"), generator_rule=partial(Watch, name="G"))
    assert all(not any(of_g) and all(of_d) for of_g, of_d in left["D"]) and len(left["D"]) == 10
    assert all(all(of_g) and not any(of_d) for of_g, of_d in left["G"]) and len(left["G"]) == 5


def test_generator_step_sees_the_critic_of_this_iteration():
    """D moves before G does: with a critic that starts at zero, G would not move if the order were reversed."""
    G, D = pair()
    nn.init.zeros_(D.layers[-1].weight), nn.init.zeros_(D.layers[-1].bias)
    before = weights(G)
    play(G, D, steps=1)
    assert not torch.equal(before, weights(G))


def test_k_counts_the_critics_updates():
    G, D = pair()
    spy = Spy(D)
    play(G, spy, steps=4, k=3)
    assert len(spy.given) == 4 * (3 * 2 + 1)  # real and generated in each critic step, generated in G's


def test_labels_reach_both_nets_and_are_drawn_afresh_for_the_generator():
    images, labels = torch.rand(50, 1, 3, 3), torch.arange(50) % 5
    torch.manual_seed(0)
    G = Spy(nets.ConditionalGenerator((1, 3, 3), classes=5, noise=4))
    D = Spy(nets.ConditionalCritic((1, 3, 3), classes=5))
    before = weights(G), weights(D)
    play(G, D, data=training.from_tensors(images, labels), prior=nets.normal(4), steps=1)
    (_, first), (_, second) = G.given
    (real, shown), (_, with_fake), (_, by_generator) = D.given
    assert torch.equal(first, with_fake) and torch.equal(second, by_generator) and not torch.equal(first, second)
    where = torch.cdist(real.flatten(1), images.flatten(1)).argmin(1)
    assert torch.equal(shown, labels[where])  # each image keeps its own label
    assert not torch.equal(before[0], weights(G)) and not torch.equal(before[1], weights(D))


def test_same_seed_same_numbers_and_global_chance_untouched():
    runs = []
    for _ in range(2):
        G, D = pair()
        state = torch.get_rng_state()
        history = play(G, D, seed=4)
        assert torch.equal(state, torch.get_rng_state())
        runs.append((history.critic_loss, history.generator_loss, weights(G)))
    assert all(torch.equal(one, other) for one, other in zip(*runs, strict=True))
    G, D = pair()
    assert not torch.equal(play(G, D, seed=5).critic_loss, runs[0][0])


def test_records_come_at_the_start_at_every_and_at_the_end():
    G, D = pair()
    history = play(G, D, steps=7, every=3, record=lambda step: (step, weights(G).sum().item()))
    assert [step for step, _ in history.records] == [0, 3, 6, 7]
    assert len({total for _, (_, total) in history.records}) == 4
    assert history.critic_loss.shape == history.generator_loss.shape == (7,)
    assert play(*pair(), steps=2).records == []


def test_losses_are_of_the_first_batches():
    G, D = pair()
    nn.init.zeros_(D.layers[-1].weight), nn.init.zeros_(D.layers[-1].bias)
    history = play(G, D, steps=1, rule=STILL)
    assert history.critic_loss.item() == pytest.approx(math.log(4))
    assert history.generator_loss.item() == pytest.approx(-math.log(2))


def test_the_trained_critic_is_the_closed_form():
    """Oracle D* = p/(p + q): two normals of equal width, whose best critic is linear in the logit."""
    G, D = nn.Linear(1, 1), nets.Critic(1, ())
    nn.init.ones_(G.weight), nn.init.constant_(G.bias, 1.5)
    play(G, D, data=training.from_mixture(densities.line([0.0], [1.0])), steps=40, k=10, generator_rule=STILL,
         rule=partial(torch.optim.SGD, lr=0.05, momentum=0.9))  # fmt: skip
    assert D.layers[0].weight.item() == pytest.approx(-1.5, abs=0.35)  # a*(x) = Δ²/2 − Δx
    assert D.layers[0].bias.item() == pytest.approx(1.5**2 / 2, abs=0.35)


def test_an_affine_generator_finds_a_normal():
    """Theorem 1: the divergence, exact all along, falls to zero."""
    G, D = nn.Linear(1, 1), nets.Critic(1, (16,))
    nn.init.ones_(G.weight), nn.init.constant_(G.bias, 2.0)
    edges = densities.bins(-6, 8, 280)
    target = densities.line([0.0], [1.0])
    p = target.log_prob(densities.centres(edges)[:, None]).exp()
    history = play(
        G, D, data=training.from_mixture(target), steps=300, k=3, objective=objectives.non_saturating, every=300,
        generator_rule=partial(torch.optim.SGD, lr=0.02, momentum=0.5),
        record=lambda step: densities.jensen_shannon(p, densities.pushforward(G, edges), edges.diff()),
    )  # fmt: skip
    (_, start), (_, end) = history.records
    assert start > 0.3
    assert end < 0.03


def test_batch_norm_and_dropout_nets_train():
    G = nn.Sequential(nn.Linear(1, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 1))
    D = nn.Sequential(nn.Linear(1, 8), nn.Dropout(0.3), nn.Linear(8, 1), nn.Flatten(0))
    assert play(G, D).critic_loss.isfinite().all()


@pytest.mark.parametrize("option", ["steps", "k", "batch", "every"])
def test_counts_below_one_are_refused(option):
    G, D = pair()
    counts = {"steps": 1, "k": 1, "batch": 4, "every": 1} | {option: 0}
    with pytest.raises(ValueError, match=rf"{option}.*=0; expected at least 1"):
        training.algorithm_1(G, D, training.from_mixture(TARGET), nets.normal(1), **counts)


def test_a_critic_that_gives_no_single_logit_is_refused():
    G, _ = pair()
    with pytest.raises(ValueError, match=r"shape \(16, 1\) for 16 samples"):
        play(G, nn.Linear(1, 1))


def test_divergence_stops_with_its_iteration():
    calls = []

    def prior(count, generator):
        calls.append(0)
        return torch.full(
            (count, 1), math.nan if len(calls) > 5 else 0.5
        )  # the critic's noise of iteration 3 is call 5

    with pytest.raises(FloatingPointError, match=r"generator is nan at step 2\. No checkpoint was written"):
        play(*pair(), prior=prior, steps=10)


def test_wgan_gp_by_hand():
    """Two iterations of Gulrajani et al.'s Algorithm 1 for an affine generator and critic, where ‖∇D‖ = |w|."""
    G, D = nn.Linear(1, 1), nets.Critic(1, ())
    a, b, w, c = (p.item() for p in (G.weight, G.bias, D.layers[0].weight, D.layers[0].bias))
    rng = np.random.default_rng(1)
    zs, xs = rng.normal(size=(6, 4, 1)), rng.normal(size=(4, 4, 1)) + 2
    z, x = (iter([torch.tensor(part).float() for part in parts]) for parts in (zs, xs))
    history = training.wgan_gp(
        G, D, lambda number, count, generator: (next(x),), lambda count, generator: next(z),
        steps=2, n_critic=2, batch=4, penalty=3.0, drift_weight=0.2, rule=partial(torch.optim.SGD, lr=0.1),
    )  # fmt: skip
    z, x = iter(zs), iter(xs)
    for iteration in range(2):
        for _ in range(2):
            noise, real = next(z), next(x)
            fake = a * noise + b
            logits = w * real + c
            distance, slope = w * (real.mean() - fake.mean()), (abs(w) - 1) ** 2
            loss = -distance + 3 * slope + 0.2 * (logits**2).mean()
            down_w = -(real.mean() - fake.mean()) + 6 * (abs(w) - 1) * np.sign(w) + 0.4 * (logits * real).mean()
            w, c = w - 0.1 * down_w, c - 0.1 * 0.4 * logits.mean()
        noise = next(z)
        told = {
            "critic": loss,
            "wasserstein": distance,
            "penalty": slope,
            "generator": -(w * (a * noise + b) + c).mean(),
        }
        for name, value in told.items():
            assert history.metrics[name][iteration].item() == pytest.approx(value, rel=1e-4), name
        a, b = a + 0.1 * w * noise.mean(), b + 0.1 * w
    found = [p.item() for p in (G.weight, G.bias, D.layers[0].weight, D.layers[0].bias)]
    np.testing.assert_allclose(found, [a, b, w, c], rtol=1e-4)


def test_wgan_by_hand():
    """Arjovsky et al.'s Algorithm 1: the step first, the clip after it."""
    G, D = nn.Linear(1, 1), nets.Critic(1, ())
    nn.init.constant_(D.layers[0].weight, 0.05)
    b = G.bias.item()
    noise, real = torch.ones(4, 1), torch.full((4, 1), 3.0)
    history = training.wgan(
        G, D, lambda *_: (real,), lambda *_: noise, steps=1, n_critic=1, batch=4, clip=0.25,
        rule=partial(torch.optim.SGD, lr=0.1),
    )  # fmt: skip
    gap = 3 - (G.weight.item() - 0.1 * 0.25 + b)  # G moved by lr·w, w = .25 after the clip
    assert D.layers[0].weight.item() == pytest.approx(0.25)
    assert abs(D.layers[0].bias.item()) <= 0.25
    assert history.metrics["wasserstein"].item() == pytest.approx(0.05 * gap, rel=1e-4)
    assert G.bias.item() == pytest.approx(b + 0.1 * 0.25, rel=1e-5)


@pytest.mark.parametrize("box", [training.wgan, training.wgan_gp], ids=lambda box: box.__name__)
def test_critics_steps_may_depend_on_the_iteration(box):
    seen = []

    def data(number, count, generator):
        seen.append(number)
        return (TARGET.sample(count, generator),)

    box(*pair(), data, nets.normal(1), steps=3, n_critic=lambda i: 4 if i == 0 else 2, batch=4)
    assert seen == list(range(8))  # no minibatch twice, none left out


def test_the_critics_estimate_finds_the_distance_of_two_normals():
    """Oracle: W₁ of two normals Δ = 2 apart is 2. The generator stands still."""
    D = nets.Critic(1, (32,))
    G = nn.Linear(1, 1)
    nn.init.ones_(G.weight), nn.init.constant_(G.bias, 2.0)
    data = training.from_mixture(densities.line([0.0], [1.0]))
    history = training.wgan_gp(
        G, _Rules(D), data, nets.normal(1), steps=60, n_critic=5, batch=256,
        rule=lambda parameters: torch.optim.Adam(parameters, lr=0.0 if parameters[0] is G.weight else 0.01),
    )  # fmt: skip
    assert history.metrics["wasserstein"][-20:].mean().item() == pytest.approx(2.0, abs=0.3)


class _Rules(nn.Module):
    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x):
        return self.net(x)


def test_batch_norm_in_a_penalised_critic_is_refused():
    D = nn.Sequential(nn.Linear(1, 8), nn.BatchNorm1d(8), nn.Linear(8, 1), nn.Flatten(0))
    data, prior = training.from_mixture(TARGET), nets.normal(1)
    with pytest.raises(ValueError, match="layer '1' is batch norm"):
        training.wgan_gp(pair()[0], D, data, prior, steps=1)
    with pytest.raises(ValueError, match="batch norm"):
        play(pair()[0], D, penalty=lambda D, x, fake: objectives.r1(D, x))
    training.wgan(pair()[0], D, data, prior, steps=1)  # its critic is not penalised


def test_a_penalty_is_added_to_the_critics_loss():
    G, D = pair()
    nn.init.zeros_(D.layers[-1].weight), nn.init.zeros_(D.layers[-1].bias)
    history = play(G, D, steps=1, rule=STILL, penalty=lambda D, x, fake: 5.0 + objectives.r1(D, x))
    assert history.critic_loss.item() == pytest.approx(math.log(4) + 5)  # the gradient of a constant critic is 0


def test_nonsense_weights_are_refused_before_anything_moves():
    G, D = pair()
    before = weights(D)
    for box, option in (("wgan", {"clip": 0.0}), ("wgan_gp", {"penalty": -1.0}), ("wgan_gp", {"penalty": math.nan})):
        with pytest.raises(ValueError, match=r"(clip|penalty)="):
            getattr(training, box)(G, D, training.from_mixture(TARGET), nets.normal(1), steps=1, **option)
    for option in ({"n_critic": lambda i: 0}, {"batch": lambda i: 0}):
        with pytest.raises(ValueError, match=r"iteration 0: .*expected at least 1 of each"):
            training.wgan(G, D, training.from_mixture(TARGET), nets.normal(1), steps=1, **option)
    assert torch.equal(before, weights(D))


def test_nets_learn_in_train_mode():
    G, D = pair()
    play(G.eval(), D.eval())
    assert G.training and D.training
