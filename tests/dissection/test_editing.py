import pytest
import torch
from torch import nn

from lecture13.dissection import Masks, ablate, cells, conditional_mean, insert, keep, one_cell, trace


def net():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 6, 3, padding=1), nn.ReLU(inplace=True), nn.Conv2d(6, 2, 1), nn.Flatten())


IMAGES = torch.rand(4, 3, 5, 5, generator=torch.Generator().manual_seed(1))


def expected(model, change):
    hidden = model[:2](IMAGES)
    change(hidden)
    return model[2:](hidden)


@torch.no_grad()
def test_ablation_sets_units_to_zero_everywhere():
    model = net()

    def zero(a):
        a[:, [1, 4]] = 0.0

    for units in ([1, 4], torch.tensor([4, 1]), (1, 4, 4)):
        with ablate(model, "1", units):
            assert torch.equal(model(IMAGES), expected(model, zero))


@torch.no_grad()
def test_a_region_and_a_value():
    model, where = net(), torch.zeros(5, 5, dtype=torch.bool)
    where[1:3, 2:] = True

    def change(a):
        a[:, 2, 1:3, 2:], a[:, 5, 1:3, 2:] = 0.5, 2.0

    with insert(model, "1", [2, 5], where, torch.tensor([0.5, 2.0])):
        assert torch.equal(model(IMAGES), expected(model, change))
    with ablate(model, "1", [3], where=where, value=7.0):
        assert torch.equal(model(IMAGES), expected(model, lambda a: a[:, 3, 1:3, 2:].fill_(7.0)))
    each = torch.zeros(4, 5, 5, dtype=torch.bool)
    each[2, 0, 0] = each[3, 4, 4] = True

    def change_each(a):
        a[2, 1, 0, 0] = a[3, 1, 4, 4] = 9.0

    with insert(model, "1", [1], each, 9.0):
        assert torch.equal(model(IMAGES), expected(model, change_each))


@torch.no_grad()
def test_keeping_is_removing_the_others():
    model = net()
    with keep(model, "1", [0, 2]):
        kept = model(IMAGES)
    with ablate(model, "1", [1, 3, 4, 5]):
        assert torch.equal(model(IMAGES), kept)
    with keep(model, "1", []), trace(model, "1") as seen:
        model(IMAGES)
    assert seen["1"].eq(0).all()


@torch.no_grad()
def test_no_units_and_layers_without_places():
    model = net()
    with ablate(model, "1", []):
        assert torch.equal(model(IMAGES), net()(IMAGES))
    flat = nn.Sequential(nn.Flatten(), nn.Identity())
    whom = torch.tensor([True, False, False, True])
    with insert(flat, "0", [3, 7], whom, torch.tensor([5.0, 6.0])):
        found = flat(IMAGES)
    assert found[whom][:, [3, 7]].tolist() == [[5, 6], [5, 6]] and torch.equal(found[~whom], IMAGES.flatten(1)[~whom])


def test_gradients_stop_at_what_was_set():
    model, images = net(), IMAGES.clone().requires_grad_()
    with keep(model, "1", []):
        model(images).sum().backward()
    assert images.grad.eq(0).all()


@pytest.mark.parametrize("wrong", [False, True])
def test_the_model_is_left_as_it_was(wrong, unchanged):
    model = net().train()
    model[2].requires_grad_(False)
    before, check = model(IMAGES), unchanged(model)
    for block in (ablate(model, "1", [1]), keep(model, "1", [1]), insert(model, "1", [1], None, 3.0)):
        try:
            with block, torch.no_grad():
                model(IMAGES)
                if wrong:
                    raise ArithmeticError
        except ArithmeticError:
            pass
        check()
    assert torch.equal(model(IMAGES), before)


def test_a_hand_made_unit_removed_removes_exactly_that(world):
    maps, pictures = world["draw"](10)
    with torch.no_grad(), ablate(world["net"], "relu", [1]):
        after = world["segment"](world["net"](pictures))
    assert torch.equal(after, torch.where(maps == 2, 0, maps))


