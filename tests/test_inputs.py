"""What arrays are made of and how libraries are set up changes no answer, or is refused by name."""

import contextlib
import inspect
import warnings
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import attention_pooling
from attention_pooling import (
    KERNELS,
    BalanceExplorer,
    DigitExplorer,
    DirectionExplorer,
    Explorer,
    ScoreExplorer,
    attention_weights,
    effective_keys,
    leave_one_out,
    leave_one_out_curve,
    nadaraya_watson,
    pool,
    trend,
)


def cauchy(u):
    """Return what a reader's own kernel might."""
    return 1 / (1 + u**2)


each_kernel = pytest.mark.parametrize("kernel", KERNELS)
kernels = st.sampled_from([*KERNELS, cauchy])
widths = st.sampled_from([0.5, 2.0])
modes = st.sampled_from(["nan", "nearest"])


@st.composite
def problems(draw, coordinates=(1, 2), least=0):
    """Whole queries, keys and values, which every dtype holds, with repeats."""
    d, n = draw(st.sampled_from(coordinates)), draw(st.integers(1, 6))
    seed, m = draw(st.integers(0, 2**32 - 1)), draw(st.integers(0, 5))
    rng = np.random.default_rng(seed)
    shape = (d,) if d > 1 or draw(st.booleans()) else ()
    queries, keys = (rng.integers(least, 9, (rows, *shape)) for rows in (m, n))
    return queries, keys, rng.integers(least, 9, (n, 2) if draw(st.booleans()) else n)


def answers(queries, keys, values, kernel, sigma, unreached="nan"):
    """Return what all public functions make of the same arrays."""
    pooled = nadaraya_watson(queries, keys, values, kernel, sigma, unreached=unreached)
    left_out = leave_one_out(keys, values, kernel, sigma)
    curve = leave_one_out_curve(keys, values, kernel, [sigma])
    weights = attention_weights(queries, keys, kernel, sigma, unreached=unreached)
    return {
        "estimate": pooled.estimate,
        "weights": pooled.weights,
        "attention_weights": weights,
        "pool": pool(queries, keys, values, kernel, sigma, unreached=unreached),
        "error": left_out.error,
        "left out": left_out.estimate,
        "unreached": left_out.unreached,
        "errors": curve.errors,
        "effective": effective_keys(weights),
    }


def numbers(answer):
    return answer.detach().double().numpy() if isinstance(answer, torch.Tensor) else answer


def assert_same(computed, expected, rtol=0.0, atol=0.0):
    for name, answer in expected.items():
        np.testing.assert_allclose(numbers(computed[name]), answer, rtol, atol, err_msg=name)


# Containers


class Duck:
    """What other libraries' columns look like to NumPy, an old signature included."""

    def __init__(self, numbers):
        self.numbers = numbers

    def __array__(self, dtype=None):
        return np.array(self.numbers, dtype)


class Labelled(np.ndarray):
    """A subclass such as other libraries have."""


def strided(array):
    spread = np.full((2 * len(array), *array.shape[1:]), 77.0)
    spread[::2] = array
    return spread[::2]


def read_only(array):
    array = array.copy()
    array.flags.writeable = False
    return array


def table(array, dtype):
    # An index that would turn the rows around if anything were aligned by it.
    index = range(len(array))[::-1]
    return (pd.Series if array.ndim == 1 else pd.DataFrame)(array, index, dtype=dtype)


def each(array, convert):
    return [each(x, convert) if x.ndim else convert(x.item()) for x in array]


