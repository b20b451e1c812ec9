import pytest
import torch
import torch.nn.functional as F

from lecture13 import exercises


def fractionally_strided(maps, weight, stride):
    n, c, height, width = maps.shape
    spread = maps.new_zeros(n, c, (height - 1) * stride + 1, (width - 1) * stride + 1)
    spread[:, :, ::stride, ::stride] = maps
    return F.conv2d(spread, weight.transpose(0, 1).flip(2, 3), padding=weight.shape[-1] - 1)


def arc(start, end, t):
    angle = torch.acos(start @ end / (start.norm() * end.norm()))
    return (torch.sin((1 - t) * angle) * start + torch.sin(t * angle) * end) / torch.sin(angle)


def unturned(maps, weight, stride):
    return fractionally_strided(maps, weight.flip(2, 3), stride)


RIGHT = {
    "02.1": fractionally_strided,
    "02.2": lambda kernel, stride: [len(range(r, kernel, stride)) for r in range(stride)],
    "02.3": arc,
    "02.4": lambda generated, fresh: (generated < fresh.quantile(0.01)).float().mean().item(),
}
WRONG = {
    "02.1": [
        unturned,
        lambda maps, weight, stride: F.conv_transpose2d(maps, weight, stride=stride),
        lambda maps, weight, stride: torch.conv_transpose2d(maps, weight, stride=stride),
        lambda maps, weight, stride: F.conv2d(maps, weight.transpose(0, 1), padding=weight.shape[-1] - 1),
        lambda maps, weight, stride: 0.0,
    ],
    "02.2": [
        lambda kernel, stride: [kernel // stride] * stride,
        lambda kernel, stride: [kernel],
        lambda kernel, stride: [len(range(r, kernel, stride)) for r in reversed(range(stride))],
    ],
    "02.3": [
        lambda start, end, t: (1 - t) * start + t * end,
        lambda start, end, t: arc(end, start, t),
        lambda start, end, t: arc(start / start.norm(), end / end.norm(), t),
        lambda start, end, t: ((1 - t) * start + t * end) / ((1 - t) * start + t * end).norm() * start.norm(),
    ],
    "02.4": [
        lambda generated, fresh: (generated < fresh.min()).float().mean().item(),
        lambda generated, fresh: (generated < fresh.median()).float().mean().item(),
        lambda generated, fresh: 100 * (generated < fresh.quantile(0.01)).float().mean().item(),
        lambda generated, fresh: (fresh < generated.quantile(0.01)).float().mean().item(),
    ],
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_answer_passes(name):
    exercises.check(name, RIGHT[name]).require()


@pytest.mark.parametrize(("name", "answer"), [(name, answer) for name in WRONG for answer in WRONG[name]])
def test_a_wrong_answer_is_told_so(name, answer):
    assert exercises.check(name, answer).status == "not yet"


def test_the_unturned_kernel_is_named():
    assert "not turned" in exercises.check("02.1", unturned).message


@pytest.mark.parametrize("name", RIGHT)
def test_a_stub_is_not_attempted(name):
    assert exercises.check(name, lambda *inputs: ...).status == "not attempted"
