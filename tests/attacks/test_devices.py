"""On a GPU: results stay there, generators of the CPU will do, and its random state is kept."""

from functools import partial

import pytest
import torch
from torch import nn

from lecture13 import attacks

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")

ATTACKS = {
    "deepfool": lambda model, x, y: attacks.deepfool(model, x),
    "deepfool in a box": lambda model, x, y: attacks.deepfool(model, x, norm="linf", bounds=(0, 1)),
    "lbfgs": lambda model, x, y: attacks.lbfgs(model, x, y),
    "lbfgs_untargeted": lambda model, x, y: attacks.lbfgs_untargeted(model, x),
    "ensemble": lambda model, x, y: attacks.ensemble([model, model], x, y, steps=3, max_rmsd=5.0),
    "universal": lambda model, x, y: attacks.universal(model, x, epsilon=0.03, max_passes=1, batch_size=2),
    "landscape": lambda model, x, y: attacks.loss_landscape(model, x, y, torch.zeros(2), torch.zeros(3)),
    "locally linear": lambda model, x, y: attacks.locally_linear(model, x, y, 0.03),
    "square": lambda model, x, y: attacks.square(model, x, y, 0.03, queries=3, generator=torch.Generator()),
    "regions": lambda model, x, y: attacks.decision_regions([model], x[0], attacks.plane(x[0]), 9.0, 5),
}
for method in ("grid", "worst-of-k", "first-order"):
    options = {"method": method, "grid": (3, 3, 3), "steps": 3, "generator": torch.Generator()}
    ATTACKS[method] = lambda model, x, y, options=options: attacks.spatial(model, x, y, **options).images


@pytest.mark.parametrize("name", ATTACKS)
def test_results_stay_on_the_device_and_its_random_state_is_kept(name):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Dropout(0.5), nn.Flatten(), nn.Linear(144, 5)).cuda()
    images = torch.rand(4, 3, 8, 8, generator=torch.Generator().manual_seed(0)).cuda()
    before = torch.cuda.get_rng_state()
    assert ATTACKS[name](model, images, torch.tensor([0, 1, 2, 3]).cuda()).is_cuda
    assert torch.equal(torch.cuda.get_rng_state(), before)


def test_what_the_gpu_finds_is_what_the_cpu_finds():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(192, 5))
    images = torch.rand(4, 3, 8, 8)
    for attack in (attacks.deepfool, partial(attacks.deepfool, norm="linf", bounds=(0, 1))):
        here, there = attack(model.cpu(), images), attack(model.cuda(), images.cuda()).cpu()
        torch.testing.assert_close(here, there, rtol=1e-4, atol=1e-4)
