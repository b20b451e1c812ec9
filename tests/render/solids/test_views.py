"""Renders: affine in the texels, differentiable, and what light, lens and sensor make of them."""

import numpy as np
import pytest
import torch
from scipy import ndimage, stats

from lecture13.render import solids
from lecture13.render.solids import camera, expose, look, radiance, render, solid
from lecture13.render.solids.backgrounds import backgrounds
from tests.render.solids.small import cube, shots, soup, texture

PLAIN = {"blur": (0.2, 0.9), "ambient": (0.3, 0.6), "shine": (0, 0.3), "background": ("colours", "noise")}


@pytest.mark.parametrize("mesh", [soup(), cube()], ids=["soup", "cube"])
@pytest.mark.parametrize("samples", [1, 2, 3])
def test_before_the_sensor_a_render_is_affine_in_the_texels(mesh, samples):
    views = look(mesh, shots(3, **PLAIN), size=20, samples=samples)
    a, b = texture(seed=1), texture(seed=2)
    nothing = radiance(torch.zeros_like(a), views)
    torch.testing.assert_close(
        radiance(a + b, views), radiance(a, views) + radiance(b, views) - nothing, atol=1e-5, rtol=0
    )
    torch.testing.assert_close(nothing, views.base)


def test_gradients_are_right_in_double_precision():
    views = look(soup(), shots(2, **PLAIN, exposure=(-1, -1)), size=6).to("cpu", torch.float64)
    texels = texture(4, 5, dtype=torch.float64).mul(0.5).add(0.2).requires_grad_()
    assert torch.autograd.gradcheck(lambda t: radiance(t, views), texels)
    images = expose(radiance(texels, views), views)
    assert images.min() > 0 and images.max() < 1  # where nothing is clipped
    assert torch.autograd.gradcheck(lambda t: render(t, views), texels)
    own = texels.detach().repeat(2, 1, 1, 1).requires_grad_()
    assert torch.autograd.gradcheck(lambda t: radiance(t, views), own)


def test_one_texture_for_all_views_or_one_for_each():
    views = look(cube(), shots(3, **PLAIN), size=16)
    textures = torch.cat([texture(seed=i) for i in range(3)])
    each = render(textures, views)
    for i in range(3):
        torch.testing.assert_close(each[i], render(textures[i : i + 1], views)[i])
        torch.testing.assert_close(each[i : i + 1], render(textures[i : i + 1], views[i : i + 1]))


def test_any_number_of_threads_gives_the_same():
    views, texels, threads = look(cube(), shots(6, **PLAIN), size=16), texture(), torch.get_num_threads()
    found = []
    try:
        for count in (1, 2, 3):
            torch.set_num_threads(count)
            found.append(radiance(texels, views))
    finally:
        torch.set_num_threads(threads)
    torch.testing.assert_close(found[1], found[0])
    torch.testing.assert_close(found[2], found[0])


def test_a_plain_texture_in_even_light_is_its_colour():
    colour = torch.tensor([0.2, 0.5, 0.9]).view(1, 3, 1, 1).expand(1, 3, 4, 4).contiguous()
    # lamp and camera on one line, the face turned to both: full light
    views = look(cube(), shots(2, azimuth=(0, 0), elevation=(0, 0), roll=(0, 0), lamp=(0, 0)), size=32)
    inside = ndimage.binary_erosion(views.mask[0].numpy()[::2, ::2], iterations=2)
    images = render(colour, views)
    np.testing.assert_allclose(images[0].numpy()[:, inside].T, np.tile([0.2, 0.5, 0.9], (inside.sum(), 1)), atol=1e-5)
    assert inside.sum() > 50


def test_where_nothing_is_there_is_the_background():
    drawn = shots(4, background=("scenes", "noise", "colours"))
    views = look(cube(), drawn, size=32)
    behind, images = backgrounds(drawn, 32), render(texture(), views)
    empty = views.mask.view(4, 32, 2, 32, 2).sum((2, 4)) == 0
    for i in range(4):
        torch.testing.assert_close(images[i][:, empty[i]], behind[i][:, empty[i]], atol=1e-5, rtol=0)
    assert empty.any()


def test_the_lamp_lights_what_is_turned_to_it():
    ball = solid("baseball", texels=64)
    drawn = shots(1, ambient=(0.2, 0.2), lamp=(60, 60))
    views = look(ball, drawn, size=32)
    steps = (torch.arange(64) + 0.5) / 32 - 1
    towards = steps * drawn.lamp[0, 0] - steps[:, None] * drawn.lamp[0, 1]
    seen = views.mask[0]
    assert torch.corrcoef(torch.stack([views.shading[0, 0][seen], towards[seen]]))[0, 1] > 0.9
    assert views.shading[0, 0][~seen].max() == 0 and 0.15 < views.shading[0, 0][seen].min() < views.shading.max() <= 1
    matt = look(ball, shots(1, shine=(0, 0), background=("colours",)), size=32)
    glossy = look(ball, shots(1, shine=(0.5, 0.5), background=("colours",)), size=32)
    assert (glossy.base - matt.base).max() > 0.3 and (glossy.base - matt.base).min() > -1e-6


