"""Right answers pass however they are written; each known slip is told its own hint."""

import _thread
import contextlib
import itertools
import math
import os
import re
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.linalg
import scipy.optimize
import scipy.spatial.distance
import scipy.special
import scipy.stats
import torch

from attention_pooling import KERNELS, leave_one_out, limits, nadaraya_watson
from attention_pooling import exercises as ex
from attention_pooling.exercises import judging
from attention_pooling.exercises import result as result_module
from attention_pooling.words import match_lengths

# ---------------------------------------------------------------- right answers, by part


def column(x):
    return np.asarray(x, dtype=float).reshape(len(x), -1)


def parzen_vectorised(queries, keys, labels, kernel, sigma):
    u = np.linalg.norm(column(queries)[:, None] - column(keys)[None], axis=2) / sigma
    return kernel(u) @ labels / len(keys)


def parzen_loops(queries, keys, labels, kernel, sigma):
    result = []
    for q in column(queries):
        total = 0.0
        for k, y in zip(column(keys), labels, strict=True):
            total += y * float(kernel(math.dist(q, k) / sigma))
        result.append(total / len(keys))
    return result


def parzen_scipy_densities(queries, keys, labels, kernel, sigma):
    distances = scipy.spatial.distance.cdist(column(queries), column(keys))
    similarity = kernel(distances / sigma)
    plus = similarity[:, labels == 1].sum(axis=1)
    minus = similarity[:, labels == -1].sum(axis=1)
    # As densities: one factor for all queries.
    return (plus - minus) / (len(keys) * sigma ** column(keys).shape[1])


def parzen_torch_single(queries, keys, labels, kernel, sigma):
    q, k, y = (torch.as_tensor(column(x), dtype=torch.float32) for x in (queries, keys, labels))
    u = ((q[:, None] - k) ** 2).sum(2).sqrt() / sigma
    return kernel(u) @ y


def parzen_einsum_column(queries, keys, labels, kernel, sigma):
    gaps = column(queries)[:, None] - column(keys)
    u = np.sqrt(np.einsum("mnd,mnd->mn", gaps, gaps)) / sigma
    return np.einsum("mn,n->m", kernel(u), labels)[:, None]


def sgd_floor(gradient, sigma, steps, lr):
    visited = [sigma]
    for _ in range(steps):
        visited.append(max(visited[-1] - lr * gradient(visited[-1]), 1e-3))
    return visited


def sgd_logarithm(gradient, sigma, steps, lr):
    theta = np.log(sigma)
    visited = np.empty(steps + 1)
    visited[0] = sigma
    for t in range(steps):
        theta -= lr * np.exp(theta) * gradient(np.exp(theta))
        visited[t + 1] = np.exp(theta)
    return visited


def sgd_generator(gradient, sigma, steps, lr):
    yield sigma
    for _ in range(steps):
        sigma = sigma * math.exp(-lr * sigma * gradient(sigma))
        yield sigma


def sgd_torch(gradient, sigma, steps, lr):
    theta = torch.tensor(math.log(sigma), dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.SGD([theta], lr=lr)
    visited = [theta.exp()]
    for _ in range(steps):
        optimiser.zero_grad()
        width = theta.exp()
        width.backward(torch.tensor(gradient(width), dtype=torch.float64))
        optimiser.step()
        visited.append(theta.exp())
    return torch.stack(visited)


def sgd_recursive_single(gradient, sigma, steps, lr):
    if steps == 0:
        return (np.float32(sigma),)
    following = abs(sigma - lr * gradient(np.float32(sigma))) + 1e-6
    return (np.float32(sigma), *sgd_recursive_single(gradient, following, steps - 1, lr))


def loss_broadcast(sigma, keys, values):
    similarity = (-((keys[:, None] - keys[None, :]) ** 2) / (2 * sigma**2)).exp()
    return ((similarity @ values / similarity.sum(1) - values) ** 2).mean()


def loss_softmax(sigma, keys, values):
    scores = -0.5 * ((keys.unsqueeze(1) - keys) / sigma).square()
    return torch.nn.functional.mse_loss(torch.softmax(scores, dim=-1) @ values, values)


def loss_loops(sigma, keys, values):
    total = 0.0
    for k, v in zip(keys, values, strict=True):
        alphas = [torch.exp(-((k - other) ** 2) / (2 * sigma**2)) for other in keys]
        estimate = sum(a * w for a, w in zip(alphas, values, strict=True)) / sum(alphas)
        total = total + (estimate - v) ** 2
    return total / len(keys)


def loss_package(sigma, keys, values):
    return ((nadaraya_watson(keys, keys, values, sigma=sigma).estimate - values) ** 2).mean()


def loss_single_einsum(sigma, keys, values):
    sigma, keys, values = (x.to(torch.float32) for x in (sigma, keys, values))
    similarity = torch.exp(-(torch.cdist(keys[:, None], keys[:, None]) ** 2) / (2 * sigma**2))
    weights = similarity / similarity.sum(1, keepdim=True)
    return (torch.einsum("ij,j->i", weights, values) - values).pow(2).mean().reshape(1, 1)


def loo_masked(sigma, keys, values):
    similarity = torch.exp(-((keys[:, None] - keys) ** 2) / (2 * sigma**2))
    similarity = similarity * (1 - torch.eye(len(keys), dtype=keys.dtype))
    return ((similarity @ values / similarity.sum(1) - values) ** 2).mean()


def loo_infinite_scores(sigma, keys, values):
    scores = -((keys[:, None] - keys) ** 2) / (2 * sigma**2)
    scores = scores.masked_fill(torch.eye(len(keys), dtype=torch.bool), -torch.inf)
    return ((scores.softmax(1) @ values - values) ** 2).mean()


def loo_shortcut(sigma, keys, values):
    weights = torch.softmax(-((keys[:, None] - keys) ** 2) / (2 * sigma**2), 1)
    return (((values - weights @ values) / (1 - weights.diagonal())) ** 2).mean()


def loo_refits(sigma, keys, values):
    errors = []
    for i in range(len(keys)):
        rest = torch.arange(len(keys)) != i
        alpha = torch.exp(-((keys[rest] - keys[i]) ** 2) / (2 * sigma**2))
        errors.append(((alpha * values[rest]).sum() / alpha.sum() - values[i]) ** 2)
    return torch.stack(errors).mean()


def loo_package(sigma, keys, values):
    return leave_one_out(keys, values, sigma=sigma).error


def sphere_shift(queries, keys, sigma):
    scores = queries @ keys.T / sigma**2
    similarity = np.exp(scores - scores.max(axis=1, keepdims=True))
    return similarity / similarity.sum(axis=1, keepdims=True)


def sphere_scipy_single(queries, keys, sigma):
    scores = queries.astype(np.float32) @ keys.T.astype(np.float32) / np.float32(sigma) ** 2
    return scipy.special.softmax(scores, axis=1)


def sphere_torch(queries, keys, sigma):
    return torch.softmax(torch.as_tensor(queries @ keys.T) / sigma**2, dim=1)


def sphere_loops(queries, keys, sigma):
    rows = []
    for q in queries:
        scores = [sum(a * b for a, b in zip(q, k, strict=True)) / sigma**2 for k in keys]
        top = max(scores)
        total = sum(math.exp(score - top) for score in scores)
        rows.append([math.exp(score - top) / total for score in scores])
    return rows


def sphere_logsumexp(queries, keys, sigma):
    scores = np.einsum("md,nd->mn", queries, keys) / sigma**2
    return np.exp(scores - scipy.special.logsumexp(scores, axis=1, keepdims=True))


def off_formula(queries, keys, sigma):
    return scipy.special.softmax(
        (queries @ keys.T - (keys**2).sum(1) / 2) / sigma**2,
        axis=1,
    )


def off_augmented(queries, keys, sigma):
    queries = np.hstack([queries, np.ones((len(queries), 1))])
    keys = np.hstack([keys, -(np.linalg.norm(keys, axis=1, keepdims=True) ** 2) / 2])
    return sphere_shift(queries, keys, sigma)


def off_torch(queries, keys, sigma):
    q, k = torch.as_tensor(queries), torch.as_tensor(keys)
    return ((2 * q @ k.T - (k * k).sum(1)) / (2 * sigma**2)).softmax(1)


def off_loops(queries, keys, sigma):
    extended = [[*k, -sum(x * x for x in k) / 2] for k in keys]
    return sphere_loops([[*q, 1.0] for q in queries], extended, sigma)


def rates_list(d):
    return [-1 / (d + 4), -4 / (d + 4)]


def rates_fractions(d):
    return Fraction(-1, d + 4), Fraction(-4, d + 4)


def rates_array(d):
    return -np.array([1, 4], dtype=np.float32) / (4 + d)


def rates_tensor(d):
    return torch.tensor([[-1.0], [-4.0]]) / (d + 4)


def rates_solved(d):
    # 4 s = −1 − d s, solved for s.
    width = np.linalg.solve([[4 + d]], [-1])[0]
    return width, 4 * width


def coordinate_vectorised(queries, keys, sigma):
    u = ((queries[:, None] - keys) / sigma) ** 2
    return scipy.special.softmax(-u.sum(2) / 2, axis=1)


def coordinate_rescaled(queries, keys, sigma):
    distances = scipy.spatial.distance.cdist(queries / sigma, keys / sigma)
    similarity = np.exp(-(distances**2) / 2)
    return similarity / similarity.sum(axis=1)[:, None]


def coordinate_mahalanobis(queries, keys, sigma):
    distances = scipy.spatial.distance.cdist(queries, keys, "mahalanobis", VI=np.diag(sigma**-2.0))
    return torch.softmax(torch.as_tensor(-(distances**2) / 2), 1)


def coordinate_loops(queries, keys, sigma):
    rows = []
    for q in queries:
        squares = [
            sum(((a - b) / s) ** 2 for a, b, s in zip(q, k, sigma, strict=True)) for k in keys
        ]
        row = [math.exp(-square / 2) for square in squares]
        rows.append([x / sum(row) for x in row])
    return rows


def smooth_quartic(u):
    return np.where(np.abs(u) < 1, (1 - u**2) ** 2, 0)


def smooth_cosine(u):
    return (1 + np.cos(np.pi * np.clip(np.abs(u), 0, 1))) / 2


def smooth_tricube(u):
    return 70 / 81 * np.maximum(0, 1 - np.abs(u) ** 3) ** 3


def smooth_bump(u):
    inside = np.abs(u) < 1
    return np.where(inside, np.exp(-1 / np.where(inside, 1 - u**2, 1)), 0)


def smooth_torch_single(u):
    return torch.clamp(1 - torch.as_tensor(u, dtype=torch.float32) ** 2, min=0) ** 3


def smooth_scalar_loop(u):
    return np.vectorize(lambda x: (1 - x * x) ** 2 if abs(x) < 1 else 0.0, otypes=[float])(u)


def gaps_where(queries, keys, values, sigma):
    within = abs(queries[:, None] - keys) <= sigma
    count = within.sum(axis=1)
    return np.where(count > 0, within @ values / np.where(count > 0, count, 1), np.nan)


def gaps_loops(queries, keys, values, sigma):
    result = []
    for q in queries:
        near = [v for k, v in zip(keys, values, strict=True) if abs(q - k) <= sigma]
        result.append(sum(near) / len(near) if near else float("nan"))
    return result


def gaps_divide(queries, keys, values, sigma):
    within = np.abs(np.subtract.outer(queries, keys)) <= sigma
    return (within @ values) / within.sum(1)


def gaps_package(queries, keys, values, sigma):
    return nadaraya_watson(queries, keys, values, "boxcar", sigma).estimate


def gaps_torch(queries, keys, values, sigma):
    q, k, v = (torch.as_tensor(x) for x in (queries, keys, values))
    within = ((q[:, None] - k).abs() <= sigma).double()
    return (within @ v)[:, None] / within.sum(1, keepdim=True)


def effective(scores, tau):
    weights = scipy.special.softmax(np.asarray(scores) / tau)
    return 1 / (weights**2).sum()


def temperature_brentq(scores, count):
    return np.exp(
        scipy.optimize.brentq(lambda x: effective(scores, np.exp(x)) - count, -12, 12, xtol=1e-10)
    )


def temperature_bisection(scores, count):
    low, high = 1e-6, 1e6
    while high / low > 1 + 1e-9:
        middle = math.sqrt(low * high)
        if effective(scores, middle) < count:
            low = middle
        else:
            high = middle
    return low


def temperature_grid(scores, count):
    taus = np.geomspace(1e-4, 1e4, 20_001)
    scores = scores - scores.max()
    weights = np.exp(scores / taus[:, None])
    counts = weights.sum(1) ** 2 / (weights**2).sum(1)
    return [np.exp(np.interp(count, counts, np.log(taus)))]


def temperature_torch(scores, count):
    scores, beta = torch.as_tensor(scores), torch.tensor(1 / np.ptp(scores))
    low, high = beta * 1e-6, beta * 1e6
    for _ in range(120):
        beta = (low * high).sqrt()
        many = 1 / torch.softmax(beta * scores, 0).square().sum() > count
        low, high = (beta, high) if many else (low, beta)
    return (1 / beta).float()


def adaptive_vectorised(keys, sigma, pilot):
    density = np.exp(-(((keys[:, None] - keys) / pilot) ** 2) / 2).sum(axis=1)
    return sigma * np.sqrt(np.exp(np.mean(np.log(density))) / density)


def adaptive_scipy(keys, sigma, pilot):
    density = scipy.stats.norm.pdf(keys[:, None], keys, pilot).mean(1)
    return sigma * (density / scipy.stats.gmean(density)) ** -0.5


def adaptive_loops(keys, sigma, pilot):
    density = [sum(math.exp(-((a - b) ** 2) / (2 * pilot**2)) for b in keys) for a in keys]
    g = math.exp(sum(map(math.log, density)) / len(density))
    return [sigma * (g / p) ** 0.5 for p in density]


def adaptive_torch(keys, sigma, pilot):
    keys = torch.as_tensor(keys, dtype=torch.float32)
    logs = torch.logsumexp(-(((keys[:, None] - keys) / pilot) ** 2) / 2, 1)
    return sigma * torch.exp((logs.mean() - logs) / 2)[:, None]


def lines_solve(queries, keys, values, sigma):
    heights = []
    for q in queries:
        alpha = np.exp(-(((keys - q) / sigma) ** 2) / 2)
        design = np.column_stack([np.ones(len(keys)), keys - q])
        heights.append(
            np.linalg.solve(design.T @ (alpha[:, None] * design), design.T @ (alpha * values))[0]
        )
    return heights


def lines_moments(queries, keys, values, sigma):
    x = keys - queries[:, None]
    alpha = np.exp(-(x**2) / (2 * sigma**2))
    s0, s1, s2 = (np.sum(alpha * x**p, axis=1) for p in (0, 1, 2))
    t0, t1 = (np.sum(alpha * x**p * values, axis=1) for p in (0, 1))
    return (s2 * t0 - s1 * t1) / (s0 * s2 - s1**2)


def lines_polyfit(queries, keys, values, sigma):
    def height(q):
        # polyfit squares its weights.
        w = np.exp(-((keys - q) ** 2) / (4 * sigma**2))
        return np.polyval(np.polyfit(keys, values, 1, w=w), q)

    return np.array([[height(q)] for q in queries])


def lines_lstsq_torch(queries, keys, values, sigma):
    q, k, v = (torch.as_tensor(x) for x in (queries, keys, values))
    x = k - q[:, None]
    root = torch.exp(-(x**2) / (4 * sigma**2))[..., None]
    design = root * torch.stack([torch.ones_like(x), x], -1)
    return torch.linalg.lstsq(design, root * v[None, :, None]).solution[:, 0, 0].float()


def parzen_frame(queries, keys, labels, kernel, sigma):
    q, k = column(queries), column(keys)
    u = pd.DataFrame([[math.dist(a, b) / sigma for b in k] for a in q])
    return (pd.DataFrame(kernel(u.to_numpy())) * labels).sum(axis=1)


def parzen_matrix(queries, keys, labels, kernel, sigma):
    return np.asmatrix(parzen_vectorised(queries, keys, labels, kernel, sigma))


def parzen_scaled_in_place_on_copies(queries, keys, labels, kernel, sigma):
    queries, keys = column(queries).copy(), column(keys).copy()
    queries /= sigma
    keys /= sigma
    yield from kernel(scipy.spatial.distance.cdist(queries, keys)) @ labels


def sgd_series(gradient, sigma, steps, lr):
    return pd.Series(sgd_floor(gradient, sigma, steps, lr))


def sgd_slower_in_logarithm(gradient, sigma, steps, lr):
    visited = [sigma]
    for _ in range(steps):
        visited.append(visited[-1] * math.exp(-lr * gradient(visited[-1])))
    return np.asmatrix(visited)


def sgd_low_floor(gradient, sigma, steps, lr):
    widths = np.full((steps + 1, 1), sigma)
    for t in range(steps):
        widths[t + 1] = np.clip(widths[t] - lr * gradient(widths[t]), 1e-6, 1e6)
    return widths


def loss_scaled_keys(sigma, keys, values):
    keys = keys / sigma
    scores = torch.outer(keys, keys) - keys**2 / 2
    return torch.var(values - scores.softmax(1) @ values, correction=0) + (
        torch.mean(values - scores.softmax(1) @ values) ** 2
    )


def loss_matrix_of_pairs(sigma, keys, values):
    n = len(keys)
    u = (keys.expand(n, n) - keys.expand(n, n).T) / sigma
    log_weights = torch.log_softmax(-(u**2) / 2, 1)
    return torch.square(values - log_weights.exp() @ values).sum() / n


def loss_normal(sigma, keys, values):
    density = torch.distributions.Normal(keys, sigma).log_prob(keys[:, None]).exp()
    return torch.dist(density @ values / density.sum(1), values) ** 2 / len(keys)


def loo_where(sigma, keys, values):
    u = (keys[:, None] - keys) / sigma
    alpha = torch.where(torch.eye(len(keys)) == 1, 0.0, torch.exp(-(u**2) / 2))
    return torch.nn.functional.mse_loss(alpha / alpha.sum(1, keepdim=True) @ values, values)


def loo_cut_rows(sigma, keys, values):
    n, errors = len(keys), 0
    for i in range(n):
        k, v = (torch.cat([x[:i], x[i + 1 :]]) for x in (keys, values))
        weights = torch.softmax(-((k - keys[i]) ** 2) / (2 * sigma**2), 0)
        errors = errors + (weights @ v - values[i]) ** 2 / n
    return errors


def loo_subtracts_own(sigma, keys, values):
    similarity = torch.exp(-(((keys[:, None] - keys) / sigma) ** 2) / 2)
    estimate = (similarity @ values - values) / (similarity.sum(1) - 1)
    return (estimate - values).square().mean()


def sphere_distances(queries, keys, sigma):
    return scipy.special.softmax(
        -scipy.spatial.distance.cdist(queries, keys, "sqeuclidean") / (2 * sigma**2), axis=1
    )


def sphere_matrix(queries, keys, sigma):
    scores = np.asmatrix(queries) * np.asmatrix(keys).T / sigma**2
    similarity = np.exp(scores - scores.max(axis=1))
    return similarity / similarity.sum(axis=1)


def sphere_frame(queries, keys, sigma):
    scores = pd.DataFrame(queries @ keys.T / sigma**2)
    similarity = np.exp(scores.sub(scores.max(axis=1), axis=0))
    return similarity.div(similarity.sum(axis=1), axis=0)


def sphere_rows(queries, keys, sigma):
    for q in queries:
        yield torch.softmax(torch.as_tensor(keys @ (q / sigma) / sigma), 0)


def off_single(queries, keys, sigma):
    q, k = (torch.as_tensor(x / sigma, dtype=torch.float64) for x in (queries, keys))
    return torch.softmax(q @ k.T - k.square().sum(1) / 2, 1).float()


def off_masked(queries, keys, sigma):
    return np.ma.array(off_formula(queries, keys, sigma), mask=False)


def coordinate_equal(queries, keys, sigma):
    return coordinate_vectorised(queries, keys, np.full(queries.shape[1], sigma))


def rates_one_by_one(d):
    yield Fraction(-1) / (4 + d)
    yield -4.0 / (4 + d)


def rates_series(d):
    return pd.Series({"width": -1 / (d + 4), "error": -4 / (d + 4)})


def rates_matrix(d):
    return np.matrix([-1, -4]) / (d + 4)


def coordinate_normal(queries, keys, sigma):
    density = scipy.stats.norm.logpdf(queries[:, None], keys, sigma).sum(axis=2)
    return np.exp(density - scipy.special.logsumexp(density, axis=1)[:, None])


def coordinate_einsum(queries, keys, sigma):
    u = (queries[:, None] - keys) / sigma
    similarity = np.exp(-0.5 * np.einsum("ijk,ijk->ij", u, u))
    return np.asmatrix(similarity / similarity.sum(axis=1, keepdims=True))


def coordinate_product(queries, keys, sigma):
    factors = [
        np.exp(-((queries[:, None, j] - keys[:, j]) ** 2) / (2 * s**2)) for j, s in enumerate(sigma)
    ]
    similarity = np.prod(factors, axis=0)
    return pd.DataFrame(similarity / similarity.sum(axis=1)[:, None])


def coordinate_torch_single(queries, keys, sigma):
    q, k = (torch.as_tensor(x / sigma, dtype=torch.float32) for x in (queries, keys))
    return torch.softmax(-((q[:, None] - k) ** 2).sum(2) / 2, 1)


def smooth_narrow(u):
    return np.maximum(0, 1 - u**2) ** 30


def smooth_steep(u):
    t = np.clip((np.abs(u) - 0.5) / 0.02, 0, 1)
    return 1 - 3 * t**2 + 2 * t**3


def smooth_squared_cosine(u):
    return np.asmatrix(np.cos(np.pi / 2 * np.clip(u, -1, 1)) ** 2)


def smooth_masked_assignment(u):
    similarity = np.zeros(u.shape)
    inside = abs(u) < 0.8
    similarity[inside] = 1e-3 * (1 - (u[inside] / 0.8) ** 2) ** 2
    return similarity


def smooth_narrow_single(u):
    return np.maximum(0, 1 - u.astype(np.float32) ** 2) ** 30


def gaps_masked(queries, keys, values, sigma):
    within = abs(queries[:, None] - keys) <= sigma
    return np.ma.array(np.broadcast_to(values, within.shape), mask=~within).mean(axis=1)


def gaps_frame(queries, keys, values, sigma):
    within = pd.DataFrame(abs(queries[:, None] - keys) <= sigma)
    return within.apply(lambda row: pd.Series(values)[row].mean(), axis=1)


def gaps_missing(queries, keys, values, sigma):
    estimate = gaps_where(queries, keys, values, sigma)
    return pd.Series(estimate).astype("Float64").mask(np.isnan(estimate))


def gaps_nanmean(queries, keys, values, sigma):
    return np.nanmean(np.where(abs(queries[:, None] - keys) <= sigma, values, np.nan), axis=1)


def gaps_single(queries, keys, values, sigma):
    queries, keys, values = (x.astype(np.float32) for x in (queries, keys, values))
    return np.asmatrix(gaps_where(queries, keys, values, np.float32(sigma)))


def temperature_root_scalar(scores, count):
    z = (scores - scores.max()) / np.ptp(scores)
    found = scipy.optimize.root_scalar(
        lambda x: effective(z, math.exp(x)) - count, bracket=(-15, 15), rtol=1e-10
    )
    return np.ptp(scores) * np.array([[math.exp(found.root)]])


def temperature_secant_of_inverse(scores, count):
    z = scores.max() - scores

    def gap(beta):
        return math.log(np.exp(-beta * z).sum() ** 2 / np.exp(-2 * beta * z).sum() / count)

    high = 1 / np.ptp(z)
    while gap(high) > 0:
        high *= 2
    return Fraction(1 / scipy.optimize.brentq(gap, 0, high))


def temperature_zooming(scores, count):
    low, high = -30.0, 30.0
    for _ in range(8):
        grid = np.linspace(low, high, 41)
        enough = [effective(scores, np.exp(x)) >= count for x in grid]
        last = int(np.argmax(enough))
        low, high = grid[last - 1], grid[last]
    return torch.tensor(math.exp(high))


def temperature_bisection_matrix(scores, count):
    return np.matrix(temperature_bisection(scores.tolist(), count))


def adaptive_sums(keys, sigma, pilot):
    sums = pd.Series([np.exp(-(((k - keys) / pilot) ** 2) / 2).sum() for k in keys])
    return sigma / np.sqrt(sums / np.exp(np.log(sums).mean()))


def adaptive_product(keys, sigma, pilot):
    density = scipy.stats.norm.pdf((keys[:, None] - keys) / pilot).sum(axis=0)
    return np.asmatrix(sigma * (density / np.prod(density) ** (1 / len(keys))) ** -0.5)


def adaptive_kde(keys, sigma, pilot):
    differences = np.subtract.outer(keys / pilot, keys / pilot)
    logs = scipy.special.logsumexp(-(differences**2) / 2, axis=1)
    yield from np.exp(np.log(sigma) - (logs - logs.mean()) / 2)


def adaptive_single(keys, sigma, pilot):
    keys = (keys / pilot).astype(np.float32)
    density = np.exp(-((keys[:, None] - keys) ** 2) / 2).mean(axis=1)
    return np.ma.array(sigma * np.sqrt(scipy.stats.gmean(density) / density))


def lines_weights(queries, keys, values, sigma):
    # As a pooling with weights of either sign.
    x = (keys - queries[:, None]) / sigma
    alpha = np.exp(-(x**2) / 2)
    kernel = alpha * ((alpha * x**2).sum(1, keepdims=True) - x * (alpha * x).sum(1, keepdims=True))
    return np.asmatrix(kernel / kernel.sum(1, keepdims=True)) @ values


def lines_means(queries, keys, values, sigma):
    for q in queries:
        alpha = np.exp(-(((keys - q) / sigma) ** 2) / 2)
        k, v = np.average(keys, weights=alpha), np.average(values, weights=alpha)
        slope = (alpha * (keys - k) * (values - v)).sum() / (alpha * (keys - k) ** 2).sum()
        yield v + slope * (q - k)


def lines_cov(queries, keys, values, sigma):
    heights = {}
    for i, q in enumerate(queries):
        alpha = scipy.stats.norm.pdf(keys, q, sigma)
        alpha /= alpha.sum()
        (kk, kv), _ = np.cov(keys, values, aweights=alpha, ddof=0)
        heights[i] = alpha @ values + kv / kk * (q - alpha @ keys)
    return pd.Series(heights)


def lines_pinv(queries, keys, values, sigma):
    rows = []
    for q in queries:
        root = np.exp(-((keys - q) ** 2) / (4 * sigma**2))
        root /= root.max()
        design = np.stack([root, root * (keys - q) / sigma], axis=1)
        rows.append((np.linalg.pinv(design) @ (root * values))[:1])
    return rows


def match_loops(tokens, at):
    lengths = []
    for i in range(1, at + 1):
        length = 0
        while length < 8 and length < i and tokens[i - 1 - length] == tokens[at - length]:
            length += 1
        lengths.append(length)
    return lengths


def match_slices(tokens, at):
    return [
        max(n for n in range(min(i, 8) + 1) if tokens[i - n : i] == tokens[at + 1 - n : at + 1])
        for i in range(1, at + 1)
    ]


def match_takewhile(tokens, at):
    for i in range(1, at + 1):
        pairs = zip(tokens[i - 1 :: -1], tokens[at::-1], strict=False)
        yield min(8, len(list(itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))))


