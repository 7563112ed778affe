"""`pool` and `leave_one_out_curve` give what the dense code gives, at any size."""

import contextlib
import io
import re
import subprocess
import sys
import tracemalloc

import mpmath
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from rows import COMPACT, OTHERS

from attention_pooling import (
    KERNELS,
    attention_weights,
    fast,
    fast_gauss,
    gaussian,
    leave_one_out,
    leave_one_out_curve,
    mcycle,
    nadaraya_watson,
    pool,
    progress,
    sorted_moments,
    streaming,
    trend,
    windows,
)

NAMES = list(KERNELS)
ROWS = KERNELS | OTHERS
each_row = pytest.mark.parametrize("kernel", ROWS.values(), ids=ROWS)
each_compact = pytest.mark.parametrize("kernel", COMPACT.values(), ids=COMPACT)


def disagreement(estimate, queries, keys, values, kernel, sigma, tiny=1e-300):
    """Return the largest |pool − dense| in units of Σ wᵢ|vᵢ|; infinite where NaN is not shared."""
    worst = 0.0
    rows = max(1, 2**20 // len(keys))
    for at in range(0, len(queries), rows):
        dense, weights = nadaraya_watson(queries[at : at + rows], keys, values, kernel, sigma)
        got = estimate[at : at + rows]
        if not np.array_equal(np.isnan(dense), np.isnan(got)):
            return np.inf
        reached = ~np.isnan(dense)
        scale = (weights @ np.abs(values))[reached] + tiny
        worst = max(worst, np.max(np.abs(got - dense)[reached] / scale, initial=0.0))
    return worst


def sampled_disagreement(queries, keys, values, kernel, sigma, rng, sample=100):
    estimate = pool(queries, keys, values, kernel, sigma)
    assert estimate.shape == queries.shape[:1] + values.shape[1:]
    some = rng.choice(len(queries), min(sample, len(queries)), replace=False)
    return disagreement(estimate[some], queries[some], keys, values, kernel, sigma)


def layouts(rng, n=2000):
    uniform = rng.uniform(0, 5, n)
    return {
        "uniform": (uniform, rng.uniform(0, 5, n)),
        "far outside": (uniform, rng.uniform(-50, 60, n)),
        "repeated": (np.round(uniform, 1), np.round(rng.uniform(-1, 6, n), 1)),
        "two distinct": (rng.choice([0.0, 1.0], n), rng.uniform(-1, 2, n)),
        "all equal": (np.full(n, 0.3), rng.uniform(-1, 2, n)),
        "offset": (uniform + 1e6, rng.uniform(-1, 6, n) + 1e6),
        "heavy tails": (rng.standard_cauchy(n), rng.standard_cauchy(n)),
        "clusters": (
            rng.choice([-1e9, 0, 1, 1e9], n) + rng.uniform(0, 0.1, n),
            rng.choice([-1e9, 0.5, 1, 3e8], n) + rng.uniform(0, 0.1, n),
        ),
    }


@each_row
@pytest.mark.parametrize("layout", layouts(np.random.default_rng(0), n=2))
def test_agrees_with_dense(kernel, layout):
    rng = np.random.default_rng(1)
    keys, queries = layouts(rng)[layout]
    values = trend(np.clip(keys, -10, 10)) + rng.standard_normal(len(keys))
    for sigma in (1e-4, 0.02, 0.3, 2.0, 1e4):
        span = max(np.ptp(keys), np.ptp(np.concatenate([queries, keys])))
        bound = 1e-10 if (span / sigma) ** 2 / 2 < 1e4 else 1e-7
        assert sampled_disagreement(queries, keys, values, kernel, sigma, rng) < bound


@pytest.mark.parametrize("kernel", NAMES)
def test_agrees_with_dense_for_many_keys(kernel):
    rng = np.random.default_rng(2)
    keys, queries = rng.uniform(0, 5, 300_000), rng.uniform(-1, 6, 20_000)
    values = trend(keys) + rng.standard_normal(len(keys))
    for sigma in (1e-4, 0.3):
        assert sampled_disagreement(queries, keys, values, kernel, sigma, rng, sample=9) < 1e-10


@each_row
def test_values_of_all_sizes(kernel):
    rng = np.random.default_rng(4)
    keys, queries = rng.uniform(0, 5, 3000), rng.uniform(-1, 6, 3000)
    for values in (
        np.exp(20 * rng.standard_normal(3000)),
        rng.standard_normal(3000) + 1e8,
        np.where(keys > 2.5, 1.0, 0.0),
        np.where(rng.random(3000) < 1e-3, 1e100, 1e-100 * rng.standard_normal(3000)),
        rng.standard_normal(3000) * 1e-310,
        np.zeros(3000),
    ):
        for sigma in (0.02, 0.2):
            tiny = 1e-300 if np.max(abs(values)) > 1e-300 else 1e-312
            estimate = pool(queries, keys, values, kernel, sigma)[::10]
            assert disagreement(estimate, queries[::10], keys, values, kernel, sigma, tiny) < 1e-10


@pytest.mark.parametrize("place", [0.01, 9.99])
def test_a_distant_key_with_by_far_the_largest_value(place):
    rng = np.random.default_rng(24)
    keys, queries = rng.uniform(0, 20, (2, 2000))
    values = 1e-40 * rng.standard_normal(2000)
    keys[0], values[0] = place, 1.0
    for sigma in (1.0, 0.51):
        estimate = pool(queries, keys, values, sigma=sigma)
        assert disagreement(estimate, queries, keys, values, "gaussian", sigma) < 1e-10


@pytest.fixture
def boxes(monkeypatch):
    """The fast Gauss transform serves every query that it may."""
    monkeypatch.setattr(fast, "FEW_PAIRS", 0)
    monkeypatch.setattr(fast_gauss, "COSTS", dict.fromkeys(fast_gauss.COSTS, 0) | {"pair": 1})


@pytest.mark.parametrize("sigma", [1.0, 0.999])  # in units of the widest boxes, 1 and 2
@pytest.mark.usefixtures("boxes")
def test_distant_keys_of_any_share(sigma):
    rng = np.random.default_rng(31)
    distance, decades = (
        grid.ravel() for grid in np.meshgrid(np.arange(1, 12, 0.5), np.arange(-2.0, 25))
    )
    distance += rng.uniform(-0.25, 0.25, distance.size)
    # Two keys of each, out of reach of the others, at numbers as large as allow exact differences.
    unit, places = 2.0**-22, 2.0**30 + 64 * np.arange(distance.size) * sigma
    near = np.round((places + rng.random(distance.size)) / unit) * unit
    far = near + np.round(distance * sigma * rng.choice([-1, 1], distance.size) / unit) * unit
    queries = near + np.round(rng.uniform(-0.5, 0.5, (3, distance.size)) * sigma / unit) * unit
    small = 10**decades * np.exp(-(distance**2) / 2)
    values = np.concatenate([small, np.ones(small.size)])
    estimate = pool(queries.ravel(), np.concatenate([near, far]), values, sigma=sigma)
    u, v = (queries - near) / sigma, (queries - far) / sigma
    weight = np.exp((u - v) * (u + v) / 2)
    wanted = (small + weight) / (1 + weight)
    np.testing.assert_allclose(estimate.reshape(wanted.shape), wanted, rtol=1e-10)


@pytest.mark.parametrize("sigma", [1.0, 0.999, 0.7])
@pytest.mark.usefixtures("boxes")
def test_no_pairs_are_left_where_values_differ_by_300_decades(sigma, pairs):
    rng = np.random.default_rng(32)
    keys, queries = rng.uniform(-38 * sigma, 38 * sigma, (2, 150))
    keys[0], values = 0, np.append(1, 1e-300 * rng.standard_normal(149))
    estimate = pool(queries, keys, values, sigma=sigma)
    assert error_of(estimate, *expected(queries, keys, values, "gaussian", sigma)) < 1e-10
    assert sum(pairs) == 0
    errors, _ = leave_one_out_curve(keys, values, sigmas=[sigma])
    np.testing.assert_allclose(errors, [leave_one_out(keys, values, sigma=sigma).error])
    assert sum(pairs) <= len(keys)  # those of the key that leaves the one large value out


@pytest.mark.parametrize("n", [2, 1000])
@pytest.mark.parametrize("d", [1, 2])
@pytest.mark.parametrize("size", [1e306, 1e-306, 1e-40])
@pytest.mark.parametrize("query", [0.0, 35.0])
def test_values_near_the_ends_of_the_numbers(n, d, size, query):
    keys, values = np.linspace(0, 1, n * d).reshape(n, d), np.linspace(size, 2 * size, n)
    queries = np.full((3, d), query)
    if d == 1:
        queries, keys = queries[:, 0], keys[:, 0]
    dense = nadaraya_watson(queries, keys, values).estimate
    np.testing.assert_allclose(pool(queries, keys, values), dense, rtol=1e-10)


def test_distances_whose_squares_overflow():
    keys = np.array([1e154, 2e154, 1e157])
    dense = nadaraya_watson(keys, keys, [1.0, 2.0, 3.0], sigma=1e154).estimate
    np.testing.assert_allclose(pool(keys, keys, np.array([1.0, 2.0, 3.0]), sigma=1e154), dense)


@pytest.mark.parametrize("kernel", ["gaussian", "boxcar"])
@pytest.mark.parametrize("place", [-5.0, -2.0, 0.0, 1e305])
@pytest.mark.parametrize("who", ["queries", "keys"])
@pytest.mark.parametrize("far", [-2.0, 3.0])
def test_distances_that_overflow_are_refused_as_in_dense(kernel, place, who, far):
    points = {name: place + np.linspace(0, 1, 200) for name in ("queries", "keys")}
    points[who][7] += far * max(1.0, abs(place))
    for sigma in (2.0 / 2**1023, 4.0 / 2**1023, 1e-3, 1e300):
        arguments = points | {"values": np.ones(200), "kernel": kernel, "sigma": sigma}
        answers = []
        for function in (nadaraya_watson, pool):
            try:
                answers.append(function(**arguments))
            except ValueError as error:
                answers.append(str(error))
        dense, estimate = answers
        if isinstance(dense, str):
            assert isinstance(estimate, str)
            assert estimate == dense
        else:
            np.testing.assert_allclose(estimate, dense.estimate)


def coordinates(scale):
    """Draw keys that often coincide, or differ by just the width."""
    grid = st.integers(-20, 20).map(lambda i: i * 0.1)
    return st.lists(grid | st.floats(-2, 2), min_size=1, max_size=30).map(
        lambda points: np.array(points) * scale
    )


@given(
    st.data(),
    st.sampled_from(NAMES),
    st.sampled_from([0.1, 0.3, 1.0, 0.01, 1e-3]),
    st.sampled_from([1.0, 1e6, 1e-6]),
    st.sampled_from(["nan", "nearest"]),
)
@settings(max_examples=100)
def test_every_way_agrees_on_small_problems(data, kernel, sigma, scale, unreached):
    queries = data.draw(coordinates(scale))
    keys = data.draw(coordinates(scale))
    values = np.array(data.draw(st.lists(st.floats(-9, 9), min_size=len(keys), max_size=len(keys))))
    dense, weights = nadaraya_watson(
        queries, keys, values, kernel, sigma * scale, unreached=unreached
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fast, "FEW_PAIRS", 0)
        patch.setattr(sorted_moments, "FEW", data.draw(st.sampled_from([0, 1, 16])))
        if data.draw(st.booleans()):
            patch.setattr(fast_gauss, "COSTS", dict.fromkeys(fast_gauss.COSTS, 0) | {"pair": 1})
        estimate = pool(queries, keys, values, kernel, sigma * scale, unreached=unreached)
    scale = weights @ np.abs(values) + 1e-300
    np.testing.assert_array_equal(np.isnan(estimate), np.isnan(dense))
    assert np.nanmax(np.abs(estimate - dense) / scale, initial=0) < 1e-10


def expected(queries, keys, values, kernel, sigma, unreached="nan", own=False):
    """Return the dense estimate in float64, and Σ wᵢ|vᵢ|, however far queries lie from the keys."""
    queries, keys, values = (np.asarray(array, dtype=float) for array in (queries, keys, values))
    least = 1e-300 * np.max(abs(values))  # which weights near the least double cannot resolve
    mask = ~np.eye(len(keys), dtype=bool) if own else np.ones((len(queries), len(keys)), dtype=bool)
    if kernel != "gaussian":
        weights = attention_weights(queries, keys, kernel, sigma, mask=mask, unreached=unreached)
        return weights @ values, weights @ abs(values) + least
    # Scores relative to the nearest key's: u² loses the digits that a thousand widths leave in it.
    apart = np.where(mask, abs(queries[:, None] - keys), np.inf)
    nearest = keys[apart.argmin(axis=1), None]
    sums = (queries[:, None] - keys) + (queries[:, None] - nearest)
    scores = np.where(mask, (keys - nearest) / sigma * (sums / sigma / 2), -np.inf)
    weights = np.exp(scores)
    with np.errstate(invalid="ignore"):
        weights /= weights.sum(axis=1, keepdims=True)
    return weights @ values, weights @ abs(values) + least


VALUES = {
    "normal": lambda rng, keys: rng.standard_normal(len(keys)),
    "vectors": lambda rng, keys: rng.standard_normal((len(keys), 2)),
    "mostly zero": lambda rng, keys: rng.standard_normal(len(keys)) * (rng.random(len(keys)) < 0.1),
    "zero near 0": lambda rng, keys: (abs(keys) > 3) * rng.standard_normal(len(keys)),
    "of all sizes": lambda rng, keys: 10 ** (rng.uniform(-1, 1, len(keys)) * keys.itemsize**2),
    "narrow bump": lambda rng, keys: np.exp(-9 * np.minimum(abs(keys), 12) ** 2 / 2),
}


@st.composite
def geometries(draw):
    """Draw queries and keys in groups: wide, narrow or one place, near each other or far away."""
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    # On such a grid differences are exact in the dtype, and ties are ties in any.
    dtype, unit = draw(st.sampled_from([(np.float64, 2.0**-25), (np.float32, 2.0**-6)]))
    centres = st.sampled_from([0.0, 0.0, 1.0, 5.0, 20.0, -60.0, 300.0, -4e4])
    widths = st.sampled_from([0.0, 2.0**-20, 2.0**-7, 0.25, 1.0, 8.0, 100.0])

    def points(sizes):
        groups = draw(st.lists(st.tuples(centres, widths, sizes), min_size=1, max_size=4))
        places = np.concatenate([c + w * rng.random(n) for c, w, n in groups])
        return rng.permutation(np.round(places / unit) * unit).astype(dtype)

    keys, queries = points(st.sampled_from([1, 2, 5, 40, 150])), points(st.sampled_from([1, 7, 90]))
    values = VALUES[draw(st.sampled_from(list(VALUES)))](rng, keys)
    return queries, keys, values.astype(dtype)


def error_of(got, want, size):
    """Return the largest error in units of Σ wᵢ|vᵢ|, or infinity where NaN is not shared."""
    if not np.array_equal(np.isnan(got), np.isnan(want)):
        return np.inf
    size = size.max(axis=1, keepdims=True) if size.ndim == 2 else size
    return np.nanmax(abs(got - want) / (size + np.finfo(got.dtype).tiny), initial=0)


ANY_GEOMETRY = given(
    geometries(),
    st.sampled_from(NAMES),
    st.sampled_from([2.0**-9, 0.125, 1.0]),
    st.sampled_from(["nan", "nearest"]),
    st.booleans(),
)


@contextlib.contextmanager
def quick_ways(boxes):
    """Take the quick ways however few the pairs are, by boxes on request; no step may warn."""
    with pytest.MonkeyPatch.context() as patch, np.errstate(all="raise"):
        patch.setattr(fast, "FEW_PAIRS", 0)
        if boxes:
            patch.setattr(fast_gauss, "COSTS", dict.fromkeys(fast_gauss.COSTS, 0) | {"pair": 1})
        yield


@ANY_GEOMETRY
@settings(max_examples=200)
def test_any_geometry_of_keys_and_queries(geometry, kernel, sigma, unreached, boxes):
    queries, keys, values = geometry
    with quick_ways(boxes):
        estimate = pool(queries, keys, values, kernel, sigma, unreached=unreached)
        errors, lonely = leave_one_out_curve(keys, values, kernel, [sigma])
    assert estimate.dtype == errors.dtype == values.dtype
    rounding = 1e-10 if values.dtype == np.float64 else 1e-6
    wanted = expected(queries, keys, values, kernel, sigma, unreached)
    assert error_of(estimate, *wanted) < rounding
    others, size = expected(keys, keys, values, kernel, sigma, own=True)
    assert lonely[0] == np.isnan(others.reshape(len(keys), -1)[:, 0]).sum()
    slack = 10 * rounding * np.mean((size + abs(values)) ** 2)
    np.testing.assert_allclose(
        errors[0], np.mean((others - values) ** 2), rtol=0, atol=slack + np.finfo(values.dtype).tiny
    )


@each_compact
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_ties_at_the_edge_fall_as_in_dense(kernel, dtype):
    grid = (np.arange(3780) * 0.1).astype(dtype)
    keys = grid[::7]
    for sigma in (0.3, 0.7, 1.0, 2.1):
        dense = nadaraya_watson(grid, keys, np.sin(keys), kernel, sigma).estimate
        estimate = pool(grid, keys, np.sin(keys), kernel, sigma)
        assert estimate.dtype == dtype
        np.testing.assert_array_equal(np.isnan(estimate), np.isnan(dense))
        np.testing.assert_allclose(estimate, dense, rtol=0, atol=20 * np.finfo(dtype).eps)


@each_row
def test_widths_as_small_as_the_distances_between_numbers(kernel):
    rng = np.random.default_rng(25)
    keys, queries = 1e7 + rng.integers(0, 50, (2, 2000)) * np.spacing(1e7)
    values = rng.standard_normal(2000)
    for sigma in (np.spacing(1e7) / 4, np.spacing(1e7)):
        estimate = pool(queries, keys, values, kernel, sigma)[::9]
        assert disagreement(estimate, queries[::9], keys, values, kernel, sigma) < 1e-10


def test_many_keys_within_rounding_of_the_edge():
    keys = np.sort(np.concatenate([np.arange(2000) * 1e-19, [0.5, 2.5]]))
    queries = np.repeat([0.5, 1.0, 1.0 + 2**-52, 1.5], 100)
    for kernel in COMPACT.values():
        estimate = pool(queries, keys, np.arange(2002.0), kernel, 1.0)
        assert disagreement(estimate, queries, keys, np.arange(2002.0), kernel, 1.0) < 1e-10


@each_compact
def test_many_keys_just_inside_the_edge_of_reach(kernel):
    rng = np.random.default_rng(23)
    keys, values = np.append(-1.5, -(10 ** rng.uniform(-14, -1, 299))), rng.standard_normal(300)
    queries = (1 - 10.0 ** rng.uniform(-14, -1, 300)) * rng.choice([1, -1], 300)
    estimate = pool(queries, keys, values, kernel)
    assert disagreement(estimate, queries, keys, values, kernel, 1.0) < 1e-10


def exact_gaussian(query, keys, values, sigma):
    with mpmath.workdps(60):
        weights = [mpmath.exp(-(((mpmath.mpf(query) - k) / sigma) ** 2) / 2) for k in keys.tolist()]
        total = mpmath.fsum(w * v for w, v in zip(weights, values.tolist(), strict=True))
        scale = mpmath.fsum(w * abs(v) for w, v in zip(weights, values.tolist(), strict=True))
        return total / mpmath.fsum(weights), scale / mpmath.fsum(weights)


@pytest.mark.parametrize("sigma", [0.05, 0.5])
def test_hard_gaussian_cases_against_mpmath(sigma):
    rng = np.random.default_rng(5)
    # A gap between the keys, and queries inside it, at its edges and outside of everything.
    keys = np.concatenate([rng.uniform(0, 1, 150), rng.uniform(3, 4, 150)])
    values = rng.standard_normal(300)
    hard = np.array([-1.5, -0.4, 0.5, 1.0, 1.3, 1.9, 2.0, 2.0001, 2.2, 3.0, 4.4, 5.5])
    queries = np.concatenate([hard, rng.uniform(0, 4, 5000)])
    estimate = pool(queries, keys, values, sigma=sigma)
    for query, got in zip(hard, estimate, strict=False):
        exact, scale = exact_gaussian(query, keys, values, mpmath.mpf(sigma))
        assert abs(got - exact) < 1e-10 * scale


def test_many_far_queries_of_many_keys():
    rng = np.random.default_rng(26)
    keys = np.concatenate([rng.uniform(-8, 0, 2000), 60 + 10.0 ** rng.uniform(-7, 0, 1000)])
    queries = np.concatenate([rng.uniform(2, 58, 3000), 10.0 ** rng.uniform(2, 6, 500)])
    for values in (
        rng.standard_normal(3000),
        10.0 ** rng.uniform(-30, 0, 3000),
        np.exp(-20 * abs(keys)),
    ):
        estimate = pool(queries, keys, values)
        wanted = expected(queries[::9], keys, values, "gaussian", 1.0)
        assert error_of(estimate[::9], *wanted) < 1e-11


def test_narrow_gaussian_far_away_is_the_nearest_key():
    keys = np.random.default_rng(6).uniform(0, 1, 500)
    queries = np.linspace(1e8, 1e9, 200)
    estimate = pool(queries, keys, keys, sigma=1e-3)
    np.testing.assert_array_equal(estimate, nadaraya_watson(queries, keys, keys, sigma=1e-3)[0])


@pytest.mark.parametrize("kernel", NAMES)
@pytest.mark.parametrize("sigma", [0.3, 1e-3])
def test_order_of_keys_and_queries_is_irrelevant(kernel, sigma):
    rng = np.random.default_rng(7)
    keys, queries = rng.uniform(0, 5, (2, 1000))
    values = rng.standard_normal((1000, 3))
    estimate = pool(queries, keys, values, kernel, sigma)
    shuffled, mixed = rng.permutation(1000), rng.permutation(1000)
    again = pool(queries[mixed], keys[shuffled], values[shuffled], kernel, sigma)
    np.testing.assert_allclose(again, estimate[mixed], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("kernel", NAMES)
def test_vectors_as_values(kernel):
    rng = np.random.default_rng(8)
    keys, queries = rng.uniform(0, 5, (2, 1000))
    one_hot = np.eye(4)[rng.integers(0, 4, 1000)]
    estimate = pool(queries, keys, one_hot, kernel, 0.05)
    np.testing.assert_allclose(estimate.sum(axis=1), 1, rtol=1e-12)
    dense = nadaraya_watson(queries, keys, one_hot, kernel, 0.05).estimate
    np.testing.assert_allclose(estimate, dense, rtol=0, atol=1e-13)
    assert pool(queries, keys, one_hot[:, :1], kernel, 0.05).shape == (1000, 1)


@pytest.mark.parametrize("kernel", NAMES)
@pytest.mark.parametrize("d", [1, 2, 5])
def test_float32_stays_float32(kernel, d):
    rng = np.random.default_rng(9)
    keys, queries = rng.uniform(0, 3, (2, 800, d)).astype(np.float32)
    values = rng.standard_normal(800).astype(np.float32)
    estimate = pool(queries, keys, values, kernel, 0.7)
    dense = nadaraya_watson(*(a.astype(float) for a in (queries, keys, values)), kernel, 0.7)[0]
    assert estimate.dtype == np.float32
    np.testing.assert_allclose(estimate, dense, rtol=0, atol=3e-5)


@pytest.mark.parametrize("kernel", NAMES)
@pytest.mark.parametrize("sigma", [0.05, 0.4, np.array([0.3, 0.5, 4.0])])
def test_several_coordinates(kernel, sigma):
    rng = np.random.default_rng(10)
    n = 1030 if kernel == "gaussian" else 600  # more than a million pairs go through PyTorch
    keys, queries = rng.uniform(0, 2, (2, n, 3))
    values = rng.standard_normal((n, 2))
    estimate = pool(queries, keys, values, kernel, sigma)
    assert disagreement(estimate, queries, keys, values, kernel, sigma) < 1e-10
    if kernel == "gaussian":
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(streaming, "LARGE", np.inf)
            in_numpy = pool(queries, keys, values, kernel, sigma)
        assert disagreement(in_numpy, queries, keys, values, kernel, sigma) < 1e-10


@pytest.mark.parametrize("far", [30, 1e3, 3e6])
def test_several_coordinates_far_from_the_keys(far, monkeypatch):
    monkeypatch.setattr(streaming, "PAIRS_IN_PLACE", 4000)  # many blocks, in the same memory
    rng = np.random.default_rng(21)
    keys, queries = rng.uniform(0, 2, (2, 400, 2))
    keys[::2] /= far  # so near each other that the farthest query attends to many
    queries[::2] -= far
    values = rng.standard_normal(400)
    bound = 1e-10 if far < 100 else 1e-7
    assert disagreement(pool(queries, keys, values), queries, keys, values, "gaussian", 1) < bound


def test_readers_own_kernel():
    rng = np.random.default_rng(11)
    keys, queries = rng.uniform(0, 2, (2, 700))

    def cauchy(u):
        return 1 / (1 + u**2)

    estimate = pool(queries, keys, keys, cauchy, 0.1)
    assert disagreement(estimate, queries, keys, keys, cauchy, 0.1) < 1e-10


@pytest.mark.parametrize("kernel", NAMES)
@pytest.mark.parametrize("m", [0, 3, 300])
def test_tensors_in_tensors_out(kernel, m):
    rng = np.random.default_rng(12)
    arrays = rng.uniform(0, 5, m), rng.uniform(0, 5, 300), rng.standard_normal((300, 2))
    estimate = pool(*map(torch.asarray, arrays), kernel, 0.1)
    assert isinstance(estimate, torch.Tensor)
    assert estimate.dtype == torch.float64
    np.testing.assert_allclose(estimate, pool(*arrays, kernel, 0.1), rtol=1e-12)


@pytest.mark.parametrize("kernel", NAMES)
@pytest.mark.parametrize("d", [1, 2])
def test_gradients_of_blocks(kernel, d):
    generator = torch.Generator().manual_seed(13)
    keys, queries, values = (
        torch.rand(shape, generator=generator, dtype=torch.float64, requires_grad=True)
        for shape in ((6, d), (5, d), (6,))
    )
    sigma = torch.full((d,), 0.7, dtype=torch.float64, requires_grad=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streaming, "PAIRS_AT_ONCE", 12)
        assert torch.autograd.gradcheck(
            lambda *a: pool(a[0], a[1], a[2], kernel, a[3], unreached="nearest"),
            (queries, keys, values, sigma),
            fast_mode=True,
        )


def test_memory_of_gradients_grows_with_m_plus_n(monkeypatch):
    monkeypatch.setattr(streaming, "PAIRS_AT_ONCE", 3000)
    keys = torch.rand((300, 2), generator=torch.Generator().manual_seed(33), requires_grad=True)
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(kept.append, kept.pop):
        pool(keys, keys, keys)
    sizes = {tensor.untyped_storage().data_ptr(): tensor.numel() for tensor in kept}
    assert sum(sizes.values()) < 20 * len(keys)


def test_no_gradient_is_recorded_under_no_grad():
    sigma = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
    keys = torch.linspace(0, 1, 500, dtype=torch.float64)
    with torch.no_grad():
        assert not pool(keys, keys, keys, sigma=sigma).requires_grad
    assert pool(keys, keys, keys, sigma=sigma).requires_grad


@pytest.mark.parametrize("kernel", NAMES)
def test_unreached_takes_the_nearest_where_asked(kernel):
    rng = np.random.default_rng(14)
    keys, queries = np.round(rng.uniform(0, 50, 400), 1), np.round(rng.uniform(-5, 55, 400), 2)
    for sigma in (1e-3, 0.1):
        estimate = pool(queries, keys, keys**2, kernel, sigma, unreached="nearest")
        dense = nadaraya_watson(queries, keys, keys**2, kernel, sigma, unreached="nearest")
        np.testing.assert_allclose(estimate, dense.estimate, rtol=1e-12)


def test_values_that_cancel_do_not_make_a_query_unreached(monkeypatch):
    monkeypatch.setattr(fast, "FEW_PAIRS", 0)
    pooled = pool([0.1], [0.0, 0.5, 7.0], [1.0, -1.0, 5.0], "boxcar", unreached="nearest")
    assert pooled.tolist() == [0.0]


def test_defaults_are_those_of_the_dense_functions():
    keys, values = [0.0, 1.0, 3.0], [0.0, 3.0, 1.0]
    dense = nadaraya_watson([0.5, 9.0], keys, values).estimate
    np.testing.assert_allclose(pool([0.5, 9.0], keys, values), dense, rtol=1e-12)
    np.testing.assert_allclose(
        leave_one_out_curve(keys, values).errors, [leave_one_out(keys, values).error], rtol=1e-12
    )


def test_lists_and_integers():
    assert pool([0], [0, 1], [1, 2], "boxcar").tolist() == [1.5]
    many = list(range(400))
    np.testing.assert_allclose(pool(many, many, many, "triangular", 1), many)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sigma": 0}, "sigma must be positive and finite, got 0.0"),
        ({"sigma": np.inf}, "sigma must be positive and finite, got inf"),
        ({"sigma": 10**400}, "sigma must hold real numbers, got 1000"),
        ({"sigma": 1e-308}, "sigma must not make scaled distances overflow, got 1e-308"),
        ({"kernel": "gauss"}, "kernel must be a function or one of gaussian, .* got 'gauss'"),
        ({"unreached": "zero"}, "unreached must be 'nan' or 'nearest', got 'zero'"),
        ({"keys": np.array([])}, "keys must not be empty"),
        ({"keys": np.full(500, np.nan)}, "keys must be finite, got nan"),
        ({"queries": np.array([np.inf])}, "queries must be finite, got inf"),
        ({"values": np.full(500, np.inf)}, "values must be finite, got inf"),
        ({"values": np.ones(3)}, "values must be as many as keys, got 3 values for 500 keys"),
        ({"queries": np.ones((5, 2))}, "as many coordinates, got queries 2, keys 1"),
    ],
)
@pytest.mark.parametrize("m", [5, 500])
def test_bad_input(change, message, m):
    points = np.linspace(0, 5, 500)
    arguments = {"queries": points[:m], "keys": points, "values": points} | change
    with pytest.raises(ValueError, match=message):
        pool(**arguments)


