import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import log_expit

from lecture13.gan import objectives

BOTH = (objectives.minimax, objectives.non_saturating)
LOGITS = st.lists(st.floats(-50, 50), min_size=1, max_size=8)


@settings(deadline=None, max_examples=50)
@given(LOGITS, LOGITS)
def test_losses_are_the_papers_formulas(real, fake):
    a, b = torch.tensor(real, dtype=torch.float64), torch.tensor(fake, dtype=torch.float64)
    value = log_expit(real).mean() + log_expit([-logit for logit in fake]).mean()  # log(1 − σ(a)) = log σ(−a)
    assert objectives.value(a, b).item() == pytest.approx(value, abs=1e-12)
    for objective in BOTH:
        assert objective.critic(a, b).item() == pytest.approx(-value, abs=1e-12)
    assert objectives.minimax.generator(b).item() == pytest.approx(log_expit([-x for x in fake]).mean(), abs=1e-12)
    assert objectives.non_saturating.generator(b).item() == pytest.approx(-log_expit(fake).mean(), abs=1e-12)


@pytest.mark.parametrize("objective", BOTH, ids=lambda o: o.name)
def test_gradients_agree_with_finite_differences(objective):
    real, fake = torch.tensor([-2.0, 0.3, 4.0], dtype=torch.float64), torch.tensor([1.0, -3.0], dtype=torch.float64)
    inputs = real.requires_grad_(), fake.requires_grad_()
    assert torch.autograd.gradcheck(objective.critic, inputs)
    assert torch.autograd.gradcheck(objective.generator, inputs[1:])


@pytest.mark.parametrize("objective", BOTH, ids=lambda o: o.name)
@pytest.mark.parametrize("logit", [-1e4, -104.0, 17.0, 1e4])
def test_sure_critics_give_finite_losses_and_gradients(objective, logit):
    a = torch.full((3,), logit, requires_grad=True)
    loss = objective.critic(a, a) + objective.generator(a)
    loss.backward()
    assert loss.isfinite()
    assert a.grad.isfinite().all()


def test_minimax_saturates_where_the_other_does_not():
    a = torch.tensor([-20.0], dtype=torch.float64)
    slopes = [torch.autograd.grad(o.generator(b), b)[0].item() for o in BOTH for b in [a.clone().requires_grad_()]]
    assert slopes[0] == pytest.approx(-1 / (1 + math.exp(20)), rel=1e-9)
    assert slopes[1] == pytest.approx(-1 / (1 + math.exp(-20)), rel=1e-9)


def test_optimum_of_the_docstrings():
    half = torch.zeros(5, requires_grad=True)  # D = 1/2 on real and generated samples that are alike
    for objective, loss in ((objectives.minimax, -math.log(2)), (objectives.non_saturating, math.log(2))):
        critic = objective.critic(half, half)
        assert critic.item() == pytest.approx(math.log(4)) == -objectives.EQUILIBRIUM
        assert objective.generator(half).item() == pytest.approx(loss)
        (slope,) = torch.autograd.grad(critic, half)
        assert slope.abs().max() < 1e-7  # the critic gains nothing by moving
