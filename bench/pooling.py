"""Measure `pool` against the libraries that a reader would otherwise take, and against its targets.

Everything is measured in one run, in rounds in which the contestants take turns, so that a busy
machine slows all of them; ratios are ratios of medians. Memory is what one call adds to a fresh
process. The exit code says whether a target was missed.

    python bench/pooling.py            print the tables
    python bench/pooling.py --write    also store them for the chapter on cost
"""

import argparse
import contextlib
import functools
import json
import os
import platform
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch

from attention_pooling import KERNELS, leave_one_out_curve, nadaraya_watson, pool, trend

RESULTS = Path(__file__).parent.parent / "src" / "attention_pooling" / "cost.json"
ROUNDS, ROUNDS_WITHOUT_TARGET = 7, 3
SIGMA, NARROW = 0.2, 1e-3
LONGEST = 12  # seconds that a method may take in the curves of growth
PACKAGES = (
    "numpy",
    "torch",
    "scikit-learn",
    "statsmodels",
    "scikit-fda",
    "pykeops",
    "finufft",
)
WIDTHS = np.geomspace(0.01, 2, 50)


def problem(m, n, d=1, margin=0):
    """Draw the source section's problem at any size, or points in d dimensions.

    Queries lie as far as the margin outside the keys.
    """
    rng = np.random.default_rng(0)
    if d > 1:
        keys, queries = rng.standard_normal((n, d)), rng.standard_normal((m, d))
        return queries, keys, keys[:, 0] + rng.standard_normal(n)
    keys, queries = rng.uniform(0, 5, n), rng.uniform(-margin, 5 + margin, m)
    return queries, keys, trend(keys) + rng.standard_normal(n)


def gap(m, n):
    """Draw keys in two clusters a width wide, and queries in the gap of a thousand widths."""
    rng = np.random.default_rng(0)
    keys = rng.choice([0.0, 1.0], n) + rng.uniform(0, NARROW, n)
    return rng.uniform(0.4, 0.6, m), keys, rng.standard_normal(n)


def far(m, n):
    """Draw keys as in the source section, and queries that lie far outside."""
    _, keys, values = problem(1, n)
    return np.random.default_rng(1).uniform(20, 21, m), keys, values


# Each contestant takes the arrays and returns what is timed: a function without arguments.
# It imports its library itself, so that libraries do not weigh on each other's memory.


def ours(queries, keys, values, sigma, kernel="gaussian"):
    return lambda: pool(queries, keys, values, kernel, sigma)


def uniform(queries, keys, values, sigma):
    """Pool as many points as there are, but spread as in the source section."""
    pooled = ours(*problem(len(queries), len(keys)), SIGMA)

    def elsewhere():
        pooled()

    return elsewhere


def d2l(queries, keys, values, sigma):
    queries, keys, values = map(torch.from_numpy, (queries, keys, values))

    def estimate():
        if keys.ndim == 1:
            distances = keys.reshape((-1, 1)) - queries.reshape((1, -1))
        else:
            distances = torch.cdist(keys, queries)
        similarity = torch.exp(-(distances**2) / (2 * sigma**2))
        return values @ (similarity / similarity.sum(0))

    return estimate


def numpy_dense(queries, keys, values, sigma):
    def estimate():
        similarity = np.exp(-((queries[:, None] - keys) ** 2) / (2 * sigma**2))
        return similarity / similarity.sum(axis=1, keepdims=True) @ values

    return estimate


def torch_softmax(queries, keys, values, sigma):
    queries, keys, values = map(torch.from_numpy, (queries, keys, values))

    def estimate():
        return torch.softmax(-((queries[:, None] - keys) ** 2) / (2 * sigma**2), dim=1) @ values

    return estimate


