# Kernels: pip install torch numpy matplotlib
import numpy as np
import torch

KERNELS = {
    "gaussian": lambda u: torch.exp(-(u**2) / 2),
    "boxcar": lambda u: (u.abs() <= 1).to(u.dtype),
    "constant": lambda u: torch.ones_like(u),
    "triangular": lambda u: torch.relu(1 - u.abs()),
    "epanechnikov": lambda u: 0.75 * torch.relu((1 - u) * (1 + u)),
}
# Data
rng = np.random.default_rng(0)
keys, queries = np.sort(rng.uniform(0, 5, 40)), np.arange(50) / 10
values = 2 * np.sin(keys) + keys + rng.standard_normal(40)
truth = 2 * np.sin(queries) + queries
queries, keys, values = map(torch.from_numpy, (queries, keys, values))


# Pooling
def attention(gap, kernel, sigma):  # (queries, keys)
    similarity = KERNELS[kernel](gap / sigma)
    if kernel == "gaussian":  # divided by the nearest key's, so that no row vanishes
        nearest = gap.amin(dim=1, keepdim=True)
        similarity = torch.exp((nearest - gap) * (nearest + gap) / (2 * sigma**2))
    return similarity / similarity.sum(dim=1, keepdim=True)


def nadaraya_watson(queries, keys, values, kernel="gaussian", sigma=1.0):
    weights = attention(torch.abs(queries[:, None] - keys), kernel, sigma)
    return weights @ values, weights


# Width
def leave_one_out(sigma, keys, values, kernel="gaussian"):
    others = np.arange(len(keys))[:, None] - np.arange(1, len(keys))  # row i: all but i
    weights = attention(torch.abs(keys[:, None] - keys[others]), kernel, sigma)
    return (((weights * values[others]).sum(dim=1) - values) ** 2).mean()


gradient = torch.func.grad(leave_one_out)
SIGMAS = [0.1, 0.2, 0.5, 1.0]
sigmas = torch.tensor(SIGMAS, dtype=torch.float64)
print([f"{gradient(s, keys, values):.6f}" for s in sigmas])
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
