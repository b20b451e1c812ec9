import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import interpolate

from lecture13 import dissection
from lecture13.dissection import GRID, dissect, region
from lecture13.dissection import levels as rooms
from lecture13.dissection.quantiles import RANK_ERROR, rank
from lecture13.models import build
from lecture13.render import scenes

NAMES = {"colour": ("red", "green", "blue", "grey"), "object": ("none", "thing", "never")}


def small_world(count=20, size=12):
    chance = torch.Generator().manual_seed(0)
    images = torch.rand(count, 3, size, size, generator=chance)
    maps = {
        "colour": torch.randint(4, (count, size, size), generator=chance, dtype=torch.uint8),
        "object": torch.randint(2, (count, size, size), generator=chance, dtype=torch.uint8),
    }
    return images, maps


def small_net():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 7, 3, stride=3), nn.Tanh(), nn.Flatten(), nn.Linear(112, 5), nn.ReLU())


def oracle(maps, masks, share, raw=False, size=(12, 12)):
    """Thresholds, IoU and shares by NumPy, from all activations (N, C, h, w) at once."""
    large = interpolate(maps, size=size, mode="bilinear") if maps.shape[-2:] != size else maps
    taken = (maps if raw else large).movedim(1, 0).flatten(1).numpy()
    thresholds = np.sort(taken, axis=1)[:, ::-1][:, rank(share, taken.shape[1])]
    regions = large.movedim(1, 0).flatten(1).numpy() > thresholds[:, None]
    both = (regions[:, None] & masks).sum(2)
    union = (regions[:, None] | masks).sum(2)
    return thresholds, both / np.maximum(union, 1), regions.mean(1)


def flat_masks(maps):
    concepts = [("colour", 0), ("colour", 1), ("colour", 2), ("colour", 3), ("object", 1), ("object", 2)]
    return np.stack([(maps[kind] == number).flatten().numpy() for kind, number in concepts])


@pytest.mark.parametrize("resolution", ["upsampled", "raw"])
@pytest.mark.parametrize("batch_size", [3, 20])
@pytest.mark.parametrize("chunk", [1, 2**21])
def test_equals_whole_arrays(resolution, batch_size, chunk, monkeypatch):
    monkeypatch.setattr(rooms, "CHUNK", chunk)
    (images, maps), model = small_world(), small_net()
    found = dissect(model, "1", images, maps, NAMES, quantile=0.1, resolution=resolution, batch_size=batch_size)
    thresholds, ious, shares = oracle(model[:2](images).detach(), flat_masks(maps), 0.1, resolution == "raw")
    level = found["1"].level
    np.testing.assert_allclose(level.thresholds[:, 0], thresholds, rtol=1e-6)
    np.testing.assert_allclose(level.iou, ious, atol=1e-6)
    np.testing.assert_allclose(level.shares[:, 0], shares, atol=1e-6)
    assert (level.iou[:, 5] == 0).all()  # a concept that never appears
    if resolution == "upsampled":
        assert (level.shares <= 0.1).all() and level.shares.min() > 0.099
    other = torch.randperm(20, generator=torch.Generator().manual_seed(0))
    shuffled = {kind: values[other] for kind, values in maps.items()}
    np.testing.assert_allclose(
        level.shuffled, oracle(model[:2](images).detach(), flat_masks(shuffled), 0.1, resolution == "raw")[1], atol=1e-6
    )
    peaks = model[:2](images).detach().amax((2, 3))
    assert torch.equal(found["1"].top, peaks.argsort(dim=0, descending=True)[:8].T)
    torch.testing.assert_close(found["1"].peaks, peaks.sort(dim=0, descending=True).values[:8].T)
    assert found["1"].best is None and found.settings["resolution"] == resolution


def test_the_best_level_is_the_best_of_all_levels():
    (images, maps), model = small_world(), small_net()
    grid = (0.5, 0.2, 0.02)
    units = dissect(model, "1", images, maps, NAMES, quantile=0.1, grid=grid)["1"]
    acts = model[:2](images).detach()
    each = [oracle(acts, flat_masks(maps), share) for share in (0.1, *grid)]
    ious = np.stack([row[1] for row in each])
    np.testing.assert_allclose(units.best.iou, ious.max(0), atol=1e-6)
    chosen = ious.argmax(0)
    unit = np.arange(7)[:, None]
    np.testing.assert_allclose(units.best.thresholds, np.stack([row[0] for row in each])[chosen, unit], rtol=1e-6)
    np.testing.assert_allclose(units.best.shares, np.stack([row[2] for row in each])[chosen, unit], atol=1e-6)
    assert (units.best.iou >= units.level.iou).all() and (units.best.shuffled >= units.level.shuffled).all()


