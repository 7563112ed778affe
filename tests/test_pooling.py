"""The laws of attention pooling, and its agreement with two independent libraries."""

import subprocess
import sys
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.special import softmax
from sklearn.metrics.pairwise import rbf_kernel
from statsmodels.nonparametric.kernel_regression import KernelReg

from attention_pooling import (
    KERNELS,
    attention_weights,
    digits,
    effective_keys,
    mcycle,
    nadaraya_watson,
    noisy_trend,
)

each_kernel = pytest.mark.parametrize("kernel", KERNELS)
COMPACT = [name for name, kernel in KERNELS.items() if kernel.is_compact]
each_compact = pytest.mark.parametrize("kernel", COMPACT)
kernels = st.sampled_from(list(KERNELS))
widths = st.floats(0.05, 20)


@st.composite
def problems(draw, most_coordinates=3):
    """Queries, keys and values on a grid of eighths: repeats are common, shifts exact."""
    m, n, d = (draw(st.integers(1, most)) for most in (4, 7, most_coordinates))
    eighths = st.integers(-40, 40).map(lambda step: step / 8)

    def table(rows, columns):
        row = st.lists(eighths, min_size=columns, max_size=columns)
        return np.array(draw(st.lists(row, min_size=rows, max_size=rows)))

    return table(m, d), table(n, d), table(n, 2)


def distances(queries, keys, sigma=1.0):
    return np.linalg.norm((queries[:, None] - keys) / sigma, axis=2)


def assume_no_key_on_the_edge(queries, keys, sigma):
    """The boxcar jumps at u = 1: there one rounding decides."""
    assume((abs(distances(queries, keys, sigma) - 1) > 1e-6).all())


def same(actual, expected, tolerance=1e-12):
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


# Laws


@given(problems(), kernels, widths)
def test_a_row_sums_to_one_or_is_nan(problem, kernel, sigma):
    queries, keys, values = problem
    weights = attention_weights(queries, keys, kernel, sigma)
    reached = (KERNELS[kernel](distances(queries, keys, sigma)) > 1e-9).any(axis=1)
    assert weights.shape == (len(queries), len(keys))
    same(weights[reached].sum(axis=1), 1)
    assert (weights[reached] >= 0).all()
    unreached = np.isnan(weights).any(axis=1)
    assert np.isnan(weights[unreached]).all()
    assert not (unreached & reached).any()
    assert np.isnan(nadaraya_watson(queries, keys, values, kernel, sigma).estimate[unreached]).all()


@given(problems(), kernels, st.floats(1e-200, 1e200))
def test_the_estimate_stays_within_the_range_of_the_values(problem, kernel, sigma):
    queries, keys, values = problem
    estimate, _ = nadaraya_watson(queries, keys, values, kernel, sigma, unreached="nearest")
    assert (estimate >= values.min(axis=0) - 1e-14).all()
    assert (estimate <= values.max(axis=0) + 1e-14).all()


@given(problems(), kernels, st.sampled_from([1e10, 1e200]))
def test_wide_gives_the_mean(problem, kernel, sigma):
    queries, keys, values = problem
    estimate, _ = nadaraya_watson(queries, keys, values, kernel, sigma)
    same(estimate, np.broadcast_to(values.mean(axis=0), estimate.shape), 1e-9)


@given(problems(), st.sampled_from([1e-3, 1e-200, 1e-300]))
def test_a_narrow_gaussian_gives_the_nearest_and_a_tie_their_mean(problem, sigma):
    queries, keys, values = problem
    squared = ((queries[:, None] - keys) ** 2).sum(axis=2)  # exact on the grid
    nearest = squared == squared.min(axis=1, keepdims=True)
    estimate, weights = nadaraya_watson(queries, keys, values, "gaussian", sigma)
    same(weights, nearest / nearest.sum(axis=1, keepdims=True))
    same(estimate, [values[row].mean(axis=0) for row in nearest])


