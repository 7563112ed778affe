"""Write vectors.json: what all libraries must reproduce, computed with 50 digits.

Every input is a multiple of 1/128, so that it is the same number in float32 and float64.
Widths for pooling are powers of two, so that some keys lie exactly at u = 1. Widths for gradients
are odd multiples of 1/128, so that no distance between keys, all of them multiples of 1/64, meets a
kink. One key lies apart: at narrow widths its Gaussian similarities are too small for a float64.
"""

import json
from pathlib import Path

from mpmath import exp, isnan, mp, mpf, nan

DISTANCES = [0, 1, 32, 64, 96, 127, 128, 129, 256, 1280]
QUERIES = [-256, 0, 100, 128, 257, 402, 640, 1280]
KEYS = [10, 36, 62, 164, 164, 226, 288, 386, 452, 528, 600, 832]
VALUES = [-40, 31, 75, 118, 90, 157, 96, 64, 12, -57, -33, 101]
WIDTHS = [2, 16, 32, 64, 128, 512]
LEAVE_ONE_OUT_WIDTHS = [5, 27, 77, 257, 385, 641]

KERNELS = {
    "gaussian": lambda u: exp(-(u**2) / 2),
    "boxcar": lambda u: mpf(abs(u) <= 1),
    "constant": lambda u: mpf(1),
    "triangular": lambda u: max(mpf(0), 1 - abs(u)),
    "epanechnikov": lambda u: max(mpf(0), 1 - u**2) * 3 / 4,
}


def attention_weights(query, keys, kernel, sigma):
    """Return one query's weights, NaN where no key is in reach."""
    similarity = [KERNELS[kernel]((query - key) / sigma) for key in keys]
    total = sum(similarity)
    return [s / total if total else nan for s in similarity]


def estimate(query, keys, values, kernel, sigma):
    """Return the weighted average of the values at one query."""
    weights = attention_weights(query, keys, kernel, sigma)
    return sum(w * v for w, v in zip(weights, values, strict=True))


def leave_one_out_loss(sigma, keys, values, kernel):
    """Return the mean squared error at each key of the estimate from all others."""
    errors = [
        estimate(keys[i], keys[:i] + keys[i + 1 :], values[:i] + values[i + 1 :], kernel, sigma)
        - values[i]
        for i in range(len(keys))
    ]
    return sum(error**2 for error in errors) / len(errors)


def rounded(number):
    """Return the float64 nearest to a number, or None for NaN, which JSON does not know."""
    if isinstance(number, list):
        return [rounded(part) for part in number]
    return None if isnan(number) else float(number)


def vectors():
    """Return inputs and exact results as plain lists, rounded to float64 at the very end."""
    mp.dps = 50
    u, queries, keys, values, widths, left_out_widths = (
        [mpf(number) / 128 for number in numbers]
        for numbers in (DISTANCES, QUERIES, KEYS, VALUES, WIDTHS, LEAVE_ONE_OUT_WIDTHS)
    )
    inputs = {"u": u, "queries": queries, "keys": keys, "values": values}
    kernels = {name: [kernel(distance) for distance in u] for name, kernel in KERNELS.items()}
    pooling = [
        {
            "kernel": kernel,
            "sigma": rounded(sigma),
            "estimates": rounded([estimate(q, keys, values, kernel, sigma) for q in queries]),
            "weights": rounded([attention_weights(q, keys, kernel, sigma) for q in queries]),
        }
        for kernel in KERNELS
        for sigma in widths
    ]
    leave_one_out = [
        {
            "kernel": kernel,
            "sigma": rounded(sigma),
            # By differences, and so not by the formula for which NumPy's derivative is tested.
            "gradient": rounded(
                mp.diff(lambda s, k=kernel: leave_one_out_loss(s, keys, values, k), sigma)
            ),
        }
        for kernel in KERNELS
        for sigma in left_out_widths
        if not isnan(leave_one_out_loss(sigma, keys, values, kernel))
    ]
    return {
        **{name: rounded(numbers) for name, numbers in inputs.items()},
        "similarity": {name: rounded(numbers) for name, numbers in kernels.items()},
        "pooling": pooling,
        "leave_one_out": leave_one_out,
    }


if __name__ == "__main__":
    Path(__file__).with_name("vectors.json").write_text(json.dumps(vectors(), indent=1) + "\n")
