import pytest
import safetensors.torch
import torch

from lecture13.dissection import Concept, Dissection, Labelling, Units

CONCEPTS = (Concept("tree", "object"), Concept("door", "object"), Concept("wood", "material"))


def labelling(shuffled=True, width=1):
    iou = torch.tensor([[0.3, 0.1, 0.0], [0.05, 0.2, 0.1], [0.0, 0.0, 0.0], [0.5, 0.1, 0.2], [0.0, 0.01, 0.03]])
    luck = torch.tensor([[0.2, 0.0, 0.0], [0.0, 0.01, 0.1], [0.0, 0.0, 0.0], [0.48, 0.0, 0.0], [0.0, 0.0, 0.0]])
    return Labelling(CONCEPTS, iou, torch.rand(5, width), torch.rand(5, width), luck if shuffled else None)


def found(best=True, shuffled=True):
    units = Units(
        labelling(shuffled),
        labelling(shuffled, width=3) if best else None,
        torch.arange(10).view(5, 2),
        torch.rand(5, 2),
    )
    return Dissection(CONCEPTS, {"conv1": units, "конв 2": units}, {"quantile": 0.01, "size": [8, 8]})


def test_units_are_labelled_by_their_best_concept():
    level = labelling()
    assert level.labels.tolist() == [0, 1, -1, 0, 2] and torch.equal(level.scores, level.iou.amax(1))
    assert str(level.label(1)) == "door (object)" and level.label(2) is None
    assert level.detectors().tolist() == [3, 0, 1]  # best first; unit 4 is below .04
    assert level.detectors("tree").tolist() == [3, 0] and level.detectors(kind="material").tolist() == []
    assert level.ranked("door").tolist() == [1, 0, 3, 4, 2]
    with pytest.raises(ValueError, match=r"no concept 'car'; known: tree \(object\), door"):
        level.detectors("car")
    with pytest.raises(ValueError, match="no kind 'part'; known: object, material"):
        level.detectors(kind="part")


def test_beyond_chance_is_what_shuffled_masks_do_not_give():
    level = labelling().beyond_chance()
    assert level.detectors().tolist() == [3, 1, 0] and level.labels[3] == 2
    with pytest.raises(ValueError, match="no shuffled baseline"):
        labelling(shuffled=False).beyond_chance()


def test_counts_by_layer_and_kind():
    rows = found().counts()
    assert [(row.layer, row.kind) for row in rows[:2]] == [("conv1", "object"), ("conv1", "material")]
    assert (rows[0].units, rows[0].concepts, rows[0].shuffled_units) == (3, 2, 2)
    assert (rows[1].units, rows[1].concepts, rows[1].shuffled_units) == (0, 0, 1)
    assert len(rows) == 4 and found().counts("best")[0].units == 3
    assert [(row.units, row.shuffled_units) for row in found().counts(beyond_chance=True)[:2]] == [(2, None), (1, None)]
    assert found(shuffled=False).counts()[0].shuffled_units is None
    with pytest.raises(ValueError, match="rule='worst'; known: 'level', 'best'"):
        found().counts("worst")
    with pytest.raises(ValueError, match=r"dissect with grid=dissection.GRID"):
        found(best=False).counts("best")
    with pytest.raises(KeyError, match="layer 'x' was not dissected; there are 'conv1'"):
        found()["x"]


@pytest.mark.parametrize("best", [False, True])
@pytest.mark.parametrize("shuffled", [False, True])
def test_one_file_holds_all_of_it(tmp_path, best, shuffled):
    before = found(best, shuffled)
    after = Dissection.load(before.save(tmp_path / "deep" / "net.safetensors"))
    assert after.concepts == before.concepts and after.settings == before.settings
    assert list(after.layers) == list(before.layers)
    for layer in before.layers:
        assert torch.equal(after[layer].top, before[layer].top) and torch.equal(after[layer].peaks, before[layer].peaks)
        for rule in ("level", "best") if best else ("level",):
            mine, theirs = before[layer].by(rule), after[layer].by(rule)
            assert torch.equal(mine.iou, theirs.iou) and torch.equal(mine.thresholds, theirs.thresholds)
            assert (mine.shuffled is None) == (theirs.shuffled is None) == (not shuffled)
        assert (after[layer].best is None) == (not best)
    assert [file.name for file in (tmp_path / "deep").iterdir()] == ["net.safetensors"]


def test_files_that_are_no_dissection(tmp_path):
    file = found().save(tmp_path / "a")
    (tmp_path / "half").write_bytes(file.read_bytes()[:100])
    safetensors.torch.save_file({"x": torch.zeros(1)}, tmp_path / "other")
    with pytest.raises(FileNotFoundError, match=r"no dissection .*none"):
        Dissection.load(tmp_path / "none")
    with pytest.raises(ValueError, match="half is damaged"):
        Dissection.load(tmp_path / "half")
    with pytest.raises(ValueError, match="other is no dissection"):
        Dissection.load(tmp_path / "other")
