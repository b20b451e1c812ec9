import pytest
import torch

from lecture13.figures import transfer as plots

CLASSES = ("farm", "village", "street", "city")


def test_regions_give_a_class_one_colour_in_all_panels():
    labels = torch.tensor([[[2, 2], [0, 2]], [[2, 3], [3, 0]]])
    figure = plots.regions(labels, ["one", "two"], CLASSES, 10.0, label=2, title="Regions")
    maps = [axis.images[0].get_array() for axis in figure.axes[:2]]
    assert maps[0].tolist() == [[0, 0], [1, 0]] and maps[1].tolist() == [[0, 2], [2, 1]]
    assert [axis.get_title() for axis in figure.axes[:2]] == ["one", "two"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["street", "farm", "city"]
    assert figure.axes[0].images[0].get_extent() == [-10, 10, -10, 10]


def test_regions_refuse_what_they_cannot_show():
    with pytest.raises(ValueError, match=r"expected \(1, R, R\)"):
        plots.regions(torch.zeros(2, 3, 3, dtype=torch.int64), ["one"], CLASSES, 1.0, label=0)
    with pytest.raises(ValueError, match="11 classes in sight"):
        plots.regions(torch.arange(12)[None, 1:].view(1, 1, 11), ["one"], [str(k) for k in range(12)], 1.0, label=1)


def test_verdicts_list_what_every_net_says():
    image = torch.rand(3, 4, 4)
    figure = plots.verdicts(image, image, {"plain": ("farm 99 %", "city 80 %")}, title="Verdicts")
    cells = {place: cell.get_text().get_text() for place, cell in figure.axes[2].tables[0].get_celld().items()}
    assert [cells[1, column] for column in range(3)] == ["plain", "farm 99 %", "city 80 %"]