@each_compact
@given(problem=problems())
def test_unreached_queries_take_the_nearest_on_request(kernel, problem):
    queries, keys, values = problem
    queries = queries + 1 / 16  # never on a key
    narrow = nadaraya_watson(queries, keys, values, kernel, 1e-3, unreached="nearest")
    limit = nadaraya_watson(queries, keys, values, "gaussian", 1e-200)
    same(narrow.weights, limit.weights)
    same(narrow.estimate, limit.estimate)


@given(problems(), widths)
def test_the_nearest_stand_in_only_where_no_key_is_in_reach(problem, sigma):
    queries, keys, _ = problem
    plain = attention_weights(queries, keys, "triangular", sigma)
    patched = attention_weights(queries, keys, "triangular", sigma, unreached="nearest")
    reached = ~np.isnan(plain[:, 0])
    assert (patched[reached] == plain[reached]).all()
    same(patched.sum(axis=1), 1)


@given(problems(), kernels, widths, st.randoms(use_true_random=False))
def test_the_order_of_the_keys_is_irrelevant(problem, kernel, sigma, random):
    queries, keys, values = problem
    order = random.sample(range(len(keys)), len(keys))
    estimate, weights = nadaraya_watson(queries, keys, values, kernel, sigma)
    permuted = nadaraya_watson(queries, keys[order], values[order], kernel, sigma)
    same(permuted.weights, weights[:, order])
    same(permuted.estimate, estimate)


@given(problems(), kernels, widths, st.integers(-1000, 1000))
def test_translation_changes_nothing(problem, kernel, sigma, shift):
    queries, keys, _ = problem
    weights = attention_weights(queries, keys, kernel, sigma)
    shifted = attention_weights(queries + shift, keys + shift, kernel, sigma)
    same(shifted, weights)


@given(problems(), kernels, widths, st.integers(0, 10**6))
def test_rotation_changes_nothing(problem, kernel, sigma, seed):
    queries, keys, values = problem
    assume_no_key_on_the_edge(queries, keys, sigma)
    d = keys.shape[1]
    rotation, _ = np.linalg.qr(np.random.default_rng(seed).standard_normal((d, d)))
    estimate, _ = nadaraya_watson(queries, keys, values, kernel, sigma)
    turned, _ = nadaraya_watson(queries @ rotation, keys @ rotation, values, kernel, sigma)
    same(turned, estimate, 1e-6)


@given(problems(), kernels, widths, st.sampled_from([1e-180, 1e-3, 1 / 3, 1e6, 1e180]))
def test_the_unit_of_length_is_irrelevant(problem, kernel, sigma, unit):
    queries, keys, values = problem
    assume_no_key_on_the_edge(queries, keys, sigma)
    estimate, _ = nadaraya_watson(queries, keys, values, kernel, sigma)
    rescaled, _ = nadaraya_watson(queries * unit, keys * unit, values, kernel, sigma * unit)
    same(rescaled, estimate, 1e-6)


@given(problems(), kernels, st.lists(widths, min_size=3, max_size=3))
def test_a_width_per_coordinate_rescales_the_coordinates(problem, kernel, sigma):
    queries, keys, values = problem
    sigma = np.array(sigma[: keys.shape[1]])
    assume_no_key_on_the_edge(queries, keys, sigma)
    estimate, _ = nadaraya_watson(queries, keys, values, kernel, sigma)
    rescaled, _ = nadaraya_watson(queries / sigma, keys / sigma, values, kernel, 1.0)
    same(rescaled, estimate, 1e-6)


@given(problems(), kernels, widths, st.lists(st.sampled_from([1e-200, 1e-9, 1, 1e200]), min_size=3))
def test_the_unit_of_each_coordinate_is_irrelevant(problem, kernel, sigma, units):
    queries, keys, _ = problem
    assume_no_key_on_the_edge(queries, keys, sigma)
    units = np.array(units[: keys.shape[1]])
    weights = attention_weights(queries, keys, kernel, sigma)
    rescaled = attention_weights(queries * units, keys * units, kernel, sigma * units)
    same(rescaled, weights, 1e-9)


