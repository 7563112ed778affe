"""The package with JAX arrays; `make test-frameworks` runs this where there is JAX."""

import json
import runpy
from pathlib import Path

import numpy as np
import pytest

from attention_pooling import (
    KERNELS,
    attention_weights,
    effective_keys,
    leave_one_out,
    leave_one_out_curve,
    nadaraya_watson,
    pool,
)

jax = pytest.importorskip("jax")
jnp = jax.numpy
VECTORS = json.loads((Path(__file__).parents[1] / "frameworks" / "vectors.json").read_text())
INPUTS = [np.array(VECTORS[name]) for name in ("queries", "keys", "values")]


@pytest.fixture(params=["float32", "float64"])
def arrays(request):
    with jax.enable_x64(request.param == "float64"):
        yield [jnp.asarray(numbers, dtype=request.param) for numbers in INPUTS]


def tolerance(arrays, single, double):
    return single if arrays[0].dtype == jnp.float32 else double


def test_compiled_estimates_and_weights(arrays):
    pool = jax.jit(nadaraya_watson, static_argnums=3)
    for case in VECTORS["pooling"]:
        pooled = pool(*arrays, case["kernel"], case["sigma"])
        for name, found in zip(("estimates", "weights"), pooled, strict=True):
            assert found.dtype == arrays[0].dtype
            np.testing.assert_allclose(
                found, np.array(case[name], dtype=float), atol=tolerance(arrays, 1e-6, 1e-12)
            )


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("kernel", KERNELS)
def test_gradient_in_sigma_is_that_of_small_steps(kernel, compiled):
    with jax.enable_x64(True):
        queries, keys, values = map(jnp.asarray, INPUTS)

        def loss(sigma):
            estimate = nadaraya_watson(queries, keys, values, kernel, sigma).estimate
            return jnp.nanmean(estimate**2)

        sigma, step = 5.7, 1e-6
        slope = (loss(sigma + step) - loss(sigma - step)) / (2 * step)
        gradient = jax.grad(jax.jit(loss) if compiled else loss)(sigma)
        np.testing.assert_allclose(gradient, slope, rtol=1e-6, atol=1e-9)


def test_gradient_of_leave_one_out():
    with jax.enable_x64(True):
        _, keys, values = map(jnp.asarray, INPUTS)
        gradient = jax.grad(lambda sigma, kernel: leave_one_out(keys, values, kernel, sigma).error)
        for case in VECTORS["leave_one_out"][::8]:
            found = gradient(case["sigma"], case["kernel"])
            np.testing.assert_allclose(found, case["gradient"], rtol=1e-10, atol=1e-12)


def test_gradient_is_finite_where_query_and_key_coincide():
    points = jnp.array([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]])

    def first(sigma):
        return nadaraya_watson(points, points, jnp.arange(3.0), "gaussian", sigma).estimate[0]

    assert jnp.all(jnp.isfinite(jax.jit(jax.grad(first))(jnp.array([0.5, 0.7]))))


def test_a_query_that_no_key_reaches():
    arrays = jnp.array([0.0, 9.0]), jnp.array([0.0, 1.0]), jnp.array([3.0, 5.0])
    for mode, last in (("nan", jnp.nan), ("nearest", 5.0)):
        pool = jax.jit(lambda *a, mode=mode: nadaraya_watson(*a, "boxcar", 0.5, unreached=mode))
        np.testing.assert_array_equal(pool(*arrays).estimate, [3.0, last])


def test_integers_take_the_widest_dtype_that_is_switched_on():
    for wide, dtype in ((False, "float32"), (True, "float64")):
        with jax.enable_x64(wide):
            assert attention_weights(jnp.array([0, 1]), jnp.array([0, 1])).dtype == dtype


def test_bad_values_are_refused_wherever_they_are_known():
    keys = jnp.array([0.0, 1.0])
    with pytest.raises(ValueError, match=r"sigma must be positive and finite, got -1\.0"):
        attention_weights(keys, keys, sigma=jnp.array(-1.0))
    with pytest.raises(ValueError, match="queries must be finite, got nan"):
        attention_weights(jnp.array([jnp.nan]), keys)
    with pytest.raises(ValueError, match=r"sigma must be positive and finite, got .*-1\."):
        jax.grad(lambda s: attention_weights(keys, keys, sigma=s)[0, 0])(-1.0)


def cauchy(u):
    return 1 / (1 + u**2)


