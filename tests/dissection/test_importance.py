import pytest
import torch
from torch import nn

from lecture13.dissection import class_accuracy, rank_for_class


class Classifier(nn.Module):
    """Unit u sees colour u; class k is the colour seen most. Units 3 and 4 do nothing."""

    def __init__(self):
        super().__init__()
        self.see, self.pool = nn.Conv2d(3, 5, 1, bias=False), nn.AdaptiveAvgPool2d(1)
        self.say = nn.Linear(5, 3)
        with torch.no_grad():
            self.see.weight.copy_(torch.eye(5, 3)[:, :, None, None])
            self.say.weight.copy_(5 * torch.eye(3, 5))
            self.say.bias.copy_(torch.tensor([0.3, 0.2, 0.1]))

    def forward(self, images):
        return self.say(self.pool(self.see(images)).flatten(1))


def data(count=30):
    labels = torch.arange(count) % 3
    return nn.functional.one_hot(labels, 3).float()[:, :, None, None].expand(-1, -1, 4, 4).clone(), labels


def test_a_class_needs_its_unit_and_no_other(unchanged):
    model, (images, labels) = Classifier().train(), data()
    check = unchanged(model)
    intact = class_accuracy(model, images, labels, 1)
    without = class_accuracy(model, images, labels, 1, layer="see", without=[1], batch_size=7)
    only = class_accuracy(model, images, labels, 1, layer="see", only=[1])
    check()
    assert intact.balanced == intact.overall.value == 1 and intact.own.low < 1
    assert (without.own.value, without.spared.value, without.others.value) == (0, 1, 1)
    assert without.balanced == 0.5 and without.overall.value == pytest.approx(2 / 3)
    assert (only.own.value, only.spared.value) == (1, 1) and only.balanced == 1
    assert only.others.value == 0.5  # what is neither seems of class 0


def test_units_are_ranked_by_what_the_class_loses(unchanged):
    model, (images, labels) = Classifier(), data()
    check = unchanged(model)
    found = rank_for_class(model, "see", images, labels, 2)
    check()
    assert found.units[0] == 2 and found.effects[0] == 0.5 and found.effects[1:].tolist() == [0] * 4
    assert set(found.units.tolist()) == {0, 1, 2, 3, 4}


def test_ties_are_ranked_by_probability():
    model, (images, labels) = Classifier(), data()
    with torch.no_grad():  # unit 4 helps a little, unit 3 not at all
        model.say.weight[2, 4] = 1.0
        model.see.weight[4] = torch.tensor([0.0, 0.0, 0.2])[:, None, None]
    found = rank_for_class(model, "see", images, labels, 2)
    assert found.effects[1:].eq(0).all() and found.units.tolist()[::4] == [2, 3]


def test_what_is_wrong_is_said():
    model, (images, labels) = Classifier(), data()
    for options, said in (
        ({"target": 7}, "0 of 30 images are of class 7"),
        ({"target": 1, "without": [1]}, "expected a layer and its units"),
        ({"target": 1, "layer": "see"}, "expected a layer and its units"),
        ({"target": 1, "layer": "see", "without": [1], "only": [1]}, "expected a layer and its units"),
        ({"target": 1, "layer": "see", "only": [5]}, "unit 5 of layer 'see'"),
        ({"target": 1, "layer": "saw", "only": [1]}, "no layer 'saw'; it has see, pool, say|did you mean"),
    ):
        with pytest.raises(ValueError, match=said):
            class_accuracy(model, images, labels, **options)
    with pytest.raises(TypeError, match="labels are"):
        class_accuracy(model, images, labels.int(), 1)
    with pytest.raises(ValueError, match="NaN"):
        rank_for_class(model, "see", images * torch.nan, labels, 1)