@pytest.mark.parametrize("d", [1, 2])
@pytest.mark.parametrize("far", [1.0, 1e10, 1e130])
def test_keys_near_and_far_at_once(d, far):
    keys = np.array([[0.0, 0.0], [1e-170, 0.0], [far, far]])[:, :d]
    near = np.exp([0, -0.5]) / np.exp([0, -0.5]).sum()
    same(attention_weights(keys, keys, sigma=1e-170), [[*near, 0], [*near[::-1], 0], [0, 0, 1]])
    same(attention_weights(keys[:1], keys, lambda u: 1 / (1 + u), 1e-170), [[2 / 3, 1 / 3, 0]])


@given(problems(), widths, st.integers(0, 2**32 - 1))
def test_a_query_far_from_a_cluster_of_keys(problem, sigma, seed):
    # Its scores are large and close to one another.
    queries, keys, _ = problem
    direction = np.random.default_rng(seed).integers(-9, 9, keys.shape[1])
    weights = attention_weights(queries + 2**20 * direction, keys, sigma=sigma)
    points = queries + 2**20 * direction
    exact = [
        [sum((Fraction(q) - Fraction(k)) ** 2 for q, k in zip(p, key, strict=True)) for key in keys]
        for p in points
    ]
    scores = [[float((min(row) - x) / (2 * Fraction(sigma) ** 2)) for x in row] for row in exact]
    same(weights, softmax(np.array(scores), axis=1), 1e-9)


@given(problems(), kernels, widths)
def test_equal_widths_per_coordinate_are_one_width(problem, kernel, sigma):
    queries, keys, _ = problem
    per_coordinate = attention_weights(queries, keys, kernel, [sigma] * keys.shape[1])
    same(per_coordinate, attention_weights(queries, keys, kernel, sigma), 0)


@given(problems(), kernels, widths, st.sampled_from([1e-100, 0.3, 7.0, 1e100]))
def test_a_factor_of_the_kernel_cancels(problem, kernel, sigma, factor):
    queries, keys, _ = problem
    assume((distances(queries, keys, sigma) < 20).all())  # a reader's exp(−u²/2) underflows
    scaled = attention_weights(queries, keys, lambda u: factor * KERNELS[kernel](u), sigma)
    same(scaled, attention_weights(queries, keys, kernel, sigma))


@given(problems(), widths)
def test_gaussian_weights_are_a_softmax(problem, sigma):
    queries, keys, _ = problem
    scores = -((queries[:, None] - keys) ** 2).sum(axis=2) / (2 * sigma**2)
    same(attention_weights(queries, keys, sigma=sigma), softmax(scores, axis=1))


@given(problems(), kernels, widths)
def test_effective_keys_lie_between_one_and_all(problem, kernel, sigma):
    queries, keys, _ = problem
    weights = attention_weights(queries, keys, kernel, sigma, unreached="nearest")
    count = effective_keys(weights)
    assert ((count > 1 - 1e-12) & (count < len(keys) + 1e-12)).all()
    same(effective_keys(attention_weights(queries, keys, "constant")), len(keys))


@given(problems(), kernels, widths, st.data())
def test_a_mask_removes_keys(problem, kernel, sigma, data):
    queries, keys, values = problem
    allowed = st.lists(st.booleans(), min_size=len(keys), max_size=len(keys))
    mask = np.array([data.draw(allowed) for _ in queries])
    for unreached in ("nan", "nearest"):
        estimate, weights = nadaraya_watson(
            queries, keys, values, kernel, sigma, mask=mask, unreached=unreached
        )
        for query, row, estimated, weighted in zip(queries, mask, estimate, weights, strict=True):
            if not row.any():
                assert np.isnan(weighted).all()
                continue
            alone = nadaraya_watson(
                query[None], keys[row], values[row], kernel, sigma, unreached=unreached
            )
            same(estimated, alone.estimate[0])
            if not np.isnan(weighted).any():
                assert (weighted[~row] == 0).all()


