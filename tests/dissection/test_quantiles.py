import importlib

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lecture13.dissection import Largest, Sketch, quantiles
from lecture13.dissection.quantiles import RANK_ERROR, enough, places, rank

MODULE = importlib.import_module("lecture13.dissection.quantiles")  # the package's attribute is the function


def oracle(values, share):
    """The smallest value that at most a share lies above, by sorting."""
    ordered = np.sort(np.asarray(values), axis=0)[::-1]
    return ordered[rank(share, len(ordered))]


def rank_errors(values, share, found):
    """The share of the samples between the level found and the true one, by unit."""
    above, least = (values > found).mean(0), (values >= found).mean(0)
    wanted = rank(share, len(values)) / len(values)
    return np.maximum(0, np.maximum(above - wanted, wanted - least))


def data(count, units=3, seed=0, kind="normal"):
    chance = np.random.default_rng(seed)
    values = chance.standard_normal((count, units)).astype(np.float32)
    if kind == "ties":
        values = np.maximum(values, 0).round(1)
    if kind == "rising":
        values = np.sort(values, axis=0)
    if kind == "falling":
        values = np.sort(values, axis=0)[::-1].copy()
    return values


@pytest.mark.parametrize(("share", "count", "most"), [(0.01, 1000, 10), (0.29, 100, 29), (0.005, 199, 0), (0, 5, 0)])
def test_rank_counts_what_may_lie_above(share, count, most):
    assert rank(share, count) == most


@pytest.mark.parametrize("share", [-0.1, 1, 1.5, float("nan"), "0.1", True])
def test_shares_out_of_range_are_refused(share):
    with pytest.raises(ValueError, match="expected a number in"):
        rank(share, 10)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 99),
    keep=st.integers(1, 40),
    kind=st.sampled_from(["normal", "ties", "rising", "falling"]),
    cuts=st.lists(st.integers(0, 150), max_size=6),
    merged=st.integers(1, 3),
    slack=st.integers(1, 60),
    read=st.booleans(),
)
def test_the_largest_are_exact_in_any_batches_and_any_merged_parts(seed, keep, kind, cuts, merged, slack, read):
    values = data(150, seed=seed, kind=kind)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MODULE, "SLACK", slack)
        stores = [Largest(keep) for _ in range(merged)]
        for number, part in enumerate(np.split(values, sorted(cuts))):
            stores[number % merged].add(torch.from_numpy(part))
            if read and stores[number % merged].count >= keep:
                stores[number % merged].values()  # looking does not change it
        for other in stores[1:]:
            stores[0].merge(other)
        stores[0].add(torch.from_numpy(values[:7]))
    everything = np.concatenate([values, values[:7]])
    assert stores[0].count == 157
    assert np.array_equal(stores[0].values().numpy(), np.sort(everything, axis=0)[::-1][:keep])
    share = (keep - 1) / 157
    assert np.array_equal(stores[0].levels([share])[0].numpy(), oracle(everything, share))


def test_the_largest_say_what_is_wrong():
    store = Largest(5).add(torch.rand(4, 3))
    for make, said in (
        (lambda: Largest(0), "keep=0"),
        (lambda: store.values(), "4 values were added; expected at least keep=5"),
        (lambda: Largest(2).values(), "0 values"),
        (lambda: Largest(2).add(torch.rand(9, 1)).levels([0.5]), "4 of 9 values lie above"),
        (lambda: store.add(torch.rand(4, 2)), "values of 2 units after those of 3"),
        (lambda: store.add(torch.rand(4)), r"shape \(4,\)"),
        (lambda: store.add(torch.tensor([[0.0, torch.nan, 1.0]])), "unit 1 holds NaN"),
        (lambda: Largest(7).merge(store), "the other keeps 5"),
        (lambda: Sketch(1), "size=1"),
        (lambda: Sketch().levels([0.5]), "no values were added"),
        (lambda: Sketch().add(torch.rand(3, 2)).add(torch.rand(3, 4)), "4 units after those of 2"),
    ):
        with pytest.raises(ValueError, match=said):
            make()


def test_infinities_have_a_rank():
    values = torch.tensor([[torch.inf], [-torch.inf], [0.0], [1.0]])
    assert Largest(3).add(values).values()[:, 0].tolist() == [torch.inf, 1, 0]
    assert quantiles(values, [0.0, 0.75])[:, 0].tolist() == [torch.inf, -torch.inf]


