import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import log_expit
from scipy.stats import wasserstein_distance

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


def test_least_squares_optimum():
    """Mao et al. 2017, eq. 9: on three points with densities p and q, a* = p/(p + q) beats every other critic."""
    p, q = torch.tensor([[0.5, 0.3, 0.2], [0.1, 0.3, 0.6]], dtype=torch.float64)
    best = p / (p + q)

    def loss(a):  # samples in proportion to the densities
        real, fake = a.repeat_interleave((10 * p).round().long()), a.repeat_interleave((10 * q).round().long())
        return objectives.least_squares.critic(real, fake)

    a = best.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(loss(a), a)
    assert gradient.abs().max() < 1e-12
    for seed in range(20):
        other = best + torch.randn(3, generator=torch.Generator().manual_seed(seed)).double()
        assert loss(other) > loss(best)
    half = torch.full((4,), 0.5)
    assert objectives.least_squares.critic(half, half).item() == pytest.approx(1 / 4)
    assert objectives.least_squares.generator(half).item() == pytest.approx(1 / 8)


def test_wasserstein_optimum():
    """Kantorovich and Rubinstein on the line: no 1-Lipschitz critic says more than W₁, and a potential says W₁."""
    real, fake = torch.tensor([0.0, 1.0, 5.0]), torch.tensor([2.0, 3.0, 7.0])
    distance = wasserstein_distance(real.numpy(), fake.numpy())
    assert -objectives.wasserstein.critic(-real, -fake).item() == pytest.approx(distance)  # all mass moves right
    for seed in range(20):
        slope = torch.rand((), generator=torch.Generator().manual_seed(seed)) * 2 - 1
        assert -objectives.wasserstein.critic(slope * real, slope * fake).item() <= distance
    assert objectives.wasserstein.generator(fake).item() == pytest.approx(-4.0)
    assert objectives.wasserstein.critic(fake, fake).item() == 0


def smooth_critic(seed=0):
    torch.manual_seed(seed)
    return torch.nn.Sequential(
        torch.nn.Flatten(), torch.nn.Linear(12, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1), torch.nn.Flatten(0)
    ).double()


def batches(count=5):
    chance = torch.Generator().manual_seed(1)
    return (torch.randn(count, 3, 2, 2, generator=chance).double() for _ in range(2))


def test_gradient_norms_by_finite_differences():
    critic, (x, _) = smooth_critic(), batches()
    found = objectives.gradient_norms(critic, x)
    assert found.shape == (5,)
    with torch.no_grad():
        steps = 1e-6 * torch.eye(12).double().view(12, 3, 2, 2)
        for image, norm in zip(x, found, strict=True):
            slopes = (critic(image + steps) - critic(image - steps)) / 2e-6
            assert norm.item() == pytest.approx(slopes.norm().item(), rel=1e-6)


def test_the_penaltys_gradient_by_finite_differences():
    """The double backward pass, against differences of the penalty itself, in double precision."""
    critic, (x, _) = smooth_critic(), batches()
    penalty = objectives.slope_penalty(critic, x)
    gradients = torch.autograd.grad(penalty, list(critic.parameters()), allow_unused=True)
    for parameter, gradient in zip(critic.parameters(), gradients, strict=True):
        direction = torch.randn(parameter.shape, generator=torch.Generator().manual_seed(2)).double()
        with torch.no_grad():
            parameter += 1e-6 * direction
            up = objectives.slope_penalty(critic, x)
            parameter -= 2e-6 * direction
            down = objectives.slope_penalty(critic, x)
            parameter += 1e-6 * direction
        expected = 0.0 if gradient is None else (gradient * direction).sum().item()
        assert (up - down).item() / 2e-6 == pytest.approx(expected, rel=1e-5, abs=1e-8)