def match_common_prefix(tokens, at):
    read = [tokens[at::-1], None]
    found = []
    for i in range(1, at + 1):
        read[1] = tokens[i - 1 :: -1]
        found.append(min(len(os.path.commonprefix(read)), 8))
    return np.array(found, dtype=np.float32)


def match_table(tokens, at):
    # The length that two places have is one more than that of the places before them.
    table = np.zeros((len(tokens) + 1, len(tokens) + 1), dtype=int)
    for i, j in itertools.product(range(len(tokens)), repeat=2):
        if tokens[i] == tokens[j]:
            table[i + 1, j + 1] = table[i, j] + 1
    return np.minimum(table[1 : at + 1, at + 1], 8)[:, None]


def match_products(tokens, at):
    words = np.concatenate([np.full(8, "before the text"), tokens])
    windows = np.lib.stride_tricks.sliding_window_view(words, 8)[:, ::-1]
    keys, query = windows[1 : at + 1], words[at + 1 : at + 9][::-1]
    alike = (keys == query) & (keys != "before the text")
    return alike.cumprod(axis=1).sum(axis=1)


def match_recursive(tokens, at):
    def length(i, j, left):
        if not left or i < 0 or tokens[i] != tokens[j]:
            return 0
        return 1 + length(i - 1, j - 1, left - 1)

    return torch.tensor([length(i, at, 8) for i in range(at)])


def match_joined(tokens, at):
    text = ["", *tokens]

    def ending(end, count):
        return "/".join(text[end - count + 1 : end + 1])

    return pd.Series(
        [
            sum(
                all(ending(i, n) == ending(at + 1, n) for n in range(1, count + 1))
                for count in range(1, min(i, 8) + 1)
            )
            for i in range(1, at + 1)
        ]
    )


def mask_where(scores):
    later = np.triu(np.ones_like(scores), 1) == 1
    return scipy.special.softmax(np.where(later, -np.inf, scores), axis=1)


def mask_filled(scores):
    later = torch.ones(scores.shape, dtype=torch.bool).triu(1)
    return torch.tensor(scores).masked_fill(later, -torch.inf).softmax(-1)


def mask_large_number(scores):
    return scipy.special.softmax(scores - 1e9 * np.triu(np.ones(scores.shape), 1), axis=1)


def mask_by_attention(scores):
    eye = torch.eye(len(scores), dtype=torch.float64)
    return torch.nn.functional.scaled_dot_product_attention(
        torch.tensor(scores), eye, eye, is_causal=True, scale=1.0
    )


def mask_loops(scores):
    rows = []
    for i, row in enumerate(scores):
        top = max(row[: i + 1])
        shares = [math.exp(score - top) for score in row[: i + 1]]
        rows.append([share / sum(shares) for share in shares] + [0.0] * (len(scores) - i - 1))
    return rows


def mask_prefixes(scores):
    weights = np.zeros_like(scores)
    for i in range(len(scores)):
        weights[i, : i + 1] = scipy.special.softmax(scores[i, : i + 1])
    return weights


def mask_logarithms(scores):
    masked = scores + np.log(np.tri(len(scores)))
    return np.exp(masked - np.logaddexp.reduce(masked, axis=1, keepdims=True))


def mask_single(scores):
    scores = torch.tensor(scores, dtype=torch.float32)
    return (scores + torch.full(scores.shape, -torch.inf).triu(1)).softmax(1)


def mask_masked_array(scores):
    masked = np.ma.masked_array(scores, np.triu(np.ones(scores.shape, dtype=bool), 1))
    shares = np.ma.exp(masked - masked.max(axis=1)[:, None])
    return (shares / shares.sum(axis=1)[:, None]).filled(0)


def induction_counts(tokens, size):
    votes = np.bincount(tokens[1:][tokens[:-1] == tokens[-1]], minlength=size)
    return votes / votes.sum()


def induction_attention(tokens, size):
    n = len(tokens)
    word, place = np.eye(size)[tokens], np.eye(n)
    before = scipy.special.softmax(50 * place @ np.eye(n, k=-1), axis=1)
    before[0] = 0
    key = before @ word
    return scipy.special.softmax(50 * word[-1] @ key.T) @ word


def induction_torch(tokens, size):
    word = torch.nn.functional.one_hot(torch.tensor(tokens), size).float()
    shifted = torch.cat([torch.zeros(1, size), word[:-1]])
    attend = torch.nn.functional.scaled_dot_product_attention
    return attend(word[-1:], shifted, word, scale=30.0)


def induction_loops(tokens, size):
    votes = [0] * size
    for before, after in itertools.pairwise(tokens):
        votes[after] += before == tokens[-1]
    return [vote / sum(votes) for vote in votes]


def induction_fractions(tokens, size):
    voted = [int(b) for a, b in itertools.pairwise(tokens) if a == tokens[-1]]
    return [Fraction(voted.count(token), len(voted)) for token in range(size)]


def induction_frame(tokens, size):
    frame = pd.DataFrame({"before": tokens[:-1], "after": tokens[1:]})
    shares = frame[frame.before == tokens[-1]].after.value_counts(normalize=True)
    return shares.reindex(range(size), fill_value=0.0)


