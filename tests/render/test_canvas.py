import torch

from lecture13.render.canvas import Canvas


def blank(count: int = 2, size: int = 4) -> Canvas:
    ones, none = torch.ones(3, count, 1, 1), torch.zeros(count, 2 * size, 2 * size)
    return Canvas(count, size, ones, ones, none, none)


def colour(value: float) -> torch.Tensor:
    return torch.full((3, 1, 1, 1), value)


def test_a_pixel_is_the_mean_and_the_majority_of_its_samples():
    canvas = blank(1, 1)
    canvas.colours[:, :4] = torch.tensor([0.0, 1.0, 1.0, 1.0])
    canvas.regions[:4] = torch.tensor([9, 3, 3, 3], dtype=torch.uint8)
    assert canvas.images().tolist() == [[[[0.75]], [[0.75]], [[0.75]]]]
    assert canvas.majority().item() == 3


def test_among_equals_the_nearest_region_wins():
    canvas = blank(1, 1)
    canvas.regions[:4] = torch.tensor([2, 7, 7, 2], dtype=torch.uint8)
    assert canvas.majority().item() == 7
    canvas.regions[:4] = torch.tensor([5, 1, 9, 2], dtype=torch.uint8)
    assert canvas.majority().item() == 9


def test_a_patch_changes_its_own_rectangle_of_its_own_image():
    canvas = blank()
    # Two patches of different sizes share one batch; each may only touch what it asked for.
    left, right = torch.tensor([0.25, 0.0]), torch.tensor([0.5, 1.0])
    patch = canvas.patch(torch.tensor([1, 0]), left, left, right, right)
    patch.paint(torch.ones(2, patch.height, patch.width), colour(1.0), 5)
    patch.done()
    images = canvas.images()[:, 0]
    assert images[0].eq(1).all()
    expected = torch.zeros(4, 4)
    expected[1, 1] = 1
    assert torch.equal(images[1], expected)
    assert torch.equal(canvas.majority()[1], (expected * 5).to(torch.uint8))


def test_a_patch_reaching_over_the_edge_is_cut_off():
    canvas = blank(1)
    patch = canvas.patch(torch.tensor([0]), *(torch.tensor([v]) for v in (0.5, -2.0, 3.0, 0.25)))
    patch.paint(torch.ones(1, patch.height, patch.width), colour(1.0), 5)
    patch.done()
    assert canvas.images()[0, 0].tolist() == [[0, 0, 1, 1]] + [[0] * 4] * 3


def test_light_multiplies_haze_fades_and_a_glow_ignores_both():
    canvas = blank(1)
    canvas.light, canvas.haze = torch.full((3, 1, 1, 1), 0.5), torch.full((3, 1, 1, 1), 0.9)
    patch = canvas.frame()
    full = torch.ones(1, 8, 8)
    patch.paint(full, colour(0.8), 1)
    assert torch.allclose(patch.colours, torch.tensor(0.4))
    patch.paint(full, colour(0.8), 1, far=0.5)
    assert torch.allclose(patch.colours, torch.tensor(0.65))
    patch.paint(full, colour(0.8), 1, far=0.5, glows=True)
    assert torch.allclose(patch.colours, torch.tensor(0.8))


def test_half_a_coverage_mixes_and_keeps_the_region_below():
    canvas = blank(1)
    patch = canvas.frame()
    patch.paint(torch.full((1, 8, 8), 0.5), colour(1.0), 5)
    patch.done()
    assert torch.allclose(canvas.images(), torch.tensor(0.5))
    assert canvas.majority().eq(0).all()


def test_a_shadow_darkens_and_keeps_the_region():
    canvas = blank(1)
    patch = canvas.frame()
    patch.paint(torch.ones(1, 8, 8), colour(0.8), 5)
    patch.shade(torch.ones(1, 8, 8), 0.25)
    patch.done()
    assert torch.allclose(canvas.images(), torch.tensor(0.6))
    assert canvas.majority().eq(5).all()