@pytest.mark.parametrize("chunk", [1, 2**21])
def test_images_in_which_no_unit_speaks(chunk, monkeypatch):
    monkeypatch.setattr(rooms, "CHUNK", chunk)
    (images, maps), model = small_world(), nn.Sequential(nn.AvgPool2d(3), nn.Threshold(0.6, 0.0))
    images[::3] = 0.0
    found = dissect(model, "1", images, maps, NAMES, quantile=0.01)["1"].level
    thresholds, ious, shares = oracle(model(images), flat_masks(maps), 0.01)
    np.testing.assert_allclose(found.thresholds[:, 0], thresholds, rtol=1e-6)
    np.testing.assert_allclose(found.iou, ious, atol=1e-6)
    np.testing.assert_allclose(found.shares[:, 0], shares, atol=1e-6)
    silent = dissect(model, "1", 0.1 * images, maps, NAMES)["1"].level
    assert silent.iou.eq(0).all() and silent.shares.eq(0).all() and silent.labels.eq(-1).all()


def test_several_layers_of_any_shape_in_one_go(unchanged):
    (images, maps), model = small_world(), small_net().train()
    check = unchanged(model)
    found = dissect(model, ["0", "3", "0", "4"], images, maps, NAMES, quantile=0.2)
    check()
    assert list(found.layers) == ["0", "3", "4"] and [len(found[layer]) for layer in found.layers] == [7, 5, 5]
    alone = dissect(model, "0", images, maps, NAMES, quantile=0.2)
    assert torch.equal(alone["0"].level.iou, found["0"].level.iou)
    flat = model[:4](images).detach()[:, :, None, None].expand(-1, -1, 12, 12)  # the same everywhere
    np.testing.assert_allclose(found["3"].level.iou, oracle(flat, flat_masks(maps), 0.2)[1], atol=1e-6)


def test_a_known_detector_is_found_with_iou_1(world):
    maps, pictures = world["draw"](200)
    names = {"object": world["names"]}
    density = float((maps == 1).float().mean())
    found = dissect(world["net"], "relu", pictures, {"object": maps}, names, quantile=0.05)
    level = found["relu"].level
    assert 0 < density < 0.05 and level.iou[0, 0] == level.iou[1, 1] == level.iou[2, 2] == 1
    assert [str(level.label(unit)) for unit in range(3)] == ["tree (object)", "door (object)", "cloud (object)"]
    assert level.label(3) is None and level.labels[3] == -1 and level.iou[3].eq(0).all()  # a dead unit
    assert level.detectors("tree").tolist() == [0] and level.ranked("door")[0] == 1
    assert level.shuffled[0, 0] < 0.1
    assert set(level.detectors().tolist()) == {0, 1, 2}


def test_a_generator_is_segmented_as_it_draws(world, unchanged):
    maps, pictures = world["draw"](60)
    names = {"object": world["names"]}
    exact = dissect(world["net"], ["detect", "relu"], pictures, {"object": maps}, names, quantile=0.05)
    check = unchanged(world["generator"])
    drawn = dissect(
        world["generator"], ["net.detect", "net.relu"], pictures.flatten(1), world["segment"], names, quantile=0.05
    )
    check()
    for layer in ("detect", "relu"):
        assert torch.equal(drawn[f"net.{layer}"].level.iou, exact[layer].level.iou)
        assert torch.equal(drawn[f"net.{layer}"].level.shuffled, exact[layer].level.shuffled)
    images = dissect(world["net"], "relu", pictures, world["segment"], names, quantile=0.05)
    assert torch.equal(images["relu"].level.iou, exact["relu"].level.iou)


def test_a_segmenter_that_is_a_net_runs_in_eval_mode_and_is_left_alone(unchanged):
    images, _ = small_world(8)
    images = interpolate(images, size=(16, 16))
    segmenter = build("segmenter", classes=3, widths=(4, 4, 4, 4)).train()
    model, names = small_net()[:2], {"object": ("none", "a", "b")}
    check = unchanged(segmenter)
    found = dissect(model, "1", images, segmenter, names, quantile=0.2)
    check()
    labels = segmenter.eval()(images).argmax(1)
    exact = dissect(model, "1", images, {"object": labels}, names, quantile=0.2)
    assert torch.equal(found["1"].level.iou, exact["1"].level.iou)


def test_beyond_memory_a_sample_of_places_gives_the_level(monkeypatch):
    chance = torch.Generator().manual_seed(0)
    images = torch.randn(600, 3, 24, 24, generator=chance).abs()
    maps = {"object": torch.randint(2, (600, 24, 24), generator=chance)}
    names = {"object": ("none", "thing")}
    model = nn.Sequential(nn.Identity())

    def level(batch_size):
        return dissect(model, "0", images, maps, names, quantile=0.005, batch_size=batch_size)["0"].level

    exact = level(64)
    monkeypatch.setattr(rooms, "KEPT", 3)
    batch_of_7, batch_of_64 = level(7), level(64)
    assert torch.equal(batch_of_7.thresholds, batch_of_64.thresholds)
    assert not torch.equal(batch_of_7.thresholds, exact.thresholds)
    assert (batch_of_7.shares - 0.005).abs().max() <= RANK_ERROR  # what lies above was counted


