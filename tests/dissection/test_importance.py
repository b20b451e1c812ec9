import pytest
import torch
from torch import nn

from lecture13.dissection import class_accuracy, rank_for_class, remove_for_class, rest_of


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
    assert intact.balanced.value == intact.overall.value == 1 and intact.own.low < 1
    assert (without.own.value, without.spared.value, without.others.value) == (0, 1, 1)
    assert without.balanced.value == 0.5 and without.overall.value == pytest.approx(2 / 3)
    assert (only.own.value, only.spared.value) == (1, 1) and only.balanced.value == 1
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


def test_log_probability_tells_apart_what_accuracy_cannot():
    model, (images, labels) = Classifier(), data()
    with torch.no_grad():  # units 3 and 4 help too: no unit's removal alone costs an image
        model.say.weight[2, 3:] = torch.tensor([2.0, 4.0])
        model.see.weight[3:] = torch.tensor([0.0, 0.0, 1.0])[:, None, None]
    by_accuracy = rank_for_class(model, "see", images, labels, 2)
    found = rank_for_class(model, "see", images, labels, 2, by="log-probability")
    assert by_accuracy.effects.eq(0).all()
    assert found.units[:3].tolist() == [2, 4, 3] and found.effects[:3].gt(0).all()
    own = labels == 2
    with torch.no_grad():
        intact = model(images[own]).log_softmax(1)[:, 2].mean()
        model.say.weight[:, 4] = 0
        without = model(images[own]).log_softmax(1)[:, 2].mean()
    assert found.effects[1].item() == pytest.approx((intact - without).item(), rel=1e-4)


def test_removal_is_ranked_on_some_images_and_tested_on_others(unchanged):
    model, ranked, tested = Classifier(), data(12), data(30)
    check = unchanged(model)
    found = remove_for_class(model, "see", 2, ranked, tested, counts=(1, 2), draws=4)
    check()
    assert found.intact.overall.value == 1 and found.ranking.units[0] == 2
    assert [found.without[count].own.value for count in (1, 2)] == [0, 0]
    assert found.only == class_accuracy(model, *tested, 2, layer="see", only=found.ranking.units[:2])
    assert [len(found.random[count]) for count in (1, 2)] == [4, 4]
    assert max(each.own.value for each in found.random[1]) == 1  # a draw that misses unit 2
    assert list(found.series) == ["intact", "2 removed", "2 random units removed", "only 2 kept"]
    assert found.series["2 removed"] is found.without[2]
    assert found.ranked == class_accuracy(model, *ranked, 2, layer="see", without=found.ranking.units[:2])
    again = remove_for_class(model, "see", 2, ranked, tested, counts=(1, 2), draws=4)
    assert found.random == again.random


def test_the_rest_of_a_net_gives_what_the_net_gives(unchanged):
    relu = nn.ReLU()  # one module at two places: parts are counted by name
    torch.manual_seed(0)
    parts = [nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), relu, nn.Conv2d(4, 5, 3), relu, nn.Flatten(), nn.Linear(80, 3)]
    model, images = nn.Sequential(*parts).train(), torch.rand(7, 3, 8, 8)
    check = unchanged(model)
    rest, reached = rest_of(model, "4", images, batch_size=3)
    check()
    assert reached.shape == (7, 5, 4, 4) and [name for name, _ in rest.named_children()] == ["4", "5", "6"]
    model.eval()
    with torch.no_grad():
        torch.testing.assert_close(rest(reached), model(images))
        assert torch.equal(rest_of(model, "0", images)[1], images)
    rest, reached = rest_of(model, "3", images)
    labels, by = torch.arange(7) % 3, {"by": "log-probability"}
    whole, quick = (rank_for_class(net, "3", x, labels, 1, **by) for net, x in ((model, images), (rest, reached)))
    assert whole.units.tolist() == quick.units.tolist()
    with pytest.raises(ValueError, match="no part 'relu'; the net's parts are 0, 1, 2"):
        rest_of(model, "relu", images)
    with pytest.raises(TypeError, match="Classifier; expected an nn\\.Sequential"):
        rest_of(Classifier(), "see", images)


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
    with pytest.raises(ValueError, match="by='chance'; known: 'accuracy', 'log-probability'"):
        rank_for_class(model, "see", images, labels, 1, by="chance")