def streaming(queries, keys, values, sigma):
    queries, keys, values = map(torch.from_numpy, (queries, keys, values))
    rows = max(1, 2**18 // len(keys))

    def estimate():
        scores = torch.empty((rows, len(keys)), dtype=keys.dtype)
        pooled = torch.empty_like(queries)
        for at in range(0, len(queries), rows):
            block = queries[at : at + rows, None]
            some = torch.sub(block, keys, out=scores[: len(block)]).div_(sigma).square_().div_(-2)
            pooled[at : at + rows] = torch.softmax(some, dim=1) @ values
        return pooled

    return estimate


def sdpa(queries, keys, values, sigma, padded=False):
    queries, keys, values = map(torch.from_numpy, (queries, keys, values))
    middle = keys.mean()

    def estimate():
        q = torch.stack([queries - middle, torch.ones_like(queries)], 1)
        k = torch.stack([(keys - middle) / sigma**2, -((keys - middle) ** 2) / (2 * sigma**2)], 1)
        v = torch.stack([values, torch.zeros_like(values)], 1) if padded else values[:, None]
        attend = torch.nn.functional.scaled_dot_product_attention
        return attend(q[None, None], k[None, None], v[None, None], scale=1.0)[0, 0, :, 0]

    return estimate


def keops(queries, keys, values, sigma):
    import pykeops
    from pykeops.torch import LazyTensor

    pykeops.set_verbose(False)

    queries, keys, values = (
        torch.from_numpy(array.reshape(len(array), -1)) for array in (queries, keys, values)
    )

    def estimate():
        apart = LazyTensor(queries[:, None, :]) - LazyTensor(keys[None, :, :])
        scores = -(apart**2).sum(-1) / (2 * sigma**2)
        return scores.sumsoftmaxweight(LazyTensor(values[None, :, :]), dim=1)[:, 0]

    return estimate


def statsmodels(queries, keys, values, sigma):
    from statsmodels.nonparametric.kernel_regression import KernelReg

    def estimate():
        return KernelReg(values, keys, "c", reg_type="lc", bw=[sigma]).fit(queries)[0]

    return estimate


def sklearn_rbf(queries, keys, values, sigma):
    from sklearn.metrics.pairwise import rbf_kernel

    def estimate():
        similarity = rbf_kernel(queries[:, None], keys[:, None], gamma=1 / (2 * sigma**2))
        return similarity @ values / similarity.sum(axis=1)

    return estimate


def scikit_fda(queries, keys, values, sigma):
    from skfda.misc.hat_matrix import NadarayaWatsonHatMatrix

    def estimate():
        hat = NadarayaWatsonHatMatrix(bandwidth=sigma)
        return hat(delta_x=np.abs(queries[:, None] - keys), X_train=keys, X=queries) @ values

    return estimate


def nufft(queries, keys, values, sigma):
    import finufft

    def estimate():
        low, high = min(queries.min(), keys.min()), max(queries.max(), keys.max())
        scale = 2 * np.pi / (high - low + 9 * sigma)  # room for the Gaussian to fade
        half = int(np.ceil(8.5 / (scale * sigma)))
        frequencies = np.arange(-half, half + 1)
        strengths = np.stack([values, np.ones_like(values)]).astype(complex)
        modes = finufft.nufft1d1((keys - low) * scale - np.pi, strengths, 2 * half + 1, eps=1e-14)
        modes *= np.exp(-((frequencies * scale * sigma) ** 2) / 2)
        above, below = finufft.nufft1d2(
            (queries - low) * scale - np.pi, modes, eps=1e-14, isign=-1
        ).real
        return above / below

    return estimate


def radius_neighbors(queries, keys, values, sigma, kernel):
    from sklearn.neighbors import RadiusNeighborsRegressor

    *lower, highest = KERNELS[kernel].coefficients
    reach = KERNELS[kernel].reach * sigma

    def shape(u):
        similarity = highest * u
        for power in range(len(lower) - 1, -1, -1):
            if lower[power]:
                similarity += lower[power]
            if power:
                similarity *= u
        return similarity

    def weights(distances):
        return np.array([shape(some / sigma) for some in distances], dtype=object)

    def estimate():
        model = RadiusNeighborsRegressor(radius=reach, weights=weights if lower else "uniform")
        return model.fit(keys[:, None], values).predict(queries[:, None])

    return estimate


def argsort_both(queries, keys, values, sigma):
    return lambda: (np.argsort(queries), np.argsort(keys))


def our_curve(queries, keys, values, sigma):
    return lambda: leave_one_out_curve(keys, values, "gaussian", WIDTHS)


def closed_form_in_blocks(queries, keys, values, sigma):
    """Return leave-one-out errors at every tenth width: each width takes the same time."""
    keys, values = map(torch.from_numpy, (keys, values))

    def errors():
        curve = []
        for width in WIDTHS[::10]:
            wrong = []
            for at in range(0, len(keys), 64):
                scores = ((keys[at : at + 64, None] - keys) / width).square().div_(-2)
                scores.diagonal(at).fill_(-torch.inf)
                wrong.append(torch.softmax(scores, dim=1) @ values - values[at : at + 64])
            curve.append(torch.cat(wrong).square().mean())
        return curve

    return errors


def our_derivative(queries, keys, values, sigma, kernel="gaussian"):
    keys, values = map(torch.from_numpy, (keys, values))

    def derivative():
        width = torch.tensor(sigma, dtype=torch.float64, requires_grad=True)
        errors, _ = leave_one_out_curve(keys, values, kernel, [width])
        return torch.autograd.grad(errors[0], width)[0]

    return derivative


def our_error(queries, keys, values, sigma, kernel="gaussian"):
    return lambda: leave_one_out_curve(keys, values, kernel, [sigma])


def a_tenth(queries, keys, values, sigma):
    """Differentiate the error of a tenth of the keys."""
    return our_derivative(*problem(1, len(keys) // 10), sigma)


def dense_derivative(queries, keys, values, sigma):
    """Differentiate the leave-one-out error by autograd on the matrix of all pairs."""
    keys, values = map(torch.from_numpy, (keys, values))

    def derivative():
        width = torch.tensor(sigma, dtype=torch.float64, requires_grad=True)
        scores = -((keys[:, None] - keys) ** 2) / (2 * width**2)
        scores.diagonal().fill_(-torch.inf)
        error = (torch.softmax(scores, dim=1) @ values - values).square().mean()
        return torch.autograd.grad(error, width)[0]

    return derivative


DENSE = {
    "D2L's code": d2l,
    "NumPy, dense": numpy_dense,
    "PyTorch softmax, dense": torch_softmax,
    "statsmodels KernelReg": statsmodels,
    "scikit-learn rbf_kernel": sklearn_rbf,
    "scikit-fda": scikit_fda,
    "PyKeOps": keops,
    "PyTorch SDPA": sdpa,
    "PyTorch SDPA, padded": functools.partial(sdpa, padded=True),
    "PyTorch, streaming": streaming,
    "FINUFFT": nufft,
}
OURS, UNIFORM = "pool", "pool, points spread evenly"
TENFOLD = "ten times a tenth"
NEIGHBOURS = {"boxcar": 30, "epanechnikov": 30}  # how much faster, where it is not 20


class Work:
    """What is to be done, by whom, and how much faster than whom `pool` must be."""

    def __init__(
        self,
        size,
        contestants,
        targets,
        megabytes=None,
        calls=1,
        shares=None,
        kernel="gaussian",
        sigma=SIGMA,
        problem=problem,
    ):
        self.size, self.contestants, self.targets = size, contestants, targets
        self.megabytes, self.calls, self.shares = megabytes, calls, shares or {}
        self.kernel, self.sigma, self.problem = kernel, sigma, problem

    def prepared(self, name):
        """Return what a contestant runs once."""
        return self.contestants[name](*self.problem(*self.size), self.sigma)

    def seconds(self, name, run):
        """Return the time of one call."""
        calls = self.calls if name != "statsmodels KernelReg" else 1 + self.calls // 100
        start = time.perf_counter()
        for _ in range(calls):
            run()
        return (time.perf_counter() - start) / calls / self.shares.get(name, 1)


WORKS = {
    "Gaussian, 40 × 50": Work(
        (50, 40),
        {OURS: ours} | {name: DENSE[name] for name in list(DENSE)[:4]},
        {"D2L's code": 1.3, "statsmodels KernelReg": 50},
        calls=500,
    ),
    "Gaussian, 10⁴ × 10⁴": Work(
        (10**4, 10**4),
        {OURS: ours} | DENSE,
        {
            "D2L's code": 200,
            "statsmodels KernelReg": 100,
            "PyKeOps": 30,
            "PyTorch SDPA, padded": 10,
            "FINUFFT": 1,
        },
        megabytes=50,
    ),
    "Gaussian, queries up to 10 widths outside, 10⁴ × 10⁴": Work(
        (10**4, 10**4, 1, 10 * SIGMA), {OURS: ours, "FINUFFT": nufft}, {}
    ),
    "Gaussian, 10⁶ × 10⁶": Work(
        (10**6, 10**6),
        {OURS: ours, "argsort of both": argsort_both, "FINUFFT": nufft},
        {"argsort of both": 1 / 2.5},
        megabytes=300,
    ),
    "Gaussian, queries in a gap, 10⁵ × 10⁵": Work(
        (10**5, 10**5),
        {OURS: ours, UNIFORM: uniform},
        {UNIFORM: 1 / 10},
        sigma=NARROW,
        problem=gap,
    ),
    "Gaussian, queries far outside, 10⁵ × 10⁵": Work(
        (10**5, 10**5), {OURS: ours, UNIFORM: uniform}, {UNIFORM: 1 / 10}, problem=far
    ),
    "Gaussian, 8 coordinates, 10⁴ × 10⁴": Work(
        (10**4, 10**4, 8),
        {OURS: ours, "D2L's code": d2l, "PyKeOps": keops},
        {"D2L's code": 4, "PyKeOps": 1},
        megabytes=50,
        sigma=1.0,
    ),
    "Leave-one-out at 50 widths, n = 10⁴": Work(
        (1, 10**4),
        {OURS: our_curve, "closed form in blocks": closed_form_in_blocks},
        {"closed form in blocks": 50},
        shares={"closed form in blocks": 0.1},
    ),
    "Derivative of the leave-one-out error in σ, n = 10⁴": Work(
        (1, 10**4),
        {OURS: our_derivative, "autograd, dense": dense_derivative},
        {"autograd, dense": 200},
    ),
    "Derivative of the leave-one-out error in σ, n = 10⁵": Work(
        (1, 10**5),
        {OURS: our_derivative, TENFOLD: a_tenth, "without the derivative": our_error},
        {TENFOLD: 1 / 3, "without the derivative": 1 / 4},
        shares={TENFOLD: 0.1},
    ),
} | {
    f"{kernel.capitalize()}, 10⁴ × 10⁴": Work(
        (10**4, 10**4),
        {
            OURS: functools.partial(ours, kernel=kernel),
            "scikit-learn neighbours": functools.partial(radius_neighbors, kernel=kernel),
        },
        {"scikit-learn neighbours": NEIGHBOURS.get(kernel, 20)},
        kernel=kernel,
    )
    for kernel, row in KERNELS.items()
    if row.is_compact
}
GROWTH = {
    "dense": numpy_dense,
    "streaming": streaming,
    "pool": ours,
    "pool, boxcar": functools.partial(ours, kernel="boxcar"),
    "PyKeOps": keops,
    "SDPA, padded": functools.partial(sdpa, padded=True),
    "scikit-learn": sklearn_rbf,
}


def megabytes(group, name, size):
    """Return the memory that one call adds to a fresh process in which a small one was made."""
    command = [sys.executable, __file__, "--memory", group, name, *map(str, size)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def measure_memory(prepare, size):
    """Print what one call adds to this process."""
    prepare(*problem(100, 100, *size[2:]), SIGMA)()
    run = prepare(*problem(*size), SIGMA)
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")  # forget the highest size so far
    before = _kilobytes("VmRSS")
    run()
    print((_kilobytes("VmHWM") - before) / 1024)


def _kilobytes(field):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field))


def dense_error(work, estimate, sample=200):
    """Return the largest difference from dense float64 in units of Σ wᵢ|vᵢ| at some queries."""
    queries, keys, values = work.problem(*work.size)
    some = np.linspace(0, len(queries) - 1, min(sample, len(queries))).astype(int)
    if len(keys) > 10**5:
        some = some[::10]
    dense, weights = nadaraya_watson(queries[some], keys, values, work.kernel, work.sigma)
    got = np.asarray(estimate).reshape(-1)[some]
    return float(np.max(np.abs(got - dense) / (weights @ np.abs(values))))


def run_work(title, work):
    """Measure one work; return a row for each contestant."""
    runs = {name: work.prepared(name) for name in work.contestants}
    errors = {}
    for name, run in runs.items():
        result = run()  # compiles, imports, fills caches
        if np.shape(result) == work.size[:1]:  # else it is no estimate at the queries
            errors[name] = dense_error(work, result)
        del result
    times = {name: [] for name in runs}
    for number in range(ROUNDS):
        for name, run in runs.items():
            if name in (OURS, *work.targets) or number < ROUNDS_WITHOUT_TARGET:
                times[name].append(work.seconds(name, run))
    medians = {name: float(np.median(seconds)) for name, seconds in times.items()}
    return [
        {
            "contestant": name,
            "seconds": medians[name],
            "ratio": medians[name] / medians[OURS],
            "target": work.targets.get(name),
            "megabytes": megabytes(title, name, work.size) if work.megabytes else None,
            "error": errors.get(name),
            "rounds": len(times[name]),
        }
        for name in runs
    ]


def missed(work, rows):
    """Return what fell short of its target."""
    slow = [row["contestant"] for row in rows if row["ratio"] < (row["target"] or 0)]
    if work.megabytes and rows[0]["megabytes"] > work.megabytes:
        slow.append("memory")
    if (rows[0]["error"] or 0) > 1e-10:
        slow.append("agreement")
    return slow


def print_rows(title, work, rows):
    """Print one work's table."""
    print(f"\n{title}" + (f" (pool: at most {work.megabytes} MB)" if work.megabytes else ""))
    for row in sorted(rows, key=lambda row: row["seconds"]):
        target = f"≥ {row['target']:.3g}" if row["target"] else ""
        memory = "" if row["megabytes"] is None else f"{row['megabytes']:.0f} MB"
        error = "" if row["error"] is None else f"{row['error']:.0e}"
        print(
            f"  {row['contestant']:26}{row['seconds'] * 1e3:13.3f} ms{row['ratio']:10.3g} ×"
            f"{target:>9}{memory:>10}{error:>8}{row['rounds']:4}",
            flush=True,
        )


def growth():
    """Measure time and memory of each method as n = m grows, until it would take too long."""
    curves = {}
    for name, prepare in GROWTH.items():
        curve = curves[name] = {"n": [], "seconds": [], "megabytes": []}
        for n in (10**2, 10**3, 10**4, 10**5, 10**6):
            if not name.startswith(OURS) and curve["n"] and 100 * curve["seconds"][-1] > LONGEST:
                break
            run = prepare(*problem(n, n), SIGMA)
            run()
            times = []
            while len(times) < 7 and sum(times) < 2:
                start = time.perf_counter()
                run()
                times.append(time.perf_counter() - start)
            curve["n"].append(n)
            curve["seconds"].append(float(np.median(times)))
            curve["megabytes"].append(megabytes("growth", name, (n, n)))
        print(f"  {name:26}" + "".join(f"{t * 1e3:12.3f}" for t in curve["seconds"]), flush=True)
    return curves


def rounded(value):
    """Keep three digits, which is more than a busy machine gives."""
    if isinstance(value, dict):
        return {name: rounded(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [rounded(inner) for inner in value]
    return float(f"{value:.3g}") if isinstance(value, float) else value


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--write", action="store_true", help=f"store the results in {RESULTS.name}")
    parser.add_argument("--memory", nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.memory:
        group, name, *size = arguments.memory
        contestants = GROWTH if group == "growth" else WORKS[group].contestants
        measure_memory(contestants[name], tuple(map(int, size)))
        return 0
    # A library that is not installed stops the run here.
    versions = {package: version(package) for package in PACKAGES}
    versions = {"python": platform.python_version()} | versions
    results = {"versions": versions, "cores": os.cpu_count(), "works": {}}
    print("median time, ratio to pool, target, added memory, error, rounds")
    failures = []
    for title, work in WORKS.items():
        rows = results["works"][title] = run_work(title, work)
        print_rows(title, work, rows)
        failures += [f"{title}: {what}" for what in missed(work, rows)]
    print("\nmilliseconds for n = m = 10², 10³, …")
    results["growth"] = growth()
    if arguments.write:
        RESULTS.write_text(json.dumps(rounded(results), indent=1, ensure_ascii=False) + "\n")
    print("\n" + ("missed: " + "; ".join(failures) if failures else "all targets met"))
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
