import pytest
import torch

from lecture13.gan import densities, samplers


def test_a_pass_shows_every_sample_once():
    draw = samplers.from_tensors(torch.arange(12.0)[:, None], torch.arange(12), seed=3)
    batches = [draw(number, 5) for number in range(12)]  # 60 samples: five passes
    seen = torch.cat([x[:, 0] for x, _ in batches])
    for start in range(0, 60, 12):
        assert sorted(seen[start : start + 12].tolist()) == list(range(12))
    assert all(torch.equal(x[:, 0].long(), y) for x, y in batches)
    assert not torch.equal(seen[:12], seen[12:24])
    assert torch.equal(draw(7, 5)[0], batches[7][0])  # a function of the number, not of what was drawn before


def test_bytes_come_as_floats_from_minus_one_to_one_half_of_them_mirrored():
    images = torch.zeros(40, 1, 2, 2, dtype=torch.uint8)
    images[..., 1] = 255
    chance = torch.Generator().manual_seed(0)
    (x,) = samplers.from_bytes(images, mirror=True)(0, 40, chance)
    assert x.dtype == torch.float32 and set(x.unique().tolist()) == {-1.0, 1.0}
    mirrored = (x[:, 0, 0, 0] == 1).float().mean().item()
    assert 0.2 < mirrored < 0.8
    assert torch.equal(x[:, 0, :, 0], -x[:, 0, :, 1])  # whole images are turned, not pixels
    (plain,) = samplers.from_bytes(images)(0, 40, chance)
    assert (plain[..., 0] == -1).all() and (plain[..., 1] == 1).all()


def test_densities_give_fresh_draws():
    draw = samplers.from_mixture(densities.ring())
    (x,) = draw(0, 7, torch.Generator().manual_seed(0))
    assert x.shape == (7, 2)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="0 samples"):
        samplers.from_tensors(torch.zeros(0, 1))
    with pytest.raises(ValueError, match="4 samples, 3 labels"):
        samplers.from_tensors(torch.zeros(4, 1), torch.zeros(3))
    with pytest.raises(TypeError, match=r"images of torch\.float32; expected uint8"):
        samplers.from_bytes(torch.zeros(4, 1, 2, 2))