CONTAINERS = {
    "list": lambda a: a.tolist(),
    "tuple": lambda a: tuple(map(tuple, a.tolist())) if a.ndim == 2 else tuple(a.tolist()),
    "list of scalars": lambda a: list(a),
    "Fortran": np.asfortranarray,
    "strided": strided,
    "backwards": lambda a: a[::-1].copy()[::-1],
    "read-only": read_only,
    "big-endian": lambda a: a.astype(">f8"),
    "big-endian integers": lambda a: a.astype(">i4"),
    "subclass": lambda a: a.view(Labelled),
    "objects": lambda a: a.astype(object),
    "bool and int": lambda a: each(a, lambda x: bool(x) if x in (0, 1) else int(x)),
    "Decimal": lambda a: each(a, Decimal),
    "Fraction": lambda a: np.array(each(a, Fraction), dtype=object).reshape(a.shape),
    "pandas": lambda a: table(a, "float64"),
    "pandas, nullable": lambda a: table(a, "Float64"),
    "pandas, nullable integers": lambda a: table(a, "Int64"),
    "pandas, objects": lambda a: table(a, object),
    "duck": Duck,
    "tensors in a list": lambda a: each(a, torch.tensor),
    "float128": lambda a: a.astype(np.longdouble),
    "uint8": lambda a: a.astype(np.uint8),
    "int64": lambda a: a.astype(np.int64),
}


def chosen(names):
    return st.lists(st.sampled_from(list(names)), min_size=3, max_size=3)


@settings(max_examples=2 * settings().max_examples)
@given(problems(), kernels, widths, modes, chosen(CONTAINERS))
def test_a_container_changes_nothing(problem, kernel, sigma, unreached, names):
    plain = [array.astype(float) for array in problem]
    # A list of no rows does not say how long they are.
    convert = [CONTAINERS[name] if len(plain[0]) else np.asarray for name in names]
    held = [hold(array) for hold, array in zip(convert, plain, strict=True)]
    expected = answers(*plain, kernel, sigma, unreached)
    assert_same(answers(*held, kernel, Decimal(sigma), unreached), expected, 1e-13)


@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
def test_a_matrix_is_an_array_of_two_axes():
    matrix = np.asmatrix([[0.0, 1.0], [2.0, 1.0], [0.0, 3.0]])
    array = np.asarray(matrix)
    expected = answers(array, array, array, "gaussian", 1.0)
    assert_same(answers(matrix, matrix, matrix, "gaussian", 1.0), expected)
    assert type(nadaraya_watson(matrix, matrix, matrix).estimate) is np.ndarray


TENSORS = {
    "contiguous": torch.tensor,
    "strided": lambda a: torch.tensor(strided(a)[::-1].copy()).flip(0),
    "transposed": lambda a: torch.tensor(a.T.copy()).T if a.ndim == 2 else torch.tensor(a),
    "negated view": lambda a: torch.complex(torch.tensor(a), torch.tensor(-a)).conj().imag,
    "parameter": lambda a: torch.nn.Parameter(torch.tensor(a)),
    "integers": lambda a: torch.tensor(a.astype(int)),
}


@given(problems(), kernels, widths, modes, chosen(TENSORS))
def test_a_tensor_is_an_array(problem, kernel, sigma, unreached, names):
    plain = [array.astype(float) for array in problem]
    tensors = [TENSORS[name](array) for name, array in zip(names, plain, strict=True)]
    expected = answers(*plain, kernel, sigma, unreached)
    assert_same(answers(*tensors, kernel, sigma, unreached), expected, 1e-12, 1e-12)
    if len(plain[0]):
        mixed = plain[0].tolist(), tensors[1], read_only(plain[2]).tolist()
        width = read_only(np.array(sigma))
        assert_same(answers(*mixed, kernel, width, unreached), expected, 1e-12, 1e-12)


# Dtypes

DTYPES = {
    "float16": (np.float16, 2**-11),
    "float32": (np.float32, 2**-16),
    "torch.float16": (torch.float16, 2**-11),
    "torch.bfloat16": (torch.bfloat16, 2**-8),
    "torch.float32": (torch.float32, 2**-16),
}


def of_dtype(array, dtype):
    if isinstance(dtype, torch.dtype):
        return torch.tensor(array, dtype=dtype)
    return np.asarray(array, dtype)


