import pytest

from lecture13 import exercises

RIGHT = {
    "00.1": 8 / 255,
    "00.2": lambda eta: (
        eta.flatten(1).abs().amax(1),
        eta.flatten(1).pow(2).sum(1).sqrt(),
        eta.flatten(1).abs().sum(1),
    ),
    "00.3": lambda model, images, labels: (model(images).argmax(1) != labels).double().mean(),
}
WRONG = {
    "00.1": [8, 0.03, 8 / 256],
    "00.2": [
        lambda eta: (eta.amax(), eta.norm(), eta.sum()),
        lambda eta: (eta.flatten(1).amax(1), eta.flatten(1).norm(dim=1), eta.flatten(1).abs().sum(1)),
        lambda eta: eta.flatten(1).norm(dim=1),
    ],
    "00.3": [
        lambda model, images, labels: (model(images).argmax(1) == labels).double().mean(),
        lambda model, images, labels: (model(images).argmax(1) != labels).sum(),
    ],
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_answer_passes(name):
    exercises.check(name, RIGHT[name]).require()


@pytest.mark.parametrize(("name", "answer"), [(name, answer) for name in WRONG for answer in WRONG[name]])
def test_a_wrong_answer_is_told_so(name, answer):
    assert exercises.check(name, answer).status == "not yet"
