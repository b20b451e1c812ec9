import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lecture13.gan import growing
from lecture13.gan.growing import Level, Schedule, at_stage, grow, paper_schedule
from lecture13.gan.progressive import Critic, Generator, downsample, upsample

SMALL = Schedule((Level(4, 0, 12, 4), Level(8, 16, 12, 4), Level(16, 9, 4, 2)))


def nets():
    torch.manual_seed(0)
    return Generator(16, (4, 4, 4)), Critic(16, (4, 4, 4))


def pictures(count=40, size=16):
    return torch.randint(0, 256, (count, 3, size, size), generator=torch.Generator().manual_seed(1)).byte()


def weights(net):
    return torch.cat([parameter.detach().flatten() for parameter in net.parameters()])


levels = st.lists(st.tuples(st.integers(0, 50), st.integers(1, 50), st.integers(1, 9)), min_size=1, max_size=4).map(
    lambda rows: Schedule(
        tuple(Level(4 << i, fade if i else 0, settle, batch) for i, (fade, settle, batch) in enumerate(rows))
    )
)


@settings(deadline=None, max_examples=60)
@given(schedule=levels)
def test_the_schedule_counts_images(schedule):
    """Against a loop that shows the images one minibatch after the other."""
    index = images = 0
    for level in schedule.levels:
        shown, first = 0, True
        fading = math.ceil(level.fade / level.batch) * level.batch
        while shown < fading + math.ceil(level.settle / level.batch) * level.batch:
            stage = schedule.at(index)
            alpha = 1.0 if shown >= level.fade else shown / level.fade
            assert (stage.size, stage.alpha, stage.batch) == (level.size, alpha, level.batch)
            assert (stage.images, stage.first) == (images, first)
            shown, images, index, first = shown + level.batch, images + level.batch, index + 1, False
        assert index == schedule.end(level.size)
    assert index == schedule.steps
    after = schedule.at(index + 3)
    assert (after.size, after.alpha, after.first) == (schedule.levels[-1].size, 1.0, False)
    assert after.images == images + 3 * schedule.levels[-1].batch


def test_the_papers_schedule():
    plan = paper_schedule(1024)
    assert [level.batch for level in plan.levels] == [16] * 6 + [14, 6, 3]
    assert plan.at(0).alpha == 1.0
    assert plan.at(plan.end(4)).alpha == 0.0
    assert plan.at(plan.end(4) + 25_000).alpha == 0.5
    assert plan.at(plan.steps).images == pytest.approx(800_000 * 17, rel=1e-5)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Schedule(()), "at least one"),
        (lambda: Schedule((Level(12, 0, 8),)), "power of two"),
        (lambda: Schedule((Level(4, 0, 8), Level(16, 8, 8))), "16 after 4"),
        (lambda: Schedule((Level(4, 8, 8),)), "expected fade=0"),
        (lambda: Schedule((Level(4, 0, 0),)), "images to show"),
        (lambda: Schedule((Level(4, 0, 8, 0),)), "batch of 1 or more"),
        (lambda: Schedule((Level(4, 0, 8), Level(8, -1, 8))), "images to show"),
        (lambda: Schedule((Level(4, 0, 8, rate=0.0),)), "positive rate"),
        (lambda: SMALL.at(-1), "expected 0 or more"),
        (lambda: SMALL.end(32), "has 4, 8, 16"),
        (lambda: at_stage(torch.zeros(1, 3, 16, 16), 32), "16×16 for a net at 32"),
        (lambda: at_stage(torch.zeros(1, 3, 12, 12), 8), "multiple"),
        (lambda: at_stage(torch.zeros(1, 3, 16, 8), 8), "16×8"),
        (lambda: grow(*nets(), pictures(size=8), SMALL), "8×8 for a net at 16"),
        (lambda: grow(*nets(), pictures(size=32), Schedule((Level(32, 0, 8),))), "this net has"),
    ],
)
def test_errors_name_the_way_out(build, message):
    with pytest.raises(ValueError, match=message):
        build()