@given(problems(), kernels, widths)
def test_vector_values_are_pooled_column_by_column(problem, kernel, sigma):
    queries, keys, values = problem
    both = nadaraya_watson(queries, keys, values, kernel, sigma).estimate
    for column in range(2):
        one = nadaraya_watson(queries, keys, values[:, column], kernel, sigma).estimate
        assert one.shape == (len(queries),)
        same(both[:, column], one)


@given(problems(most_coordinates=1), kernels, widths)
def test_one_coordinate_may_be_written_as_a_column_or_beside_a_constant(problem, kernel, sigma):
    queries, keys, _ = problem
    flat = attention_weights(queries[:, 0], keys[:, 0], kernel, sigma)
    beside = [np.hstack([points, np.full_like(points, 3)]) for points in (queries, keys)]
    same(attention_weights(queries, keys, kernel, sigma), flat, 0)
    same(attention_weights(*beside, kernel, sigma), flat, 0)


# Agreement with other libraries


# statsmodels announces a new random generator, which this estimator never uses.
quiet_statsmodels = pytest.mark.filterwarnings("ignore:After 0.17:FutureWarning")


@quiet_statsmodels
@pytest.mark.parametrize("sigma", [0.5, 0.91, 3.0])
def test_agrees_with_statsmodels(sigma):
    keys, values, queries, _ = mcycle()
    reference = KernelReg(values, keys, "c", reg_type="lc", bw=[sigma]).fit(queries)[0]
    same(nadaraya_watson(queries, keys, values, sigma=sigma).estimate, reference)


@quiet_statsmodels
def test_a_width_per_coordinate_agrees_with_statsmodels():
    rng = np.random.default_rng(1)
    keys, queries, values = rng.normal(size=(60, 2)), rng.normal(size=(20, 2)), rng.normal(size=60)
    reference = KernelReg(values, keys, "cc", reg_type="lc", bw=[0.4, 1.5]).fit(queries)[0]
    same(nadaraya_watson(queries, keys, values, sigma=[0.4, 1.5]).estimate, reference)


@pytest.mark.parametrize("d", [1, 2, 10])
def test_agrees_with_scikit_learn(d):
    rng = np.random.default_rng(d)
    keys, queries, sigma = rng.normal(size=(50, d)), rng.normal(size=(30, d)), 0.8
    similarity = rbf_kernel(queries, keys, gamma=1 / (2 * sigma**2))
    reference = similarity / similarity.sum(axis=1, keepdims=True)
    same(attention_weights(queries, keys, sigma=sigma), reference)


def test_classifies_digits():
    data = digits(np.random.default_rng(0))
    estimate, _ = nadaraya_watson(data.queries, data.keys, data.values, sigma=0.3)
    same(estimate.sum(axis=1), 1)
    assert (estimate.argmax(axis=1) == data.truth.argmax(axis=1)).mean() >= 0.97


# Arrays in, the same kind out


@pytest.mark.parametrize("d", [1, 2])
def test_a_kernel_of_ones_own_need_not_be_even(d):
    points = np.array([[0.0, 1.0], [2.0, 0.0], [0.0, 1.0], [0.5, 3.0]])[:, :d]

    def one_sided(u):
        return 1 / (1 + u) ** 3

    expected = attention_weights(points, points, one_sided, 0.7)
    tensors = torch.from_numpy(points)
    same(attention_weights(tensors, tensors, one_sided, 0.7), expected)


@given(problems(), kernels, widths)
def test_torch_agrees(problem, kernel, sigma):
    expected = nadaraya_watson(*problem, kernel, sigma)
    computed = nadaraya_watson(*map(torch.from_numpy, problem), kernel, sigma)
    for ours, theirs in zip(expected, computed, strict=True):
        assert isinstance(theirs, torch.Tensor)
        same(theirs, ours)