@given(problems(), kernels, widths, modes, st.sampled_from(list(DTYPES)), st.sampled_from([1, 40]))
def test_a_dtype_is_kept_and_only_rounds_the_answer(
    problem, kernel, sigma, unreached, name, repeats
):
    dtype, eps = DTYPES[name]
    queries, keys, values = (array.astype(float) for array in problem)
    keys, values = np.repeat(keys, repeats, axis=0), np.repeat(values, repeats, axis=0)
    narrow = [of_dtype(array, dtype) for array in (queries, keys, values)]
    expected = answers(queries, keys, values, kernel, sigma, unreached)
    computed = answers(*narrow, kernel, sigma, unreached)
    # From weights that have been rounded, effective keys can be counted no better.
    expected["effective"] = effective_keys(numbers(computed["weights"]).astype(float))
    for answer in (answer for name, answer in computed.items() if name != "unreached"):
        assert answer.dtype == narrow[0].dtype
    # What is squared has twice the error; below 2⁻¹⁴ float16 has steps instead of digits.
    assert_same(computed, expected, 2 * eps, 9 * eps)


@pytest.mark.parametrize("name", [name for name in DTYPES if "32" not in name])
@each_kernel
def test_many_small_numbers_add_up(name, kernel):
    ones = of_dtype(np.ones(70_000), DTYPES[name][0])
    assert nadaraya_watson(ones[:2], ones, ones, kernel).estimate.tolist() == [1, 1]
    assert pool(ones[:2], ones, ones, kernel).tolist() == [1, 1]
    assert pool(ones[::99], ones, ones, kernel).tolist() == [1] * 708
    assert leave_one_out_curve(ones, ones, kernel, [1.0]).errors.tolist() == [0]
    weights = of_dtype(np.full((1, 5000), 1 / 5000), DTYPES[name][0])
    assert float(effective_keys(weights)[0]) == pytest.approx(5000, rel=DTYPES[name][1])
    many = of_dtype(np.resize([-300.0, 300.0], 1001), DTYPES[name][0])
    assert float(leave_one_out(many, many / 3, "constant").error) == pytest.approx(1e4, rel=0.01)


def test_half_precision_beside_other_numbers():
    half = np.array([0.0, 1.0, 3.0], np.float16)
    for other, dtype in (([0, 1, 2], np.float16), (np.array([0, 1, 2], np.float32), np.float32)):
        assert nadaraya_watson(half, half, other).estimate.dtype == dtype
    # Neither a far query in a list nor a width is squeezed into half precision.
    for sigma in (1e6, np.float16(0.5), np.array(1e-7)):
        estimate = pool([1e6], half, half, sigma=sigma)
        assert estimate.dtype == np.float16
        dense = nadaraya_watson([1e6], half.astype(float), half.astype(float), sigma=sigma).estimate
        np.testing.assert_allclose(estimate, dense, rtol=1e-3)


@pytest.mark.parametrize("convert", [np.asarray, torch.asarray, np.ndarray.tolist, pd.Series])
def test_points_that_would_be_rounded_are_refused(convert):
    whole = np.array([2**53, 2**53 + 1, 10**17])
    for arguments in ({"keys": convert(whole)}, {"queries": convert(whole)}):
        (name,) = arguments
        message = rf"^{name} must be whole numbers that .*, got {2**53 + 1}$"
        with pytest.raises(ValueError, match=message):
            attention_weights(**({"queries": [0.0], "keys": [0.0]} | arguments))
    exact = convert(np.array([2**53, 2**53 + 2, 10**17]))
    assert attention_weights(exact, exact, sigma=1e-3).tolist() == np.eye(3).tolist()
    # A value is what it is to sixteen digits, wherever it is.
    np.testing.assert_allclose(nadaraya_watson([0], [0], [2**53 + 1])[0], 2**53, rtol=1e-15)


@each_kernel
def test_kernels_keep_half_precision(kernel):
    u = np.linspace(-3, 300, 50).astype(np.float16)
    expected = KERNELS[kernel](u.astype(float))
    for half in (u, torch.from_numpy(u)):
        found = KERNELS[kernel](half)
        assert found.dtype == half.dtype
        np.testing.assert_allclose(np.asarray(found, float), expected, rtol=0, atol=2e-3)