@pytest.mark.parametrize("kernel", ["gaussian", "epanechnikov", cauchy])
@pytest.mark.parametrize("d", [1, 2])
def test_second_derivatives_where_a_query_lies_on_a_key(kernel, d):
    with jax.enable_x64(True):
        keys = jnp.array([[0.0, 0.0], [1.0, 2.0], [0.0, 0.0], [2.0, -1.0]])[:, :d]

        def estimate(query):
            return pool(query[None], keys, jnp.arange(4.0), kernel, jnp.full(d, 5.0))[0]

        query, step = keys[0], 1e-4
        slope = jax.grad(estimate)
        steps = step * jnp.eye(d)
        expected = [(slope(query + s) - slope(query - s)) / (2 * step) for s in steps]
        for found in (jax.hessian(estimate), jax.jit(jax.hessian(estimate))):
            np.testing.assert_allclose(found(query), jnp.stack(expected), rtol=1e-6, atol=1e-9)


LOSSES = {
    "leave_one_out": lambda k, v, s: leave_one_out(k, v, "gaussian", s).error,
    "leave_one_out_curve": lambda k, v, s: leave_one_out_curve(k, v, cauchy, [s, 2 * s])[0].sum(),
    "pool": lambda k, v, s: pool(k[:3], k, v, "epanechnikov", s, unreached="nearest").sum(),
    "effective_keys": lambda k, v, s: effective_keys(attention_weights(k, k, sigma=s)).sum(),
}


@pytest.mark.parametrize("name", LOSSES)
def test_compiled_mapped_and_differentiated_losses_are_those_of_a_loop(name):
    with jax.enable_x64(True):
        _, keys, values = map(jnp.asarray, INPUTS)
        sigmas = jnp.array([0.7, 1.3, 4.0])

        def loss(sigma):
            return LOSSES[name](keys, values, sigma)

        plain = jnp.stack([loss(s) for s in sigmas])
        step = 1e-5
        ahead, behind = (jnp.stack([loss(s + way * step) for s in sigmas]) for way in (1, -1))
        np.testing.assert_allclose(jax.jit(jax.vmap(loss))(sigmas), plain, rtol=1e-12)
        slope = (ahead - behind) / (2 * step)
        for way in (jax.grad, jax.jacrev, jax.jacfwd):
            np.testing.assert_allclose(jax.vmap(way(loss))(sigmas), slope, rtol=1e-6, atol=1e-8)
        second = (ahead - 2 * plain + behind) / step**2
        found = jax.jit(jax.vmap(jax.hessian(loss)))(sigmas)
        np.testing.assert_allclose(found, second, rtol=1e-3, atol=1e-4)


def test_what_compiled_code_cannot_refuse_is_nan():
    keys = jnp.array([0.0, 1.0, 2.0])
    weights = jax.jit(lambda k, s: attention_weights(keys, k, "boxcar", s, unreached="nearest"))
    assert not jnp.isnan(weights(keys, 0.1)).any()
    for k, sigma in ((keys, -0.1), (keys, 0.0), (keys, jnp.inf), (keys.at[0].set(jnp.nan), 0.1)):
        assert jnp.isnan(weights(k, sigma)).all()
    compiled = jax.jit(lambda s: leave_one_out(keys, keys, "boxcar", s))
    assert compiled(0.1).unreached == 3
    assert compiled(1.0).unreached == 0


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_is_summed_in_a_wider_one(dtype):
    ones = jnp.ones(70_000, dtype=dtype)
    for kernel in KERNELS:
        estimate, weights = nadaraya_watson(ones[:1], ones, ones, kernel)
        assert (estimate.dtype, weights.dtype) == (dtype, dtype)
        assert estimate.tolist() == pool(ones[:1], ones, ones, kernel).tolist() == [1]
    slope = jax.grad(
        lambda s: leave_one_out(jnp.arange(6, dtype=dtype), jnp.arange(6.0), sigma=s)[0]
    )
    assert slope(jnp.array(0.005, dtype)) == 0


@pytest.mark.parametrize("width", [1e-5, 1e-20, 1e-30])
def test_slopes_in_narrow_widths_are_finite(width):
    keys = jnp.array([0.0, 1.0, 2.0, 3.0, 3.0, 5.0], jnp.float32)
    assert jax.grad(lambda s: leave_one_out(keys, keys, sigma=s).error)(jnp.float32(width)) == 0


def test_the_program_on_the_page(capsys):
    path = Path(__file__).parents[1] / "frameworks" / "package_jax.py"
    error = runpy.run_path(str(path))["error"]
    _, gradient = map(float, capsys.readouterr().out.split())
    np.testing.assert_allclose(gradient, (error(0.51) - error(0.49)) / 0.02, rtol=1e-2)