@each_kernel
@pytest.mark.parametrize("convert", [np.asarray, torch.asarray], ids=["numpy", "torch"])
def test_dtypes(kernel, convert):
    points = [[0, 1], [2, 0], [1, 1]]

    single = convert(np.array(points, np.float32))
    whole = convert(np.array(points, np.int32))
    for arrays, expected in [
        ((single, single, single), "float32"),
        ((points, single, points), "float32"),
        ((whole, whole, whole), "float64"),
        ((single, single, whole), "float64"),
    ]:
        for sigma in (2, 0.5, convert(np.array([0.5, 2.0]))):
            pooled = nadaraya_watson(*arrays, kernel, sigma)
            assert {str(array.dtype).removeprefix("torch.") for array in pooled} == {expected}


@pytest.mark.parametrize("width", [0.5, [0.5]])
def test_a_double_sigma_leaves_float32_alone(width):
    keys = np.array([0, 1, 3], np.float32)
    for convert in (np.asarray, torch.asarray):
        points = convert(keys)
        sigma = convert(np.array(width))
        pooled = nadaraya_watson(points, points, points, sigma=sigma)
        assert [array.dtype for array in pooled] == [points.dtype] * 2


def test_lists_are_float64_arrays():
    estimate, weights = nadaraya_watson([0, 1], [0, 2, 4], [1, 2, 3], "triangular", 3)
    assert estimate.dtype == weights.dtype == np.float64
    same(estimate, [1.25, 1.5])


@pytest.mark.parametrize("answer", [np.float64, np.int64, bool])
def test_a_kernel_of_any_dtype_keeps_float32(answer):
    keys = np.array([0, 1, 3], np.float32)
    weights = attention_weights(keys, keys, lambda u: (u <= 1).astype(answer))
    assert weights.dtype == np.float32
    same(weights, attention_weights(keys, keys, "boxcar"))


@pytest.mark.parametrize("queries", [np.empty(0), np.empty((0, 1)), []])
def test_no_queries_give_no_rows(queries):
    estimate, weights = nadaraya_watson(queries, [0.0, 1.0], [[1, 2], [3, 4]])
    assert estimate.shape == (0, 2)
    assert weights.shape == (0, 2)


def test_no_queries_in_two_dimensions():
    assert attention_weights(torch.empty((0, 2)), torch.ones((3, 2))).shape == (0, 3)


@each_kernel
@pytest.mark.parametrize("sigma", [1e-300, 1e-200, 1e200])
@pytest.mark.parametrize("d", [1, 2])
def test_extreme_widths(kernel, sigma, d):
    keys = np.array([[0.0, 0.0], [1.0, 1.0], [1.0, 1.0]])[:, :d]
    weights = attention_weights(keys, keys, kernel, sigma)
    if kernel == "constant" or sigma > 1:
        same(weights, np.full((3, 3), 1 / 3))
    else:
        same(weights, [[1, 0, 0], [0, 0.5, 0.5], [0, 0.5, 0.5]])


def test_the_widest_width_of_all():
    for sigma in (1e308, 1.7e308, [1.7e308, 1.0]):
        points = [[0.0, 0.0], [1.0, 0.0]]
        same(attention_weights(points, points, sigma=sigma), np.full((2, 2), 0.5))


def test_one_coordinate_may_be_much_wider_than_another():
    keys = np.array([[0.0, 0.0], [1.0, 1e-200], [1.0, 2e-200]])
    near = softmax([0, -0.5])
    expected = [[1, 0, 0], [0, *near], [0, *near[::-1]]]
    same(attention_weights(keys, keys, sigma=1e-200), expected)
    same(attention_weights(keys * [1, 1e200], keys * [1, 1e200], sigma=[1e-200, 1]), expected)


def test_equal_points_far_from_the_origin():
    same(attention_weights([1e10], [1e10, 1e10], sigma=1e-300), [[0.5, 0.5]])


def test_rounding_makes_no_key_nearer_than_the_nearest():
    angles = np.random.default_rng(0).uniform(0, 7, (40, 60))
    for angle in angles:
        keys = np.stack([np.cos(angle), np.sin(angle)], 1)
        for sigma in (1e-9, 1e-12, 1e-200):
            weights = attention_weights([[0.0, 0.0]], keys, sigma=sigma)
            same(weights.sum(), 1)
            assert (weights > 0).any()