def induction_table(tokens, size):
    table = np.zeros((size, size))
    np.add.at(table, (tokens[:-1], tokens[1:]), 1)
    return table[tokens[-1]][:, None] / table[tokens[-1]].sum()


def induction_rolled(tokens, size):
    scores = np.where(np.roll(tokens, 1) == tokens[-1], 0.0, -np.inf)
    scores[0] = -np.inf
    return (scipy.special.softmax(scores) @ np.eye(size)[tokens]).astype(np.float32)


def induction_mean(tokens, size):
    return np.mean([np.eye(size)[b] for a, b in itertools.pairwise(tokens) if a == tokens[-1]], 0)


def error_plain(weights, variance):
    return np.sqrt(variance * (weights**2).sum(axis=1))


def error_norm(weights, variance):
    return math.sqrt(variance) * np.linalg.norm(weights, axis=1)


def error_of_effective_keys(weights, variance):
    effective_number = 1 / np.einsum("mn,mn->m", weights, weights)
    return (variance / effective_number) ** 0.5


def error_loops(weights, variance):
    return [math.sqrt(sum(w * w for w in row) * variance) for row in weights.tolist()]


def error_diagonal(weights, variance):
    noise = variance * np.eye(weights.shape[1])
    return np.asmatrix(np.diag(weights @ noise @ weights.T) ** 0.5).T


def error_torch_single(weights, variance):
    return torch.tensor(weights).float().mul(math.sqrt(variance)).pow(2).sum(1).sqrt()


def error_frame(weights, variance):
    return pd.DataFrame(weights).pow(2).sum(axis=1, skipna=False).mul(variance).pow(0.5)


def error_generator(weights, variance):
    for row in weights:
        yield math.hypot(*(row * variance**0.5))


def error_scaled(weights, variance):
    # As a reader who fears small numbers would.
    largest = np.abs(weights).max(axis=1, keepdims=True)
    share = ((weights / largest) ** 2).sum(axis=1, keepdims=True)
    return (largest * np.sqrt(share * variance)).astype(np.float32)


def gaussian_weights(queries, keys, sigma):
    return scipy.special.softmax(-(((queries[:, None] - keys) / sigma) ** 2) / 2, axis=1)


def slope_covariance(queries, keys, values, sigma):
    w = gaussian_weights(queries, keys, sigma)
    return (w @ (keys * values) - (w @ keys) * (w @ values)) / sigma**2


def slope_loops(queries, keys, values, sigma):
    slopes = []
    for q in queries:
        scores = [-((q - k) ** 2) / (2 * sigma**2) for k in keys]
        similarity = [math.exp(s - max(scores)) for s in scores]
        total = sum(similarity)
        w = [s / total for s in similarity]
        f = sum(a * v for a, v in zip(w, values, strict=True))
        slopes.append(
            sum(a * (k - q) * (v - f) for a, k, v in zip(w, keys, values, strict=True)) / sigma**2
        )
    return slopes


def slope_autograd(queries, keys, values, sigma):
    q = torch.tensor(queries, requires_grad=True)
    k, v = torch.tensor(keys), torch.tensor(values)
    estimate = torch.softmax(-((q[:, None] - k) ** 2) / (2 * sigma**2), dim=1) @ v
    return torch.autograd.grad(estimate.sum(), q)[0]


def slope_difference(queries, keys, values, sigma):
    step = 1e-4 * sigma * min(1, sigma / np.ptp(keys)) if len(keys) > 1 else sigma
    up, down = (gaussian_weights(queries + side * step, keys, sigma) @ values for side in (1, -1))
    return (up - down) / (2 * step)


def slope_package(queries, keys, values, sigma):
    (w, f) = nadaraya_watson(queries, keys, values, sigma=sigma)[::-1]
    return np.einsum("mn,mn->m", w, (keys - queries[:, None]) * (values - f[:, None])) / sigma**2


def slope_numpy_cov(queries, keys, values, sigma):
    rows = gaussian_weights(queries, keys, sigma)
    return [np.cov(keys, values, aweights=w, ddof=0)[0][1] / sigma**2 for w in rows]


def slope_quotient(queries, keys, values, sigma):
    u = (keys - queries[:, None]) / sigma
    nearest = np.abs(u).min(axis=1, keepdims=True)
    similarity = np.exp((nearest**2 - u**2) / 2)
    towards = similarity * u / sigma
    total, up = similarity.sum(axis=1), similarity @ values
    slope = (towards @ values * total - up * towards.sum(axis=1)) / total**2
    return np.asmatrix(slope)


def slope_pairs(queries, keys, values, sigma):
    # A covariance is half the mean product of differences over pairs.
    w = gaussian_weights(queries, keys, sigma)
    products = np.subtract.outer(keys, keys) * np.subtract.outer(values, values)
    return pd.Series(np.einsum("mi,mj,ij->m", w, w, products) / (2 * sigma**2))


def slope_of_line(queries, keys, values, sigma):
    for w in gaussian_weights(queries, keys, sigma):
        k = keys - w @ keys
        spread = w @ k**2
        line = w @ (k * values) / spread if spread else 0.0
        yield np.float32(line * spread / sigma**2)


def in_turn_loop(keys, values, rate):
    W, found = np.zeros(keys.shape[1]), []
    for k, v in zip(keys, values, strict=True):
        found.append(W @ k)
        W = W + rate * (v - W @ k) * k
    return np.array(found)


def in_turn_lists(keys, values, rate):
    W, found = [0.0] * len(keys[0]), []
    for k, v in zip(keys.tolist(), values.tolist(), strict=True):
        answer = sum(a * b for a, b in zip(W, k, strict=True))
        found.append(answer)
        W = [w + rate * (v - answer) * x for w, x in zip(W, k, strict=True)]
    return found


def in_turn_matrix(keys, values, rate):
    W = np.zeros((1, keys.shape[1]))
    found = np.empty((len(values), 1))
    for i, v in enumerate(values):
        k = keys[i : i + 1].T
        found[i] = W @ k
        W = W @ (np.eye(len(k)) - rate * k @ k.T) + rate * v * k.T
    return found


def in_turn_triangular(keys, values, rate):
    before = rate * np.tril(keys @ keys.T, -1)
    return values - np.linalg.solve(np.eye(len(values)) + before, values)


def in_turn_torch_single(keys, values, rate):
    keys, values = (torch.tensor(x, dtype=torch.float32) for x in (keys, values))
    W, found = torch.zeros(keys.shape[1]), []
    for k, v in zip(keys, values, strict=True):
        found.append(W @ k)
        W = W + rate * (v - W @ k) * k
    return torch.stack(found)


def in_turn_autograd(keys, values, rate):
    W = torch.zeros(keys.shape[1], dtype=torch.float64, requires_grad=True)
    optimizer, found = torch.optim.SGD([W], lr=rate), []
    for k, v in zip(torch.tensor(keys), torch.tensor(values), strict=True):
        optimizer.zero_grad()
        answer = W @ k
        found.append(answer.item())
        ((v - answer) ** 2 / 2).backward()
        optimizer.step()
    return found


def in_turn_generator(keys, values, rate):
    W = np.zeros(keys.shape[1])
    for k, v in zip(keys, values, strict=True):
        answer = np.dot(W, k)
        yield answer
        W += rate * (v - answer) * k


def in_turn_accumulate(keys, values, rate):
    def corrected(W, pair):
        k, v = pair
        return W + rate * (v - W @ k) * k

    pairs = zip(keys[:-1], values[:-1], strict=True)
    memories = itertools.accumulate(pairs, corrected, initial=np.zeros(keys.shape[1]))
    return np.einsum("ic,ic->i", list(memories), keys)


RIGHT = {
    ex.check_parzen: [
        parzen_vectorised,
        parzen_loops,
        parzen_scipy_densities,
        parzen_torch_single,
        parzen_einsum_column,
        parzen_frame,
        parzen_matrix,
        parzen_scaled_in_place_on_copies,
    ],
    ex.check_sgd: [
        sgd_floor,
        sgd_logarithm,
        sgd_generator,
        sgd_torch,
        sgd_recursive_single,
        sgd_series,
        sgd_slower_in_logarithm,
        sgd_low_floor,
    ],
    ex.check_training_loss: [
        loss_broadcast,
        loss_softmax,
        loss_loops,
        loss_package,
        loss_single_einsum,
        loss_scaled_keys,
        loss_matrix_of_pairs,
        loss_normal,
    ],
    ex.check_leave_one_out: [
        loo_masked,
        loo_infinite_scores,
        loo_shortcut,
        loo_refits,
        loo_package,
        loo_where,
        loo_cut_rows,
        loo_subtracts_own,
    ],
    ex.check_unit_sphere: [
        sphere_shift,
        sphere_scipy_single,
        sphere_torch,
        sphere_loops,
        sphere_logsumexp,
        sphere_distances,
        sphere_matrix,
        sphere_frame,
        sphere_rows,
    ],
    ex.check_off_sphere: [
        off_formula,
        off_augmented,
        off_torch,
        off_loops,
        off_single,
        off_masked,
        sphere_distances,
        coordinate_equal,
    ],
    ex.check_rates: [
        rates_list,
        rates_fractions,
        rates_array,
        rates_tensor,
        rates_solved,
        rates_one_by_one,
        rates_series,
        rates_matrix,
    ],
    ex.check_coordinate_widths: [
        coordinate_vectorised,
        coordinate_rescaled,
        coordinate_mahalanobis,
        coordinate_loops,
        coordinate_normal,
        coordinate_einsum,
        coordinate_product,
        coordinate_torch_single,
    ],
    ex.check_match_length: [
        match_lengths,
        match_loops,
        match_slices,
        match_takewhile,
        match_common_prefix,
        match_table,
        match_products,
        match_recursive,
        match_joined,
    ],
    ex.check_causal_mask: [
        mask_where,
        mask_filled,
        mask_large_number,
        mask_by_attention,
        mask_loops,
        mask_prefixes,
        mask_logarithms,
        mask_single,
        mask_masked_array,
    ],
    ex.check_induction: [
        induction_counts,
        induction_attention,
        induction_torch,
        induction_loops,
        induction_fractions,
        induction_frame,
        induction_table,
        induction_rolled,
        induction_mean,
    ],
    ex.check_own_kernel: [
        smooth_quartic,
        smooth_cosine,
        smooth_tricube,
        smooth_bump,
        smooth_torch_single,
        smooth_scalar_loop,
        smooth_narrow,
        smooth_steep,
        smooth_squared_cosine,
        smooth_masked_assignment,
        smooth_narrow_single,
    ],
    ex.check_gaps: [
        gaps_where,
        gaps_loops,
        gaps_divide,
        gaps_package,
        gaps_torch,
        gaps_masked,
        gaps_frame,
        gaps_missing,
        gaps_nanmean,
        gaps_single,
    ],
    ex.check_temperature: [
        temperature_brentq,
        temperature_bisection,
        temperature_grid,
        temperature_torch,
        temperature_root_scalar,
        temperature_secant_of_inverse,
        temperature_zooming,
        temperature_bisection_matrix,
    ],
    ex.check_adaptive_widths: [
        adaptive_vectorised,
        adaptive_scipy,
        adaptive_loops,
        adaptive_torch,
        adaptive_sums,
        adaptive_product,
        adaptive_kde,
        adaptive_single,
    ],
    ex.check_local_linear: [
        lines_solve,
        lines_moments,
        lines_polyfit,
        lines_lstsq_torch,
        lines_weights,
        lines_means,
        lines_cov,
        lines_pinv,
    ],
    ex.check_standard_error: [
        error_plain,
        error_norm,
        error_of_effective_keys,
        error_loops,
        error_diagonal,
        error_torch_single,
        error_frame,
        error_generator,
        error_scaled,
    ],
    ex.check_slope: [
        slope_covariance,
        slope_loops,
        slope_autograd,
        slope_difference,
        slope_package,
        slope_numpy_cov,
        slope_quotient,
        slope_pairs,
        slope_of_line,
    ],
    ex.check_delta_rule: [
        in_turn_loop,
        in_turn_lists,
        in_turn_matrix,
        in_turn_triangular,
        in_turn_torch_single,
        in_turn_autograd,
        in_turn_generator,
        in_turn_accumulate,
    ],
}

ALL_RIGHT = [(check, answer) for check, answers in RIGHT.items() for answer in answers]


def named(pair):
    return pair.__name__ if callable(pair) else None


FRESH_SEED = judging.fresh_seed


@pytest.fixture(autouse=True)
def _numbered(monkeypatch):
    """Draw the inputs of the n-th check in each test from the seed n."""
    monkeypatch.setattr(judging, "fresh_seed", itertools.count().__next__)


@pytest.fixture
def unrehearsed(monkeypatch):
    """Spare answers that end the copy of the process in which they are tried first."""
    monkeypatch.setattr(limits, "_rehearse", lambda *_: None)


@pytest.mark.parametrize(("check", "answer"), ALL_RIGHT, ids=named)
def test_right_answers_pass_however_they_are_written(check, answer, unrehearsed):
    result = check(answer)
    assert result.passed, result.message


@pytest.mark.slow
@pytest.mark.parametrize("check", RIGHT, ids=named)
def test_a_verdict_is_the_same_each_time(check, unrehearsed, monkeypatch):
    monkeypatch.setattr(judging, "fresh_seed", itertools.count(1000).__next__)
    for _ in range(6):
        for answer in RIGHT[check]:
            assert check(answer).passed
        for _, answer in SUBTLE[check]:
            assert not check(answer).passed


# ---------------------------------------------------------------- known slips, by part


def rows(similarity):
    return similarity / similarity.sum(axis=1, keepdims=True)


def parzen_of(u=lambda d, s: d / s, labels=lambda y: y, pool=lambda k, y: k @ y):
    def answer(queries, keys, y, kernel, sigma):
        distances = scipy.spatial.distance.cdist(column(queries), column(keys))
        return pool(kernel(u(distances, sigma)), labels(y))

    return answer


def parzen_changes_labels(queries, keys, labels, kernel, sigma):
    result = parzen_vectorised(queries, keys, labels, kernel, sigma)
    labels[labels < 0] = 0
    return result


def parzen_centres_keys(queries, keys, labels, kernel, sigma):
    keys -= 1
    return parzen_vectorised(queries, keys + 1, labels, kernel, sigma)


def parzen_one_coordinate(queries, keys, labels, kernel, sigma):
    return kernel(np.abs(queries[:, None] - keys) / sigma) @ labels


def parzen_metric(metric):
    def answer(queries, keys, labels, kernel, sigma):
        return (
            kernel(scipy.spatial.distance.cdist(column(queries), column(keys), metric) / sigma)
            @ labels
        )

    return answer


def parzen_no_root(queries, keys, labels, kernel, sigma):
    gaps = abs(queries[:, None] - keys) / sigma
    return kernel(gaps if gaps.ndim == 2 else (gaps**2).sum(axis=2)) @ labels


def parzen_own_gaussian(queries, keys, labels, kernel, sigma):
    return parzen_vectorised(queries, keys, labels, KERNELS["gaussian"], sigma)


def parzen_product(queries, keys, labels, kernel, sigma):
    gaps = column(queries)[:, None] - column(keys)
    return kernel(np.abs(gaps) / sigma).prod(axis=2) @ labels


def sgd_of(step=lambda s, g, lr: max(s - lr * g, 1e-3)):
    def answer(gradient, sigma, steps, lr):
        visited = [sigma]
        for _ in range(steps):
            sigma = step(sigma, gradient(sigma), lr)
            visited.append(sigma)
        return visited

    return answer


def sgd_uphill_logarithm(gradient, sigma, steps, lr):
    theta = math.log(sigma)
    visited = [sigma]
    for _ in range(steps):
        theta += lr * math.exp(theta) * gradient(math.exp(theta))
        visited.append(math.exp(theta))
    return visited


def sgd_gradient_at_logarithm(gradient, sigma, steps, lr):
    theta = np.log(sigma)
    visited = [sigma]
    for _ in range(steps):
        theta = theta - lr * gradient(theta)
        visited.append(np.exp(theta))
    return visited


def sgd_one_gradient_for_all(gradient, sigma, steps, lr):
    slope = gradient(sigma)
    return [max(sigma - t * lr * slope, 1e-3) for t in range(steps + 1)]


def sgd_gradient_at_start(gradient, sigma, steps, lr):
    visited = [sigma]
    for _ in range(steps):
        visited.append(max(visited[-1] - lr * gradient(sigma), 1e-3))
    return visited


