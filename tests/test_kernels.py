"""Kernels: their values, their shape, and what they give back for every kind of array."""

import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from attention_pooling import KERNELS

INTEGRAL = {"gaussian": math.sqrt(2 * math.pi), "boxcar": 2, "triangular": 1, "epanechnikov": 1}
SPREAD = {"gaussian": 1, "boxcar": 3**-0.5, "triangular": 6**-0.5, "epanechnikov": 5**-0.5}
REACH = {"gaussian": 40, "boxcar": 1, "triangular": 1, "epanechnikov": 1}

each_kernel = pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS)
each_density = pytest.mark.parametrize("name", INTEGRAL)
distances = st.floats(-1e200, 1e200)


def test_the_books_order():
    assert list(KERNELS) == ["gaussian", "boxcar", "constant", "triangular", "epanechnikov"]
    assert all(kernel.__name__ == name for name, kernel in KERNELS.items())


@pytest.mark.parametrize(
    ("name", "at_0", "at_half", "at_1", "at_2"),
    [
        ("gaussian", 1, math.exp(-1 / 8), math.exp(-1 / 2), math.exp(-2)),
        ("boxcar", 1, 1, 1, 0),
        ("constant", 1, 1, 1, 1),
        ("triangular", 1, 1 / 2, 0, 0),
        ("epanechnikov", 3 / 4, 9 / 16, 0, 0),
    ],
)
def test_values_by_hand(name, at_0, at_half, at_1, at_2):
    computed = KERNELS[name]([0, 0.5, 1, 2, -0.5, -1, -2])
    np.testing.assert_allclose(
        computed, [at_0, at_half, at_1, at_2, at_half, at_1, at_2], rtol=1e-15
    )


def test_boxcar_ends_at_one_and_not_before():
    just_beyond = np.nextafter(1, 2)
    assert KERNELS["boxcar"]([1.0, -1.0, just_beyond, -just_beyond]).tolist() == [1, 1, 0, 0]


@given(st.integers(1, 2**20))
def test_epanechnikov_keeps_its_digits_at_the_edge(steps):
    u = 1 - steps * 2**-53
    exact = Fraction(3, 4) * (1 - Fraction(u) ** 2)
    assert float(KERNELS["epanechnikov"](u)) == pytest.approx(float(exact), rel=1e-15)


@each_kernel
@given(u=distances, v=distances)
def test_even_and_never_rising_with_distance(kernel, u, v):
    near, far = sorted([u, v], key=abs)
    at_near, at_far, mirrored = kernel(np.array([near, far, -near]))
    assert kernel(np.zeros(1))[0] >= at_near >= at_far >= 0
    assert mirrored == at_near


@each_density
def test_integral_and_spread(name):
    kernel, reach = KERNELS[name], REACH[name]
    mass, _ = quad(lambda u: kernel(u), -reach, reach)
    second_moment, _ = quad(lambda u: u**2 * kernel(u), -reach, reach)
    assert mass == pytest.approx(INTEGRAL[name], rel=1e-9)
    assert math.sqrt(second_moment / mass) == pytest.approx(SPREAD[name], rel=1e-9)


@each_density
def test_parzen_window_estimate_is_a_density(name):
    keys, sigma = np.array([0.0, 0.1, 0.1, 2.5]), 0.3

    def density(x):
        return KERNELS[name]((x - keys) / sigma).sum() / (INTEGRAL[name] * len(keys) * sigma)

    edges = sorted({key + side * sigma for key in keys for side in (-1, 1)})
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
    u = torch.tensor([-1.3, -0.6, 0.0, 0.2, 0.9, 2.0], dtype=torch.float64, requires_grad=True)
    slopes = {
        "gaussian": -u * torch.exp(-(u**2) / 2),
        "boxcar": 0 * u,
        "constant": 0 * u,
        "triangular": -torch.sign(u) * (u.abs() < 1),
        "epanechnikov": -1.5 * u * (u.abs() < 1),
    }
    (slope,) = torch.autograd.grad(kernel(u).sum(), u)
    torch.testing.assert_close(slope, slopes[kernel.__name__].detach(), rtol=1e-15, atol=1e-15)
