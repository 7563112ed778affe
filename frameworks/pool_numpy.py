# Kernels: pip install numpy matplotlib
import numpy as np

KERNELS = {
    "gaussian": lambda u: np.exp(-(u**2) / 2),
    "boxcar": lambda u: (np.abs(u) <= 1).astype(u.dtype),
    "constant": lambda u: np.ones_like(u),
    "triangular": lambda u: np.maximum(0, 1 - np.abs(u)),
    "epanechnikov": lambda u: 0.75 * np.maximum(0, (1 - u) * (1 + u)),
}
# Data
rng = np.random.default_rng(0)
keys, queries = np.sort(rng.uniform(0, 5, 40)), np.arange(50) / 10
values = 2 * np.sin(keys) + keys + rng.standard_normal(40)
truth = 2 * np.sin(queries) + queries


# Pooling
def attention(gap, kernel, sigma):  # (queries, keys)
    similarity = KERNELS[kernel](gap / sigma)
    if kernel == "gaussian":  # divided by the nearest key's, so that no row vanishes
        nearest = gap.min(axis=1, keepdims=True)
        similarity = np.exp((nearest - gap) * (nearest + gap) / (2 * sigma**2))
    return similarity / similarity.sum(axis=1, keepdims=True)


def nadaraya_watson(queries, keys, values, kernel="gaussian", sigma=1.0):
    weights = attention(np.abs(queries[:, None] - keys), kernel, sigma)
    return weights @ values, weights


# Width
def gradient(sigma, keys, values, kernel="gaussian"):
    others = np.arange(len(keys))[:, None] - np.arange(1, len(keys))  # row i: all but i
    gap = np.abs(keys[:, None] - keys[others])
    weights, u = attention(gap, kernel, sigma), gap / sigma
    estimate = (weights * values[others]).sum(axis=1)
    rest = np.where(u < 1, 1 - u, 1)  # a compact kernel ends at u = 1
    growth = {"gaussian": u**2 - u.min(axis=1, keepdims=True) ** 2}  # -u α'(u) / α(u), by hand
    growth |= {"triangular": u / rest, "epanechnikov": 2 * u**2 / (rest * (1 + u))}
    lead = growth.get(kernel, 0) * (values[others] - estimate[:, None])
    slope = (weights * lead).sum(axis=1) / sigma
    return np.mean(2 * (estimate - values) * slope)


SIGMAS = [0.1, 0.2, 0.5, 1.0]
print([f"{gradient(s, keys, values):.6f}" for s in SIGMAS])
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