@pytest.mark.parametrize("size", [4, 8, 16])
def test_real_images_at_a_stage(size):
    images = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    k = 16 // size
    blocks = images.numpy().reshape(2, 3, size, k, size, k).mean((3, 5))
    np.testing.assert_allclose(at_stage(images, size).numpy(), blocks, atol=1e-6)
    assert torch.equal(at_stage(images, size, 0.0), upsample(downsample(at_stage(images, size))))
    torch.testing.assert_close(at_stage(images, size, 0.25).mean(), images.mean())  # brightness does not fade


def run(tmp_path=None, stop=None, **options):
    """A whole run; with ``stop`` one that is killed after so many iterations and started again."""
    G, D = nets()
    z = torch.randn(2, 4, generator=torch.Generator().manual_seed(2))

    def record(done):
        with torch.no_grad():
            return {"alpha": G.alpha, "drawn": G(z)}

    def killed(done):
        if done == stop:
            raise KeyboardInterrupt
        return record(done)

    arguments = {"seed": 3, "every": 1, **options}
    if stop is not None:
        arguments |= {"checkpoint": tmp_path / "run.ckpt", "checkpoint_every": 2}
        with pytest.raises(KeyboardInterrupt):
            grow(G, D, pictures(), SMALL, record=killed, **arguments)
        G, D = nets()
    history = grow(G, D, pictures(), SMALL, record=record, **arguments)
    return G, D, history


@pytest.fixture(scope="module")
def whole():
    return run()


def test_stages_of_a_run(whole):
    G, D, history = whole
    assert [row["drawn"].shape[-1] for _, row in history.records] == [4] * 4 + [8] * 7 + [16] * 7
    fades = [row["alpha"] for _, row in history.records]
    assert fades[:4] == [1.0] * 4  # recorded before any iteration, and after each of the first three
    assert fades[4:9] == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert (G.size, G.alpha, D.size) == (16, 1.0, 16)
    assert (history.average.size, history.average.alpha) == (16, 1.0)
    assert set(history.metrics) == {"critic", "generator", "wasserstein", "penalty"}


@pytest.mark.parametrize("stop", [3, 5, 9, 13])  # where a level begins, inside the two fades, while settling
def test_a_killed_run_ends_as_if_it_had_not_been(tmp_path, stop, whole):
    again = run(tmp_path, stop)
    for net, other in zip(whole[:2], again[:2], strict=True):
        assert torch.equal(weights(net), weights(other))
    assert torch.equal(weights(whole[2].average), weights(again[2].average))
    for name, values in whole[2].metrics.items():
        assert torch.equal(values, again[2].metrics[name])
    for (_, one), (_, other) in zip(whole[2].records, again[2].records, strict=True):
        assert torch.equal(one["drawn"], other["drawn"])


def test_adam_forgets_where_a_level_begins(monkeypatch):
    made, counts = [], []

    def spied(parameters, **options):
        made.append(torch.optim.Adam(parameters, **options))
        return made[-1]

    monkeypatch.setattr(growing, "adam", spied)
    G, D = nets()

    def steps(done):
        state = made[0].state[G.block4[1].weights.weight] if made else {}
        counts.append(int(state.get("step", 0)))

    grow(G, D, pictures(), SMALL, record=steps, every=1)
    assert counts == [0, 1, 2, 3, *range(1, 8), *range(1, 8)]
    for optimizer in made:
        group = optimizer.param_groups[0]
        assert (group["lr"], group["betas"], group["eps"]) == (1e-3, (0.0, 0.99), 1e-8)


def test_a_net_that_does_not_grow():
    G, D = nets()
    history = grow(G, D, pictures(), Schedule((Level(16, 0, 12, 4),)), average=None)
    assert len(history.critic_loss) == 3
    assert history.average is None
    assert G.size == 16


def test_more_steps_settle_on(tmp_path):
    G, _, history = run(steps=SMALL.steps + 2)
    assert len(history.critic_loss) == SMALL.steps + 2
    assert (G.size, G.alpha) == (16, 1.0)


def test_another_schedule_refuses_the_checkpoint(tmp_path):
    from lecture13.checkpoints import CheckpointError

    run(tmp_path, stop=5)
    G, D = nets()
    other = Schedule((*SMALL.levels[:2], Level(16, 10, 4, 2)))
    with pytest.raises(CheckpointError, match="levels"):
        grow(G, D, pictures(), other, checkpoint=tmp_path / "run.ckpt", seed=3)