def test_blur_is_gaussian_and_keeps_the_light():
    sharp, soft = (look(cube(), shots(1, blur=(b, b)), size=64, samples=1) for b in (0.0, 1.5))
    torch.testing.assert_close(soft.lens.sum(2), torch.ones(1, 64))
    torch.testing.assert_close(sharp.lens[0], torch.eye(64), atol=1e-6, rtol=0)
    texels = texture()
    there = ndimage.gaussian_filter(radiance(texels, sharp)[0].numpy(), (0, 1.5, 1.5), truncate=6, mode="nearest")
    ours = radiance(texels, soft)[0].numpy()
    np.testing.assert_allclose(ours[:, 8:-8, 8:-8], there[:, 8:-8, 8:-8], atol=2e-3)


def test_the_sensor_multiplies_adds_noise_and_clips():
    drawn = shots(40, noise=(0.05, 0.05), exposure=(1, 1), tint=(0.8, 1.2))
    views = look(cube(), drawn, size=16)
    light = radiance(texture(), views)
    torch.testing.assert_close(
        render(texture(), views), (light * drawn.gain[:, :, None, None] + views.noise).clamp(0, 1)
    )
    assert drawn.gain.min() >= 1.6 and drawn.gain.max() <= 2.4
    noise = views.noise.flatten().double().numpy() / 0.05
    assert stats.kstest(noise, stats.norm.cdf).pvalue > 1e-4 and len(np.unique(noise)) > 0.99 * len(noise)
    assert look(cube(), shots(1, noise=(0.1, 0.1)), size=15).noise.shape == (1, 3, 15, 15)


def test_a_larger_picture_is_the_same_picture():
    drawn = shots(3, **PLAIN)
    small, large = (radiance(texture(), look(cube(), drawn, size=size)) for size in (32, 64))
    difference = torch.nn.functional.avg_pool2d(large, 2) - small
    assert difference.abs().mean() < 0.015


def test_distance_and_shift_move_the_picture():
    near, far = (look(cube(), shots(1, distance=(d, d)), size=64).coverage for d in (2.5, 5.0))
    assert 3 < float(near / far) < 6  # the area falls with the square of the distance, and faster nearby
    middle = []
    for shift in ((0.0, 0.0), (0.25, 0.25)):
        mask = look(cube(), shots(1, shift=shift, distance=(5, 5)), size=64).mask[0].float()
        middle.append(torch.stack([(mask.sum(axis) * torch.arange(128)).sum() / mask.sum() for axis in (0, 1)]))
    torch.testing.assert_close(middle[1] - middle[0], torch.full((2,), 32.0), atol=1, rtol=0)


def test_views_are_indexed_moved_and_measured():
    views = look(cube(), shots(5), size=8)
    assert len(views) == 5 and len(views[torch.tensor([3, 1])]) == 2 and torch.equal(views[3:4].uv, views.uv[3:4])
    assert torch.equal(views[torch.tensor([3])].shots.keys, views.shots.keys[3:4])
    assert views.to("cpu", torch.float64).uv.dtype == torch.float64 and views.mask.dtype == torch.bool
    assert views.coverage.shape == (5,) and views.coverage.min() > 0 and views.coverage.max() < 1


def test_a_camera_draws_new_poses_from_its_generator():
    shoot, generator = camera(cube(), size=8), torch.Generator().manual_seed(0)
    one, two, again = shoot(3, generator), shoot(3, generator), shoot(3, torch.Generator().manual_seed(0))
    assert not torch.equal(one.uv, two.uv) and torch.equal(one.uv, again.uv) and torch.equal(one.noise, again.noise)


def test_poses_that_never_show_the_solid_are_an_error():
    away = camera(cube(), solids.Poses(shift=(3, 3)), size=16)
    with pytest.raises(ValueError, match=r"'cube' is in none of 5 views: shift=\(3.0, 3.0\) moves it out of the frame"):
        away(5, torch.Generator())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: look(cube(), shots(0)), "0 solids for 0 poses"),
        (lambda: look([cube()], shots(2)), "1 solids for 2 poses"),
        (lambda: look(cube(), shots(1), size=0), "size=0; expected"),
        (lambda: look(cube(), shots(1), samples=1.5), "samples=1.5; expected"),
        (lambda: render(texture()[0], look(cube(), shots(1), size=8)), r"shape \(3, 9, 11\)"),
        (lambda: radiance(texture().expand(3, -1, -1, -1), look(cube(), shots(2), size=8)), "or one for each view"),
        (lambda: render(texture() * 2, look(cube(), shots(1), size=8)), r"expected \[0, 1\]"),
    ],
)
def test_what_cannot_be_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
def test_the_gpu_renders_the_same():
    shoot = camera(cube(), size=32, device="cuda")
    there = shoot(4, torch.Generator().manual_seed(0))
    here = there.to("cpu")
    torch.testing.assert_close(render(texture().cuda(), there).cpu(), render(texture(), here), atol=1e-5, rtol=0)
