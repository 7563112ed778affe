"""Run one library's program against the test vectors, and write its row of the agreement table.

`python frameworks/check.py jax` runs in an environment that has JAX and Matplotlib, and no more.
"""

import csv
import hashlib
import importlib
import json
import sys
from pathlib import Path

import matplotlib
import numpy as np

HERE = Path(__file__).parent
TABLE = HERE / "agreement.csv"
LIBRARIES = {
    "numpy": "NumPy",
    "torch": "PyTorch",
    "jax": "JAX",
    "tensorflow": "TensorFlow",
    "mxnet": "MXNet",
}
TOLERANCES = {
    ("similarities", "float32"): 1e-6,
    ("similarities", "float64"): 1e-12,
    ("estimates", "float32"): 1e-6,
    ("estimates", "float64"): 1e-12,
    ("weights", "float32"): 1e-6,
    ("weights", "float64"): 1e-12,
    ("gradients", "float32"): 1e-4,
    ("gradients", "float64"): 1e-10,
}


def converters(library):
    """Return a function that makes the library's arrays, and one that makes NumPy's of them."""
    if library == "numpy":
        return np.asarray, np.asarray
    module = importlib.import_module(library)
    if library == "torch":
        return module.from_numpy, np.asarray
    if library == "jax":
        return module.numpy.asarray, np.asarray
    if library == "tensorflow":
        return module.constant, np.asarray
    return lambda a: module.np.array(a, dtype=a.dtype), lambda a: a.asnumpy()


def deviations(program, vectors, dtype, to_library, to_numpy):
    """Yield (quantity, kernel and width, largest deviation) for each case of the vectors."""

    def given(numbers):
        # From a list, so that a number is an array of shape () in every library.
        return to_library(np.asarray(numbers, dtype=dtype))

    def result(array):
        array = to_numpy(array)
        if array.dtype != dtype:
            raise TypeError(f"{dtype} came in and {array.dtype} came out")
        return array

    queries, keys, values = (given(vectors[name]) for name in ("queries", "keys", "values"))
    for kernel, expected in vectors["similarity"].items():
        found = result(program.KERNELS[kernel](given(vectors["u"])))
        yield "similarities", kernel, largest(found - expected)
    for case in vectors["pooling"]:
        where = f"{case['kernel']}, sigma {case['sigma']}"
        pooled = program.nadaraya_watson(
            queries, keys, values, case["kernel"], given(case["sigma"])
        )
        for quantity, found in zip(("estimates", "weights"), pooled, strict=True):
            expected = np.array(case[quantity], dtype="float64")
            found = result(found)
            unreached = np.isnan(found) & np.isnan(expected)
            yield quantity, where, largest(np.where(unreached, 0, found - expected))
    for case in vectors["leave_one_out"]:
        where = f"{case['kernel']}, sigma {case['sigma']}"
        found = result(program.gradient(given(case["sigma"]), keys, values, case["kernel"]))
        yield "gradients", where, largest(found - case["gradient"]) / (abs(case["gradient"]) or 1)


def largest(differences):
    """Return the largest absolute difference; NaN counts as infinitely far."""
    return float(np.max(np.nan_to_num(np.abs(differences), nan=np.inf)))


def fingerprint(row):
    """Identify what was tested together with what came out, so that neither changes alone."""
    library = row["library"]
    (name,) = (name for name, title in LIBRARIES.items() if title == library)
    tested = [HERE / f for f in (f"pool_{name}.py", f"{name}.txt", "vectors.json", "check.py")]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in tested))
    digest.update(repr([row[c] for c in row if c != "fingerprint"]).encode())
    return digest.hexdigest()[:8]


def main(name):
    """Check one library; write its row, and fail if any number is further off than allowed."""
    matplotlib.use("agg")
    program = importlib.import_module(f"pool_{name}")
    vectors = json.loads((HERE / "vectors.json").read_text())
    worst, wrong = dict.fromkeys(TOLERANCES, 0.0), []
    with np.errstate(invalid="ignore"):  # 0/0 where no key is in reach, as intended
        for dtype in ("float32", "float64"):
            for quantity, where, far in deviations(program, vectors, dtype, *converters(name)):
                worst[quantity, dtype] = max(worst[quantity, dtype], far)
                if far > TOLERANCES[quantity, dtype]:
                    wrong.append(f"{quantity} in {dtype}, {where}: off by {far:.1e}")
    if wrong:
        sys.exit("\n".join(wrong))
    module = sys.modules[name]
    row = {
        "library": LIBRARIES[name],
        "version": module.__version__.partition("+")[0],
        "with": f"NumPy {np.__version__}, Python {sys.version_info.major}.{sys.version_info.minor}",
        **{f"{q}, {d}": f"{worst[q, d]:.0e}" for q, d in TOLERANCES if q != "similarities"},
    }
    row["fingerprint"] = fingerprint(row)
    write(row)
    print(f"{row['library']} {row['version']} agrees")


def write(row):
    """Put one library's row into the table, in the order of the tabs."""
    rows = {row["library"]: row}
    if TABLE.exists():
        with TABLE.open(newline="") as lines:
            rows = {**{old["library"]: old for old in csv.DictReader(lines)}, **rows}
    with TABLE.open("w", newline="") as lines:
        table = csv.DictWriter(lines, row, lineterminator="\n")
        table.writeheader()
        table.writerows(rows[title] for title in LIBRARIES.values() if title in rows)


if __name__ == "__main__":
    main(*sys.argv[1:])