def test_the_trend_of_small_integers_has_all_digits():
    for x in (np.arange(6, dtype=np.uint8), [0, 1, 2, 3, 4, 5], torch.arange(6)):
        np.testing.assert_allclose(trend(x), 2 * np.sin(np.arange(6.0)) + np.arange(6), rtol=1e-15)


# What is refused

MASKED = np.ma.array([0.0, 1.0, 3.0], mask=[False, True, False])
REFUSED = {
    "masked": (MASKED, "must not be masked, got masked_array"),
    "masked, nothing hidden": (np.ma.array([0.0, 1.0, 3.0]), "must not be masked"),
    "masked integers": (MASKED.astype(int), "must not be masked"),
    "masked scalars": ([0.0, np.ma.masked, 3.0], "must not be masked"),
    "a list of masked arrays": ([[0.0], MASKED[1:2], [3.0]], "must not be masked"),
    "a tuple of lists of masked scalars": (([0.0], [np.ma.masked], [3.0]), "must not be masked"),
    "strings": (["0", "1", "3"], "must hold real numbers"),
    "an array of strings": (np.array(["0", "1", "3"]), "must hold real numbers"),
    "an array of bytes": (np.array([b"0", b"1", b"3"]), "must hold real numbers"),
    "variable strings": (np.array(["0", "1"], np.dtypes.StringDType()), "must hold real numbers"),
    "strings among numbers": ([0.0, "1", 3.0], "must hold real numbers"),
    "strings among objects": ([Decimal(0), "1", 3.0], "must hold real numbers"),
    "bytes among objects": ([Decimal(0), b"1", 3.0], "must hold real numbers"),
    "an object array": (np.array([0.0, "1", 3.0], object), "must hold real numbers"),
    "a column of objects": (pd.Series([0.0, "1", 3.0], dtype=object), "must hold real numbers"),
    "a column of strings": (pd.Series(["0", "1", "3"], dtype="string"), "must hold real numbers"),
    "a category of strings": (pd.Series(["0", "1"], dtype="category"), "must hold real numbers"),
    "None": ([0.0, None, 3.0], "must hold real numbers"),
    "dates": (pd.Series(pd.to_datetime(["2020", "2021"])), "must hold real numbers"),
    "durations": (np.array([1, 2], "m8[s]"), "must hold real numbers"),
    "durations among objects": ([Decimal(0), np.timedelta64(1, "s")], "must hold real numbers"),
    "complex numbers": ([0.0, 1j], "must hold real numbers"),
    "a complex array": (np.array([0.0, 1j]), "must hold real numbers"),
    "a record": (np.zeros(2, [("a", float)]), "must hold real numbers"),
    "a set": ({0.0, 1.0}, "must hold real numbers"),
    "a generator": ((x for x in (0.0, 1.0)), "must hold real numbers"),
}
PLACES = {
    "queries": lambda bad: attention_weights(bad, [0.0]),
    "keys": lambda bad: attention_weights([0.0], bad),
    "values": lambda bad: nadaraya_watson([0.0], [0.0, 1.0, 3.0], bad),
    "sigma": lambda bad: nadaraya_watson([0.0], [0.0], [1.0], sigma=bad),
    "queries of pool": lambda bad: pool(bad, [0.0], [1.0]),
    "keys of pool": lambda bad: pool([0.0], bad, [0.0, 1.0, 3.0]),
    "values of pool": lambda bad: pool([0.0], [0.0, 1.0, 3.0], bad),
    "keys left out": lambda bad: leave_one_out(bad, [0.0, 1.0, 3.0]),
    "values left out": lambda bad: leave_one_out([0.0, 1.0, 3.0], bad),
    "keys of the curve": lambda bad: leave_one_out_curve(bad, [0.0, 1.0, 3.0], "boxcar", [1]),
    "values of the curve": lambda bad: leave_one_out_curve([0.0, 1.0, 3.0], bad, "boxcar", [1]),
    "weights": effective_keys,
    "keys of the explorer": lambda bad: Explorer(bad, [0.0, 1.0, 3.0]),
    "values of the explorer": lambda bad: Explorer([0.0, 1.0, 3.0], bad),
    "queries of the explorer": lambda bad: Explorer([0.0, 1.0], [0.0, 1.0], bad),
    "sigma of the explorer": lambda bad: Explorer([0.0, 1.0], [0.0, 1.0], sigma=bad),
    "keys of the score explorer": ScoreExplorer,
    "query of the score explorer": lambda bad: ScoreExplorer([[0.0, 1.0]], query=bad),
    "images of the digit explorer": lambda bad: DigitExplorer(bad, bad),
    "keys of the balance explorer": lambda bad: BalanceExplorer(bad, trend),
    "keys of the direction explorer": lambda bad: DirectionExplorer(bad, [0.0, 1.0, 3.0], 45),
    "values of the direction explorer": lambda bad: DirectionExplorer(np.eye(3)[:, :2], bad, 45),
    "x": trend,
} | {f"u of {name}": kernel for name, kernel in KERNELS.items()}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_not_a_number_is_refused_everywhere_by_name(kind):
    bad, message = REFUSED[kind]
    for place, call in PLACES.items():
        with pytest.raises(ValueError, match=rf"^{place.split()[0]} {message}"):
            call(bad)