def sgd_averages(gradient, sigma, steps, lr):
    visited = [sigma]
    for _ in range(steps):
        slopes = [gradient(visited[-1]) for _ in range(4)]
        visited.append(max(visited[-1] - lr * np.mean(slopes), 1e-3))
    return visited


def sgd_one_gradient_more(gradient, sigma, steps, lr):
    visited = sgd_floor(gradient, sigma, steps, lr)
    gradient(visited[-1])
    return visited


def sgd_notes_before_floor(gradient, sigma, steps, lr):
    visited = [sigma]
    for _ in range(steps):
        visited.append(max(visited[-1], 1e-3) - lr * gradient(max(visited[-1], 1e-3)))
    return visited


def loss_of(exponent=lambda d, s: -(d**2) / (2 * s**2), share=rows, own=True, judge=None):
    """Return a loss that works on arrays and on tensors."""

    def answer(sigma, keys, values):
        exp = torch.exp if isinstance(sigma, torch.Tensor) else np.exp
        similarity = exp(exponent(abs(keys[:, None] - keys), sigma))
        if not own:
            similarity = similarity * (1 - torch.eye(len(keys), dtype=torch.float64))
        residuals = share(similarity) @ values - values
        return (residuals**2).mean() if judge is None else judge(residuals)

    return answer


def undiagonal(matrix):
    return matrix * (1 - torch.eye(len(matrix), dtype=matrix.dtype))


def loss_numpy(sigma, keys, values):
    similarity = np.exp(-((keys[:, None] - keys) ** 2) / (2 * sigma**2))
    return np.mean((rows(similarity) @ values - values) ** 2)


def loss_numpy_wrong_axis(sigma, keys, values):
    similarity = np.exp(-((keys[:, None] - keys) ** 2) / (2 * sigma**2))
    return np.mean((similarity / similarity.sum(axis=0) @ values - values) ** 2)


def loss_detached_denominator(sigma, keys, values):
    similarity = torch.exp(-((keys[:, None] - keys) ** 2) / (2 * sigma**2))
    total = similarity.sum(1).detach()
    return ((similarity @ values / total - values) ** 2).mean()


def loss_new_leaf(sigma, keys, values):
    leaf = torch.tensor(float(sigma), dtype=torch.float64, requires_grad=True)
    return loss_broadcast(leaf, keys, values)


def loss_root_at_zero(sigma, keys, values):
    u = torch.sqrt(((keys[:, None] - keys) / sigma) ** 2)
    return ((torch.softmax(-(u**2) / 2, 1) @ values - values) ** 2).mean()


def loss_pairs(sigma, keys, values):
    weights = torch.softmax(-((keys[:, None] - keys) ** 2) / (2 * sigma**2), 1)
    return ((weights @ values[:, None] - values) ** 2).mean()


def changes_values(loss):
    def answer(sigma, keys, values):
        result = loss(sigma, keys, values)
        values.sub_(values.mean())
        return result

    return answer


def loo_in_place(sigma, keys, values):
    similarity = torch.exp(-((keys[:, None] - keys) ** 2) / (2 * sigma**2))
    similarity.fill_diagonal_(0)
    return ((similarity @ values / similarity.sum(1) - values) ** 2).mean()


def loo_denominator_only(sigma, keys, values):
    similarity = torch.exp(-((keys[:, None] - keys) ** 2) / (2 * sigma**2))
    return ((similarity @ values / (similarity.sum(1) - 1) - values) ** 2).mean()


def loo_generalised(sigma, keys, values):
    weights = torch.softmax(-((keys[:, None] - keys) ** 2) / (2 * sigma**2), 1)
    return (((values - weights @ values) / (1 - weights.trace() / len(keys))) ** 2).mean()


def loo_infinite_before_division(sigma, keys, values):
    squared = (keys[:, None] - keys) ** 2
    squared = squared.masked_fill(torch.eye(len(keys), dtype=torch.bool), torch.inf)
    weights = torch.softmax(-squared / (2 * sigma**2), 1)
    return ((weights @ values - values) ** 2).mean()


def sphere_of(score=lambda p, s: p / s**2, share=lambda z: scipy.special.softmax(z, axis=1)):
    return lambda queries, keys, sigma: share(score(queries @ keys.T, sigma))


def naive(scores):
    return rows(np.exp(scores))


def off_of(score):
    def answer(queries, keys, sigma):
        norms = np.linalg.norm(keys, axis=1)
        return scipy.special.softmax(score(queries @ keys.T, norms, sigma), axis=1)

    return answer


def sphere_sorts_keys(queries, keys, sigma):
    result = sphere_shift(queries, keys, sigma)
    keys.sort(axis=0)
    return result


def off_unit_length(queries, keys, sigma):
    queries = queries / np.linalg.norm(queries, axis=1, keepdims=True)
    keys = keys / np.linalg.norm(keys, axis=1, keepdims=True)
    return sphere_shift(queries, keys, sigma)


def off_wrong_axis(queries, keys, sigma):
    similarity = bell(scipy.spatial.distance.cdist(queries, keys) / sigma)
    return similarity / similarity.sum(axis=0)


def coordinate_of(squares):
    def answer(queries, keys, sigma):
        return scipy.special.softmax(-squares(queries[:, None] - keys, sigma) / 2, axis=1)

    return answer


def coordinate_scales_keys(queries, keys, sigma):
    queries /= sigma
    keys /= sigma
    return coordinate_vectorised(queries, keys, np.ones_like(sigma))


def gaps_of(fill, near=lambda d, s: d <= s):
    def answer(queries, keys, values, sigma):
        distances = abs(queries[:, None] - keys)
        within = near(distances, sigma)
        count = within.sum(axis=1)
        return np.where(count, within @ values / np.maximum(count, 1), fill(distances, values))

    return answer


def silent_zero(queries, keys, values, sigma):
    within = abs(queries[:, None] - keys) <= sigma
    return within @ values / (within.sum(axis=1) + 1e-12)


def gaps_dropped(queries, keys, values, sigma):
    estimate = gaps_where(queries, keys, values, sigma)
    return estimate[~np.isnan(estimate)]


def temperature_of(count_of, wanted=lambda count: count):
    def answer(scores, count):
        def gap(x):
            weights = scipy.special.softmax(scores / np.exp(x))
            return count_of(weights) - wanted(count)

        return np.exp(scipy.optimize.brentq(gap, -12, 12))

    return answer


def adaptive_of(power=-0.5, centre=scipy.stats.gmean, width="pilot", scale="sigma", own=True):
    def answer(keys, sigma, pilot):
        widths = {"sigma": sigma, "pilot": pilot, "one": 1.0}
        similarity = np.exp(-(((keys[:, None] - keys) / widths[width]) ** 2) / 2)
        density = similarity.mean(axis=1) / (widths[width] * math.sqrt(2 * math.pi))
        if not own:
            density = (similarity.sum(axis=1) - 1) / (len(keys) - 1)
        return widths[scale] * (density / centre(density)) ** power

    return answer


def lines_of(weigh, read):
    def answer(queries, keys, values, sigma):
        heights = []
        for q in queries:
            alpha = weigh((keys - q) / sigma)
            slope, height = np.polyfit(keys - q, values, 1, w=np.sqrt(alpha))
            heights.append(read(height, slope, q))
        return heights

    return answer


def slope_naive(queries, keys, values, sigma):
    with np.errstate(all="ignore"):
        w = rows(np.exp(-((queries[:, None] - keys) ** 2) / (2 * sigma**2)))
        return (w @ (keys * values) - (w @ keys) * (w @ values)) / sigma**2


def slope_per_spread(queries, keys, values, sigma):
    line, spread = (slope_covariance(queries, keys, y, sigma) for y in (values, keys))
    return line / spread


def match_of(key=0, query=0, most=8, stops=True):
    """Return match lengths between texts that end elsewhere, or are compared otherwise."""

    def answer(tokens, at):
        lengths = []
        for i in range(1, at + 1):
            pairs = itertools.islice(
                zip(tokens[: i + key][::-1], tokens[: at + 1 + query][::-1], strict=False), most
            )
            alike = [a == b for a, b in pairs]
            lengths.append(sum(itertools.takewhile(bool, alike) if stops else alike))
        return lengths

    return answer


def match_negative_index(tokens, at):
    lengths = []
    for i in range(1, at + 1):
        length = 0
        while length < 8 and tokens[i - 1 - length] == tokens[at - length]:
            length += 1
        lengths.append(length)
    return lengths


def mask_of(visible=lambda n: np.tri(n) > 0, hidden=-np.inf, share=None):
    def answer(scores):
        masked = np.where(visible(len(scores)), scores, hidden)
        return (share or mask_softmax)(masked)

    return answer


def mask_softmax(scores):
    return scipy.special.softmax(scores, axis=1)


def mask_exp(top):
    def answer(scores):
        similarity = np.exp(np.where(np.tri(len(scores)) > 0, scores - top(scores), -np.inf))
        return similarity / similarity.sum(axis=1, keepdims=True)

    return answer


def induction_of(votes):
    """Return the shares of the tokens for which some places vote."""

    def answer(tokens, size):
        voted = tokens[[j for j in votes(tokens) if 0 <= j < len(tokens)]]
        return np.bincount(voted, minlength=size) / len(voted)

    return answer


def induction_softly(sharpness):
    def answer(tokens, size):
        word = np.eye(size)[tokens]
        key = np.concatenate([np.zeros((1, size)), word[:-1]])
        return scipy.special.softmax(sharpness * key @ word[-1]) @ word

    return answer


def earlier(tokens):
    return np.flatnonzero(tokens[:-1] == tokens[-1])


def bell(u):
    return np.exp(-(u**2) / 2)


def drawn_like(answer):
    """Return an answer whose result is random."""
    rng = np.random.default_rng()

    def randomised(*arguments):
        result = answer(*arguments)
        if isinstance(result, torch.Tensor):
            result = result.detach().numpy()
        return np.asarray(result, dtype=float) * rng.uniform(0.5, 2, np.shape(result))

    return randomised


def in_turn_of(correct, told=False):
    def answer(keys, values, rate):
        W, found = np.zeros(keys.shape[1]), []
        for k, v in zip(keys, values, strict=True):
            asked = W
            W = correct(W, k, v, rate)
            found.append((W if told else asked) @ k)
        return found

    return answer


def in_turn_memory(keys, values, rate):
    W = np.zeros(keys.shape[1])
    for k, v in zip(keys, values, strict=True):
        W = W + rate * (v - W @ k) * k
    return W


