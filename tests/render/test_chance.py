import torch
from scipy import stats

from lecture13.render.chance import Chance, mix


def test_mix_is_splitmix64s_finaliser():
    # Reference values computed with unbounded integers, from the published constants.
    def reference(z: int) -> int:
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) % 2**64
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) % 2**64
        z ^= z >> 31
        return z - 2**64 if z >= 2**63 else z

    values = [0, 1, 2, 12345, 2**62 + 17, -1, -(2**63)]
    assert mix(torch.tensor(values)).tolist() == [reference(v % 2**64) for v in values]


def test_uniform_numbers_are_uniform_and_uncorrelated():
    chance = Chance.of_images(3, 0, 20000)
    a, b, c = chance.uniform("a"), chance.uniform("b"), Chance.of_images(4, 0, 20000).uniform("a")
    assert stats.kstest(a.numpy(), "uniform").pvalue > 1e-3
    for other in (b, c, a.roll(1)):
        assert abs(stats.pearsonr(a.numpy(), other.numpy()).statistic) < 0.03
    many = Chance.of_images(3, 0, 10).uniform("many", shape=(2000,))
    assert stats.kstest(many.flatten().numpy(), "uniform").pvalue > 1e-3


def test_an_image_does_not_know_its_neighbours():
    whole = Chance.of_images(7, 0, 50).uniform("x", shape=(3, 2))
    assert torch.equal(whole[20:30], Chance.of_images(7, 20, 10).uniform("x", shape=(3, 2)))


def test_keys_differ_between_seeds_and_numbers():
    keys = [
        Chance.of_images(seed, first, 1000).keys for seed in (0, 1, 2**31, 2**32 - 1) for first in (0, 2**30, 2**31)
    ]
    assert len(torch.cat(keys).unique()) == 12000


def test_pick_follows_the_weights():
    picked = Chance.of_images(0, 0, 30000).pick("p", [1.0, 0.0, 3.0])
    counts = picked.bincount(minlength=3)
    assert counts[1] == 0
    assert stats.binomtest(int(counts[2]), 30000, 0.75).pvalue > 1e-3


def test_whole_numbers_include_both_ends():
    drawn = Chance.of_images(0, 0, 5000).whole("n", 2, 5)
    assert drawn.unique().tolist() == [2, 3, 4, 5]


def test_colours_stay_near_the_palette():
    palette = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    drawn = Chance.of_images(0, 0, 500).over_pixels().colour("c", palette, jitter=0.05)
    assert drawn.shape == (3, 500, 1, 1)
    distance = (drawn[:, :, 0, 0].T[:, None] - palette).abs().amax(2).amin(1)
    assert 0.03 < distance.max() <= 0.05 * 1.6 + 1e-6
