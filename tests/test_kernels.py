"""Kernels: their values, their shape, and what they give back for every kind of array."""

import copy
import math
import pickle
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from rows import COMPACT, OTHERS
from scipy.integrate import quad

import attention_pooling
from attention_pooling import KERNELS
from attention_pooling.kernels import Polynomial

# By hand: similarities at u = 0, 1/2, 1 and 2.
VECTORS = {
    "gaussian": (1, math.exp(-1 / 8), math.exp(-1 / 2), math.exp(-2)),
    "boxcar": (1, 1, 1, 0),
    "constant": (1, 1, 1, 1),
    "triangular": (1, 1 / 2, 0, 0),
    "epanechnikov": (3 / 4, 9 / 16, 0, 0),
}

EVERY = KERNELS | OTHERS
each_kernel = pytest.mark.parametrize("kernel", EVERY.values(), ids=EVERY)
each_compact = pytest.mark.parametrize("kernel", COMPACT.values(), ids=COMPACT)
densities = {name: kernel for name, kernel in EVERY.items() if kernel.area < math.inf}
each_density = pytest.mark.parametrize("kernel", densities.values(), ids=densities)
distances = st.floats(-1e200, 1e200)


def test_the_books_order():
    assert list(KERNELS) == list(VECTORS)
    assert all(kernel.__name__ == name for name, kernel in KERNELS.items())


@pytest.mark.parametrize("name", VECTORS)
def test_values_by_hand(name):
    at_0, at_half, at_1, at_2 = VECTORS[name]
    computed = KERNELS[name]([0, 0.5, 1, 2, -0.5, -1, -2])
    np.testing.assert_allclose(
        computed, [at_0, at_half, at_1, at_2, at_half, at_1, at_2], rtol=1e-15
    )


@pytest.mark.parametrize("name", KERNELS)
def test_a_copy_of_a_kernel_is_that_kernel(name):
    kernel = KERNELS[name]
    assert pickle.loads(pickle.dumps(kernel)) is copy.deepcopy(kernel) is kernel
    assert getattr(attention_pooling, name) is kernel
    assert repr(kernel) == f"KERNELS['{name}']"


def test_a_copy_of_a_kernel_beside_the_table_computes_the_same():
    kernel = OTHERS["wendland"]
    u = np.linspace(-2, 2, 99)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(kernel))(u), kernel(u))


def test_coefficients_that_do_not_begin_with_1_are_refused():
    with pytest.raises(ValueError, match=r"^coefficients must begin with 1, got \(2, -2\)$"):
        Polynomial("double", "", "", coefficients=(2, -2))


def test_boxcar_ends_at_one_and_not_before():
    just_beyond = np.nextafter(1, 2)
    assert KERNELS["boxcar"]([1.0, -1.0, just_beyond, -just_beyond]).tolist() == [1, 1, 0, 0]


@each_compact
@given(steps=st.integers(1, 2**20) | st.integers(1, 2**53))
def test_compact_kernels_keep_their_digits_up_to_the_edge(kernel, steps):
    u = kernel.reach * (1 - steps * 2**-53)
    powers = sum(c * Fraction(u) ** p for p, c in enumerate(map(Fraction, kernel.coefficients)))
    exact = Fraction(kernel.height) * powers
    assert float(kernel(u)) == pytest.approx(float(exact), rel=1e-14)


@each_kernel
@given(u=distances, v=distances)
def test_even_and_never_rising_with_distance(kernel, u, v):
    near, far = sorted([u, v], key=abs)
    at_near, at_far, mirrored = kernel(np.array([near, far, -near]))
    top = kernel(np.zeros(1))[0] * (1 + 1e-15)
    assert top >= at_near
    assert at_near * (1 + 1e-14) >= at_far >= 0
    assert mirrored == at_near


