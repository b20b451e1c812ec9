import dataclasses

import pytest
import torch

from lecture13.gan import architectures, cells
from lecture13.gan.methods import FIGURE_2

BUDGET = cells.Budget(size=8, width=4, depth=1, batch=4, steps=3, single=2, speed=5.0, images=12, samples=6)
IMAGES = torch.randint(256, (12, 3, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def play(method="DCGAN", architecture="dcgan", budget=BUDGET, **options):
    return cells.play(architecture, FIGURE_2[method], budget, IMAGES, **options)


def test_a_cell_says_what_was_done():
    cell, samples = play("WGAN-GP", score=lambda images: images.float().mean().item(), scores=3)
    assert (cell.architecture, cell.method, cell.iterations, cell.failure) == ("dcgan", "WGAN-GP", 3, "")
    assert samples.shape == (6, 3, 8, 8) and samples.dtype == torch.uint8
    assert [iteration for iteration, *_ in cell.scores] == [1, 2, 3]
    assert cell.scores[-1][3] == samples.float().mean().item()  # the last score is of the samples that are given
    assert [iteration for iteration, _ in cell.critic] == [1, 2, 3]
    G, D = architectures.build("dcgan", norm="layer", size=8, width=4, depth=1)
    assert cell.parameters == tuple(sum(p.numel() for p in net.parameters()) for net in (G, D))
    seconds = [second for _, second, *_ in cell.scores]
    assert seconds == sorted(seconds) and seconds[-1] <= cell.seconds


def test_methods_with_one_critic_step_get_more_iterations():
    assert play("DCGAN")[0].iterations == play("LSGAN")[0].iterations == 6
    assert play("WGAN")[0].iterations == 3


def test_the_seed_decides_and_scoring_does_not():
    cell, samples = play(seed=1)
    again, same = play(seed=1, score=lambda images: 0.0)
    other, _ = play(seed=2)
    assert torch.equal(samples, same) and cell.critic == again.critic
    assert cell.critic != other.critic


def test_pauses_do_not_count(monkeypatch):
    clock = iter(range(0, 100, 10))
    monkeypatch.setattr(cells.time, "perf_counter", lambda: float(next(clock)))
    monkeypatch.setattr(cells.time, "process_time", lambda: 0.5)
    watch = cells._Watch()  # at 0
    with watch.paused():  # at 10
        assert watch.read() == (10, 0)
    assert watch.read() == (20, 0)  # the pause ended at 20; now it is 30


def test_a_training_that_diverges_is_a_cell_too():
    cell, samples = play("LSGAN", budget=dataclasses.replace(BUDGET, speed=1e38, steps=20))
    assert "not finite" in cell.failure or "nan" in cell.failure or "inf" in cell.failure
    assert not samples.any() and cell.critic == []


def test_drawing_leaves_the_generator_as_it_is():
    torch.manual_seed(0)
    G, _ = architectures.build("dcgan", norm=None, size=8, width=4)
    before = {name: values.clone() for name, values in G.state_dict().items()}
    first = cells.drawn(G, torch.randn(5, 128))
    assert G.training and all(torch.equal(values, before[name]) for name, values in G.state_dict().items())
    assert first.dtype == torch.uint8 and first.shape == (5, 3, 8, 8)


def test_thinned_curves_are_means():
    assert cells.thinned(torch.arange(1.0, 8.0), points=3) == [(3, 2.0), (6, 5.0), (7, 7.0)]
    assert cells.thinned(torch.tensor([4.0])) == [(1, 4.0)]


def test_images_of_another_size_are_refused():
    with pytest.raises(ValueError, match=r"images \(12, 3, 8, 8\); expected \(n, 3, 16, 16\) as the budget says"):
        play(budget=dataclasses.replace(BUDGET, size=16))