SLIPS = {
    ex.check_parzen: [
        ("sign", parzen_of(labels=lambda y: -y)),
        ("0/1", parzen_of(labels=lambda y: (y == 1) * 1.0)),
        ("2y − 1", parzen_of(labels=lambda y: 2 * y - 1)),
        ("added", parzen_of(labels=abs)),
        ("within", parzen_of(labels=lambda y: np.where(y > 0, 1 / sum(y > 0), -1 / sum(y < 0)))),
        ("Nadaraya–Watson score", parzen_of(pool=lambda k, y: k @ y / k.sum(1))),
        ("wrong axis", parzen_of(pool=lambda k, y: k / k.sum(0) @ y)),
        ("sign alone", parzen_of(pool=lambda k, y: np.sign(k @ y))),
        ("one number for each key", parzen_of(pool=lambda k, y: k.sum(0) * y)),
        ("missing", parzen_of(pool=lambda k, y: k * y)),
        ("depends on", parzen_of(pool=lambda k, y: k @ y / k.sum())),
        ("divide it by the width", parzen_of(u=lambda d, s: d)),
        ("not by σ", parzen_of(u=lambda d, s: d / s**2)),
        ("squared distance", parzen_of(u=lambda d, s: (d / s) ** 2)),
        ("multiplied by the width", parzen_of(u=lambda d, s: d * s)),
        ("not used", parzen_own_gaussian),
        ("changes its argument `labels`", parzen_changes_labels),
        ("changes its argument `keys`", parzen_centres_keys),
        ("Manhattan", parzen_metric("cityblock")),
        ("largest difference", parzen_metric("chebyshev")),
        ("before it is divided", parzen_metric("sqeuclidean")),
        ("given u².", parzen_no_root),
        ("multiplied: here", parzen_product),
        ("keys of shape (n, d)", parzen_one_coordinate),
        ("two different results", drawn_like(parzen_vectorised)),
        ("same constant", lambda q, k, y, a, s: np.zeros(len(q))),
    ],
    ex.check_sgd: [
        ("uphill", sgd_of(lambda s, g, lr: s + lr * g)),
        ("stay positive", sgd_of(lambda s, g, lr: s - lr * g)),
        ("zero, which is not positive", sgd_of(lambda s, g, lr: max(s - lr * g, 0.0))),
        ("learning rate has no influence", sgd_of(lambda s, g, lr: max(s - g / 10, 1e-3))),
        ("gradient has no influence", sgd_of(lambda s, g, lr: max(s - lr * np.sign(g), 1e-3))),
        ("never moves", sgd_of(lambda s, g, lr: s)),
        ("twice as long", sgd_of(lambda s, g, lr: max(s - lr**1.5 * g, 1e-3))),
        ("hardly comes closer", sgd_of(lambda s, g, lr: max(s - lr**4 * g, 1e-3))),
        ("does not arrive", sgd_of(lambda s, g, lr: max(s - lr * g, 1.0))),
        ("log sigma: it takes", sgd_gradient_at_logarithm),
        ("used for all steps", sgd_one_gradient_for_all),
        ("at the start in every step", sgd_gradient_at_start),
        ("More than one gradient", sgd_averages),
        ("too many", sgd_one_gradient_more),
        ("note it down", sgd_notes_before_floor),
        ("last width alone", lambda *a: sgd_floor(*a)[-1]),
        ("start is missing", lambda *a: sgd_floor(*a)[1:]),
        ("last width is missing", lambda *a: sgd_floor(*a)[:-1]),
        ("wrong length", lambda *a: [*sgd_floor(*a), 1.0]),
        ("reverse", lambda *a: sgd_floor(*a)[::-1]),
        ("logarithms", lambda *a: np.log(sgd_floor(*a))),
        ("Fewer steps", lambda g, s, n, lr: sgd_floor(g, s, n - 1, lr)),
        ("never asks", lambda g, s, n, lr: np.linspace(s, 1, n + 1)),
        ("all the same", lambda g, s, n, lr: [s] * (n + 1)),
        ("two different results", drawn_like(sgd_floor)),
    ],
    ex.check_training_loss: [
        ("wrong axis", loss_of(share=lambda k: k / k.sum(0))),
        ("not normalised", loss_of(share=lambda k: k)),
        ("averaged over n", loss_of(share=lambda k: k / len(k))),
        ("whole matrix", loss_of(share=lambda k: k / k.sum())),
        ("not squared: the exponent", loss_of(lambda d, s: -(d**2) / (2 * s))),
        ("½ is missing:", loss_of(lambda d, s: -(d**2) / s**2)),
        ("sign of the exponent", loss_of(lambda d, s: d**2 / (2 * s**2))),
        ("distance is not squared", loss_of(lambda d, s: -d / s)),
        ("brackets", loss_of(lambda d, s: -(d**2) / 2 * s**2)),
        ("no influence", loss_of(lambda d, s: -(d**2) / 2 + 0 * s)),
        ("own value out", loss_of(own=False)),
        ("added up:", loss_of(judge=lambda r: (r**2).sum())),
        ("halved: leave", loss_of(judge=lambda r: (r**2).mean() / 2)),
        ("root", loss_of(judge=lambda r: (r**2).mean() ** 0.5)),
        ("absolute", loss_of(judge=lambda r: abs(r).mean())),
        ("each key", loss_of(judge=lambda r: r**2)),
        ("broadcast", loss_pairs),
        ("Given NumPy arrays", loss_numpy),
        ("plain number", lambda s, k, v: loss_broadcast(s, k, v).item()),
        ("without gradient", lambda s, k, v: loss_broadcast(s, k, v).detach()),
        ("lead back to sigma", loss_new_leaf),
        ("part of the graph is cut", loss_detached_denominator),
        ("NaN or infinite", loss_root_at_zero),
        ("changes its argument `values`", changes_values(loss_broadcast)),
        ("two different results", drawn_like(loss_broadcast)),
        ("same constant", lambda s, k, v: 0.0 * s + 1),
    ],
    ex.check_leave_one_out: [
        ("own value is left in", loss_of()),
        ("not renormalised", loss_of(share=lambda k: undiagonal(rows(k)))),
        ("denominator but not", loo_denominator_only),
        ("generalised", loo_generalised),
        ("wrong axis", loss_of(share=lambda k: k / k.sum(0), own=False)),
        ("not normalised", loss_of(share=lambda k: k, own=False)),
        ("not squared: the exponent", loss_of(lambda d, s: -(d**2) / (2 * s), own=False)),
        ("½ is missing:", loss_of(lambda d, s: -(d**2) / s**2, own=False)),
        ("sign of the exponent", loss_of(lambda d, s: d**2 / (2 * s**2), own=False)),
        ("added up:", loss_of(own=False, judge=lambda r: (r**2).sum())),
        ("n − 1", loss_of(own=False, judge=lambda r: (r**2).sum() / (len(r) - 1))),
        ("root", loss_of(own=False, judge=lambda r: (r**2).mean() ** 0.5)),
        ("plain number", lambda s, k, v: loo_masked(s, k, v).item()),
        ("without gradient", lambda s, k, v: loo_masked(s, k, v).detach()),
        ("changed in place", loo_in_place),
        ("NaN or infinite", loo_infinite_before_division),
        ("changes its argument `values`", changes_values(loo_masked)),
        ("two different results", drawn_like(loo_masked)),
        ("same constant", lambda s, k, v: 0.0 * s + 1),
    ],
    ex.check_unit_sphere: [
        ("wrong axis", sphere_of(share=lambda z: scipy.special.softmax(z, axis=0))),
        ("not squared: the score", sphere_of(lambda p, s: p / s)),
        ("are halved:", sphere_of(lambda p, s: p / (2 * s**2))),
        ("doubled", sphere_of(lambda p, s: 2 * p / s**2)),
        ("sign of the exponent", sphere_of(lambda p, s: -p / s**2)),
        ("no influence", sphere_of(lambda p, s: p)),
        ("transformer", lambda q, k, s: scipy.special.softmax(q @ k.T / q.shape[1] ** 0.5, 1)),
        ("angle", sphere_of(lambda p, s: -(np.arccos(np.clip(p, -1, 1)) ** 2) / (2 * s**2))),
        ("These are the scores", sphere_of(share=lambda z: z)),
        ("without exp", sphere_of(lambda p, s: p, share=rows)),
        ("are not normalised", sphere_of(share=np.exp)),
        ("log-weights", sphere_of(share=lambda z: scipy.special.log_softmax(z, axis=1))),
        ("nearest key: a kernel", sphere_of(share=lambda z: (z == z.max(1)[:, None]) * 1.0)),
        ("overflows", sphere_of(share=naive)),
        ("all zero", sphere_of(lambda p, s: (p - 1) / s**2, lambda z: np.nan_to_num(naive(z)))),
        ("clipped, which", sphere_of(share=lambda z: naive(np.clip(z, -700, 700)))),
        ("floor under sigma", lambda q, k, s: sphere_shift(q, k, max(s, 0.1))),
        ("transposed", lambda q, k, s: sphere_shift(q, k, s).T),
        ("same weight", lambda q, k, s: np.full((len(q), len(k)), 1 / len(k))),
        ("same constant", lambda q, k, s: np.ones((len(q), len(k)))),
        ("changes its argument `keys`", sphere_sorts_keys),
        ("two different results", drawn_like(sphere_shift)),
    ],
    ex.check_off_sphere: [
        ("key's norm is dropped", off_of(lambda p, k, s: p / s**2)),
        ("lacks its ½", off_of(lambda p, k, s: (p - k**2) / s**2)),
        ("norm is added", off_of(lambda p, k, s: (p + k**2 / 2) / s**2)),
        ("norm is not squared", off_of(lambda p, k, s: (p - k / 2) / s**2)),
        ("not divided by σ²", off_of(lambda p, k, s: p / s**2 - k**2 / 2)),
        ("not doubled", off_of(lambda p, k, s: (p - k**2) / (2 * s**2))),
        ("width is not squared", off_of(lambda p, k, s: (p - k**2 / 2) / s)),
        ("cosine", off_unit_length),
        ("sign of the exponent", off_of(lambda p, k, s: (k**2 / 2 - p) / s**2)),
        ("wrong axis", off_wrong_axis),
        ("overflows", lambda q, k, s: naive((q @ k.T - (k**2).sum(1) / 2) / s**2)),
    ],
    ex.check_rates: [
        ("dimension plays no part in these", lambda d: (-1 / 5, -4 / 5)),
        ("Both signs", lambda d: (1 / (d + 4), 4 / (d + 4))),
        ("swapped", lambda d: (-4 / (d + 4), -1 / (d + 4))),
        ("root of the mean", lambda d: (-1 / (d + 4), -2 / (d + 4))),
        ("Both exponents are that of the width", lambda d: (-1 / (d + 4), -1 / (d + 4))),
        ("one derivative", lambda d: (-1 / (d + 2), -2 / (d + 2))),
        ("interval with its ends", lambda d: (-1 / (d + 3), -3 / (d + 3))),
        ("multiplies where", lambda d: (-1 / (5 * d), -4 / (5 * d))),
        ("whole numbers", lambda d: (-1 // (d + 4), -4 // (d + 4))),
        ("finitely many", lambda d: (-0.5, -1)),
        ("same constant", lambda d: (-0.3, -0.7)),
        ("shape", lambda d: -1 / (d + 4)),
        ("text", lambda d: ("-1/5", "-4/5")),
        ("two different results", drawn_like(rates_list)),
        ("balance", lambda d: (-1 / (d + 5), -4 / (d + 5))),
    ],
    ex.check_coordinate_widths: [
        ("σⱼ² divides", coordinate_of(lambda x, s: (x**2 / s).sum(2))),
        ("multiplied by their widths", coordinate_of(lambda x, s: ((x * s) ** 2).sum(2))),
        ("averaged: each", coordinate_of(lambda x, s: (x**2).sum(2) / s.mean() ** 2)),
        ("first width", coordinate_of(lambda x, s: (x**2).sum(2) / s[0] ** 2)),
        ("no influence", coordinate_of(lambda x, s: (x**2).sum(2))),
        ("distance is not squared", coordinate_of(lambda x, s: ((x / s) ** 2).sum(2) ** 0.5)),
        ("Absolute", coordinate_of(lambda x, s: abs(x / s).sum(2))),
        ("½", coordinate_of(lambda x, s: 2 * ((x / s) ** 2).sum(2))),
        ("sign", coordinate_of(lambda x, s: -((x / s) ** 2).sum(2))),
        ("changes its argument `queries`", coordinate_scales_keys),
    ],
    ex.check_match_length: [
        ("one token too late", match_of(key=1)),
        ("one token too early: it is the text", match_of(query=-1)),
        ("Both ends", match_of(key=-1, query=-1)),
        ("beyond a difference", match_of(stops=False)),
        ("Only the last token", match_of(most=1)),
        ("forwards", lambda t, at: [len(os.path.commonprefix([t[i:], t[at:]])) for i in range(at)]),
        ("wrong order", lambda t, at: match_slices(t, at)[::-1]),
        ("one too large", lambda t, at: 1 + match_lengths(t, at)),
        ("weights", lambda t, at: match_lengths(t, at) / match_lengths(t, at).sum()),
        ("tokens[-1]", match_negative_index),
        ("at most 8", match_of(most=99)),
        ("cut off too early", match_of(most=7)),
        ("cut off too late", match_of(most=9)),
        ("Large and small", lambda t, at: match_slices([w.lower() for w in t], at)),
        ("has shape", lambda t, at: [0, *match_slices(t, at)]),
        ("two different results", drawn_like(match_slices)),
    ],
    ex.check_causal_mask: [
        ("No place sees itself", mask_of(lambda n: np.tri(n, k=-1) > 0)),
        ("one too far", mask_of(lambda n: np.tri(n, k=1) > 0)),
        ("turned round", mask_of(lambda n: np.tri(n).T > 0)),
        ("Nothing is masked", mask_of(lambda n: np.ones((n, n)) > 0)),
        ("itself alone", mask_of(lambda n: np.eye(n) > 0)),
        ("after the softmax", lambda s: scipy.special.softmax(s, axis=1) * np.tri(len(s))),
        ("exp(0) is 1", lambda s: scipy.special.softmax(s * np.tri(len(s)), axis=1)),
        ("−1 is not far", mask_of(hidden=-1.0)),
        ("wrong axis", mask_of(share=lambda z: scipy.special.softmax(z, axis=0))),
        ("whole matrix", mask_of(share=scipy.special.softmax)),
        ("not normalised", mask_of(share=np.exp)),
        ("masked scores", mask_of(share=lambda z: z)),
        ("without exp", lambda s: rows(np.tril(s))),
        ("divided by √n", lambda s: mask_where(s / np.sqrt(len(s)))),
        ("equally", lambda s: rows(np.tri(len(s)))),
        ("largest score: a softmax", mask_of(share=lambda z: (z == z.max(1)[:, None]) * 1.0)),
        ("exchanged", lambda s: mask_where(s.T)),
        ("overflows", mask_exp(lambda s: 0.0)),
        ("times a mask of 0", lambda s: rows(np.exp(s) * np.tri(len(s)))),
        ("whole matrix is subtracted", mask_exp(np.max)),
        ("before the mask", mask_exp(lambda s: s.max(axis=1, keepdims=True))),
        ("−100 is", mask_of(hidden=-100.0)),
        ("all zero", lambda s: np.nan_to_num(mask_exp(lambda s: 0.0)(s))),
        ("has shape", lambda s: mask_where(s)[:, :-1].T),
    ],
    ex.check_induction: [
        ("themselves", induction_of(earlier)),
        ("stood *before*", induction_of(lambda t: earlier(t) - 1)),
        ("latest earlier", induction_of(lambda t: earlier(t)[-1:] + 1)),
        ("first occurrence votes", induction_of(lambda t: earlier(t)[:1] + 1)),
        ("ever followed", lambda t, n: rows((induction_counts(t, n) > 0)[None] * 1.0)[0]),
        ("counted", lambda t, n: np.bincount(t[1:][t[:-1] == t[-1]], minlength=n)),
        ("to the winner", lambda t, n: np.eye(n)[induction_counts(t, n).argmax()]),
        ("All tokens vote", induction_of(lambda t: range(len(t)))),
        ("softmax was taken", lambda t, n: scipy.special.softmax(induction_counts(t, n))),
        ("two tokens ahead", induction_of(lambda t: earlier(t) + 2)),
        ("look like 1", induction_softly(1)),
        ("np.roll", induction_of(lambda t: np.flatnonzero(np.roll(t, 1) == t[-1]))),
        ("first token of the text is left out", induction_of(lambda t: earlier(t[1:]) + 2)),
        ("just before the end", induction_of(lambda t: earlier(t)[earlier(t) < len(t) - 2] + 1)),
        ("two different results", drawn_like(induction_counts)),
        ("same constant", lambda t, n: np.zeros(n)),
    ],
    ex.check_own_kernel: [
        ("not compact", KERNELS["gaussian"]),
        ("jumps", KERNELS["boxcar"]),
        ("constant kernel", KERNELS["constant"]),
        ("kink at its peak", KERNELS["triangular"]),
        ("kink where it becomes zero", KERNELS["epanechnikov"]),
        ("rises again", lambda u: (1 - u**2) ** 2),
        ("negative beyond", lambda u: 1 - u**2),
        ("negative: weights", lambda u: np.where(abs(u) < 1, (1 - u**2) ** 2 * (1 - 2 * u**2), 0)),
        ("not even", lambda u: np.where(abs(u) < 1, (1 - u**2) ** 2 * (1 + u / 2), 0)),
        ("any shape", lambda u: (1 - u**2) ** 2 if abs(u) < 1 else 0),
        ("shape must be kept", lambda u: smooth_quartic(u).sum()),
        ("zero everywhere", lambda u: 0 * u),
        ("rises with distance", lambda u: smooth_quartic(2 * abs(u) - 1)),
        ("normalise", lambda u: smooth_quartic(u) / smooth_quartic(u).sum()),
        ("gives up", lambda u: smooth_quartic(u / 0.3)),
        ("changes its argument", lambda u: np.maximum(1 - np.square(u, out=u), 0) ** 2),
    ],
    ex.check_gaps: [
        ("is 0,", silent_zero),
        ("mean of all", gaps_of(lambda d, v: v.mean())),
        ("nearest", gaps_of(lambda d, v: v[d.argmin(1)])),
        ("infinite", gaps_of(lambda d, v: np.inf)),
        ("dropped", gaps_dropped),
        ("exactly sigma", gaps_of(lambda d, v: np.nan, lambda d, s: d < s)),
        ("in all", gaps_of(lambda d, v: np.nan, lambda d, s: d <= s / 2)),
        ("added, which", lambda q, k, v, s: (abs(q[:, None] - k) <= s) @ v),
        ("NaN everywhere", lambda q, k, v, s: np.full(len(q), np.nan)),
    ],
    ex.check_temperature: [
        ("inverse", lambda s, c: 1 / temperature_brentq(s, c)),
        ("width σ", lambda s, c: temperature_brentq(s, c) ** 0.5),
        ("perplexity", temperature_of(lambda w: np.exp(scipy.stats.entropy(w)))),
        ("1 / max w", temperature_of(lambda w: 1 / w.max())),
        ("logarithm", lambda s, c: np.log(temperature_brentq(s, c))),
        ("Half", lambda s, c: temperature_brentq(s, c) / 2),
        ("at temperature", lambda s, c: effective(s, 1)),
        ("These are the weights", lambda s, c: scipy.special.softmax(s / temperature_brentq(s, c))),
        ("count itself", lambda s, c: c),
        ("same constant", lambda s, c: 1.0),
    ],
    ex.check_adaptive_widths: [
        ("sign of the power", adaptive_of(power=0.5)),
        ("power is −1", adaptive_of(power=-1)),
        ("arithmetic", adaptive_of(centre=np.mean)),
        ("median", adaptive_of(centre=np.median)),
        ("g is missing", adaptive_of(centre=lambda x: 1.0)),
        ("multiply them by sigma", adaptive_of(scale="one")),
        ("multiply the pilot", adaptive_of(scale="pilot")),
        ("estimated with the width sigma", adaptive_of(width="sigma")),
        ("left out", adaptive_of(own=False)),
    ],
    ex.check_local_linear: [
        ("plain local means", lambda q, k, v, s: nadaraya_watson(q, k, v, sigma=s).estimate),
        ("one line serves", lambda q, k, v, s: np.polyval(np.polyfit(k, v, 1), q)),
        ("count twice", lines_of(lambda u: bell(u) ** 2, lambda a, b, q: a)),
        ("count half", lines_of(lambda u: bell(u) ** 0.5, lambda a, b, q: a)),
        ("slope is returned", lines_of(bell, lambda a, b, q: b)),
        ("coordinate is 0", lines_of(bell, lambda a, b, q: a - b * q)),
        ("counted twice", lines_of(bell, lambda a, b, q: a + b * q)),
        ("sign of the exponent", lines_of(lambda u: 1 / bell(u), lambda a, b, q: a)),
    ],
    ex.check_standard_error: [
        ("variance of the estimate", lambda w, v: v * (w**2).sum(1)),
        ("not under the root", lambda w, v: v * np.linalg.norm(w, axis=1)),
        ("no influence", lambda w, v: np.linalg.norm(w, axis=1)),
        ("equal weights: take", lambda w, v: [(v / w.shape[1]) ** 0.5] * len(w)),
        ("s/n: even", lambda w, v: [v**0.5 / w.shape[1]] * len(w)),
        ("one by one", lambda w, v: np.sqrt(v * w.sum(1) ** 2)),
        ("over the queries", lambda w, v: np.sqrt(v * (w**2).sum(0))),
        ("whole matrix", lambda w, v: math.sqrt(v) * np.linalg.norm(w)),
        ("averaged", lambda w, v: np.sqrt(v * (w**2).mean(1))),
        ("effective number of keys, 1/", lambda w, v: 1 / (w**2).sum(1)),
        ("multiplied with it", lambda w, v: np.sqrt(v / (w**2).sum(1))),
        ("not by its root", lambda w, v: v**0.5 * (w**2).sum(1)),
        ("largest weight", lambda w, v: v**0.5 * w.max(1)),
        ("own mean is subtracted", lambda w, v: v**0.5 * w.std(1)),
        ("noise of a new value", lambda w, v: np.sqrt(v + v * (w**2).sum(1))),
        ("two standard errors", lambda w, v: 2 * error_plain(w, v)),
        ("1.96", lambda w, v: 1.96 * error_plain(w, v)),
    ],
    ex.check_slope: [
        ("sign is wrong", lambda *a: -slope_covariance(*a)),
        ("not squared: the score", lambda q, k, v, s: slope_covariance(q, k, v, s) * s),
        ("not divided by σ²", lambda q, k, v, s: slope_covariance(q, k, v, s) * s**2),
        ("half of the slope", lambda *a: slope_covariance(*a) / 2),
        ("twice the slope", lambda *a: 2 * slope_covariance(*a)),
        (
            "derivative of the quotient",
            lambda q, k, v, s: (gaussian_weights(q, k, s) * (k - q[:, None])) @ v / s**2,
        ),
        ("slope of the local line", slope_per_spread),
        (
            "ddof=0",
            lambda q, k, v, s: [
                np.cov(k, v, aweights=w)[0, 1] / s**2 for w in gaussian_weights(q, k, s)
            ],
        ),
        ("count equally", lambda q, k, v, s: [np.cov(k, v, ddof=0)[0, 1] / s**2] * len(q)),
        ("estimate itself", lambda q, k, v, s: gaussian_weights(q, k, s) @ v),
        ("product of their means", lambda q, k, v, s: gaussian_weights(q, k, s) @ (k * v) / s**2),
        ("variance of the keys over", lambda q, k, v, s: slope_covariance(q, k, k, s)),
        ("½ is missing", lambda q, k, v, s: slope_covariance(q, k, v, s / 2**0.5) / 2),
        ("underflows to 0/0", slope_naive),
        ("were hidden", lambda *a: np.nan_to_num(slope_naive(*a))),
    ],
    ex.check_delta_rule: [
        ("before it is asked", in_turn_of(lambda W, k, v, r: W + r * (v - W @ k) * k, told=True)),
        ("last memory", lambda k, v, r: k @ in_turn_memory(k, v, r)),
        ("sign of the correction", lambda k, v, r: in_turn_loop(k, v, -r)),
        ("taken off the value", in_turn_of(lambda W, k, v, r: W + r * v * k)),
        ("shrinks as a whole", in_turn_of(lambda W, k, v, r: W + r * (v * k - W))),
        ("rate has no influence", lambda k, v, r: in_turn_loop(k, v, 1)),
        ("twice as long", lambda k, v, r: in_turn_loop(k, v, 2 * r)),
        ("share that is kept", lambda k, v, r: in_turn_loop(k, v, 1 - r)),
        (
            "key's length",
            in_turn_of(lambda W, k, v, r: W + r * (v - W @ k) * k / np.linalg.norm(k) ** 2),
        ),
        ("same for all coordinates", in_turn_of(lambda W, k, v, r: W + r * (v - W @ k))),
        ("overwrites", in_turn_of(lambda W, k, v, r: r * (v - W @ k) * k)),
        ("values less the answers", lambda k, v, r: v - in_turn_loop(k, v, r)),
    ],
}


# ---------------------------------------------------------------- subtle faults, by part

# Answers that are right on many inputs. The word is of the message, which must be true of each.


def of_keys(change, right, place=1):
    """Return an answer that changes the argument at some place before it is right."""

    def answer(*arguments):
        arguments = list(arguments)
        arguments[place] = change(arguments[place])
        return right(*arguments)

    return answer


def kept_by_shape(right):
    """Return an answer that remembers what it returned for arguments of the same shape."""
    kept = {}

    def answer(*arguments):
        key = tuple(np.shape(a) for a in arguments if not callable(a))
        return kept.setdefault(key, right(*arguments))

    return answer


def tires(right, calls=3):
    """Return an answer that is right in its first calls alone."""
    count = iter(range(10**9))
    return lambda *arguments: right(*arguments) if next(count) < calls else 0.0


def half_precision(right):
    def answer(*arguments):
        return right(*(a.astype(np.float16) if isinstance(a, np.ndarray) else a for a in arguments))

    return answer


def parzen_filtered(filtered):
    def answer(queries, keys, labels, kernel, sigma):
        u = scipy.spatial.distance.cdist(column(queries), column(keys)) / sigma
        return filtered(kernel, u) @ labels

    return answer


def parzen_first_of_each_key(queries, keys, labels, kernel, sigma):
    _, first = np.unique(column(keys), axis=0, return_index=True)
    return parzen_vectorised(queries, keys[first], labels[first], kernel, sigma) * len(first)


def parzen_zero_without_both(queries, keys, labels, kernel, sigma):
    right = parzen_vectorised(queries, keys, labels, kernel, sigma)
    return right if abs(labels.sum()) < len(labels) else 0 * right


def parzen_sorted(queries, keys, labels, kernel, sigma):
    return parzen_vectorised(queries, np.sort(keys, axis=0), labels, kernel, sigma)


def adam(gradient, sigma, steps, lr):
    visited, first, second = [sigma], 0.0, 0.0
    for t in range(1, steps + 1):
        slope = gradient(sigma)
        first, second = 0.9 * first + 0.1 * slope, 0.999 * second + 0.001 * slope**2
        step = first / (1 - 0.9**t) / (math.sqrt(second / (1 - 0.999**t)) + 1e-8)
        sigma = max(sigma - lr * step, 1e-3)
        visited.append(sigma)
    return visited


def sgd_decaying(gradient, sigma, steps, lr):
    visited = [sigma]
    for t in range(1, steps + 1):
        visited.append(max(visited[-1] - lr / t * gradient(visited[-1]), 1e-3))
    return visited


def sgd_stops_early(gradient, sigma, steps, lr):
    visited = [sigma]
    for _ in range(steps):
        slope = gradient(visited[-1])
        if abs(slope) < 1e-5:
            break
        visited.append(max(visited[-1] - lr * slope, 1e-3))
    return visited


def sgd_best_so_far(gradient, sigma, steps, lr):
    return np.minimum.accumulate(sgd_floor(gradient, sigma, steps, lr))


def loss_on(pairs):
    """Return the training error of what is left of keys and values."""
    return lambda sigma, keys, values: loss_broadcast(sigma, *pairs(keys, values))


def loss_similar(change, own=True):
    """Return a loss that changes the matrix of similarities before it is normalised."""

    def answer(sigma, keys, values):
        d = abs(keys[:, None] - keys)
        alpha = change(torch.exp(-((d / sigma) ** 2) / 2), d / sigma)
        if not own:
            alpha = undiagonal(alpha)
        return ((alpha @ values / alpha.sum(1) - values) ** 2).mean()

    return answer


def loo_without(same):
    def answer(sigma, keys, values):
        alpha = torch.exp(-(((keys[:, None] - keys) / sigma) ** 2) / 2)
        alpha = alpha * ~same(keys[:, None] == keys, values[:, None] == values)
        return ((alpha @ values / alpha.sum(1) - values) ** 2).mean()

    return answer


def loo_padded(sigma, keys, values):
    alpha = undiagonal(torch.exp(-(((keys[:, None] - keys) / sigma) ** 2) / 2))
    return ((alpha @ values / (alpha.sum(1) + 1e-8) - values) ** 2).mean()


def first_of_each(keys, values):
    _, first = np.unique(keys.numpy(), return_index=True)
    return keys[np.sort(first)], values[np.sort(first)]


def sphere_shifted_by(shift):
    def answer(queries, keys, sigma):
        scores = queries @ keys.T / sigma**2
        return rows(np.exp(scores - shift(scores, sigma)))

    return answer


def sphere_weights(change, right=sphere_shift):
    return lambda queries, keys, sigma: change(right(queries, keys, sigma))


def first_alone(right):
    """Return weights in which a key that repeats counts once."""

    def answer(queries, keys, sigma):
        _, first = np.unique(keys, axis=0, return_index=True)
        return rows(right(queries, keys, sigma) * np.isin(np.arange(len(keys)), first))

    return answer


def turned_if_square(right):
    def answer(queries, keys, sigma):
        weights = right(queries, keys, sigma)
        return weights.T if len(queries) == len(keys) else weights

    return answer


def sphere_per_position(queries, keys, sigma):
    """Return what is right unless there are as many queries as keys."""
    scores = queries @ keys.T / sigma**2
    axis = scores.shape.index(len(keys))
    similarity = np.exp(scores - scores.max(axis=1, keepdims=True))
    return similarity / similarity.sum(axis=axis, keepdims=True)


def off_squared_norms_guarded(queries, keys, sigma):
    lengths = np.linalg.norm(keys, axis=1, keepdims=True)
    return off_formula(queries, keys / lengths * np.clip(lengths, 0.1, 10), sigma)


def bumpy(low, high):
    return lambda u: smooth_quartic(u) + 0.1 * ((np.abs(u) > low) & (np.abs(u) < high))


def gaps_unless(unknown):
    def answer(queries, keys, values, sigma):
        within = abs(queries[:, None] - keys) <= sigma
        total = within @ values
        return np.where(unknown(total), np.nan, total / np.maximum(within.sum(1), 1))

    return answer


def gaps_of_distinct(queries, keys, values, sigma):
    _, first = np.unique(keys, return_index=True)
    return gaps_where(queries, keys[first], values[first], sigma)


def gaps_of_means(queries, keys, values, sigma):
    """Return the mean of the means at the places in reach."""
    places = np.unique(keys)
    means = np.array([values[keys == place].mean() for place in places])
    return gaps_where(queries, places, means, sigma)


def gaps_by_search(queries, keys, values, sigma):
    """Return the right answer for sorted keys."""
    low, high = (
        np.searchsorted(keys, queries + side, where)
        for side, where in ((-sigma, "left"), (sigma, "right"))
    )
    return [values[a:b].mean() if b > a else np.nan for a, b in zip(low, high, strict=True)]


def temperature_between(low, high):
    def answer(scores, count):
        return float(np.clip(temperature_bisection(scores, count), low, high))

    return answer


def temperature_unshifted(scores, count):
    def many(tau):
        similarity = np.exp(scores / tau)
        return similarity.sum() ** 2 / (similarity**2).sum()

    low, high = np.ptp(scores) / 30, np.ptp(scores) * 30
    for _ in range(100):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if many(middle) < count else (low, middle)
    return low


def adaptive_cut(keys, sigma, pilot):
    return np.minimum(adaptive_vectorised(keys, sigma, pilot), 2 * sigma)


def adaptive_distinct(keys, sigma, pilot):
    distinct, places = np.unique(keys, return_inverse=True)
    return adaptive_vectorised(distinct, sigma, pilot)[places]


def lines_changed(change=lambda alpha, u: alpha, ridge=0.0):
    def answer(queries, keys, values, sigma):
        heights = []
        for q in queries:
            alpha = change(bell((keys - q) / sigma), (keys - q) / sigma)
            design = np.stack([np.ones_like(keys), keys - q], axis=1)
            normal = design.T @ (alpha[:, None] * design) + ridge * np.eye(2)
            heights.append(np.linalg.lstsq(normal, design.T @ (alpha * values))[0][0])
        return heights

    return answer


def lines_inside(queries, keys, values, sigma):
    return lines_solve(np.clip(queries, keys.min(), keys.max()), keys, values, sigma)


def slope_difference_of(step):
    """Return an answer that takes differences over the same step at every width."""

    def answer(queries, keys, values, sigma):
        up, down = (gaussian_weights(queries + h, keys, sigma) @ values for h in (step, -step))
        return (up - down) / (2 * step)

    return answer


def match_unless(tokens, at, unknown):
    """Return match lengths that are 0 for some tokens i and lengths n."""
    lengths = enumerate(match_lengths(tokens, at), 1)
    return [0 if unknown(i, n) else n for i, n in lengths]


def induction_of_others(tokens):
    """Return the places that vote if a token cannot follow itself."""
    return [j + 1 for j in earlier(tokens) if tokens[j + 1] != tokens[-1]] or [0]


def in_turn_once(keys, values, rate):
    """Store each key when it is new, and answer later with what was stored."""
    W, found, seen = np.zeros(keys.shape[1]), [], set()
    for k, v in zip(keys, values, strict=True):
        found.append(W @ k)
        if tuple(k) not in seen:
            W = W + rate * (v - W @ k) * k
        seen.add(tuple(k))
    return found


SUBTLE = {
    ex.check_parzen: [
        ("number of keys of class +1", parzen_of(pool=lambda k, y: k @ y / (y > 0).sum())),
        ("number of queries", parzen_of(pool=lambda k, y: k @ y / len(k))),
        ("from call to call", parzen_of(pool=lambda k, y: k @ y / k.std())),
        ("from call to call", lambda q, k, *a: parzen_vectorised(q, k, *a) / np.ptp(column(k))),
        ("far away", parzen_filtered(lambda kernel, u: kernel(u) * (u < 5))),
        ("far away", parzen_filtered(lambda kernel, u: kernel(np.minimum(u, 7)))),
        ("far away", parzen_filtered(lambda kernel, u: kernel(u) + 1e-12)),
        ("where keys repeat", parzen_filtered(lambda kernel, u: kernel(u) * (u > 0))),
        ("where keys repeat", parzen_first_of_each_key),
        ("in others", of_keys(lambda s: max(s, 0.01), parzen_vectorised, 4)),
        ("in others", of_keys(lambda s: min(s, 100.0), parzen_vectorised, 4)),
        ("where one has none", parzen_zero_without_both),
        ("none of the slips", parzen_sorted),
        ("expected", kept_by_shape(parzen_vectorised)),
        ("special case", lambda *a: parzen_vectorised(*a) if len(a[1]) > 1 else np.ones(len(a[0]))),
    ],
    ex.check_sgd: [
        ("does not arrive", sgd_of(lambda s, g, lr: max(s - lr * g, 0.4))),
        ("does not arrive", sgd_of(lambda s, g, lr: max(s - lr * g, 0.05))),
        ("does not arrive", sgd_of(lambda s, g, lr: np.clip(s - lr * g, 1e-3, 5))),
        ("does not arrive", sgd_of(lambda s, g, lr: np.clip(s - lr * g, 1e-3, 30))),
        ("the minimum", sgd_decaying),
        ("no influence", adam),
        (
            "twice as long",
            sgd_of(lambda s, g, lr: max(s - lr * g / math.sqrt(abs(g) + 1e-9), 1e-3)),
        ),
        ("Fewer steps", sgd_stops_early),
        ("gradient is asked for at other widths", sgd_best_so_far),
        ("does not arrive", sgd_of(lambda s, g, lr: max(s - np.clip(lr * g, -0.1, 0.1), 1e-3))),
    ],
    ex.check_training_loss: [
        ("where keys repeat", loss_on(first_of_each)),
        ("where keys repeat", loo_without(lambda key, value: key & ~torch.eye(len(key)).bool())),
        ("expected", loss_similar(lambda k, u: k * (u < 3))),
        ("in others", of_keys(lambda s: s.clamp(min=0.1), loss_broadcast, 0)),
        ("in others", of_keys(lambda s: s.clamp(max=50), loss_broadcast, 0)),
        ("special case", of_keys(abs, loss_broadcast)),
        ("function is right", of_keys(lambda v: v.clamp(-20, 1e9), loss_broadcast, 2)),
        ("special case", lambda s, k, v: loss_broadcast(s, k, v) + (len(k) == 1)),
        ("none of the slips", of_keys(lambda k: k.sort().values, loss_broadcast)),
        ("expected", kept_by_shape(loss_broadcast)),
        ("the gradient in sigma is not", lambda *a: loss_broadcast(*a).detach() + 0 * a[0]),
    ],
    ex.check_leave_one_out: [
        ("at distance 0", loo_without(lambda key, value: key)),
        ("equal to the own one", loo_without(lambda key, value: key & value)),
        ("first alone", lambda s, k, v: loo_masked(s, *first_of_each(k, v))),
        ("far from the rest", loo_padded),
        ("expected", loss_similar(lambda k, u: k * (u < 4) + 1e-30, own=False)),
        ("in others", of_keys(lambda s: s.clamp(min=0.1), loo_masked, 0)),
        ("special case", of_keys(abs, loo_masked)),
        ("special case", lambda s, k, v: loo_masked(s, k, v) if len(k) > 2 else 0 * s),
        ("none of the slips", of_keys(lambda k: k.sort().values, loo_masked)),
        ("expected", kept_by_shape(loo_masked)),
    ],
    ex.check_unit_sphere: [
        ("very small", sphere_weights(lambda w: np.where(w < 1e-6, 0, w))),
        ("very small", sphere_weights(lambda w: (w + 1e-9) / (w + 1e-9).sum(1)[:, None])),
        ("very small", sphere_weights(lambda w: w.round(8))),
        ("underflows to 0/0", sphere_shifted_by(lambda z, s: z.max())),
        ("width 0.01", sphere_shifted_by(lambda z, s: abs(z).max(1)[:, None])),
        ("underflows to 0/0", sphere_shifted_by(lambda z, s: 1 / s**2)),
        ("expected", half_precision(sphere_shift)),
        ("at width 0.01", of_keys(lambda s: max(s, 0.02), sphere_shift, 2)),
        ("where keys repeat", first_alone(sphere_shift)),
        ("special case", sphere_per_position),
        ("special case", of_keys(lambda s: min(s, 5.0), sphere_shift, 2)),
        ("none of the slips", of_keys(lambda k: np.sort(k, axis=0), sphere_shift)),
        ("expected", kept_by_shape(sphere_shift)),
    ],
    ex.check_off_sphere: [
        ("very small", sphere_weights(lambda w: np.where(w < 1e-6, 0, w), off_formula)),
        ("lengths near 1", off_squared_norms_guarded),
        ("lengths near 1", of_keys(lambda k: np.clip(k, -3, 3), off_formula)),
        ("lengths near 1", of_keys(lambda q: q / np.maximum(1, abs(q).max() / 3), off_formula, 0)),
        ("at width 0.01", of_keys(lambda s: max(s, 0.02), off_formula, 2)),
        ("underflows", lambda q, k, s: rows(bell(scipy.spatial.distance.cdist(q, k) / s))),
        (
            "where keys repeat",
            first_alone(off_formula),
        ),
        ("special case", turned_if_square(off_formula)),
        ("expected", kept_by_shape(off_formula)),
    ],
    ex.check_rates: [
        ("balance", lambda d: (-1 / (d + 4), -4 / (d + 4)) if d < 60 else (-1 / 64, -4 / 64)),
        ("balance", lambda d: (round(-1 / (d + 4), 3), round(-4 / (d + 4), 3))),
        ("balance", lambda d: (-1 / (d + 4), max(-4 / (d + 4), -0.5))),
        ("balance", lambda d: (-1 / (d + 4), -4 / (d + 4) - (d % 2) / 100)),
        ("balance", lambda d: (-0.2 * 0.86 ** (d - 1), -0.8 * 0.86 ** (d - 1))),
        ("balance", lambda d: (-1 / (d + 4) - 1e-3, -4 / (d + 4))),
        ("balance", lambda d: (-1 / (d + 4), -4 / (d + 4.1))),
        ("balance", lambda d: (-1 / (min(d, 100) + 4), -4 / (d + 4))),
        ("exception", lambda d: {1: (-1 / 5, -4 / 5), 2: (-1 / 6, -4 / 6), 3: (-1 / 7, -4 / 7)}[d]),
        ("expected", kept_by_shape(rates_list)),
    ],
    ex.check_coordinate_widths: [
        (
            "where they are small",
            lambda *a: (
                (w := np.exp(-(((a[0][:, None] - a[1]) / a[2]) ** 2) @ np.ones(len(a[2])) / 2))
                / (w.sum(1)[:, None] + 1e-15)
            ),
        ),
        (
            "where they are small",
            lambda q, k, s: coordinate_of(lambda x, s: np.minimum(((x / s) ** 2).sum(2), 60))(
                q, k, s
            ),
        ),
        (
            "where they are small",
            sphere_weights(lambda w: np.where(w < 1e-7, 0, w), coordinate_vectorised),
        ),
        ("in others", of_keys(lambda s: np.clip(s, 0.01, None), coordinate_vectorised, 2)),
        ("in others", of_keys(lambda s: np.clip(s, None, 100), coordinate_vectorised, 2)),
        ("expected", lambda q, k, s: coordinate_vectorised(q.round(3), k.round(3), s)),
        (
            "where keys repeat",
            first_alone(coordinate_vectorised),
        ),
        ("special case", turned_if_square(coordinate_vectorised)),
        ("special case", lambda q, k, s: coordinate_vectorised(q, k, s if len(s) > 1 else 1.0)),
        ("none of the slips", of_keys(np.sort, coordinate_vectorised, 2)),
        ("expected", kept_by_shape(coordinate_vectorised)),
    ],
    ex.check_match_length: [
        ("beginning", lambda t, at: match_unless(t, at, lambda i, n: n == i and i > 1)),
        ("Came out", match_of(most=6)),
        ("beginning", lambda t, at: match_unless(t, at, lambda i, n: i == 1)),
        ("beginning", lambda t, at: match_unless(t, at, lambda i, n: n == i)),
        ("Came out", lambda t, at: match_slices(t, len(t) - 1)[:at]),
        ("special case", lambda t, at: match_slices(t, at) if at > 1 else [0]),
        ("Large and small", lambda t, at: match_slices([w.capitalize() for w in t], at)),
        ("special case", lambda t, at: match_unless(t, at, lambda i, n: i < at - 60)),
        ("Came out", lambda t, at: match_slices([w[0] for w in t], at)),
        ("expected", lambda t, at: match_slices(sorted(t), at)),
        ("expected", kept_by_shape(match_slices)),
        ("expected", lambda t, at: np.minimum(match_lengths(t, at), 4)),
    ],
    ex.check_causal_mask: [
        ("small ones are not", lambda s: mask_where(s).round(9)),
        ("small ones are not", lambda s: rows(mask_where(s) + 1e-12 * np.tri(len(s)))),
        ("small ones are not", lambda s: np.where(mask_where(s) < 1e-8, 0, mask_where(s))),
        ("small ones are not", lambda s: mask_where(np.clip(s, -30, 30))),
        ("large ones", lambda s: mask_where(np.clip(s, -700, 700))),
        ("large ones", lambda s: mask_where(s / max(1, abs(s).max() / 100))),
        ("none of the slips", lambda s: mask_where(s) + 1e-5 * np.triu(np.ones_like(s), 1)),
        ("special case", lambda s: mask_where(s) if len(s) > 1 else np.zeros((1, 1))),
        ("special case", lambda s: mask_of(lambda n: np.tri(n, n) - np.tri(n, n, -30) > 0)(s)),
        ("special case", lambda s: mask_where(s) if np.ptp(s) else rows(np.ones_like(s))),
        ("expected", kept_by_shape(mask_where)),
        ("none of the slips", lambda s: mask_where(s) * [[1.0], *[[0.99]] * (len(s) - 1)]),
    ],
    ex.check_induction: [
        ("follows itself", induction_of(induction_of_others)),
        ("special case", induction_of(lambda t: [j + 1 for j in earlier(t) if j > len(t) - 40])),
        ("special case", lambda t, n: induction_counts(t, n) if n < 45 else np.ones(n) / n),
        ("expected", lambda t, n: induction_counts(t, n).round(2)),
        (
            "special case",
            lambda t, n: (
                induction_counts(np.append(t, t[-1]), n) if n == 2 else induction_counts(t, n)
            ),
        ),
        ("not sharp enough", induction_softly(4)),
        ("none of the slips", induction_softly(7)),
        ("none of the slips", lambda t, n: induction_counts(t, n) * 0.99 + 0.01 / n),
        ("none of the slips", induction_of(lambda t: earlier(t)[-2:] + 1)),
        ("none of the slips", induction_of(lambda t: [*(earlier(t) + 1), *(earlier(t)[:1] + 1)])),
        ("first token", lambda t, n: induction_counts(t[int(t[0] == t[-1]) :], n)),
        ("expected", kept_by_shape(induction_counts)),
    ],
    ex.check_own_kernel: [
        ("rises again", bumpy(4, 5)),
        ("rises again", bumpy(300, 320)),
        ("rises with distance", bumpy(0.7, 0.72)),
        ("not compact", lambda u: np.exp(-20 * u**2)),
        ("not compact", lambda u: np.exp(-60 * u**2)),
        ("not compact", lambda u: smooth_quartic(u / 1.01)),
        ("jumps", lambda u: smooth_quartic(u) + 0.01 * (abs(u) < 0.6)),
        ("jumps", lambda u: np.exp(-9 * u**2) * (abs(u) < 1)),
        ("jumps", lambda u: np.where(u == 0, 1.1, smooth_quartic(u))),
        ("jump", lambda u: np.where(abs(u) < 0.5, 1, 2 * smooth_quartic(u / 1.0) * 0.8)),
        ("kink where it becomes zero", lambda u: np.cos(np.pi / 2 * np.clip(u, -1, 1))),
        (
            "kink where it becomes zero",
            lambda u: 0.95 * smooth_quartic(u) + 0.05 * np.maximum(1 - u**2, 0),
        ),
        ("kink: its slope", lambda u: smooth_quartic(u) + 0.1 * np.maximum(0.16 - u**2, 0)),
        ("kink at its peak", lambda u: np.maximum(1 - abs(u), 0) ** 2),
        ("depends on the others", lambda u: smooth_quartic(u) / smooth_quartic(u).max()),
        ("depends on the others", lambda u: smooth_quartic(u / max(1, abs(u).max() / 5))),
        ("not even", lambda u: smooth_quartic(u) * (1 + 1e-3 * u)),
    ],
    ex.check_gaps: [
        ("do not add up to more than 0", gaps_unless(lambda total: total <= 0)),
        ("add up to 0", gaps_unless(lambda total: total == 0)),
        ("NaN", gaps_by_search),
        ("where keys repeat", gaps_of_distinct),
        ("where keys repeat", gaps_of_means),
        ("in others", gaps_of(lambda d, v: np.nan, lambda d, s: d <= s + 1e-3)),
        ("in others", of_keys(lambda s: max(s, 0.01), gaps_where, 3)),
        ("none of the slips", of_keys(abs, of_keys(abs, gaps_where), 0)),
        ("none of the slips", half_precision(gaps_where)),
        (
            "special case",
            lambda q, k, v, s: gaps_where(q, k, v, s) if len(k) > 1 else np.full(len(q), v[0]),
        ),
        ("special case", lambda q, k, v, s: gaps_where(k if len(q) == len(k) else q, k, v, s)),
        ("expected", kept_by_shape(gaps_where)),
    ],
    ex.check_temperature: [
        ("in others", temperature_between(0.01, 1e6)),
        ("in others", temperature_between(1e-6, 100)),
        ("far from it", temperature_unshifted),
        ("far from it", of_keys(lambda s: np.maximum(s, -100), temperature_bisection, 0)),
        ("none of the slips", lambda s, c: round(temperature_bisection(s, c), 2)),
        ("none of the slips", lambda s, c: 1.002 * temperature_bisection(s, c)),
        ("special case", of_keys(lambda c: min(c, 20), temperature_bisection)),
        ("special case", lambda s, c: temperature_bisection(s, max(c, 1.25))),
        ("none of the slips", lambda s, c: temperature_bisection(np.unique(s.round(1)), c)),
        ("none of the slips", of_keys(round, temperature_bisection)),
        ("expected", kept_by_shape(lambda s, c: temperature_bisection(s, c))),
    ],
    ex.check_adaptive_widths: [
        ("where keys repeat", adaptive_distinct),
        ("in others", of_keys(lambda p: max(p, 0.01), adaptive_vectorised, 2)),
        ("in others", of_keys(lambda p: min(p, 100), adaptive_vectorised, 2)),
        ("none of the slips", lambda k, s, p: adaptive_vectorised(k, s, max(s, p))),
        ("none of the slips", of_keys(np.sort, adaptive_vectorised, 0)),
        ("special case", of_keys(abs, adaptive_vectorised, 0)),
        ("expected", adaptive_cut),
        ("special case", lambda k, s, p: adaptive_vectorised(k, s, p) if len(k) > 1 else [p]),
        ("expected", kept_by_shape(adaptive_vectorised)),
    ],
    ex.check_local_linear: [
        ("all keys are far", lines_changed(lambda alpha, u: alpha * (abs(u) < 5))),
        ("all keys are far", lines_changed(ridge=1e-6)),
        ("all keys are far", lines_changed(lambda alpha, u: alpha + 1e-7)),
        ("expected there", lines_inside),
        (
            "where keys repeat",
            lambda q, k, v, s: lines_solve(
                q, *map(np.array, first_of_each(*map(torch.tensor, (k, v)))), s
            ),
        ),
        ("in others", of_keys(lambda s: max(s, 0.01), lines_solve, 3)),
        ("in others", of_keys(lambda s: min(s, 100), lines_solve, 3)),
        ("at its ends", of_keys(abs, of_keys(abs, lines_solve), 0)),
        (
            "special case",
            lambda q, k, v, s: lines_solve(q, k, v, s) if len(k) > 2 else np.full(len(q), v.mean()),
        ),
        ("special case", lambda q, k, v, s: lines_solve(k if len(q) == len(k) else q, k, v, s)),
        ("none of the slips", of_keys(np.sort, lines_solve)),
        ("expected", kept_by_shape(lines_solve)),
    ],
    ex.check_standard_error: [
        ("of either sign", lambda w, v: error_plain(np.maximum(w, 0), v)),
        ("of either sign", lambda w, v: np.sqrt(v * (w * abs(w)).sum(1))),
        ("in others", lambda w, v: np.maximum(error_plain(w, v), 1e-3)),
        ("in others", of_keys(lambda v: max(v, 1e-6), error_plain)),
        ("in others", of_keys(lambda v: min(v, 1e6), error_plain)),
        ("special case", lambda w, v: np.sqrt(v * np.nansum(w**2, axis=1))),
        ("special case", lambda w, v: error_plain(w.T if len(w) == w.shape[1] else w, v)),
        ("special case", lambda w, v: error_plain(w, v) if len(w) > 1 else [v**0.5]),
        ("special case", lambda w, v: error_plain(w, v) if w.shape[1] > 1 else [0.0] * len(w)),
        ("expected", lambda w, v: error_plain(np.where(w < 0.01, 0, w), v)),
        ("none of the slips", lambda w, v: 1.001 * error_plain(w, v)),
        ("expected", kept_by_shape(error_plain)),
    ],
    ex.check_slope: [
        ("floor under sigma", lambda q, k, v, s: slope_covariance(q, k, v, max(s, 0.1))),
        ("at width 0.01", lambda q, k, v, s: slope_covariance(q, k, v, max(s, 0.02))),
        (
            "nearest key had all",
            lambda q, k, v, s: 0 * q if s < 0.1 else slope_covariance(q, k, v, s),
        ),
        ("at width 0.01", slope_difference_of(1e-3)),
        (
            "where keys repeat",
            lambda q, k, v, s: slope_covariance(
                q, *map(np.array, first_of_each(*map(torch.tensor, (k, v)))), s
            ),
        ),
        ("in others", lambda q, k, v, s: slope_covariance(q, k, v, min(s, 100))),
        ("expected", lambda q, k, v, s: slope_covariance(np.clip(q, k.min(), k.max()), k, v, s)),
        ("expected", of_keys(abs, of_keys(abs, slope_covariance, 0))),
        (
            "special case",
            lambda q, k, v, s: slope_covariance(k if len(q) == len(k) else q, k, v, s),
        ),
        (
            "special case",
            lambda q, k, v, s: slope_covariance(q, k, v, s) if len(k) > 1 else v / s + 0 * q,
        ),
        ("none of the slips", of_keys(np.sort, slope_covariance)),
        ("expected", kept_by_shape(slope_covariance)),
    ],
    ex.check_delta_rule: [
        ("where keys repeat", in_turn_once),
        ("in others", lambda k, v, r: in_turn_loop(k, v, min(r, 1))),
        ("in others", lambda k, v, r: in_turn_loop(k, np.clip(v, -100, 100), r)),
        ("in others", lambda k, v, r: np.round(in_turn_loop(k, v, r), 5)),
        (
            "special case",
            lambda k, v, r: np.concatenate(
                [in_turn_loop(k[i : i + 99], v[i : i + 99], r) for i in range(0, len(v), 99)]
            ),
        ),
        (
            "special case",
            lambda k, v, r: in_turn_loop(k, v, r) if k.shape[1] > 1 else 0 * v,
        ),
        ("special case", lambda k, v, r: in_turn_loop(k, v, r) if len(v) > 1 else v),
        ("none of the slips", lambda k, v, r: in_turn_loop(k[::-1], v[::-1], r)[::-1]),
        ("none of the slips", lambda k, v, r: in_turn_loop(k, v - v.mean(), r)),
        ("expected", kept_by_shape(in_turn_loop)),
    ],
}

ALL_SUBTLE = [
    pytest.param(check, word, answer, id=f"{check.__name__}-{i}-{word}")
    for check, faults in SUBTLE.items()
    for i, (word, answer) in enumerate(faults)
]


@pytest.mark.parametrize(("check", "word", "answer"), ALL_SUBTLE)
def test_what_is_right_on_most_inputs_alone_fails(check, word, answer, unrehearsed):
    result = check(answer)
    assert not result.passed
    assert word in result.message


@pytest.mark.parametrize("calls", [1, 2, 4])
@pytest.mark.parametrize("check", RIGHT, ids=named)
def test_an_answer_that_is_right_in_its_first_calls_alone_fails(check, calls, unrehearsed):
    result = check(tires(RIGHT[check][0], calls))
    assert not result.passed
    assert "passed" not in result.heading


@pytest.fixture(scope="module")
def told():
    """Return what each check says of each slip."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "_rehearse", lambda *_: None)
        patch.setattr(judging, "fresh_seed", itertools.count().__next__)
        return {check: [check(answer) for _, answer in slips] for check, slips in SLIPS.items()}


@pytest.mark.parametrize("check", SLIPS, ids=named)
def test_each_known_slip_is_named(check, told):
    for (word, _), result in zip(SLIPS[check], told[check], strict=True):
        assert not result.passed
        assert word in result.message
        assert len(result.message) > 40


@pytest.mark.parametrize("check", SLIPS, ids=named)
def test_different_slips_are_told_different_things(check, told):
    messages = [re.sub(r"[\d.eE+-]+", "", result.message) for result in told[check]]
    hints = [message.split("\n")[0] for message in messages]
    assert len(set(hints)) == len(hints)


@pytest.mark.parametrize("check", SLIPS, ids=named)
def test_every_part_has_eight_right_answers_and_eight_subtle_faults(check):
    assert len(RIGHT[check]) >= 8
    assert len(SUBTLE[check]) >= 8
    assert len(SLIPS[check]) >= 5


def test_a_slip_written_in_numpy_is_named_although_tensors_are_given():
    assert "wrong axis" in ex.check_training_loss(loss_numpy_wrong_axis).message


def test_an_answer_that_knows_the_inputs_of_an_earlier_check_does_not_pass(monkeypatch):
    monkeypatch.setattr(judging, "fresh_seed", FRESH_SEED)
    seen = {}

    def fingerprint(arguments):
        return tuple(np.asarray(a).tobytes() for a in arguments if not callable(a))

    def learns(*arguments):
        return seen.setdefault(fingerprint(arguments), parzen_vectorised(*arguments))

    def recalls(queries, *arguments):
        return seen.get(fingerprint((queries, *arguments)), np.arange(len(queries)))

    assert ex.check_parzen(learns).passed
    assert seen
    assert not ex.check_parzen(recalls).passed


@pytest.mark.parametrize("check", RIGHT, ids=named)
@pytest.mark.parametrize("stub", [None, ..., lambda *_: None, lambda *_: ...], ids=named)
def test_a_stub_is_not_attempted_yet(check, stub):
    result = check(stub)
    assert not result.passed
    assert result.message.startswith("Not attempted yet")


# ---------------------------------------------------------------- hostile answers


class RaisesWhenRead:
    def __array__(self, *_, **__):
        raise LookupError("go away")

    __eq__ = __float__ = __len__ = __iter__ = __array__
    __hash__ = None


class Unprintable(Exception):
    def __str__(self):
        raise ValueError("never")


def raises(error):
    def answer(*_):
        raise error

    return answer


def nested():
    inner = []
    inner.append(inner)
    return inner


def forever():
    while True:
        yield 1.0


def no_end(*_):
    return no_end(*_)


async def promises(*_):
    return 1.0


HOSTILE = {
    "exception": (raises(KeyError("lost")), "KeyError: 'lost'"),
    "exit": (raises(SystemExit(0)), "SystemExit"),
    "interrupt": (raises(KeyboardInterrupt()), "KeyboardInterrupt"),
    "unprintable": (raises(Unprintable()), "Unprintable"),
    "group": (raises(ZeroDivisionError("one\ntwo")), "two"),
    "signature": (lambda: 0, "takes 0 positional arguments"),
    "recursion": (no_end, "calls itself without end"),
    "strings": (lambda *_: ["1.0", "2.0"], "text"),
    "string": (lambda *_: "1.0", "text"),
    "hidden string": (lambda *_: [Fraction(1, 2), "1"], "text"),
    "complex": (lambda *_: np.ones(3, dtype=complex), "complex"),
    "complex tensor": (lambda *_: torch.ones(3, dtype=torch.complex64), "complex"),
    "ragged": (lambda *_: [[1.0], [1.0, 2.0]], "cannot be read"),
    "holes": (lambda *_: [1.0, None], "None"),
    "dict": (lambda *_: {"width": 1.0}, "type dict"),
    "function": (lambda *_: len, "type builtin_function_or_method"),
    "dates": (lambda *_: np.array(["2020-01-01"], dtype="M8[D]"), "dtype datetime64"),
    "nested": (lambda *_: nested(), "RecursionError"),
    "endless generator": (lambda *_: forever(), "far too many"),
    "large": (lambda *_: np.zeros(10**6), "far too many"),
    "huge": (lambda *_: np.broadcast_to(0.0, (10**6, 10**6)), "far too many"),
    "unreadable": (lambda *_: RaisesWhenRead(), "LookupError: go away"),
    "coroutine": (promises, "async"),
    "no function": (3.0, "type float"),
    "array": (np.ones(3), "type ndarray"),
}
DEADLY = {
    "memory": (lambda *_: np.ones(10**10), "memory"),
    "segfault": (lambda *_: __import__("ctypes").string_at(0), "took Python itself down"),
    "killed": (lambda *_: __import__("os").kill(__import__("os").getpid(), 9), "SIGKILL"),
    "left": (lambda *_: __import__("os")._exit(0), "ended Python"),
}
CONTRACT = [
    ex.check_parzen,
    ex.check_sgd,
    ex.check_training_loss,
    ex.check_leave_one_out,
    ex.check_unit_sphere,
    ex.check_rates,
]
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux rehearses in a copy")


@pytest.mark.parametrize("check", RIGHT, ids=named)
def test_no_answer_makes_a_check_raise(check, unrehearsed):
    for answer, word in HOSTILE.values():
        result = check(answer)
        assert not result.passed
        assert word in result.message


@LINUX
@pytest.mark.parametrize("check", CONTRACT, ids=named)
def test_no_answer_ends_python(check):
    for answer, word in DEADLY.values():
        result = check(answer)
        assert not result.passed
        assert word in result.message


@LINUX
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_answer_is_told_the_same_after_a_rehearsal(name):
    answer, word = HOSTILE[name]
    assert word in ex.check_rates(answer).message


def sleeps(*_):
    time.sleep(60)


def loops(*_):
    while True:
        pass


def swallows(*_):
    while True:
        try:
            while True:
                time.sleep(0.01)
        except BaseException:
            continue


def keeps_the_interpreter(*_):
    return sum(range(10**12))


def prints(*_):
    while True:
        print("still here")


class HangsWhenRead:
    def __array__(self, *_, **__):
        loops()


HANGING = [
    loops,
    prints,
    lambda *_: HangsWhenRead(),
    pytest.param(keeps_the_interpreter, marks=LINUX),
    swallows,
    sleeps,
]


@pytest.mark.parametrize(("share", "stopped"), [(1.0, True), (0.2, False), (0.0, True)])
def test_an_answer_that_waits_for_a_busy_processor_is_not_stopped(monkeypatch, share, stopped):
    def ends_after_a_second():
        end = time.monotonic() + 1
        while time.monotonic() < end:
            pass

    monkeypatch.setattr(limits, "_rehearse", lambda *_: None)
    monkeypatch.setattr(limits._Runner, "spent", lambda thread: share * time.monotonic())
    with pytest.raises(limits.Stopped) if stopped else contextlib.nullcontext():
        limits.within_limits(ends_after_a_second, 0.5)


# Tests that leave sleeping threads behind run in one process, one after another.
SLEEPERS = pytest.mark.xdist_group("sleepers")


# Before the others: an exception that waits to be thrown into a sleeping thread keeps CPython from
# tracing a loop as short as this.
@SLEEPERS
def test_a_hanging_answer_is_stopped_where_there_are_no_threads(monkeypatch):
    def refuse(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(limits.sys, "platform", "emscripten")
    monkeypatch.setattr(limits.threading.Thread, "start", refuse)
    before = sys.gettrace()
    # Python in a browser is slower, and so is given longer.
    with pytest.raises(limits.Stopped, match="within 0.9 seconds"):
        limits.within_limits(loops, 0.3)
    assert sys.gettrace() is before
    assert ex.check_rates(rates_list).passed
    assert "KeyError" in ex.check_rates(raises(KeyError("lost"))).message


@SLEEPERS
@pytest.mark.parametrize("answer", HANGING[:4], ids=named)
def test_an_answer_that_hangs_is_stopped(answer, capsys, monkeypatch):
    monkeypatch.setattr(judging, "within_limits", lambda task: limits.within_limits(task, 0.3))
    result = ex.check_rates(answer)
    assert not result.passed
    assert "did not come back within 0.3 seconds" in result.message
    assert len(capsys.readouterr().out) <= 10_000


@SLEEPERS
@pytest.mark.slow
@pytest.mark.parametrize("answer", HANGING, ids=named)
def test_no_answer_hangs_a_check(answer, capsys):
    begun = time.monotonic()
    result = ex.check_rates(answer)
    assert time.monotonic() - begun < 15
    assert not result.passed
    assert "did not come back" in result.message
    assert len(capsys.readouterr().out) <= 10_000


@SLEEPERS
@pytest.mark.parametrize("answer", [loops, swallows, prints, sleeps], ids=named)
def test_a_hanging_answer_is_stopped_where_nothing_can_be_rehearsed(answer, monkeypatch):
    monkeypatch.setattr(limits.sys, "platform", "win32")
    with pytest.raises(limits.Stopped, match="within 0.3 seconds"):
        limits.within_limits(answer, 0.3)
    assert limits.within_limits(lambda: 5, 0.3) == 5


def test_a_kink_is_told_by_the_slopes_on_its_sides():
    message = ex.check_own_kernel(KERNELS["epanechnikov"]).message
    slopes = re.search(r"u around -1\. Came out: a slope of (\S+) and then of (\S+),", message)
    before, after = map(float, slopes.groups())
    assert before == 0
    assert after == pytest.approx(2, abs=0.01)


def test_an_answer_may_import_a_large_library(tmp_path, monkeypatch):
    # Longer than the limit, which in turn is longer than a rehearsal.
    monkeypatch.setattr(limits, "REHEARSAL", 0.2)
    (tmp_path / "large_library.py").write_text("import time\ntime.sleep(0.9)\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert limits.within_limits(lambda: bool(__import__("large_library")), 0.5)


@SLEEPERS
def test_an_interrupt_is_told_and_not_raised(monkeypatch):
    monkeypatch.setattr(limits, "_rehearse", lambda *_: _thread.interrupt_main())
    # A shell that has started the tests in the background lets them ignore interrupts.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        assert "interrupted" in ex.check_rates(sleeps).message
    finally:
        signal.signal(signal.SIGINT, before)


def test_the_reader_sees_what_the_answer_prints_once(capfd):
    def answer(d):
        print("d is", d)
        return rates_list(d)

    assert ex.check_rates(answer).passed
    assert capfd.readouterr().out.count("d is 3\n") == 1


# ---------------------------------------------------------------- without torch

WITHOUT_TORCH = """
import sys

class Absent:
    asked = 0

    def find_spec(self, name, *_):
        if name.partition(".")[0] == "torch":
            Absent.asked += 1
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Absent())
import numpy as np
from attention_pooling import leave_one_out, nadaraya_watson, exercises as ex

def training(sigma, keys, values):
    assert isinstance(keys, np.ndarray) and isinstance(sigma, float)
    return np.mean((nadaraya_watson(keys, keys, values, sigma=sigma).estimate - values) ** 2)

def left_out(sigma, keys, values):
    return leave_one_out(keys, values, sigma=sigma).error

assert ex.check_rates(lambda d: (-1 / (d + 4), -4 / (d + 4))).passed
for name in ex.__all__:
    if name.startswith("check") and "loss" not in name and "leave" not in name:
        assert not getattr(ex, name)(lambda *_: ...).passed
        assert not getattr(ex, name)(lambda *_: 1.0).passed
assert not Absent.asked
for result in (ex.check_training_loss(training), ex.check_leave_one_out(left_out)):
    assert result.passed
    assert "gradient in sigma was not compared" in result.message
assert "own value is left in" in ex.check_leave_one_out(training).message
assert Absent.asked
"""


def test_the_losses_alone_ask_for_torch_and_are_checked_by_their_values_without_it():
    subprocess.run([sys.executable, "-c", WITHOUT_TORCH], check=True)


# ---------------------------------------------------------------- what the reader sees


def test_a_result_is_a_box_in_notebooks_and_text_elsewhere():
    result = ex.check_rates(lambda d: raises(ValueError("<b>&</b>"))())
    assert repr(result).startswith("Rates: not yet\n")
    html = result._repr_html_()
    assert "&lt;b&gt;&amp;&lt;/b&gt;" in html
    assert "<script" not in html
    assert "color:inherit" in html


def test_progress_lists_what_the_reader_has_solved(monkeypatch):
    monkeypatch.setattr(result_module, "_states", {})

    def rates_solution(d):
        return rates_list(d)

    assert ex.progress().solved == 0
    ex.check_rates(rates_solution)
    ex.check_rates(lambda d: ...)
    assert ex.progress().solved == 0
    ex.check_rates(lambda d: (1, 1))
    assert "[~] Rates" in repr(ex.progress())
    ex.check_rates(rates_list)
    ex.check_rates(lambda d: (1, 1))
    assert ex.progress().solved == 1
    assert "[x] Rates" in repr(ex.progress())
    assert f"1 of {len(RIGHT)}" in ex.progress()._repr_html_()


def test_the_chapter_runs_each_check_on_a_stub_and_on_a_solution_that_must_pass():
    chapter = (Path(__file__).parent.parent / "chapters" / "exercises.md").read_text()
    for part, exercise in result_module.EXERCISES.items():
        stub, solution = re.findall(rf"^(.*)check_{part}\((\w+)\)", chapter, re.MULTILINE)
        assert stub[0] == ""
        assert solution[0] == "result = "
        assert solution[1].endswith("_solution")
        passed = f"check_{part}({solution[1]})\nassert result.passed, result.message\nresult\n"
        assert passed in chapter
        assert f"**{exercise.title}**" in chapter


def test_progress_lists_every_check_in_the_order_of_the_chapter():
    chapter = (Path(__file__).parent.parent / "chapters" / "exercises.md").read_text()
    in_chapter = re.findall(r"^check_(\w+)\(", chapter, re.MULTILINE)
    titles = [result_module.EXERCISES[part].title for part in in_chapter]
    assert list(ex.progress().states) == titles
    checks = {getattr(ex, name) for name in ex.__all__ if name.startswith("check_")}
    assert checks == {*RIGHT} == {*SLIPS} == {getattr(ex, f"check_{part}") for part in in_chapter}


def test_an_exercise_registers_itself_behind_the_one_that_it_names(monkeypatch):
    monkeypatch.setattr(result_module, "EXERCISES", {**result_module.EXERCISES})
    monkeypatch.setattr(result_module, "_states", {})

    *_, last = result_module.in_order()

    @result_module.check_for("half", "A half", after=last)
    def check_half(f):
        """Check a half."""
        return judging.judged(f, lambda answer, rng: answer(1), "Yes.")

    assert [*result_module.in_order()][-2:] == [last, "half"]
    assert list(ex.progress().states)[-1] == "A half"
    assert check_half.__doc__ == "Check a half."
    assert repr(check_half(lambda x: x)) == "A half: passed\nYes."
    assert "check_half(your_function)" in check_half(0.5).message
    assert ex.progress().states["A half"] == "solved"