@each_density
def test_area_and_spread(kernel):
    end = kernel.reach if kernel.is_compact else 40
    mass, _ = quad(kernel, -end, end)
    second_moment, _ = quad(lambda u: u**2 * kernel(u), -end, end)
    assert mass == pytest.approx(kernel.area, rel=1e-9)
    assert math.sqrt(second_moment / mass) == pytest.approx(kernel.spread, rel=1e-9)
    square, _ = quad(lambda u: (kernel(u) / mass) ** 2, -end, end)
    assert square == pytest.approx(kernel.roughness, rel=1e-9)


@each_kernel
def test_reach(kernel):
    u = np.array([0.5, 1 - 1e-9, 1 + 1e-9, 1e3])
    if kernel.is_compact:
        assert (kernel(kernel.reach * u) > 0).tolist() == [True, True, False, False]
    else:
        assert (kernel(30 * u[:3]) > 0).all()


@each_kernel
def test_smoothness(kernel):
    """A jump is what stays of a step, and a kink what stays of a change of slope."""
    places = np.array([0.0, kernel.reach if kernel.is_compact else 1.0])
    before, near, far, beyond = kernel(places + 1e-5 * np.array([[-2], [-1], [1], [2]]))
    jumps = abs(far - near) > 1e-3
    kinks = abs((beyond - far) - (near - before)) > 1e-7
    expected = {
        "smooth": "no jump and no kink",
        "kinks at the ends of its reach": "kinks at the ends",
    }.get(kernel.smoothness, kernel.smoothness)
    if jumps.any():
        found = "jumps"
    else:
        found = {
            (False, False): "no jump and no kink",
            (True, False): "a kink at its peak",
            (False, True): "kinks at the ends",
            (True, True): "kinks",
        }[tuple(kinks.tolist())]
    assert found == expected


@each_density
def test_parzen_window_estimate_is_a_density(kernel):
    keys, sigma = np.array([0.0, 0.1, 0.1, 2.5]), 0.3

    def density(x):
        return kernel((x - keys) / sigma).sum() / (kernel.area * len(keys) * sigma)

    end = sigma * (kernel.reach if kernel.is_compact else 1)
    edges = sorted({key + side * end for key in keys for side in (-1, 1)})
    pieces = np.concatenate([[-15], edges, [17]])
    mass = sum(quad(density, a, b)[0] for a, b in zip(pieces, pieces[1:], strict=False))
    assert mass == pytest.approx(1, rel=1e-9)


@each_kernel
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_numpy_and_torch_agree_and_keep_the_dtype(kernel, dtype):
    u = np.linspace(-2.5, 2.5, 41).reshape(1, 41).astype(dtype)
    ours, tensor = kernel(u), kernel(torch.from_numpy(u))
    assert ours.dtype == dtype
    assert ours.shape == u.shape
    assert tensor.dtype == getattr(torch, dtype)
    np.testing.assert_allclose(tensor, ours, rtol=np.finfo(dtype).eps, atol=0)


@each_kernel
@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64", "bool"])
def test_integers_count_as_float64(kernel, dtype):
    whole = np.array([0, 1, 1] if dtype == "bool" else [0, 2, 16], dtype)
    expected = kernel(whole.astype(float)).tolist()
    assert kernel(whole).dtype == np.float64
    assert kernel(whole).tolist() == expected
    assert kernel(torch.from_numpy(whole)).dtype == torch.float64
    assert kernel(torch.from_numpy(whole)).tolist() == expected


@each_kernel
def test_slope(kernel):
    """The slope is that of small steps to both sides, by which a kink at 0 is level."""
    u = torch.tensor([-1.3, -0.6, 0.0, 0.2, 0.9, 2.5], dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(kernel(u).sum(), u)
    with torch.no_grad():
        steps = [(kernel(u + h) - kernel(u - h)) / (2 * h) for h in (1e-3, 2e-3)]
    torch.testing.assert_close(slope, (4 * steps[0] - steps[1]) / 3, rtol=1e-9, atol=1e-9)
