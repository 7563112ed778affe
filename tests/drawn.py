"""Read what an explorer has drawn in a browser, and compare it with NumPy."""

import json

import numpy as np

from attention_pooling import effective_keys, leave_one_out, nadaraya_watson


def state(root):
    """Return the state of an explorer."""
    # As one string: Playwright takes seconds for the weights, one number at a time.
    return json.loads(root.evaluate("root => JSON.stringify(root.explorer.state())"))


def put(root, **change):
    """Set and read in one go, so that nothing but `set` can have redrawn."""
    both = """(root, change) => {
      root.explorer.set(change);
      return JSON.stringify(root.explorer.state()); }"""
    return json.loads(root.evaluate(both, change))


def settled(root):
    """Return the state when the frame that a gesture asked for has been drawn."""
    root.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    return state(root)


def numbers(listed):
    """Return an array, in which null becomes NaN."""
    return np.array(listed, dtype=float)


def check(drawn):
    """Compare a drawn state with NumPy, to 1e-12."""
    queries, keys, values = (numbers(drawn[name]) for name in ("queries", "keys", "values"))
    kernel, sigma = drawn["kernel"], drawn["sigma"]
    estimate, weights = nadaraya_watson(queries, keys, values, kernel, sigma)
    row = nadaraya_watson([drawn["query"]], keys, values, kernel, sigma)
    scale = np.abs(values).max()
    close(drawn["weights"], weights, 1e-300)
    close(drawn["estimate"], estimate, 1e-12 * scale)
    close(drawn["queryWeights"], row.weights[0], 1e-300)
    close(drawn["queryEstimate"], row.estimate[0], 1e-12 * scale)
    close(drawn["effectiveKeys"], effective_keys(row.weights)[0])
    close(drawn["leaveOneOutError"], leave_one_out(keys, values, kernel, sigma).error)
    assert drawn["unreached"] == np.isnan(estimate).sum()
    return drawn


def close(drawn, expected, atol=0.0):
    """Compare with null for NaN, to 1e-12."""
    np.testing.assert_allclose(numbers(drawn), expected, rtol=1e-12, atol=atol)
