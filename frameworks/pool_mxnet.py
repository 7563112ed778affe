# Kernels: pip install mxnet==1.9.1 numpy==1.23.5 matplotlib
import numpy as onp
from mxnet import autograd, np, npx

npx.set_np()
KERNELS = {
    "gaussian": lambda u: np.exp(-(u**2) / 2),
    "boxcar": lambda u: (np.abs(u) <= 1).astype(u.dtype),
    "constant": lambda u: np.ones_like(u),
    "triangular": lambda u: npx.relu(1 - np.abs(u)),
    "epanechnikov": lambda u: 0.75 * npx.relu((1 - u) * (1 + u)),
}
# Data
rng = onp.random.default_rng(0)
keys, queries = onp.sort(rng.uniform(0, 5, 40)), onp.arange(50) / 10
values = 2 * onp.sin(keys) + keys + rng.standard_normal(40)
truth = 2 * onp.sin(queries) + queries
q, k, v = map(np.array, (queries, keys, values))


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
    others = onp.arange(len(keys))[:, None] - onp.arange(1, len(keys))  # all but i
    sigma.attach_grad()
    with autograd.record():
        weights = attention(np.abs(keys[:, None] - keys[others]), kernel, sigma)
        loss = (((weights * values[others]).sum(axis=1) - values) ** 2).mean()
    loss.backward()
    return sigma.grad


SIGMAS = [0.1, 0.2, 0.5, 1.0]
print([f"{gradient(np.array(s, 'float64'), k, v):.6f}" for s in SIGMAS])
# Plots
import matplotlib.pyplot as plt

panels = [("gaussian", s) for s in SIGMAS] + [(name, 1.0) for name in list(KERNELS)[1:]]
fig, axes = plt.subplots(4, 4, figsize=(10, 9), layout="constrained")
for (kernel, sigma), top, bottom in zip(panels, axes[::2].flat, axes[1::2].flat):
    estimate, weights = nadaraya_watson(q, k, v, kernel, sigma)
    top.plot(keys, values, "o", queries, truth, "--", queries, estimate.asnumpy())
    top.set(title=f"{kernel}, σ = {sigma}", xlabel="query", ylabel="value")
    mesh = bottom.pcolormesh(keys, queries, weights.asnumpy(), vmin=0, vmax=0.3)
    bottom.set(xlabel="key", ylabel="query")
fig.colorbar(mesh, ax=axes, label="weight", extend="max")
plt.show()
