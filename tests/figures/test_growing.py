import pytest
import torch

from lecture13.figures import growing as plots
from lecture13.gan.growing import Level, Schedule, paper_schedule

PLAN = Schedule((Level(4, 0, 12, 4), Level(8, 16, 12, 4), Level(16, 9, 4, 2)))


@pytest.mark.parametrize("plan", [PLAN, Schedule((Level(16, 0, 40),)), paper_schedule(1024)])
def test_the_schedule_is_drawn_as_it_is(plan):
    above, below = plots.schedule(plan, title="t").axes
    for axis, value in ((above, lambda stage: stage.size), (below, lambda stage: stage.alpha)):
        drawn = axis.lines[0].get_xydata().tolist()
        wanted = {plan.at(index).images / 1000: value(plan.at(index)) for index in _some(plan)}
        for images, height in wanted.items():
            at = [y for x, y in drawn if x == images]
            assert at == [] or at == [height]
        assert drawn[0] == [0.0, value(plan.at(0))]
    fades = [patch for patch in above.patches]
    assert len(fades) == sum(level.fade > 0 for level in plan.levels)
    assert all(axis.get_xlabel() or axis.get_ylabel() for axis in (above, below))


def _some(plan):
    return range(0, plan.steps, max(1, plan.steps // 200))


def test_alpha_is_straight_between_the_corners():
    below = plots.schedule(PLAN, title="t").axes[1]
    x, y = below.lines[0].get_xydata().T
    for index in range(PLAN.steps):
        stage = PLAN.at(index)
        nearest = abs(x - stage.images / 1000).argmin()
        if x[nearest] == stage.images / 1000:
            assert y[nearest] == stage.alpha
    assert {0.0, 1.0} <= set(y.tolist())


def test_rows_of_all_resolutions():
    rows = {f"{size}×{size}": torch.rand(3, 3, size, size) for size in (4, 16, 8)}
    figure = plots.resolutions(rows, title="grown")
    shown = [axis.images[0].get_array() for axis in figure.axes]
    assert len(shown) == 9
    assert {picture.shape for picture in shown} == {(16, 16, 3)}
    first = torch.as_tensor(shown[0])
    torch.testing.assert_close(first[::4, ::4].permute(2, 0, 1).float(), rows["4×4"][0])
    assert (first[0, 0] == first[3, 3]).all()
    assert [axis.get_ylabel() for axis in figure.axes[::3]] == list(rows)


def test_the_crop_that_was_compared_is_framed():
    generated, found = torch.rand(4, 3, 16, 16), torch.rand(4, 3, 16, 16)
    figure = plots.neighbours(generated, found, crop=8, distances=[0.1, 0.25, 0.3, 0.4], title="near")
    assert len(figure.axes) == 8
    for axis in figure.axes:
        frame = axis.patches[0]
        assert (frame.get_x(), frame.get_y(), frame.get_width()) == (3.5, 3.5, 8)  # pixels 4 … 11
    assert [axis.get_xlabel() for axis in figure.axes[4:]] == ["0.10", "0.25", "0.30", "0.40"]
    torch.testing.assert_close(torch.as_tensor(figure.axes[5].images[0].get_array()).permute(2, 0, 1), found[1])


@pytest.mark.parametrize(
    "draw",
    [
        lambda: plots.resolutions({"a": torch.rand(2, 3, 4, 4), "b": torch.rand(3, 3, 8, 8)}, title=""),
        lambda: plots.neighbours(torch.rand(2, 3, 8, 8), torch.rand(3, 3, 8, 8), crop=4, distances=[1, 2], title=""),
        lambda: plots.neighbours(torch.rand(2, 3, 8, 8), torch.rand(2, 3, 8, 8), crop=4, distances=[1], title=""),
    ],
)
def test_what_does_not_fit_is_refused(draw):
    with pytest.raises(ValueError, match="expected"):
        draw()
