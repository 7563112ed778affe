"""Derivatives of every order, by every way to them, against mpmath, steps and loops."""

import mpmath
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from rows import COMPACT, OTHERS
from torch.autograd import forward_ad
from torch.autograd.functional import hessian

from attention_pooling import (
    KERNELS,
    attention_weights,
    effective_keys,
    leave_one_out,
    leave_one_out_curve,
    nadaraya_watson,
    noisy_trend,
    pool,
)

# PyTorch's own forward derivatives load what it has deprecated itself.
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is dep:DeprecationWarning")

each_kernel = pytest.mark.parametrize("kernel", KERNELS)
WAYS = {
    "grad": torch.func.grad,
    "jacrev": torch.func.jacrev,
    "jacfwd": torch.func.jacfwd,
    "hessian": torch.func.hessian,
}
each_way = pytest.mark.parametrize("way", WAYS)


def cauchy(u):
    return 1 / (1 + u**2)


def tensor(numbers, dtype=torch.float64):
    return torch.tensor(numbers, dtype=dtype)


# At a query that lies on a key, and midway between keys


def of_the_square(row):
    """Return a row's polynomial as a function of u², in mpmath's digits."""

    def similarity(squared):
        u = mpmath.sqrt(squared)
        return mpmath.polyval(row.coefficients[::-1], u) if u < row.reach else mpmath.mpf(0)

    return similarity


LEVEL = [row for row in COMPACT.values() if row.coefficients[1:2] == (0,)]
"""Those that no kink at 0 keeps from being differentiated there."""

SMOOTH = {
    "gaussian": lambda squared: mpmath.exp(-squared / 2),
    cauchy: lambda squared: 1 / (1 + squared),
} | {row: of_the_square(row) for row in LEVEL}


@st.composite
def coincidences(draw):
    """Draw keys on a small grid, a query on one of them or midway, and a direction."""
    d = draw(st.integers(1, 3))
    points = st.lists(st.integers(-2, 2), min_size=d, max_size=d)
    keys = draw(st.lists(points, min_size=2, max_size=5))
    values = draw(st.lists(st.integers(-9, 9), min_size=len(keys), max_size=len(keys)))
    other = keys[draw(st.integers(0, 1))]
    query = [(a + b) / 2 for a, b in zip(keys[0], other, strict=True)]
    sigma = draw(st.lists(st.sampled_from([3.3, 5.0, 9.7]), min_size=d, max_size=d))
    return query, keys, values, sigma, draw(points)


