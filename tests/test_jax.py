"""The package with JAX arrays; `make test-frameworks` runs this where there is JAX."""

import json
import runpy
from pathlib import Path

import numpy as np
import pytest

from attention_pooling import KERNELS, attention_weights, leave_one_out, nadaraya_watson

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


def test_the_program_on_the_page(capsys):
    path = Path(__file__).parents[1] / "frameworks" / "package_jax.py"
    error = runpy.run_path(str(path))["error"]
    _, gradient = map(float, capsys.readouterr().out.split())
    np.testing.assert_allclose(gradient, (error(0.51) - error(0.49)) / 0.02, rtol=1e-2)
