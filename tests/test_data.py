"""The data sets are what the book says they are."""

import csv
from importlib.resources import files

import numpy as np
import pytest

from attention_pooling import digits, mcycle, noisy_trend, trend


def test_mcycle_is_the_shipped_file():
    data = mcycle()
    with (files("attention_pooling") / "mcycle.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert data.keys.tolist() == [float(row["time_ms"]) for row in rows]
    assert data.values.tolist() == [float(row["acceleration_g"]) for row in rows]


def test_mcycle_is_silvermans_experiment():
    keys, values, queries, truth = mcycle()
    assert keys.shape == values.shape == (133,)
    assert len(np.unique(keys)) == 94
    assert (np.diff(keys) >= 0).all()
    assert (keys[0], keys[-1], values.min(), values.max()) == (2.4, 57.6, -134, 75)
    assert truth is None
    assert queries.shape == (200,)
    assert (queries[0], queries[-1]) == (2.4, 57.6)
    np.testing.assert_allclose(np.diff(queries), (57.6 - 2.4) / 199, rtol=1e-12)


def test_mcycle_cannot_be_fitted_exactly():
    # The least training error of any function of the key: the spread within repeated keys.
    keys, values, _, _ = mcycle()
    means = {key: values[keys == key].mean() for key in keys}
    assert np.mean([(v - means[k]) ** 2 for k, v in zip(keys, values, strict=True)]) == (
        pytest.approx(176, abs=0.5)
    )


def test_noisy_trend_is_the_sources_problem():
    keys, values, queries, truth = noisy_trend(np.random.default_rng(0))
    assert keys.shape == values.shape == (40,)
    assert (np.diff(keys) > 0).all()
    assert keys[0] >= 0
    assert keys[-1] <= 5
    np.testing.assert_allclose(queries, [i / 10 for i in range(50)], rtol=1e-15)
    assert truth.tolist() == trend(queries).tolist()


def test_noisy_trend_has_standard_normal_noise_and_uniform_keys():
    n = 20_000
    keys, values, _, _ = noisy_trend(np.random.default_rng(0), n=n)
    noise = values - (2 * np.sin(keys) + keys)
    five_deviations = 5 / np.sqrt(n)
    assert abs(noise.mean()) < five_deviations
    assert abs(noise.std() - 1) < five_deviations
    assert abs(np.corrcoef(noise, keys)[0, 1]) < five_deviations
    np.testing.assert_allclose(np.histogram(keys, 5, (0, 5))[0] / n, 0.2, atol=five_deviations)


def test_draws_depend_on_the_generator_alone():
    np.random.seed(1)  # noqa: NPY002
    first = noisy_trend(np.random.default_rng(7))
    np.random.seed(2)  # noqa: NPY002
    again, other = (noisy_trend(np.random.default_rng(seed)) for seed in (7, 8))
    assert first.keys.tolist() == again.keys.tolist()
    assert first.values.tolist() == again.values.tolist()
    assert first.keys.tolist() != other.keys.tolist()


def test_digits_are_split_without_overlap():
    data = digits(np.random.default_rng(0))
    assert data.keys.shape == (1500, 64)
    assert data.queries.shape == (297, 64)
    assert data.values.shape == (1500, 10)
    assert data.truth.shape == (297, 10)
    images = np.concatenate([data.keys, data.queries])
    labels = np.concatenate([data.values, data.truth])
    assert (images.min(), images.max()) == (0, 1)
    assert (labels.sum(axis=1) == 1).all()
    from sklearn.datasets import load_digits

    originals = load_digits()
    rows = np.column_stack([images * 16, labels.argmax(axis=1)])
    wanted = np.column_stack([originals.data, originals.target])
    assert sorted(rows.tolist()) == sorted(wanted.tolist())


def test_digits_are_shuffled_by_the_generator():
    first, again, other = (digits(np.random.default_rng(seed), n=10).keys for seed in (0, 0, 1))
    assert (first == again).all()
    assert (first != other).any()


@pytest.mark.parametrize("n", [0, -1, 1797])
def test_digits_need_keys_and_queries(n):
    with pytest.raises(ValueError, match=rf"^n must lie between 1 and 1796, got {n}$"):
        digits(np.random.default_rng(0), n=n)