@pytest.mark.parametrize("name", ["VGG-16", "scene-classifier"])
def test_nets_as_they_come(name, unchanged):
    scene = scenes.draw(6, size=32)
    if name == "VGG-16":
        from torchvision.models import vgg16

        with torch.random.fork_rng([]):
            model, layers = vgg16(weights=None).train(), ["features.0", "features.28", "features.29"]
    else:
        model, layers = build("scene_classifier").train(), ["conv1_1", "relu5_2"]
    before = [module.training for module in model.modules()]
    found = dissect(model, layers, scene.images, scene.maps, scenes.CONCEPTS, grid=GRID[:2])
    assert [module.training for module in model.modules()] == before
    assert not any(module._forward_hooks for module in model.modules())
    assert all(parameter.grad is None and parameter.requires_grad for parameter in model.parameters())
    for layer in layers:
        assert found[layer].level.iou.shape == found[layer].best.iou.shape == (len(found[layer]), len(found.concepts))
        assert found[layer].level.iou.isfinite().all()


def test_regions_of_the_top_images():
    (images, maps), model = small_world(), small_net()
    units = dissect(model, "1", images, maps, NAMES, quantile=0.1, top=3)["1"]
    threshold = float(units.level.thresholds[4])
    found = region(model, "1", 4, images[units.top[4]], threshold, (12, 12), batch_size=2)
    large = interpolate(model[:2](images[units.top[4]]), size=(12, 12), mode="bilinear")[:, 4]
    assert found.dtype == torch.bool and torch.equal(found, large > threshold)
    with pytest.raises(ValueError, match=r"unit 7 of layer '1'; expected 0 … 6"):
        region(model, "1", 7, images, threshold, (12, 12))


BAD = {
    "masks of another size": ({"cut": (20, 6)}, "masks of 6×12 for images of 12×12"),
    "masks of other images": ({"cut": (5, 12)}, "masks of 5 images for 20 inputs"),
    "no names": ({"names": {}}, "no concepts"),
    "unknown layer": ({"layers": "9"}, "has no layer '9'"),
    "no layer": ({"layers": []}, "name at least one"),
    "quantile": ({"quantile": 1.0}, r"a quantile of 1.0"),
    "grid": ({"grid": (0.1, 0)}, "a quantile of 0"),
    "resolution": ({"resolution": "both"}, "resolution='both'; known: 'upsampled', 'raw'"),
    "top": ({"top": 0}, "top=0"),
    "batch": ({"batch_size": -1}, "batch_size=-1"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_is_said(case, unchanged):
    change, said = BAD[case]
    (images, maps), model = small_world(), small_net()
    count, height = change.get("cut", (20, 12))
    masks = {kind: values[:count, :height] for kind, values in maps.items()}
    options = {"layers": "1", "names": NAMES} | {name: value for name, value in change.items() if name != "cut"}
    check = unchanged(model)
    with pytest.raises(ValueError, match=said):
        dissect(model, inputs=images, masks=masks, **options)
    check()


def test_a_segmenter_that_lacks_a_kind_is_refused():
    images, maps = small_world(3)
    with pytest.raises(ValueError, match="no maps of 'object'; there are maps of 'colour'"):
        dissect(small_net(), "1", images, lambda images: {"colour": maps["colour"]}, NAMES)


def test_nan_and_layers_without_maps_are_refused():
    images, maps = small_world()
    images[7, :, 0, 0] = torch.nan
    with pytest.raises(ValueError, match="layer '1' gives NaN or infinity, first in unit 0 for input 7"):
        dissect(small_net(), "1", images, maps, NAMES)
    five = nn.Sequential(nn.Unflatten(1, (3, 1)))
    with pytest.raises(ValueError, match=r"shape \(20, 3, 1, 12, 12\); expected"):
        dissect(five, "0", small_world()[0], maps, NAMES)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
def test_cuda_counts_as_the_cpu_does():
    images, maps = small_world()
    images = (8 * images).round()
    model = nn.Sequential(nn.Identity())
    alone = nn.Sequential(nn.Conv2d(3, 3, 1, groups=3, bias=False)).requires_grad_(False)
    alone[0].weight.fill_(1.0)
    here = dissect(model, "0", images, maps, NAMES, quantile=0.1)["0"].level
    there = dissect(alone.cuda(), "0", images, maps, NAMES, quantile=0.1)["0"].level
    assert torch.equal(here.iou, there.iou) and torch.equal(here.thresholds, there.thresholds)
    assert dissection.peaks(alone, "0", images).device.type == "cpu"