@pytest.mark.parametrize("sigma", [1e-307, 1e-308])
def test_the_narrowest_width_of_all(sigma):
    same(attention_weights([0.0], [1.0, 1.5], sigma=sigma), [[1, 0]])


def test_weights_that_are_no_matrix_are_named():
    with pytest.raises(ValueError, match=r"^weights must have shape \(m, n\), got \(2,\)$"):
        effective_keys([0.5, 0.5])


def test_one_key_gets_all_attention():
    for kernel in KERNELS:
        estimate, weights = nadaraya_watson([0.25], [0.0], [7.0], kernel)
        assert estimate.tolist() == [7]
        assert weights.tolist() == [[1]]


def test_a_compact_kernel_leaves_gaps():
    # The source's problem: at width 0.1 about a fifth of the queries see no key.
    draws = [noisy_trend(np.random.default_rng(seed)) for seed in range(20)]
    gaps = [
        np.isnan(nadaraya_watson(d.queries, d.keys, d.values, "boxcar", 0.1).estimate).mean()
        for d in draws
    ]
    assert 0.1 < np.mean(gaps) < 0.3


def test_a_numpy_user_never_imports_torch():
    program = (
        "import sys, attention_pooling as ap; d = ap.mcycle();"
        "ap.nadaraya_watson(d.queries, d.keys, d.values, 'boxcar', unreached='nearest');"
        "ap.leave_one_out(d.keys, d.values, sigma=[2.0]);"
        "sys.exit(' '.join({'torch', 'sklearn'} & set(sys.modules)) or 0)"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True)


# Gradients


@pytest.mark.parametrize("unreached", ["nan", "nearest"])
@pytest.mark.parametrize("d", [1, 2])
@each_kernel
def test_gradients_in_sigma(kernel, d, unreached):
    rng = np.random.default_rng(3)
    keys, values = torch.asarray(rng.normal(size=(6, d))), torch.asarray(rng.normal(size=(6, 2)))
    far = torch.full((1, d), 50.0, dtype=torch.float64)
    queries = torch.cat([keys, far]) if unreached == "nearest" else keys

    def estimate(sigma):
        return nadaraya_watson(queries, keys, values, kernel, sigma, unreached=unreached).estimate

    for start in (1.3, [0.9, 1.7][:d], [1.3, 1.3][:d]):
        sigma = torch.tensor(start, dtype=torch.float64, requires_grad=True)
        assert torch.isfinite(torch.autograd.grad(estimate(sigma).sum(), sigma)[0]).all()
        assert torch.autograd.gradcheck(estimate, sigma)


@each_kernel
def test_gradients_in_queries_keys_and_values(kernel):
    rng = np.random.default_rng(4)
    points = [torch.asarray(rng.normal(size=(k, 2))).requires_grad_() for k in (3, 5, 5)]
    assert torch.autograd.gradcheck(lambda *p: nadaraya_watson(*p, kernel, 1.6).estimate, points)


@each_kernel
@pytest.mark.parametrize("d", [1, 2])
def test_a_fully_masked_row_does_not_spoil_the_gradient(kernel, d):
    keys = torch.arange(3 * d, dtype=torch.float64).reshape(3, d)
    mask = torch.tensor([[False] * 3, [True] * 3, [False, True, False]])
    sigma = torch.tensor(5.0, dtype=torch.float64, requires_grad=True)
    weights = attention_weights(keys, keys, kernel, sigma, mask=mask)
    assert torch.isnan(weights[0]).all()
    weights[1, 0].backward()
    assert torch.isfinite(sigma.grad)


@each_compact
@pytest.mark.parametrize("d", [1, 2])
def test_an_unreached_query_does_not_spoil_the_gradient(kernel, d):
    keys = torch.arange(3 * d, dtype=torch.float64).reshape(3, d)
    sigma = torch.tensor(5.0, dtype=torch.float64, requires_grad=True)
    weights = attention_weights(torch.cat([keys, keys + 50]), keys, kernel, sigma)
    assert torch.isnan(weights[3:]).all()
    weights[0, 0].backward()
    assert torch.isfinite(sigma.grad)