@pytest.mark.parametrize("kernel", SMOOTH)
@settings(max_examples=settings().max_examples // 3)
@given(case=coincidences(), function=st.sampled_from([nadaraya_watson, pool]))
def test_derivatives_along_a_line_through_a_key(kernel, case, function):
    query, keys, values, sigma, direction = case

    def exact(t):
        squared = [
            sum(
                ((q + t * a - k) / s) ** 2
                for q, a, k, s in zip(query, direction, key, sigma, strict=True)
            )
            for key in keys
        ]
        weights = list(map(SMOOTH[kernel], squared))
        return sum(w * v for w, v in zip(weights, values, strict=True)) / sum(weights)

    step = torch.zeros((), dtype=torch.float64, requires_grad=True)
    point = (tensor(query) + step * tensor(direction))[None]
    estimate = function(point, tensor(keys), tensor(values), kernel, tensor(sigma))
    derivative = (estimate if function is pool else estimate.estimate)[0]
    # The curvature of a reader's own kernel is known to so many digits.
    tolerance = 1e-7 if kernel is cauchy else 1e-11
    # An odd power of the distance has derivatives up to some order.
    orders = {cauchy: 3, OTHERS["wendland"]: 2}.get(kernel, 4)
    for order in range(1, orders + 1):
        (derivative,) = torch.autograd.grad(derivative, step, create_graph=True)
        with mpmath.workdps(40):
            expected = float(mpmath.diff(exact, 0, order))
        assert derivative.item() == pytest.approx(expected, rel=tolerance, abs=tolerance)
        if not derivative.requires_grad:
            break


def bell(u):
    return torch.exp(-(u**2))


@pytest.mark.parametrize("kernel", ["gaussian", "triangular", "epanechnikov", bell])
@pytest.mark.parametrize("d", [1, 2])
def test_a_key_out_of_reach_changes_no_derivative(kernel, d):
    keys, values = torch.arange(3.0 * d).double().reshape(3, d), tensor([1.0, -2.0, 4.0, 9.0])

    def derivatives(keys):
        def estimate(query):
            return nadaraya_watson(query[None], keys, values[: len(keys)], kernel, 9.0).estimate[0]

        return torch.stack([hessian(estimate, keys[1]), hessian(estimate, keys[:2].mean(0))])

    alone = derivatives(keys)
    assert alone.any()
    for far in (1e4, 1e160, 1e200):
        beside = derivatives(torch.cat([keys, torch.full_like(keys[:1], far)]))
        torch.testing.assert_close(beside, alone, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize(("kernel", "d"), [("gaussian", 2), ("epanechnikov", 1)])
def test_both_orders_in_everything_at_once(kernel, d):
    points = torch.arange(2.0 * d, dtype=torch.float64).reshape(2, d) * 0.7
    points = torch.cat([points, points[:1]])
    queries = torch.cat([points[:1], points[:2].mean(0, keepdim=True)])
    sigma = torch.full((d,), 6.0, dtype=torch.float64)
    values = tensor([1.0, -2.0, 4.0])
    arguments = [array.clone().requires_grad_() for array in (queries, points, values, sigma)]

    def estimate(queries, keys, values, sigma):
        return pool(queries, keys, values, kernel, sigma)

    assert torch.autograd.gradcheck(estimate, arguments)
    assert torch.autograd.gradgradcheck(estimate, arguments, atol=1e-4)


def test_the_second_derivative_of_two_keys():
    # With w = 1 / (1 + exp(1/2 − q)) the slope at 0 is w(1 − w), and the next w(1 − w)(1 − 2w).
    w = 1 / (1 + np.exp(0.5))

    def estimate(query):
        return nadaraya_watson(query, tensor([0.0, 1.0]), tensor([0.0, 1.0])).estimate[0]

    found = hessian(estimate, tensor([0.0]))
    assert found.item() == pytest.approx(w * (1 - w) * (1 - 2 * w), rel=1e-14)
    assert found.item() == pytest.approx(0.05756, abs=5e-6)


@pytest.mark.parametrize("kernel", [*KERNELS, *OTHERS.values(), lambda u: torch.exp(-u)])
def test_midway_between_keys_the_slope_is_that_of_small_steps(kernel):
    keys = tensor([0.0, 1.0, 4.0])

    def estimate(query):
        return nadaraya_watson(query, keys, keys**2, kernel, 4.5).estimate

    for place in (0.5, 2.5, 2.0, 0.0, 1.0):
        query = tensor([place]).requires_grad_()
        (slope,) = torch.autograd.grad(estimate(query).sum(), query)
        step = 1e-6
        differences = (estimate(query + step) - estimate(query - step)) / (2 * step)
        assert slope.item() == pytest.approx(differences.item(), rel=1e-6)


# In narrow widths

NARROW = {
    torch.float16: [0.005, 1e-6],
    torch.bfloat16: [0.005, 1e-30],
    torch.float32: [1e-5, 1e-20, 1e-30],
    torch.float64: [1e-5, 1e-20, 1e-160, 1e-300],
}


@pytest.mark.parametrize("kernel", [*KERNELS, cauchy])
@pytest.mark.parametrize("d", [1, 2])
@pytest.mark.parametrize("per_coordinate", [False, True])
def test_a_finite_error_has_a_finite_slope(kernel, d, per_coordinate):
    for dtype, widths in NARROW.items():
        # Nearest keys on one side and on both, one of them twice.
        places = torch.tensor([0, 1, 2, 3, 3, 5], dtype=dtype)
        keys = torch.stack([places, 0 * places], 1)[:, :d]
        for width in widths:
            if per_coordinate and d == 2 and dtype == torch.float32 and width < 1e-25:
                continue
            shape = (d,) if per_coordinate else ()
            sigma = torch.full(shape, width, dtype=dtype, requires_grad=True)
            for error in (
                leave_one_out(keys, places, kernel, sigma).error,
                pool(keys, keys, places, kernel, sigma, unreached="nearest").sum(),
            ):
                if torch.isfinite(error):
                    (slope,) = torch.autograd.grad(error, sigma)
                    assert torch.isfinite(slope).all()
                    # The nearest keys stay the nearest.
                    if kernel == "gaussian":
                        assert (slope == 0).all()


def test_slopes_in_narrow_widths_are_those_of_a_larger_unit():
    keys = tensor([0.0, 1.0, 2.5, 2.6, 4.0])
    slopes = []
    for unit in (1.0, 1e-150, 1e150):
        sigma = tensor(0.2 * unit).requires_grad_()
        (slope,) = torch.autograd.grad(
            leave_one_out(keys * unit, keys, "gaussian", sigma)[0], sigma
        )
        slopes.append(slope.item() * unit)
    np.testing.assert_allclose(slopes, slopes[0], rtol=1e-9)


# Transformed

KEYS, VALUES, QUERIES, _ = (tensor(array) for array in noisy_trend(np.random.default_rng(0), 15))
LOSSES = {
    "leave_one_out": lambda kernel, s: leave_one_out(KEYS, VALUES, kernel, s).error,
    "leave_one_out_curve": lambda kernel, s: leave_one_out_curve(
        KEYS, VALUES, kernel, [s, 2 * s]
    ).errors.sum(),
    "pool": lambda kernel, s: pool(QUERIES, KEYS, VALUES, kernel, s, unreached="nearest").sum(),
    "nadaraya_watson": lambda kernel, s: nadaraya_watson(
        QUERIES, KEYS, VALUES, kernel, s, unreached="nearest"
    ).estimate.sum(),
    "plane": lambda kernel, s: (
        leave_one_out(torch.stack([KEYS, VALUES], 1), VALUES, kernel, torch.stack([s, 2 * s])).error
    ),
    "effective_keys": lambda kernel, s: effective_keys(
        attention_weights(QUERIES, KEYS, kernel, s, unreached="nearest")
    ).mean(),
}
SIGMAS = tensor([0.2, 1.3, 4.0])


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("kernel", ["gaussian", cauchy])
def test_mapped_and_differentiated_losses_are_those_of_a_loop(kernel, name):
    def loss(sigma):
        return LOSSES[name](kernel, sigma)

    expected = []
    for sigma in SIGMAS:
        sigma = sigma.clone().requires_grad_()
        value = loss(sigma)
        (slope,) = torch.autograd.grad(value, sigma, create_graph=True)
        second = slope.new_zeros(())
        if slope.requires_grad:
            (second,) = torch.autograd.grad(slope, sigma, allow_unused=True, materialize_grads=True)
        expected.append(torch.stack([value, slope, second]).detach())
    value, slope, second = torch.stack(expected).T

    reached = ~torch.isnan(value)

    def same(found, wanted):
        torch.testing.assert_close(found[reached], wanted[reached], rtol=1e-9, atol=1e-9)

    found = torch.func.vmap(loss)(SIGMAS)
    assert (torch.isnan(found) == ~reached).all()
    same(found, value)
    for way in ("grad", "jacrev", "jacfwd"):
        same(torch.func.vmap(WAYS[way](loss))(SIGMAS), slope)
    same(torch.func.vmap(WAYS["hessian"](loss))(SIGMAS), second)
    torch.testing.assert_close(WAYS["hessian"](loss)(SIGMAS[2]), second[2])
    with forward_ad.dual_level():
        dual = loss(forward_ad.make_dual(SIGMAS[2], tensor(1.0)))
        torch.testing.assert_close(forward_ad.unpack_dual(dual).tangent, slope[2])


@each_way
def test_mapped_over_data(way):
    batch = torch.stack([VALUES, VALUES**2, -VALUES])
    mapped = torch.func.vmap(WAYS[way](lambda values: pool(KEYS, KEYS, values, "gaussian").sum()))
    torch.testing.assert_close(
        mapped(batch),
        torch.stack([WAYS[way](lambda v: pool(KEYS, KEYS, v).sum())(values) for values in batch]),
    )


def test_how_many_keys_are_alone_is_mapped_too():
    count = torch.func.vmap(lambda s: leave_one_out(KEYS, VALUES, "boxcar", s).unreached)(SIGMAS)
    assert count.tolist() == [leave_one_out(KEYS, VALUES, "boxcar", s).unreached for s in SIGMAS]


@each_kernel
def test_what_cannot_be_refused_is_nan(kernel):
    sigmas = tensor([1.0, 0.0, -1.0, np.nan, np.inf])
    weights = torch.func.vmap(
        lambda s: attention_weights(QUERIES, KEYS, kernel, s, unreached="nearest")
    )
    assert torch.isnan(weights(sigmas)).all((1, 2)).tolist() == [False, True, True, True, True]
    for spoilt in (torch.nan, torch.inf):
        keys = torch.stack([KEYS, torch.where(KEYS > 3, spoilt, KEYS)])
        errors = torch.func.vmap(lambda k: pool(QUERIES, k, VALUES, kernel, 9.0))(keys)
        assert torch.isnan(errors).all(1).tolist() == [False, True]


def test_tensors_without_values_have_shapes():
    keys, queries = torch.empty((4, 2), device="meta"), torch.empty((3, 2), device="meta")
    for kernel in KERNELS:
        estimate, weights = nadaraya_watson(queries, keys, keys, kernel)
        assert (estimate.shape, weights.shape) == ((3, 2), (3, 4))
        assert pool(queries, keys, keys, kernel).shape == (3, 2)
        assert leave_one_out(keys, keys, kernel).error.shape == ()
    with pytest.raises(ValueError, match="^queries and keys must have as many coordinates"):
        attention_weights(queries, keys[:, 0])