@pytest.mark.parametrize("kind", ["normal", "ties", "rising", "falling"])
@pytest.mark.parametrize("parts", [1, 7])
def test_the_sketch_stays_within_its_error_in_rank(kind, parts):
    values = data(150_000, units=8, kind=kind)
    sketches = [Sketch(seed=number) for number in range(parts)]
    for number, part in enumerate(torch.from_numpy(values).split(3777)):
        sketches[number % parts].add(part)
    for other in sketches[1:]:
        sketches[0].merge(other)
    shares = [0.5, 0.2, 0.01, 0.001]
    found = sketches[0].levels(shares).numpy()
    for share, level in zip(shares, found, strict=True):
        assert rank_errors(values, share, level).max() <= RANK_ERROR
    held = sum(len(part) for level in sketches[0]._levels for part in level)
    assert held < len(sketches[0]._levels) * sketches[0].size and sketches[0].count == len(values)


def test_a_small_sketch_errs_as_its_size_says():
    """The standard deviation is below √2/size, whichever way the data come."""
    size, errors = 100, []
    for seed in range(30):
        values = data(20_000, units=1, seed=seed)
        found = Sketch(size, seed=seed).add(torch.from_numpy(values)).levels([0.5]).numpy()
        errors.append((values > found).mean() - 0.5)
    assert np.std(errors) < 2**0.5 / size and abs(np.mean(errors)) < 3 * 2**0.5 / size / 30**0.5


def test_below_its_size_the_sketch_is_exact():
    values = data(300)
    found = Sketch(301).add(torch.from_numpy(values)).levels([0.5, 0.1, 0.0])
    assert np.array_equal(found, np.stack([oracle(values, share) for share in (0.5, 0.1, 0.0)]))


@settings(max_examples=20, deadline=None)
@given(
    share=st.sampled_from([0.01, 0.3, 0.9]),
    shape=st.sampled_from([(5,), (3, 4), ()]),
    batch=st.integers(1, 60),
    held=st.sampled_from([2**24, 400]),
    counted=st.booleans(),
)
def test_quantiles_equal_sorting_whole_arrays(share, shape, batch, held, counted):
    values = torch.from_numpy(data(50 * int(np.prod(shape)), units=4)).view(50, *shape, 4).movedim(-1, 1)
    rows = values.movedim(1, -1).reshape(-1, 4)
    found = quantiles(iter(values.split(batch)), share, count=len(rows) if counted else None, held=held)
    assert found.shape == (4,) and np.array_equal(found, oracle(rows, share))  # also by a sketch that holds all
    several = quantiles(values, [share, 0.5], held=held)
    assert torch.equal(several[0], found) and np.array_equal(several[1], oracle(rows, 0.5))


def test_quantiles_beyond_memory():
    values = data(60_000, units=4)
    parts = torch.from_numpy(values).split(1000)
    exact = quantiles(parts, 0.01, count=60_000, held=5000)
    assert np.array_equal(exact, oracle(values, 0.01))
    near = quantiles(parts, 0.01, held=5000)
    assert not np.array_equal(near, exact) and rank_errors(values, 0.01, near.numpy()).max() <= RANK_ERROR


@pytest.mark.parametrize(
    ("parts", "shares", "options", "said"),
    [
        ([], 0.1, {}, "no activations"),
        (torch.rand(0, 3), 0.1, {}, "no activations"),
        (torch.rand(4), 0.1, {}, r"activations of shape \(4,\)"),
        (torch.rand(4, 2), [], {}, "no shares"),
        (torch.rand(4, 2), 1.0, {}, "share=1.0"),
        (torch.rand(4, 2), 0.1, {"count": 5}, "count=5, but the parts hold 4"),
        ([torch.rand(4, 2), torch.rand(4, 3)], 0.1, {}, "3 units after those of 2"),
        (torch.full((4, 2), torch.nan), 0.1, {}, "unit 0 holds NaN"),
    ],
)
def test_quantiles_say_what_is_wrong(parts, shares, options, said):
    with pytest.raises(ValueError, match=said):
        quantiles(parts, shares, **options)


def test_enough_of_a_sample_holds_the_promise():
    """Many random samples of places, of which ``enough`` values lie above: their true ranks."""
    share, population = 0.01, 40_000
    count = round(enough(share) / share)
    chance = np.random.default_rng(0)
    # the k-th largest of a sample of uniform values lies at 1 − Beta(k, m − k + 1)
    levels = chance.beta(share * count, count * (1 - share), size=population)
    assert np.abs(levels - share).max() < RANK_ERROR


def test_places_belong_to_the_image():
    assert torch.equal(places(3, 64, 10), places(3, 64, 20)[:10])
    assert not torch.equal(places(3, 64, 10), places(4, 64, 10))
    assert sorted(places(0, 5, 5).tolist()) == [0, 1, 2, 3, 4]
