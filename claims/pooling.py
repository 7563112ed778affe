"""Claims of the chapter on pooling."""

import numpy as np

from attention_pooling import attention_weights, effective_keys, nadaraya_watson

from . import says


def error(pooled, data, name):
    return np.mean((pooled[name].estimate - data.truth) ** 2)


@says(
    "The constant kernel gives the mean of the values everywhere; every other gives a workable "
    "estimate at width 1.",
    "Panels of the same dots and dashed truth, one for each kernel. Gaussian, boxcar, triangular "
    "and Epanechnikov estimates follow the truth more or less closely; the constant kernel gives a "
    "horizontal line.",
)
def others_beat_the_mean(pooled, data):
    mean = error(pooled, data, "constant")
    flat = np.allclose(pooled["constant"].estimate, data.values.mean())
    return flat and all(error(pooled, data, name) < mean for name in pooled if name != "constant")


@says(
    "At a glance the bands look alike, and so did the estimates, but the errors do not.",
)
def errors_differ(pooled, data):
    errors = [error(pooled, data, name) for name in pooled if name != "constant"]
    return max(errors) > 1.3 * min(errors)


@says(
    "The Gaussian's band is the widest and its curve is the flattest, so something is off with "
    "calling this the same width.",
    "Heatmaps with keys across and queries upwards, one for each kernel. That of the constant "
    "kernel is uniformly dark; the others show a diagonal band, widest and faintest for the "
    "Gaussian.",
)
def gaussian_looks_widest(pooled):
    band = {name: effective_keys(pooled[name].weights).mean() for name in pooled}
    span = {name: np.ptp(pooled[name].estimate) for name in pooled}
    del band["constant"], span["constant"]
    return max(band, key=band.get) == "gaussian" == min(span, key=span.get)


@says(
    "In this draw every estimate is flatter than the truth at this edge and lies far above it.",
)
def edge_is_too_high(pooled, data):
    slopes = [np.diff(pooled[name].estimate[:6]).sum() for name in pooled]
    above = [pooled[name].estimate[0] - data.truth[0] for name in pooled]
    return max(slopes) < np.diff(data.truth[:6]).sum() and min(above) > 0.5


@says(
    "It grows with the width:",
)
def attention_spreads(data):
    counts = [
        effective_keys(attention_weights(data.queries, data.keys, sigma=sigma)).mean()
        for sigma in (0.1, 0.3, 1.0, 3.0, 10.0)
    ]
    return (np.diff(counts) > 0).all()


@says(
    "The row of weights is NaN, the estimate is NaN, and the curve in {numref}`fig-gaps` has a "
    "gap.",
)
def narrow_boxcar_leaves_gaps(narrow):
    return np.isnan(narrow.estimate).any()


@says(
    "A jagged estimate over forty dots, broken by several gaps where no key is within 0.1.",
)
def there_are_several_gaps(narrow):
    return np.count_nonzero(np.diff(np.isnan(narrow.estimate).astype(int)) == 1) >= 3


@says(
    "In this draw all attention goes to the last key; in another, whose last two keys nearly "
    "agree, they would share it.",
)
def last_key_takes_all(softmax, scores):
    return softmax(scores)[-1].round(3) == 1


@says(
    "Hills sink, hollows fill, and the curve of width 2 is nearly flat, close to the mean of all "
    "values from one end to the other.",
)
def width_two_is_nearly_flat(data):
    narrow, wide = (
        nadaraya_watson(data.queries, data.keys, data.values, sigma=sigma).estimate
        for sigma in (0.3, 2.0)
    )
    off = np.abs(wide - data.values.mean()).max()
    return np.ptp(wide) < np.ptp(narrow) / 3 and off < np.ptp(narrow) / 4


@says(
    "In this draw that is 0.471, twice what is needed: a query between two keys has to reach "
    "only the nearer one.",
)
def keys_are_at_most_half_a_unit_apart(data):
    return round(np.diff(data.keys).max(), 3) == 0.471


@says(
    "Start from a narrow boxcar with gaps.",
)
def there_are_gaps(data):
    return np.isnan(nadaraya_watson(data.queries, data.keys, data.values, "boxcar", 0.08)[0]).any()


@says(
    "The second number is the largest distance between neighbouring keys, and in this draw the "
    "query lies between those two.",
)
def last_gap_is_the_widest(to_nearest, data):
    query, widest = data.queries[to_nearest.argmax()], np.diff(data.keys).argmax()
    return data.keys[widest] < query < data.keys[widest + 1]


def accuracy(answers, images):
    return np.mean(answers == images.truth.argmax(1))


@says(
    "About 99 % in this draw, without any training.",
)
def digits_are_told(answers, images):
    return round(accuracy(answers, images), 2) == 0.99


@says(
    "(Splits of other seeds give between 97 and 100 %.)",
)
def digits_are_told_in_any_split(answers, images):
    return accuracy(answers, images) >= 0.97


@says(
    "It is right about as often.",
)
def nearest_key_does_as_well(answers, copied, images):
    return abs(accuracy(answers, images) - accuracy(copied, images)) < 0.01


@says(
    "At σ = 0.3, the best of these widths, a query attends to about a dozen keys.",
)
def halves_attend_to_a_dozen(completed):
    return abs(effective_keys(completed.weights).mean() - 12) < 1


@says(
    "Fewer, and it copies one writer's digit; many more, and it draws the average of all digits.",
)
def best_width_for_halves(images, top, bottom):
    def error(sigma):
        estimate, _ = nadaraya_watson(
            images.queries[:, top], images.keys[:, top], images.keys[:, bottom], sigma=sigma
        )
        return np.mean((estimate - images.queries[:, bottom]) ** 2)

    return min((0.1, 0.2, 0.3, 0.4, 0.6, 1.0), key=error) == 0.3
