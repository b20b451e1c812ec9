import numpy as np
import pytest
import torch
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.metrics import jaccard_score
from torch import nn
from torch.nn.functional import interpolate

from lecture13.dissection import Masks
from lecture13.dissection.limits import Readout, best_threshold, ceiling, iou_at


@pytest.mark.parametrize("ties", [False, True])
def test_no_threshold_is_better(ties):
    chance = torch.Generator().manual_seed(0)
    scores, mask = torch.randn(3, 5, 6, generator=chance), torch.rand(3, 5, 6, generator=chance) < 0.3
    scores = scores + mask
    scores = scores.round() if ties else scores
    threshold, found = best_threshold(scores, mask)
    tried = {
        t: jaccard_score(mask.flatten().numpy(), (scores >= t).flatten().numpy()) for t in scores.unique().tolist()
    }
    assert found == pytest.approx(max(tried.values()))
    assert found == pytest.approx(tried[threshold]) == pytest.approx(iou_at(scores, mask, threshold))


def test_a_perfect_map_and_a_useless_one():
    mask = torch.zeros(2, 4, 4, dtype=torch.bool)
    mask[0, :2] = True
    assert best_threshold(mask.float(), mask) == (1.0, 1.0)
    assert best_threshold(torch.zeros(2, 4, 4), mask) == (0.0, 0.25)  # all or nothing
    assert iou_at(torch.zeros(2, 4, 4), torch.zeros(2, 4, 4, dtype=torch.bool), 1.0) == 0.0


def test_the_ceiling_is_one_where_a_cell_is_a_pixel_and_falls_with_the_cells():
    mask = torch.zeros(1, 16, 16, dtype=torch.bool)
    mask[0, 4:7, 5:7] = True
    found = [ceiling(mask, cells) for cells in (16, 8, 4, 2)]
    assert found[0] == 1.0 and found == sorted(found, reverse=True)
    # by hand for 2×2: bilinear between four centres, one of which holds 6/64, the largest at the corner
    shares = torch.tensor([[6 / 64, 0.0], [0.0, 0.0]])[None, None]
    up = interpolate(shares, size=16, mode="bilinear", align_corners=False)[0, 0].numpy()
    best = max(jaccard_score(mask[0].numpy().ravel(), (up >= t).ravel()) for t in np.unique(up))
    assert found[3] == pytest.approx(best)


class Mixed(nn.Module):
    """Four units; the concept is the sum of the first two, which neither tells alone."""

    def __init__(self):
        super().__init__()
        self.units = nn.Identity()

    def forward(self, maps):
        return self.units(maps)


@pytest.fixture
def mixed():
    maps = torch.randn(6, 4, 8, 8, generator=torch.Generator().manual_seed(1))
    mask = maps[:, 0] + maps[:, 1] > 1.2
    return maps, Masks({"object": mask.long()}, {"object": ("none", "sum")})


def test_the_readout_points_where_fishers_discriminant_does(mixed):
    maps, masks = mixed
    weights = Readout.fit(Mixed(), "units", maps, masks, ridge=0).weights[:-1, 0].numpy()
    rows, labels = maps.movedim(1, -1).reshape(-1, 4).numpy(), masks.maps["object"].flatten().numpy()
    fisher = LinearDiscriminantAnalysis(solver="eigen").fit(rows, labels).coef_[0]
    cosine = weights @ fisher / np.linalg.norm(weights) / np.linalg.norm(fisher)
    assert cosine == pytest.approx(1.0, abs=1e-6)


def test_the_readout_tells_what_no_unit_does(mixed):
    maps, masks = mixed
    mask = masks.maps["object"].bool()
    readout = Readout.fit(Mixed(), "units", maps, masks)
    scores = readout.scores(Mixed(), "units", maps, (8, 8), batch_size=4)
    assert scores.shape == (1, 6, 8, 8)
    together = best_threshold(scores[0], mask)[1]
    alone = max(best_threshold(maps[:, unit], mask)[1] for unit in range(4))
    assert together > 0.9 > 0.6 > alone


def test_units_that_are_never_active_do_no_harm_and_batches_do_not_matter(mixed):
    maps, masks = mixed
    maps = torch.cat([maps, torch.zeros(6, 2, 8, 8)], dim=1)
    found = [Readout.fit(Mixed(), "units", maps, masks, batch_size=size).weights for size in (1, 5, 32)]
    assert all(weights.isfinite().all() for weights in found)
    for weights in found[1:]:
        torch.testing.assert_close(weights, found[0])


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: best_threshold(torch.zeros(2, 2), torch.zeros(2, 2, dtype=torch.bool)), "the mask is empty"),
        (lambda: best_threshold(torch.zeros(2, 2), torch.zeros(2, 2)), "expected bool"),
        (lambda: iou_at(torch.zeros(2, 2), torch.zeros(2, 3, dtype=torch.bool), 0.0), "same shape"),
        (lambda: ceiling(torch.ones(1, 4, 4, dtype=torch.bool), 5), "5 cells"),
        (lambda: ceiling(torch.ones(4, 4, dtype=torch.bool), 2), "expected"),
    ],
)
def test_what_makes_no_sense_is_refused(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def test_masks_of_other_images_are_refused(mixed):
    maps, masks = mixed
    with pytest.raises(ValueError, match="masks of 6 images for 3 inputs"):
        Readout.fit(Mixed(), "units", maps[:3], masks)
