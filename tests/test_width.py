"""Leave-one-out: the same as n refits, and no key votes for itself."""

import sys
import types

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from attention_pooling import (
    KERNELS,
    attention_weights,
    leave_one_out,
    mcycle,
    nadaraya_watson,
    noisy_trend,
    pool,
)
from claims.pages import CHAPTERS, cells

each_kernel = pytest.mark.parametrize("kernel", KERNELS)
each_compact = pytest.mark.parametrize(
    "kernel", [name for name, kernel in KERNELS.items() if kernel.is_compact]
)
kernels = st.sampled_from(list(KERNELS))
widths = st.floats(0.05, 20)


@st.composite
def samples(draw):
    """Keys and values on a grid of eighths, with repeats."""
    n, d = draw(st.integers(2, 7)), draw(st.integers(1, 2))
    eighths = st.integers(-40, 40).map(lambda step: step / 8)

    def table(columns):
        row = st.lists(eighths, min_size=columns, max_size=columns)
        return np.array(draw(st.lists(row, min_size=n, max_size=n)))

    return table(d), table(1)[:, 0]


@given(samples(), kernels, widths)
def test_equals_n_refits(sample, kernel, sigma):
    keys, values = sample
    error, unreached, estimate = leave_one_out(keys, values, kernel, sigma)
    refits = np.array(
        [
            nadaraya_watson(
                keys[[i]], np.delete(keys, i, 0), np.delete(values, i), kernel, sigma
            ).estimate[0]
            for i in range(len(keys))
        ]
    )
    np.testing.assert_allclose(estimate, refits, rtol=1e-12, atol=1e-12)
    assert unreached == np.isnan(refits).sum()
    np.testing.assert_allclose(error, ((refits - values) ** 2).mean(), rtol=1e-12, atol=1e-12)


@each_kernel
@given(samples(), widths, st.data())
def test_a_value_has_no_say_in_its_own_estimate(kernel, sample, sigma, data):
    keys, values = sample
    own = data.draw(st.integers(0, len(keys) - 1))
    before = leave_one_out(keys, values, kernel, sigma).estimate[own]
    values[own] = data.draw(st.floats(-1e9, 1e9))
    np.testing.assert_equal(leave_one_out(keys, values, kernel, sigma).estimate[own], before)


@given(samples(), kernels, widths)
def test_is_the_training_error_enlarged_by_the_own_weight(sample, kernel, sigma):
    keys, values = sample
    estimate, weights = nadaraya_watson(keys, keys, values, kernel, sigma)
    own = np.diagonal(weights)
    left_out = leave_one_out(keys, values, kernel, sigma).estimate
    others = own < 1 - 1e-6
    np.testing.assert_allclose(
        (values - left_out)[others],
        ((values - estimate) / np.where(others, 1 - own, 1))[others],
        rtol=1e-8,
        atol=1e-8,
    )


@each_compact
def test_one_lonely_key_makes_the_error_nan(kernel):
    error, unreached, estimate = leave_one_out([0.0, 0.5, 9.0], [1.0, 2.0, 3.0], kernel)
    assert np.isnan(error)
    assert unreached == 1
    assert np.isnan(estimate).tolist() == [False, False, True]


@each_kernel
def test_a_single_key_has_no_others(kernel):
    error, unreached, estimate = leave_one_out([1.0], [2.0], kernel)
    assert np.isnan(error)
    assert unreached == 1
    assert np.isnan(estimate).all()


def test_the_narrow_gaussian_asks_the_nearest_other_key():
    left_out = leave_one_out([0.0, 1.0, 3.0, 3.0], [1.0, 2.0, 3.0, 7.0], sigma=1e-200)
    assert left_out.estimate.tolist() == [2, 1, 7, 3]
    assert left_out.unreached == 0


def test_vector_values_average_over_their_columns():
    keys, values = np.array([0.0, 1.0, 2.5]), np.array([[1.0, 0], [0, 1], [1, 1]])
    error, _, estimate = leave_one_out(keys, values)
    columns = [leave_one_out(keys, values[:, c]) for c in range(2)]
    assert estimate.shape == (3, 2)
    np.testing.assert_allclose(error, np.mean([column.error for column in columns]), rtol=1e-14)