BAD = {
    "too large": (lambda m: ablate(m, "1", [2, 6]), r"unit 6 of layer '1', which gives shape .*; expected 0 … 5"),
    "too large to keep": (lambda m: keep(m, "1", [6]), "unit 6 of layer '1'"),
    "negative": (lambda m: ablate(m, "1", [-1]), r"units=\[-1\]; expected a list of numbers from 0 on"),
    "not a list": (lambda m: ablate(m, "1", torch.zeros(2, 2)), "expected a list"),
    "layer": (lambda m: ablate(m, "7", [1]), "has no layer '7'"),
    "mask": (lambda m: ablate(m, "1", [1], where=torch.ones(5, 5)), r"where is torch.float32; expected a bool"),
    "mask size": (
        lambda m: ablate(m, "1", [1], where=torch.ones(8, 8).bool()),
        r"where has shape \(8, 8\); .*expected \(5, 5\) or \(4, 5, 5\): dissection.cells",
    ),
    "value": (lambda m: insert(m, "1", [1], None, torch.ones(2)), r"value has shape \(2,\)"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_is_said(case, unchanged):
    make, said = BAD[case]
    model = net()
    check = unchanged(model)
    with pytest.raises(ValueError, match=said), make(model):
        model(IMAGES)
    check()


def test_cells_of_a_region():
    region = torch.zeros(2, 8, 8, dtype=torch.bool)
    region[0, :3, :4] = True  # the upper left cell is three quarters covered
    assert cells(region, (2, 2)).tolist() == [[[True, False], [False, False]], [[False, False], [False, False]]]
    assert not cells(region, (2, 2), share=0.8).any() and cells(region, (2, 2), share=0.75)[0, 0, 0]
    region[0, 7, 7] = True
    assert cells(region[0], (2, 2), share=0).tolist() == [[True, False], [False, True]]
    for bad, share, said in ((region.float(), 0.5, "region is torch.float32"), (region, 2, "share=2")):
        with pytest.raises(ValueError, match=said):
            cells(bad, (2, 2), share=share)


def test_one_cell_of_those_allowed():
    allowed = torch.rand(50, 4, 4, generator=torch.Generator().manual_seed(0)) < 0.2
    allowed[7] = False
    chosen = one_cell(allowed, generator=torch.Generator().manual_seed(1))
    assert torch.equal(chosen.sum((1, 2)), allowed.any(2).any(1).long()) and not (chosen & ~allowed).any()
    assert torch.equal(chosen, one_cell(allowed, generator=torch.Generator().manual_seed(1)))
    drawn = sum(one_cell(torch.ones(1, 2, 2).bool(), generator=torch.Generator().manual_seed(n)) for n in range(400))
    assert drawn.min() > 60  # each cell about a hundred times


def test_the_conditional_mean_weighs_cells_by_their_cover():
    model, maps = (
        nn.Sequential(nn.AvgPool2d(2)),
        torch.randint(3, (4, 6, 6), generator=torch.Generator().manual_seed(0)),
    )
    images = torch.rand(4, 2, 6, 6)
    masks = Masks({"object": maps}, {"object": ("none", "tree", "door", "never")})
    share = nn.functional.avg_pool2d((maps == 2).float()[:, None], 2)
    wanted = (model(images) * share).sum((0, 2, 3)) / share.sum()
    torch.testing.assert_close(conditional_mean(model, "0", images, masks, "door", batch_size=3), wanted)
    for wrong, said in (("never", r"never \(object\) is in none of the 4 images"), ("car", "no concept 'car'")):
        with pytest.raises(ValueError, match=said):
            conditional_mean(model, "0", images, masks, wrong)
    with pytest.raises(ValueError, match="masks of 4 images for 3 inputs"):
        conditional_mean(model, "0", images[:3], masks, "door")
    with pytest.raises(ValueError, match="expected maps"):
        conditional_mean(nn.Sequential(nn.Flatten()), "0", images, masks, "door")
