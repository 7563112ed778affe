# Kernels: pip install tensorflow-cpu matplotlib
import numpy as np
import tensorflow as tf

KERNELS = {
    "gaussian": lambda u: tf.exp(-(u**2) / 2),
    "boxcar": lambda u: tf.cast(tf.abs(u) <= 1, u.dtype),
    "constant": lambda u: tf.ones_like(u),
    "triangular": lambda u: tf.nn.relu(1 - tf.abs(u)),
    "epanechnikov": lambda u: 0.75 * tf.nn.relu((1 - u) * (1 + u)),
}
# Data
rng = np.random.default_rng(0)
keys, queries = np.sort(rng.uniform(0, 5, 40)), np.arange(50) / 10
values = 2 * np.sin(keys) + keys + rng.standard_normal(40)
truth = 2 * np.sin(queries) + queries
queries, keys, values = map(tf.constant, (queries, keys, values))


# Pooling
def attention(gap, kernel, sigma):  # (queries, keys)
    similarity = KERNELS[kernel](gap / sigma)
    if kernel == "gaussian":  # divided by the nearest key's, so that no row vanishes
        nearest = tf.reduce_min(gap, axis=1, keepdims=True)
        similarity = tf.exp((nearest - gap) * (nearest + gap) / (2 * sigma**2))
    return similarity / tf.reduce_sum(similarity, axis=1, keepdims=True)


def nadaraya_watson(queries, keys, values, kernel="gaussian", sigma=1.0):
    weights = attention(tf.abs(queries[:, None] - keys), kernel, sigma)
    return tf.linalg.matvec(weights, values), weights


# Width
def gradient(sigma, keys, values, kernel="gaussian"):
    others = [[j for j in range(len(keys)) if j != i] for i in range(len(keys))]
    gap = tf.abs(keys[:, None] - tf.gather(keys, others))
    with tf.GradientTape() as tape:
        tape.watch(sigma)
        weights = attention(gap, kernel, sigma)
        estimate = tf.reduce_sum(weights * tf.gather(values, others), axis=1)
        loss = tf.reduce_mean((estimate - values) ** 2)
    return tape.gradient(loss, sigma, unconnected_gradients="zero")


SIGMAS = [0.1, 0.2, 0.5, 1.0]
print([f"{gradient(tf.constant(s, tf.float64), keys, values):.6f}" for s in SIGMAS])
# Plots
import matplotlib.pyplot as plt

panels = [("gaussian", s) for s in SIGMAS] + [(k, 1.0) for k in list(KERNELS)[1:]]
fig, axes = plt.subplots(4, 4, figsize=(10, 9), layout="constrained")
for (kernel, sigma), top, bottom in zip(panels, axes[::2].flat, axes[1::2].flat):
    estimate, weights = nadaraya_watson(queries, keys, values, kernel, sigma)
    top.plot(keys, values, "o", queries, truth, "--", queries, estimate)
    top.set(title=f"{kernel}, σ = {sigma}", xlabel="query", ylabel="value")
    mesh = bottom.pcolormesh(keys, queries, weights, vmin=0, vmax=0.3)
    bottom.set(xlabel="key", ylabel="query")
fig.colorbar(mesh, ax=axes, label="weight", extend="max")
plt.show()