def places_for(n, rng):
    """Return keys, queries and widths for which windows hold about as many pairs as there are."""
    uniform, clusters = rng.uniform(0, 5, n), rng.choice([0.0, 1.0], n) + rng.uniform(0, 1e-3, n)
    scales = 10.0 ** rng.integers(-6, 1, n)
    return {
        "uniform": (uniform, rng.uniform(0, 5, n), 0.2),
        "a gap": (clusters, rng.uniform(0.4, 0.6, n), 1e-3),
        "far outside": (uniform, rng.uniform(20, 21, n), 1.0),
        "far and near": (uniform, np.append(uniform[::2], rng.uniform(90, 99, n // 2)), 0.1),
        "many gaps": (rng.choice(np.arange(9) * 20.0, n) + 0.01 * uniform, 40 * uniform, 1.0),
        "clusters of all sizes": (rng.uniform(0, 1, n) * scales, rng.uniform(-99, 99, n), 1.0),
        "one place": (np.zeros(n), rng.uniform(0, 99, n), 1.0),
        "octaves": (-0.01 * uniform, 10.0 ** rng.uniform(-1, 4, n), 1.0),
        "one far key": (np.append(uniform[1:], -1e18), rng.uniform(0, 5, n), 0.2),
        "one far query": (uniform, np.append(rng.uniform(0, 5, n - 1), -1e18), 0.2),
    }


@pytest.fixture
def pairs(monkeypatch):
    """How many pairs of query and key have been summed one by one, a number for each call."""
    pairs = []

    def counted(low, high, ranges=windows.ranges):
        rows, places = ranges(low, high)
        pairs.append(len(rows))
        return rows, places

    monkeypatch.setattr(windows, "ranges", counted)
    return pairs


@pytest.mark.parametrize(
    ("layout", "kernel"),
    [(layout, "gaussian") for layout in places_for(2, np.random.default_rng(0))]
    # Those of a higher degree fade so softly that more windows have hardly a value in reach.
    + [("uniform", row) for row in COMPACT.values() if len(row.coefficients) <= 3],
)
@pytest.mark.parametrize("derived", [False, True])
def test_pairs_grow_with_m_plus_n(layout, kernel, derived, pairs):
    counts = []
    for n in (5000, 50_000):
        keys, queries, sigma = places_for(n, np.random.default_rng(22))[layout]
        arrays = queries, keys, np.maximum(np.cos(keys), 0)
        if derived:
            queries, keys, values = map(torch.asarray, arrays)
            width = in_the_graph(sigma)
            torch.nansum(pool(queries, keys, values, kernel, width)).backward()
        else:
            pool(*arrays, kernel, sigma)
        counts.append(sum(pairs) - sum(counts))
    few, many = counts
    assert many < 4 * few + 2 * n


def methods_of_the_docstring():
    """Return what the docstring of `pool` says is computed, by the work."""
    table = re.search(r"=== +=+\n(.*?)\n *===", pool.__doc__, re.DOTALL)[1]
    rows = [re.split(r" {2,}", line.strip()) for line in table.splitlines()]
    return {work: computed for work, computed, *_ in (row for row in rows if len(row) == 3)}


MANY = np.random.default_rng(28).uniform(0, 5, (200, 2))
WORKS = {
    "any points, the constant kernel": (MANY, "constant"),
    "a few pairs of query and key": (MANY[:9, 0], "triangular"),
    "points on a line, Gaussian": (MANY[:, 0], "gaussian"),
    "points on a line, a kernel with a reach": (MANY[:, 0], "epanechnikov"),
    "several coordinates, your own kernel": (MANY, lambda u: 1 / (1 + u**2)),
}


def test_the_docstring_tells_every_method_in_order():
    table = methods_of_the_docstring()
    assert list(table) == list(WORKS)
    assert all(name in told for name, told in zip(fast.METHODS, table.values(), strict=True))


@pytest.mark.parametrize("work", WORKS)
def test_the_method_is_that_of_the_docstring(work, monkeypatch):
    points, kernel = WORKS[work]
    used = []
    for name, compute in fast.METHODS.items():

        def noted(*arguments, name=name, compute=compute):
            used.append(name)
            return compute(*arguments)

        monkeypatch.setitem(fast.METHODS, name, noted)
    pool(points, points, MANY[: len(points), 1], kernel, 0.3)
    (name,) = used
    assert name in methods_of_the_docstring()[work]


@pytest.mark.parametrize("kernel", NAMES)
def test_values_and_a_width_in_the_graph_are_as_quick_and_points_there_take_blocks(kernel):
    points, values = torch.from_numpy(MANY[:, :1]), torch.from_numpy(MANY[:, 1])
    width = torch.tensor(0.3, dtype=torch.float64)
    quick = fast.method(points, points, values, KERNELS[kernel], width)
    for place in range(4):
        arguments = [points, points, values, width]
        arguments[place] = arguments[place].clone().requires_grad_()
        wanted = quick if place >= 2 else "blocks"
        assert fast.method(*arguments[:3], KERNELS[kernel], arguments[3]) == wanted != "one matrix"


# Wendland's powers cancel so much that many windows are summed pair by pair.
@pytest.mark.parametrize("name", [name for name in COMPACT if name != "wendland"])
def test_few_pairs_are_left_to_prefix_sums(name, pairs):
    keys, queries = np.random.default_rng(27).uniform(0, 5, (2, 5000))
    for sigma in (0.02, 0.3, 2.0):
        pool(queries, keys, np.cos(keys), COMPACT[name], sigma)
    assert sum(pairs) < 3 * 6 * len(queries)


def test_memory_grows_with_m_plus_n():
    rng = np.random.default_rng(15)
    keys, queries = rng.uniform(0, 5, (2, 30_000))
    points = rng.uniform(0, 5, (2, 3000, 2))
    pool(queries[:10], keys, keys)
    for arrays, kernel in (
        ((queries, keys, keys), "gaussian"),
        ((queries, keys, keys), "epanechnikov"),
        ((*points, points[1]), "boxcar"),
    ):
        tracemalloc.start()
        pool(*arrays, kernel, 0.1)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 50e6


@each_row
def test_leave_one_out_curve_agrees_with_leave_one_out(kernel):
    rng = np.random.default_rng(16)
    data = mcycle()
    lonely = np.append(rng.uniform(0, 1, 300), 400.0)
    for keys, values, sigmas in (
        (data.keys, data.values, [0.05, 0.5, 0.91, 5.0, 100.0]),
        (lonely, rng.standard_normal(301), [1e-3, 0.03, 0.3, 500.0]),
        (rng.uniform(0, 1, (80, 2)), rng.standard_normal((80, 3)), [0.3, [0.5, 2.0]]),
        (np.array([1.0]), np.array([2.0]), [1.0]),
        (np.array([1.0, 1.0]), np.array([2.0, 1e20]), [1.0]),
    ):
        errors, unreached = leave_one_out_curve(keys, values, kernel, sigmas)
        for sigma, error, lone in zip(sigmas, errors, unreached, strict=True):
            expected = leave_one_out(keys, values, kernel, sigma)
            assert lone == expected.unreached
            np.testing.assert_allclose(error, expected.error, rtol=1e-10)


@given(
    st.lists(st.integers(0, 40), min_size=2, max_size=40),
    st.sampled_from(NAMES),
    st.sampled_from([0.01, 0.1, 0.2, 1.0, 30.0]),
    st.integers(0, 99),
)
@settings(max_examples=50)
def test_leave_one_out_through_sums_agrees(places, kernel, sigma, seed):
    keys = np.array(places) * 0.1
    values = np.random.default_rng(seed).standard_normal(len(keys))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sorted_moments, "FEW", 0)
        patch.setattr(fast_gauss, "COSTS", dict.fromkeys(fast_gauss.COSTS, 0) | {"pair": 1})
        errors, unreached = leave_one_out_curve(keys, values, kernel, [sigma])
    expected = leave_one_out(keys, values, kernel, sigma)
    assert unreached[0] == expected.unreached
    np.testing.assert_allclose(errors[0], expected.error, rtol=1e-9)


def test_a_huge_value_leaves_no_trace_in_the_mean_of_the_others():
    assert fast._means_of_others(np.array([1e20, 2.0, 3.0])).tolist() == [2.5, 5e19, 5e19]


def test_leave_one_out_curve_of_tensors():
    data = mcycle()
    keys, values = torch.asarray(data.keys), torch.asarray(data.values)
    widths = torch.tensor([0.5, 1.0], dtype=torch.float64, requires_grad=True)
    errors, unreached = leave_one_out_curve(keys, values, gaussian, widths)
    (slope,) = torch.autograd.grad(errors.sum(), widths)
    plain = leave_one_out_curve(data.keys, data.values, gaussian, [0.5, 1.0, 1.0 + 1e-6])[0]
    np.testing.assert_allclose(errors.detach(), plain[:2], rtol=1e-12)
    assert slope[1].item() == pytest.approx((plain[2] - plain[1]) / 1e-6, rel=1e-3)
    assert unreached.tolist() == [0, 0]


# Derivatives from sums


def in_the_graph(numbers, dtype=torch.float64):
    return torch.asarray(numbers, dtype=dtype).clone().requires_grad_()


@each_row
@pytest.mark.usefixtures("boxes")
def test_derivatives_are_those_of_steps(kernel):
    rng = np.random.default_rng(34)
    keys = np.concatenate([rng.uniform(0, 5, 40), rng.uniform(9, 9.5, 20), [9.0, 9.0]])
    queries, keys = map(torch.asarray, (rng.uniform(-1, 11, 9), keys))
    values = in_the_graph(rng.standard_normal((62, 2)) * (keys < 9.3).numpy()[:, None])

    def estimate(values, sigma):
        return pool(queries, keys, values, kernel, sigma, unreached="nearest")

    def curve(values, sigma):
        return leave_one_out_curve(keys, values, kernel, [sigma, 2 * sigma]).errors

    for function in (estimate, curve):
        for width in (in_the_graph([0.9]), in_the_graph(4.1)):
            assert torch.autograd.gradcheck(function, (values, width), fast_mode=True)
        assert torch.autograd.gradgradcheck(function, (values, width), fast_mode=True)


@ANY_GEOMETRY
@settings(max_examples=100)
def test_derivatives_for_any_geometry(geometry, kernel, sigma, unreached, boxes):
    queries, keys, values = map(torch.asarray, geometry)
    width = in_the_graph(sigma, values.dtype)
    values.requires_grad_()
    with quick_ways(boxes):
        estimate = pool(queries, keys, values, kernel, width, unreached=unreached)
        curve = leave_one_out_curve(keys, values, kernel, [width])
    signs = torch.asarray(np.random.default_rng(0).choice([-1.0, 1.0], estimate.shape))
    with np.errstate(all="raise"):
        received, *found = torch.autograd.grad(torch.nansum(estimate * signs), (values, width))
        found += torch.autograd.grad(curve.errors.sum(), width)
    queries, keys, values = geometry
    rounding, tiny = 1e-10 if values.dtype == np.float64 else 1e-6, np.finfo(values.dtype).tiny
    growth, size = expected_growth(queries, keys, values, kernel, sigma)
    wanted = np.nansum(signs.numpy() * growth)
    assert abs(found[0].item() * sigma - wanted) <= rounding * np.nansum(size) + tiny
    weights, _ = expected(queries, keys, np.eye(len(keys)), kernel, sigma, unreached)
    weights = np.nan_to_num(weights)
    wanted = np.tensordot(weights, signs.numpy(), (0, 0))
    slack = np.sum(weights, axis=0).reshape(-1, *[1] * (wanted.ndim - 1))
    assert (abs(received.numpy() - wanted) <= rounding * slack + 1e-15).all()
    if not curve.unreached[0]:
        others, _ = expected(keys, keys, values, kernel, sigma, own=True)
        growth, size = expected_growth(keys, keys, values, kernel, sigma, own=True)
        wanted = np.mean(2 * (others - values) * growth)
        slack = 10 * rounding * np.mean((size + abs(values)) ** 2)
        assert abs(found[1].item() * sigma - wanted) <= slack + tiny


def expected_growth(queries, keys, values, kernel, sigma, own=False):
    """Return the dense derivative in ln σ, and the size of its terms, wherever the queries lie."""
    queries, keys, values = (np.asarray(array, dtype=float) for array in (queries, keys, values))
    apart = abs(queries[:, None] - keys)
    present = ~np.eye(len(keys), dtype=bool) if own else np.ones_like(apart, dtype=bool)
    if kernel == "gaussian":
        # The sums of `expected`: d ln α / d ln σ is u², here less that of the nearest key.
        masked = np.where(present, apart, np.inf)
        nearest = masked.argmin(axis=1)
        sums = (queries[:, None] - keys) + (queries[:, None] - keys[nearest, None])
        lags = np.where(present, (keys[nearest, None] - keys) / sigma * (sums / sigma), np.inf)
        weights = np.exp(-lags / 2)
        rates = weights * np.where(weights > 0, lags, 0.0)
    else:
        u = np.where(present, apart / sigma, np.inf)
        weights = KERNELS[kernel](u) if kernel != "constant" else 1.0 * present
        powers = np.arange(1, len(KERNELS[kernel].coefficients))
        terms = [-p * KERNELS[kernel].coefficients[p] * np.minimum(u, 1) ** p for p in powers]
        inside = np.where(u < 1, 1.0, 0.5 * (u == 1))  # an edge is the mean of both its sides
        rates = KERNELS[kernel].height * inside * sum(terms, np.zeros_like(u))
    total = weights.sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        weights, rates = weights / total, np.where(total > 0, rates / total, np.nan)
    growth = rates @ values - (rates.sum(axis=1) * (weights @ values).T).T
    size = abs(rates) @ abs(values) + (abs(rates).sum(axis=1) * (weights @ abs(values)).T).T
    return growth, size + weights @ abs(values) + 1e-300 * np.max(abs(values))


def exact_growth(query, keys, values, sigma):
    with mpmath.workdps(60):
        query, keys, values = (list(map(mpmath.mpf, a)) for a in ([query], keys, values))
        u = [((query[0] - k) / sigma) ** 2 for k in keys]
        weights = [mpmath.exp(-x / 2) for x in u]
        total = mpmath.fsum(weights)
        mean = mpmath.fsum(w * v for w, v in zip(weights, values, strict=True)) / total
        terms = [w * x * (v - mean) / total for w, x, v in zip(weights, u, values, strict=True)]
        return mpmath.fsum(terms)


@pytest.mark.parametrize("sigma", [0.05, 0.5])
def test_derivatives_in_the_width_of_hard_gaussian_cases(sigma):
    rng = np.random.default_rng(5)
    keys = np.concatenate([rng.uniform(0, 1, 150), rng.uniform(3, 4, 150)])
    values = rng.standard_normal(300)
    hard = np.array([-1e6, -1.5, -0.4, 0.5, 1.0, 1.3, 1.9, 2.0, 2.0001, 2.2, 3.0, 4.4, 5.5, 1e3])
    queries = np.concatenate([hard, rng.uniform(0, 4, 5000)])
    width = in_the_graph(sigma)
    estimate = pool(*map(torch.asarray, (queries, keys, values)), sigma=width)
    for place, query in enumerate(hard):
        (slope,) = torch.autograd.grad(estimate[place], width, retain_graph=True)
        exact = exact_growth(query, keys.tolist(), values.tolist(), sigma)
        assert abs(slope.item() * sigma - exact) < 1e-10


@pytest.mark.parametrize("kernel", NAMES)
@pytest.mark.parametrize("unit", [2.0**-500, 2.0**500])
def test_derivatives_in_the_width_in_any_unit(kernel, unit):
    rng = np.random.default_rng(35)
    keys, values = np.round(rng.uniform(0, 5, 300), 2), rng.standard_normal(300)
    slopes = []
    for scale in (1.0, unit):
        width = in_the_graph(0.3 * scale)
        errors, _ = leave_one_out_curve(
            *map(torch.asarray, (keys * scale, 1e8 * values)), kernel, [width]
        )
        slopes.append(torch.autograd.grad(errors.sum(), width)[0].item() * scale)
    assert slopes[1] == pytest.approx(slopes[0], rel=1e-12)


def test_ties_at_the_edge_count_half_as_in_dense():
    keys, values = torch.arange(200.0, dtype=torch.float64), torch.arange(200.0).double() ** 2
    for kernel in COMPACT.values():
        slopes = []
        for function in (pool, lambda *a: nadaraya_watson(*a).estimate):
            width = in_the_graph(4.0)
            estimate = function(keys, keys, values, kernel, width)
            slopes.append(torch.autograd.grad(estimate[[0, 1, 50]].sum(), width)[0].item())
        assert slopes[0] == pytest.approx(slopes[1], rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("kernel", ["boxcar", "epanechnikov"])
def test_what_is_unreached_spoils_no_derivative(kernel):
    keys = torch.asarray(np.append(np.linspace(0, 1, 400), 9.0))
    for function in (leave_one_out, lambda k, v, kernel, s: leave_one_out_curve(k, v, kernel, [s])):
        width = in_the_graph(0.1)
        result = function(keys, keys**2, kernel, width)
        (slope,) = torch.autograd.grad(result[0].sum(), width)
        assert torch.isnan(result[0]).all()
        assert torch.isfinite(slope)
    values = in_the_graph(keys[:-1] ** 2)
    estimate = pool(keys, keys[:-1], values, kernel, 0.1)
    (received,) = torch.autograd.grad(estimate.sum(), values)
    assert torch.isnan(estimate[-1])
    assert received.sum().item() == pytest.approx(400)


def test_an_infinite_derivative_in_the_estimate_reaches_all_values():
    points, values = torch.from_numpy(MANY[:, 0]), in_the_graph(MANY[:, 1])
    for kernel in NAMES:
        loss = pool(points, points, values, kernel).sum() * torch.nan
        assert torch.isnan(torch.autograd.grad(loss, values)[0]).all()


def test_a_function_that_pytorch_transforms_may_close_over_a_width_in_the_graph():
    points = torch.from_numpy(MANY[:, 0])
    width, factors = in_the_graph(0.3), torch.tensor([1.0, 2.0], dtype=torch.float64)

    def error(sigma):
        return leave_one_out_curve(points, points**2, sigmas=[sigma]).errors[0]

    (slope,) = torch.autograd.grad(error(width), width)
    mapped = torch.func.vmap(lambda factor: factor * error(width))(factors)
    assert torch.autograd.grad(mapped.sum(), width)[0].item() == pytest.approx(3 * slope.item())
    derived = torch.func.grad(lambda factor: factor * error(width))(factors[0])
    assert torch.autograd.grad(derived, width)[0].item() == pytest.approx(slope.item())
    at_once = torch.autograd.functional.jacobian(
        lambda sigma: error(sigma) * factors, width, vectorize=True
    )
    torch.testing.assert_close(at_once, slope * factors)


def test_memory_of_the_derivative_in_the_width_grows_with_m_plus_n():
    keys = torch.asarray(np.random.default_rng(36).uniform(0, 5, 30_000))
    for kernel in ("gaussian", "epanechnikov"):
        width = in_the_graph(0.1)
        tracemalloc.start()
        errors, _ = leave_one_out_curve(keys, keys.clone().requires_grad_(), kernel, [width])
        errors.sum().backward()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 60e6
        assert width.grad.item() != 0


@pytest.mark.parametrize(
    ("sigmas", "message"),
    [
        ([], r"sigmas must hold a width at least, got \[\]"),
        (1.0, "sigmas must hold a width at least, got 1.0"),
        ([1.0, -2.0], "sigma must be positive and finite, got -2.0"),
    ],
)
def test_bad_widths(sigmas, message):
    with pytest.raises(ValueError, match=message):
        leave_one_out_curve([0.0, 1.0], [0.0, 1.0], "gaussian", sigmas)


@pytest.mark.parametrize("values", [[1.0], [0.0, np.nan], 1.0])
def test_the_curve_refuses_values_as_leave_one_out_does(values):
    messages = []
    for function in (leave_one_out, leave_one_out_curve):
        with pytest.raises(ValueError, match="^values must") as refused:
            function([0.0, 1.0], values)
        messages.append(str(refused.value))
    assert messages[0] == messages[1]


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_bar_only_where_somebody_looks(monkeypatch):
    monkeypatch.setattr(progress, "DELAY", 0)
    terminal, log = Terminal(), io.StringIO()
    for stream in (terminal, log):
        monkeypatch.setattr(sys, "stderr", stream)
        assert list(progress.watched(range(3))) == [0, 1, 2]
    assert "pooling" in terminal.getvalue()
    assert log.getvalue() == ""


def test_numpy_user_needs_no_torch_and_sees_no_output():
    script = (
        "import sys, numpy as np; from attention_pooling import pool;"
        "x = np.linspace(0, 1, 2000); pool(x, x, x); pool(x[:, None] * [1, 2], x[:, None] * [1, 2],"
        " x); pool(x, x, x, 'boxcar'); assert 'torch' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