def test_r1_and_its_gradient_by_finite_differences():
    critic, (x, _) = smooth_critic(), batches()
    assert objectives.r1(critic, x).item() == pytest.approx(
        objectives.gradient_norms(critic, x).square().mean().item(), rel=1e-6
    )
    weight = critic[1].weight
    (gradient,) = torch.autograd.grad(objectives.r1(critic, x), weight)
    with torch.no_grad():
        weight[2, 3] += 1e-6
        up = objectives.r1(critic, x)
        weight[2, 3] -= 2e-6
        down = objectives.r1(critic, x)
    assert (up - down).item() / 2e-6 == pytest.approx(gradient[2, 3].item(), rel=1e-5)


@pytest.mark.parametrize("slope", [1.0, 2.5, 0.0])
def test_the_penalty_of_a_linear_critic(slope):
    """‖∇‖ is the length of w for every sample: the penalty is 0 for length 1, (‖w‖ − 1)² else, and 1 for a constant."""
    w = torch.ones(12).double() * slope / math.sqrt(12)
    x, fake = batches()
    assert objectives.gradient_penalty(lambda at: at.flatten(1) @ w, x, fake).item() == pytest.approx((slope - 1) ** 2)


def test_a_constant_critic_has_finite_gradients():
    critic = smooth_critic()
    torch.nn.init.zeros_(critic[3].weight)
    x, fake = batches()
    penalty = objectives.gradient_penalty(critic, x, fake) + objectives.r1(critic, x)
    gradients = torch.autograd.grad(penalty, list(critic.parameters()), allow_unused=True)
    assert all(g is None or g.isfinite().all() for g in gradients)


def test_every_sample_has_its_own_mixture():
    """One ε for a whole batch, or one norm over it, would give points on parallel ways or one number."""
    seen = []

    def critic(at):
        seen.append(at.detach())
        return at.flatten(1).sum(1)

    x, fake = torch.zeros(64, 3, 2, 2), torch.ones(64, 3, 2, 2)
    objectives.gradient_penalty(critic, x, fake, generator=torch.Generator().manual_seed(0))
    share = 1 - seen[0].flatten(1)
    assert torch.equal(share, share[:, :1].expand_as(share))  # one ε for all pixels of a sample
    assert share[:, 0].unique().numel() == 64  # and another for each sample
    assert share.min() > 0 and share.max() < 1 and abs(share.mean() - 0.5) < 0.15


def test_the_penalty_is_a_mean_over_samples_of_norms_over_all_pixels():
    w = torch.full((12,), 0.5)  # length √3
    x, fake = torch.randn(6, 3, 2, 2), torch.randn(6, 3, 2, 2)
    for count in (1, 6):  # neither summed over the batch, nor a norm over it, nor over the channels alone
        penalty = objectives.gradient_penalty(lambda at: at.flatten(1) @ w, x[:count], fake[:count])
        assert penalty.item() == pytest.approx((math.sqrt(3) - 1) ** 2, rel=1e-5)


def test_pairs_must_have_the_same_shape():
    with pytest.raises(ValueError, match="expected pairs of the same shape"):
        objectives.gradient_penalty(lambda at: at.flatten(1).sum(1), torch.zeros(3, 2), torch.zeros(4, 2))


def test_drift_is_the_mean_square():
    assert objectives.drift(torch.tensor([1.0, -3.0])).item() == 5


def test_clipping_clips():
    critic = smooth_critic()
    kept = critic[1].weight.detach().clone()
    objectives.clip_(critic, 0.1)
    assert torch.equal(critic[1].weight.detach(), kept.clamp(-0.1, 0.1)) and kept.abs().max() > 0.1
    assert all(parameter.abs().max() <= 0.1 for parameter in critic.parameters())
    frozen = smooth_critic().requires_grad_(False)
    before = frozen[1].weight.clone()
    objectives.clip_(frozen, 0.1)
    assert torch.equal(frozen[1].weight, before)
    with pytest.raises(ValueError, match="clip at 0"):
        objectives.clip_(critic, 0)