@pytest.mark.parametrize("dtype", ["Int64", "Float64", "float64", "boolean"])
def test_a_missing_number_is_refused(dtype):
    column = pd.Series([0, None, 1], dtype=dtype)
    with pytest.raises(ValueError, match="^keys must (be finite, got nan|hold real numbers)"):
        pool([0.0], column, [1.0, 2.0, 3.0])


def test_masks_and_widths_and_similarities_must_not_be_masked_either():
    keys = [0.0, 1.0]
    with pytest.raises(ValueError, match="^mask must not be masked"):
        attention_weights([0.0], keys, mask=np.ma.array([[True, False]]))
    with pytest.raises(ValueError, match="^sigmas must not be masked"):
        leave_one_out_curve(keys, keys, "gaussian", np.ma.array([1.0, 2.0]))
    with pytest.raises(ValueError, match="^kernel must return an array like u, .* got masked_arr"):
        attention_weights([0.0], keys, lambda u: np.ma.masked_greater(u, 0.5))


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([[0.5, 0.5], [2.0, -1.0]], r"^weights must be 0 or more and finite, got -1\.0$"),
        ([[np.inf, 1.0]], r"^weights must be 0 or more and finite, got inf$"),
        ([[0.5, 0.5], [0.0, 0.0]], r"^weights must not all be 0 in a row, got \[0\.0, 0\.0\]$"),
    ],
)
def test_what_are_no_weights_is_named(weights, message):
    with pytest.raises(ValueError, match=message):
        effective_keys(weights)
    with pytest.raises(ValueError, match=message):
        effective_keys(torch.tensor(weights))


def test_effective_keys_do_not_depend_on_the_unit_of_the_weights():
    row = np.array([0.5, 0.25, 0.25, 0.0])
    rows = np.outer([1.0, 3.0, 1e300, 1e-300], row)
    rows = np.vstack([rows, np.full(4, np.nan)])
    np.testing.assert_allclose(effective_keys(rows), [*[1 / (row**2).sum()] * 4, np.nan])


# Settings

SETTINGS = {
    "NumPy raises": lambda: [
        np.errstate(all="raise"),
        warnings.catch_warnings(action="error"),
        np.printoptions(precision=1, threshold=2, legacy="1.13"),
    ],
    "NumPy warns": lambda: [
        np.errstate(all="warn"),
        warnings.catch_warnings(action="error"),
    ],
    "PyTorch has other defaults": lambda: [default_dtype(torch.float16), torch.device("meta")],
    "no gradients": lambda: [torch.no_grad(), default_dtype(torch.float64)],
    "inference": lambda: [torch.inference_mode()],
    "mixed precision": lambda: [
        torch.autocast("cpu", torch.bfloat16),
        torch.autograd.set_detect_anomaly(True),
    ],
}


@contextlib.contextmanager
def default_dtype(dtype):
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    yield
    torch.set_default_dtype(before)