@each_kernel
@pytest.mark.parametrize("d", [1, 2])
def test_gradients_at_the_origin(kernel, d):
    origin = torch.zeros((2, d), dtype=torch.float64, requires_grad=True)
    nadaraya_watson(origin[:1], origin, origin + 1, kernel).estimate.sum().backward()
    assert origin.grad.tolist() == [[0.5] * d] * 2


def test_a_mask_may_come_from_elsewhere():
    mask = np.array([[True, False], [True, True]])
    mask.flags.writeable = False
    for keys in (np.array([0.0, 1.0]), torch.tensor([0.0, 1.0])):
        for held in (mask, mask.tolist(), pd.DataFrame(mask)):
            weights = attention_weights(keys, keys, "constant", mask=held)
            assert weights.tolist() == [[1, 0], [0.5, 0.5]]


# Bad input

K, V = [0.0, 1.0, 3.0], [1.0, 2.0, 4.0]
K2 = [[0.0, 1.0], [1.0, 1.0]]
T = torch.tensor(K)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sigma": 0}, r"^sigma must be positive and finite, got 0\.0$"),
        ({"sigma": -0.5}, r"^sigma must be positive and finite, got -0\.5$"),
        ({"sigma": np.inf}, r"^sigma must be positive and finite, got inf$"),
        ({"sigma": np.nan}, r"^sigma must be positive and finite, got nan$"),
        ({"sigma": None}, r"^sigma must hold real numbers, got None$"),
        ({"sigma": [-1.0]}, r"^sigma must be positive and finite, got \[-1\.0\]$"),
        ({"sigma": [1.0, 2.0]}, r"^sigma must be a number or have shape \(1,\), got \(2,\)$"),
        ({"sigma": [[1.0]]}, r"^sigma must be a number or have shape \(1,\), got \(1, 1\)$"),
        ({"sigma": "wide"}, r"^sigma must hold real numbers, got 'wide'$"),
        ({"sigma": "1"}, r"^sigma must hold real numbers, got '1'$"),
        ({"sigma": 10**400}, r"^sigma must hold real numbers, got 10000000"),
        ({"sigma": np.array(1 + 1j)}, r"^sigma must hold real numbers, got array\(1\.\+1\.j\)$"),
        ({"sigma": torch.tensor(1.0)}, r"^sigma must come from the library of the keys, got Tens"),
        ({"sigma": 5e-324}, r"^sigma must not make scaled distances overflow, got 5e-324$"),
        (
            {"queries": K2, "keys": K2, "values": [1, 2], "sigma": 5e-324},
            r"^sigma must not make scaled distances overflow, got 5e-324$",
        ),
        ({"keys": [], "values": []}, r"^keys must not be empty, got shape \(0,\)$"),
        ({"keys": []}, r"^keys must not be empty, got shape \(0,\)$"),
        (
            {"queries": K2, "keys": np.empty((0, 2))},
            r"^keys must not be empty, got shape \(0, 2\)$",
        ),
        ({"keys": np.empty((3, 0))}, r"^keys must not be empty, got shape \(3, 0\)$"),
        ({"keys": 5.0}, r"^keys must have one or two axes, got shape \(\)$"),
        ({"keys": np.ones((3, 1, 1))}, r"^keys must have one or two axes, got shape \(3, 1, 1\)$"),
        ({"keys": [0, np.nan, 1]}, r"^keys must be finite, got nan$"),
        ({"keys": [0, 1, -np.inf]}, r"^keys must be finite, got -inf$"),
        ({"keys": [[1], [2, 3]]}, r"^keys must hold real numbers, got \[\[1\], \[2, 3\]\]$"),
        ({"keys": ["a", "b", "c"]}, r"^keys must hold real numbers, got \['a', 'b', 'c'\]$"),
        ({"keys": np.array(K) * 1j}, r"^keys must hold real numbers, got dtype complex128$"),
        ({"keys": T, "values": np.array(V)}, r"^arrays must come from one library, got keys Tens"),
        ({"queries": 0.5}, r"^queries must have one or two axes, got shape \(\)$"),
        ({"queries": [0.5, np.nan]}, r"^queries must be finite, got nan$"),
        ({"queries": [np.inf]}, r"^queries must be finite, got inf$"),
        ({"queries": K2}, r"^queries and keys must have as many coordinates, got queries 2, keys"),
        ({"values": [1.0, 2.0]}, r"^values must be as many as keys, got 2 values for 3 keys$"),
        ({"values": np.ones((2, 5))}, r"^values must be as many as keys, got 2 values for 3 keys$"),
        ({"values": 1.0}, r"^values must have one or two axes, got shape \(\)$"),
        ({"values": np.ones((3, 1, 1))}, r"^values must have one or two axes, got shape \(3, 1"),
        ({"values": [1.0, np.nan, 2.0]}, r"^values must be finite, got nan$"),
        ({"values": [1.0, np.inf, 2.0]}, r"^values must be finite, got inf$"),
        (
            {"kernel": "gauss"},
            rf"^kernel must be a function or one of {', '.join(KERNELS)}, got 'gauss'$",
        ),
        ({"kernel": 3}, r"^kernel must be a function or one of .*, got 3$"),
        ({"kernel": lambda u: 1.0}, r"^kernel must return an array like u, of shape \(1, 3\), got"),
        ({"kernel": lambda u: u[0]}, r"^kernel must return an array like u, of shape \(1, 3\), "),
        ({"kernel": lambda u: -1 - u}, r"^kernel must return finite similarities .*, got -1\.5$"),
        ({"kernel": lambda u: u * np.nan}, r"^kernel must return finite similarities .*, got nan$"),
        ({"kernel": lambda u: u + np.inf}, r"^kernel must return finite similarities .*, got inf$"),
        (
            {"kernel": lambda u: 1.5e308 / (u + 0.5)},
            r"^kernel must return similarities with finite sums, got 1\.5e\+308$",
        ),
        ({"unreached": "mean"}, r"^unreached must be 'nan' or 'nearest', got 'mean'$"),
        ({"mask": [[True]]}, r"^mask must be boolean of shape \(1, 3\), got bool of shape \(1, 1"),
        ({"mask": [[1, 0, 1]]}, r"^mask must be boolean of shape \(1, 3\), got int64 of shape"),
    ],
)
def test_bad_input_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        nadaraya_watson(**({"queries": [0.5], "keys": K, "values": V} | arguments))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sigma": 1e200}, r"^sigma must be positive and finite, got 1e\+200$"),
        ({"sigma": 1e-200}, r"^sigma must be positive and finite, got 1e-200$"),
        ({"queries": [1e200]}, r"^queries must be finite, got inf$"),
        (
            {"kernel": lambda u: 1e300 * np.ones(u.shape)},
            r"^kernel must return similarities with finite sums, got 1e\+300$",
        ),
    ],
)
def test_what_float32_cannot_hold_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        attention_weights(**({"queries": [0.5], "keys": np.array(K, np.float32)} | arguments))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"queries": (T * np.nan).requires_grad_()}, r"^queries must be finite, got nan$"),
        ({"sigma": -T[1]}, r"^sigma must be positive and finite, got -1\.0$"),
        ({"sigma": torch.tensor(1j)}, r"^sigma must hold real numbers, got dtype torch.complex64$"),
        ({"sigma": [T[1].clone().requires_grad_()]}, r"^sigma must hold real numbers, got \[tens"),
        ({"kernel": lambda u: -1 - u}, r"^kernel must return finite similarities .*, got -1\.0$"),
        ({"kernel": lambda u: u.detach().numpy()}, r"^kernel must return an array like u, of sha"),
    ],
)
def test_bad_tensors_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        attention_weights(**({"queries": T.clone().requires_grad_(), "keys": T} | arguments))
