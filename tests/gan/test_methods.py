import re

import pytest
import torch
from torch import nn

from lecture13 import papers
from lecture13.gan import architectures, nets, objectives, samplers
from lecture13.gan.methods import FIGURE_2, FIGURE_3


@pytest.fixture(scope="module")
def data():
    return samplers.from_tensors(torch.rand(20, 3, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1)


def test_the_methods_are_the_papers():
    table = papers.table("wgan-gp-methods")
    assert list(FIGURE_2) == list(table.rows)
    for name, method in FIGURE_2.items():
        assert table.value(name, "critic steps") == method.critic_steps
        optimiser = method.rule()([nn.Parameter(torch.zeros(2))])
        wanted = table.value(name, "optimiser")
        assert type(optimiser).__name__.lower() == wanted.split(",")[0].lower()
        assert optimiser.defaults["lr"] == float(re.search(r"\de-\d", wanted)[0])
        if "β" in wanted:
            betas = tuple(map(float, re.search(r"\((.+), (.+)\)", wanted).groups()))
            assert optimiser.defaults["betas"] == betas


def test_rmsprop_is_tensorflows():
    """After one step from 0 at rate α, decay .9: −α·g / √(.1·g²) = −α / √.1."""
    weight = nn.Parameter(torch.tensor([3.0]))
    optimiser = FIGURE_2["LSGAN"].rule(2.0)([weight])
    weight.grad = torch.tensor([7.0])
    optimiser.step()
    assert weight.item() == pytest.approx(3 - 2e-4 / 0.1**0.5, abs=1e-6)


def test_figure_3_changes_what_the_paper_changes():
    clipping, rms, adam, _ = FIGURE_3.values()
    assert list(FIGURE_3) == ["weight clipping", "WGAN-GP (RMSProp)", "WGAN-GP (Adam)", "DCGAN"]
    assert clipping.rate == rms.rate == 5e-5 and adam.rate == 1e-4  # the same optimiser and rate, then Adam
    assert [method.norm for method in FIGURE_3.values()] == ["batch", None, None, None]
    parameters = [nn.Parameter(torch.zeros(1))]
    assert type(rms.rule()(parameters)) is type(clipping.rule()(parameters)) is torch.optim.RMSprop
    assert adam.rule()(parameters).defaults["betas"] == (0.5, 0.9)


@pytest.mark.parametrize("method", [*FIGURE_2.values(), *FIGURE_3.values()], ids=lambda method: method.name)
def test_every_method_trains(method, data):
    torch.manual_seed(0)
    G, D = architectures.build("tanh", norm=method.norm, size=8, width=4)
    before = [p.clone() for p in (*G.parameters(), *D.parameters())]
    history = method.train(G, D, data, nets.normal(128), steps=2, batch=4, seed=1)
    assert history.critic_loss.shape == (2,) and history.critic_loss.isfinite().all()
    changed = [not torch.equal(old, new) for old, new in zip(before, (*G.parameters(), *D.parameters()), strict=True)]
    assert sum(changed) > len(changed) / 2
    steps = {type(state["step"]) and int(state["step"]) for state in _states(method, D, data)}
    assert steps == {2 * method.critic_steps}


def _states(method, D, data):
    """The critic's optimiser after two iterations, kept by a rule that tells on it."""
    kept = []

    def rule(parameters):
        kept.append(method.optimiser(list(parameters), lr=method.rate))
        return kept[-1]

    G, D = architectures.build("tanh", norm=method.norm, size=8, width=4)
    method.box(G, D, data, nets.normal(128), steps=2, batch=4, rule=rule)
    mine = next(optimiser for optimiser in kept if optimiser.param_groups[0]["params"][0] is next(D.parameters()))
    return mine.state.values()


def test_clipping_clips(data):
    G, D = architectures.build("dcgan", norm="batch", size=8, width=4)
    FIGURE_2["WGAN"].train(G, D, data, nets.normal(128), steps=1, batch=4)
    assert max(p.abs().max() for p in D.parameters()) <= 0.01


def test_the_losses_are_the_methods():
    assert FIGURE_2["DCGAN"].box.keywords["objective"] is objectives.non_saturating
    assert FIGURE_2["LSGAN"].box.keywords["objective"] is objectives.least_squares
    assert FIGURE_2["WGAN-GP"].box.keywords == {"n_critic": 5, "penalty": 10.0}
    assert FIGURE_2["WGAN"].box.keywords == {"n_critic": 5, "clip": 0.01}


def test_a_penalised_critic_with_batch_norm_is_refused(data):
    G, D = architectures.build("dcgan", norm="batch", size=16, width=4)
    with pytest.raises(ValueError, match="batch norm"):
        FIGURE_2["WGAN-GP"].train(G, D, data, nets.normal(128), steps=1, batch=4)


@pytest.mark.parametrize("speed", [0, -1.0, float("nan")])
def test_a_speed_that_is_not_positive_is_refused(speed, data):
    G, D = architectures.build("dcgan", norm="layer", size=8, width=4)
    with pytest.raises(ValueError, match=r"speed=.*expected a factor above 0"):
        FIGURE_2["WGAN-GP"].train(G, D, data, nets.normal(128), steps=1, speed=speed)
