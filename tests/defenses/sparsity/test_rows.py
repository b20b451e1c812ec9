import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import LinearConstraint, minimize
from torch import nn

from lecture13 import supervised
from lecture13.defenses import robust_training
from lecture13.defenses.sparsity import (
    layers,
    project_network_,
    project_rows_l1_,
    projected,
    row_norms,
    sparsity,
)
from lecture13.training import fit


def chance(seed):
    return torch.Generator().manual_seed(seed)


def by_quadratic_program(row, gamma):
    """min ‖p − n − w‖² with p, n ≥ 0 and Σ(p + n) ≤ γ: w = p − n has at most the ℓ1 norm γ."""
    size = len(row)
    signs = np.concatenate([np.ones(size), -np.ones(size)])

    def objective(x):
        apart = x[:size] - x[size:] - row
        return apart @ apart, signs * 2 * np.concatenate([apart, apart])

    found = minimize(
        objective,
        np.zeros(2 * size),
        jac=True,
        bounds=[(0, None)] * (2 * size),
        constraints=LinearConstraint(np.ones(2 * size), -np.inf, gamma),
        method="SLSQP",
        options={"ftol": 1e-12, "maxiter": 500},
    )
    assert found.success, found.message
    return found.x[:size] - found.x[size:]


@pytest.mark.parametrize("gamma", [0.1, 1.0, 3.0, 50.0])
def test_it_solves_the_quadratic_program(gamma):
    weight = torch.randn(6, 7, generator=chance(0), dtype=torch.float64)
    wanted = np.stack([by_quadratic_program(row.numpy(), gamma) for row in weight])
    np.testing.assert_allclose(project_rows_l1_(weight, gamma).numpy(), wanted, atol=1e-5)


@settings(max_examples=100, deadline=None)
@given(
    rows=st.integers(1, 4), columns=st.integers(1, 30), gamma=st.floats(0.01, 20), size=st.floats(0.01, 10),
    seed=st.integers(0, 2**16),
)  # fmt: skip
def test_a_projection(rows, columns, gamma, size, seed):
    weight = size * torch.randn(rows, columns, generator=chance(seed), dtype=torch.float64)
    found = project_rows_l1_(weight.clone(), gamma)
    assert (found.abs().sum(1) <= gamma * (1 + 1e-9)).all()
    inside = weight.abs().sum(1) <= gamma
    assert torch.equal(found[inside], weight[inside])  # what is inside stays
    assert ((found * weight) >= 0).all() and (found.abs() <= weight.abs() + 1e-12).all()  # no sign flips, none grows
    again = project_rows_l1_(found.clone(), gamma)
    torch.testing.assert_close(again, found, rtol=1e-9, atol=1e-12)
    other = torch.randn(rows, columns, generator=chance(seed + 1), dtype=torch.float64)
    other *= gamma / other.abs().sum(1, keepdim=True)
    normal = ((weight - found) * (other - found)).sum(1)  # the angle to any point of the ball is not acute
    assert (normal <= 1e-8 * (1 + weight.norm()) * gamma).all()


def test_in_place_for_kernels_and_in_float32():
    conv = nn.Conv2d(2, 3, 3)
    with torch.no_grad():
        conv.weight *= 10
    kept = conv.weight
    assert project_rows_l1_(conv.weight, 0.5) is kept and kept.requires_grad
    norms = conv.weight.detach().flatten(1).abs().sum(1)
    assert (norms <= 0.5 * (1 + 1e-6)).all() and (norms > 0.49).all()
    assert (conv.weight == 0).any()
    tied = project_rows_l1_(torch.ones(1, 4), 2.0)
    assert tied.tolist() == [[0.5] * 4]


@pytest.mark.parametrize("gamma", [0.0, -1.0, float("nan"), float("inf")])
def test_gamma_has_to_be_above_0(gamma):
    weight = torch.ones(2, 2)
    with pytest.raises(ValueError, match=f"gamma={gamma}; expected a finite number above 0"):
        project_rows_l1_(weight, gamma)
    assert (weight == 1).all()


def test_weights_that_cannot_be_projected():
    with pytest.raises(TypeError, match="gamma='1'"):
        project_rows_l1_(torch.ones(2, 2), "1")
    with pytest.raises(TypeError, match="int64; expected a floating tensor"):
        project_rows_l1_(torch.ones(2, 2, dtype=torch.int64), 1.0)
    with pytest.raises(ValueError, match=r"shape \(4,\); expected \(rows, …\).*w\[None\]"):
        project_rows_l1_(torch.ones(4), 1.0)
    with pytest.raises(ValueError, match="NaN or infinite"):
        project_rows_l1_(torch.tensor([[1.0, float("nan")]]), 1.0)


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 2))


def problem():
    images = torch.rand(64, 1, 4, 4, generator=chance(1))
    return images, (images[:, 0, :2].sum((1, 2)) > images[:, 0, 2:].sum((1, 2))).long()


def test_training_stays_in_the_balls_and_learns():
    net, (images, labels) = network(), problem()
    optimizer = torch.optim.Adam(net.parameters(), 1e-2)
    step = projected(supervised.supervised(net, optimizer, images, labels, batch_size=16), net, (1.5, 2.0))
    assert all(norm <= gamma * (1 + 1e-5) for norm, gamma in zip(row_norms(net), (1.5, 2.0), strict=True))  # at once
    history = fit(step, {"net": net, "optimizer": optimizer}, steps=200)
    assert all(norm <= gamma * (1 + 1e-5) for norm, gamma in zip(row_norms(net), (1.5, 2.0), strict=True))
    assert history["accuracy"][-1] > 0.8 and history["loss"][-1] < history["loss"][0]
    found = sparsity(net)
    counts = [layer.weight.numel() for layer in layers(net)]
    mean = sum(share * count for share, count in zip(found, counts, strict=True)) / sum(counts)
    assert history["zero weights"][-1] == pytest.approx(mean) and mean > 0.1


def test_it_goes_around_any_step_and_resumes(tmp_path):
    images, labels = problem()

    def run(steps, checkpoint):
        net = network()
        optimizer = torch.optim.Adam(net.parameters(), 1e-2)
        loss = robust_training.adversarial(lambda index: 0.05, steps=2)
        inner = robust_training.step(loss, net, optimizer, images, labels, batch_size=16)
        fit(projected(inner, net, (1.0, 1.0)), {"net": net, "optimizer": optimizer}, steps=steps, checkpoint=checkpoint)
        return torch.cat([layer.weight.detach().flatten() for layer in layers(net)])

    run(5, tmp_path / "run.ckpt")
    assert torch.equal(run(9, tmp_path / "run.ckpt"), run(9, None))


def test_a_gamma_for_each_layer():
    net = network()
    with pytest.raises(ValueError, match="1 γ for 2 layers"):
        project_network_(net, (1.0,))
    with pytest.raises(ValueError, match="gamma=0"):
        project_network_(net, (1.0, 0.0))
    net[3].weight.requires_grad_(False)  # a fixed layer is not constrained
    kept = net[3].weight.clone()
    project_network_(net, (0.3,))
    assert torch.equal(net[3].weight, kept) and len(layers(net)) == 1 and row_norms(net)[0] <= 0.3 * (1 + 1e-6)