def hard_work(kernel):
    """Ask for what underflows, overflows on the way, and meets 0/0 and empty rows."""
    rng = np.random.default_rng(0)
    line, plane = rng.uniform(0, 5, 200), rng.uniform(0, 5, (60, 2))
    yield [0.0, 50.0], [0.0, 99.0, 99.0], [1.0, 2.0, 1e-300], kernel, 1.0
    yield np.array([0.0, 1e200]), np.array([0.0, 1.0]), np.array([1e300, -1e300]), kernel, 1e-5
    yield line, line, np.exp(-100 * line), kernel, 0.01
    yield plane, plane, plane, kernel, [0.1, 5.0]
    half = line.astype(np.float16)
    yield half, half, half, kernel, 0.05
    for dtype in (torch.float32, torch.float16):
        tensor = torch.from_numpy(line).to(dtype)
        yield tensor, tensor, tensor, kernel, 0.05
    recorded = torch.from_numpy(plane).requires_grad_()
    yield recorded, recorded, recorded, kernel, torch.tensor(0.2, dtype=torch.float64)


def quartic(u):
    """Return a kernel that overflows on the way to 0."""
    return 1 / (1 + u**4)


@pytest.fixture(scope="module")
def undisturbed():
    work = [arrays for kernel in ("gaussian", quartic) for arrays in hard_work(kernel)]
    return [(arrays, answers(*arrays, unreached="nearest")) for arrays in work]


@pytest.mark.parametrize("name", SETTINGS)
def test_the_readers_settings_change_nothing(name, undisturbed):
    with contextlib.ExitStack() as stack:
        for setting in SETTINGS[name]():
            stack.enter_context(setting)
        computed = [answers(*arrays, unreached="nearest") for arrays, _ in undisturbed]
    for found, (_, wanted) in zip(computed, undisturbed, strict=True):
        for answer in wanted:
            # Without gradients to record, `pool` is free to take a quicker way.
            np.testing.assert_allclose(*(numbers(x[answer]) for x in (found, wanted)), 1e-12)


def test_explorers_and_kernels_do_not_mind_settings_either():
    u = [0.0, 1.0, 50.0, 1e200]
    with np.errstate(all="raise"):
        for kernel in KERNELS.values():
            assert kernel(u).tolist() == kernel(np.array(u)).tolist()
        assert trend([1e-310]).tolist() == [3e-310]
        keys = [0.0, 1.0, 99.0]
        explorer = Explorer(keys, keys, kernel=lambda u: np.exp(-u * u), panel="leave-one-out")
        explorer.sigma = 0.05
        assert "nw-still-only" in explorer._repr_mimebundle_()["text/html"]
        scores = ScoreExplorer([[1.0, 0.0], [0.0, 9.0]], sigma=0.1, score="product")
        assert "nw-scores" in scores._repr_mimebundle_()[0]["text/html"]


WITH_A_KERNEL = [
    one
    for name in attention_pooling.__all__
    if callable(one := getattr(attention_pooling, name))
    and "kernel" in inspect.signature(one).parameters
]


@pytest.mark.parametrize("function", WITH_A_KERNEL)
def test_the_kernel_is_gaussian_by_default_and_by_name(function):
    assert inspect.signature(function).parameters["kernel"].default == "gaussian"


def test_every_function_that_pools_takes_a_kernel():
    functions = {attention_weights, leave_one_out, leave_one_out_curve, nadaraya_watson, pool}
    assert functions | {Explorer} == set(WITH_A_KERNEL)


def test_without_a_kernel_the_curve_is_the_gaussian_s():
    errors = leave_one_out_curve([0.0, 1.0, 3.0], [0.0, 3.0, 0.0], sigmas=[0.5, 2.0]).errors
    for error, sigma in zip(errors, (0.5, 2.0), strict=True):
        expected = leave_one_out([0.0, 1.0, 3.0], [0.0, 3.0, 0.0], "gaussian", sigma).error
        assert error == pytest.approx(expected, rel=1e-12)