def test_on_mcycle_the_minimum_lies_inside():
    keys, values, _, _ = mcycle()
    sweep = np.geomspace(0.1, 30, 60)
    errors = [leave_one_out(keys, values, sigma=sigma).error for sigma in sweep]
    assert sweep[np.argmin(errors)] == pytest.approx(0.91, rel=0.1)
    assert min(errors) == pytest.approx(596, abs=1)


def test_on_mcycle_a_narrow_boxcar_is_not_the_best():
    keys, values, _, _ = mcycle()
    error, unreached, estimate = leave_one_out(keys, values, "boxcar", 0.05)
    alone = sum((keys == key).sum() == 1 for key in keys)
    assert unreached == np.isnan(estimate).sum() == alone
    assert np.isnan(error)


@each_kernel
def test_torch_agrees_and_the_error_can_be_descended(kernel):
    keys, values, _, _ = noisy_trend(np.random.default_rng(0))
    expected = leave_one_out(keys, values, kernel, 1.5)
    sigma = torch.tensor(1.5, dtype=torch.float64, requires_grad=True)
    tensors = torch.from_numpy(keys), torch.from_numpy(values)
    computed = leave_one_out(*tensors, kernel, sigma)
    assert computed.unreached == expected.unreached == 0
    np.testing.assert_allclose(computed.error.item(), expected.error, rtol=1e-12)
    np.testing.assert_allclose(computed.estimate.detach(), expected.estimate, rtol=1e-12)
    assert torch.autograd.gradcheck(lambda s: leave_one_out(*tensors, kernel, s).error, sigma)


@pytest.mark.parametrize("sigma", [[1.0, 2.0], [1.0, 1.0]])
def test_gradients_with_a_width_per_coordinate(sigma):
    keys, values = np.random.default_rng(2).normal(size=(2, 8, 2))
    keys[1] = keys[0]
    widths = torch.tensor(sigma, dtype=torch.float64, requires_grad=True)
    tensors = torch.from_numpy(keys), torch.from_numpy(values)
    assert torch.autograd.gradcheck(lambda s: leave_one_out(*tensors, sigma=s).error, widths)


def test_float32_stays():
    keys = np.array([0, 1, 3], np.float32)
    error, _, estimate = leave_one_out(keys, keys)
    assert error.dtype == estimate.dtype == np.float32
    assert leave_one_out([0, 1], [1, 2]).estimate.dtype == np.float64


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sigma": 0}, r"^sigma must be positive and finite, got 0\.0$"),
        ({"keys": [], "values": []}, r"^keys must not be empty, got shape \(0,\)$"),
        ({"keys": 5.0}, r"^keys must have one or two axes, got shape \(\)$"),
        ({"keys": [0.0, np.nan]}, r"^keys must be finite, got nan$"),
        ({"values": [0.0, np.nan]}, r"^values must be finite, got nan$"),
        ({"values": [1.0]}, r"^values must be as many as keys, got 1 values for 2 keys$"),
        ({"kernel": "box"}, r"^kernel must be a function or one of .*, got 'box'$"),
    ],
)
def test_bad_input_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        leave_one_out(**({"keys": [0.0, 1.0], "values": [1.0, 2.0]} | arguments))


def test_weights_of_the_others_are_renormalised():
    keys = np.array([0.0, 0.5, 2.0])
    weights = attention_weights(keys, keys)
    np.fill_diagonal(weights, 0)
    weights /= weights.sum(axis=1, keepdims=True)
    values = np.array([1.0, -1.0, 4.0])
    np.testing.assert_allclose(leave_one_out(keys, values).estimate, weights @ values, rtol=1e-14)


def test_scikit_learn_takes_the_chapters_estimator(monkeypatch):
    from sklearn.utils.estimator_checks import check_estimator

    page = (CHAPTERS / "width.md").read_text(encoding="utf-8")
    (code,) = (code for _, code in cells(page) if "BaseEstimator" in code.co_names)
    page = types.ModuleType("page")
    page.pool = pool
    # Pickle asks a class for its module.
    monkeypatch.setitem(sys.modules, "page", page)
    exec(code, vars(page))
    checks = check_estimator(page.Pooling(), on_fail=None, on_skip=None)
    unmet = {check["check_name"] for check in checks if check["status"] != "passed"}
    # It checks other libraries' arrays only where the user has told SciPy to take them.
    assert unmet <= {"check_array_api_input"}, checks
    assert len(checks) > 40
