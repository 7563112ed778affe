"""Estimates from sums that NumPy has taken, in PyTorch's graph with their derivative in σ."""

import torch

from .streaming import blocked_estimate, is_transformed


def recorded(estimate, slope, queries, keys, values, kernel, sigma, unreached="nan", own=None):
    """Return an estimate as a function of σ that PyTorch can differentiate.

    Parameters
    ----------
    estimate, slope : float64 tensor, shape (m,) or (m, c)
        The estimate, and its derivative in ln σ.
    queries, keys : tensor, shape (m, 1) and (n, 1)
        Where values are estimated, and where they were observed.
    values : tensor, shape (n,) or (n, c)
        What was observed.
    kernel : callable
        A function of the scaled distance u.
    sigma : tensor, shape () or (1,)
        Width, in the graph.
    unreached : {"nan", "nearest"}, optional
        What a query gets that no key reaches.
    own : integer tensor, shape (m,), optional
        The key that each query leaves out.

    Returns
    -------
    float64 tensor, shape (m,) or (m, c)
        The estimate. Its derivative takes no time for each pair of query and key, but derivatives
        of the derivative are those of `blocked_estimate`, as are derivatives of many sums at once.
    """

    def from_pairs(queries, keys, values, sigma):
        return blocked_estimate(queries, keys, values, kernel, sigma, unreached, own)

    return _Recorded.apply(sigma, estimate, slope, from_pairs, queries, keys, values)


class _Recorded(torch.autograd.Function):
    @staticmethod
    def forward(ctx, sigma, estimate, slope, from_pairs, *arrays):
        # No width changes what is unreached: a NaN there must not spread.
        reached = ~torch.isnan(estimate)
        ctx.save_for_backward(torch.where(reached, slope, 0.0), reached, *arrays, sigma)
        ctx.from_pairs = from_pairs
        return estimate

    @staticmethod
    def backward(ctx, given):
        slope, reached, *arrays = ctx.saved_tensors
        sigma = arrays[-1]
        if torch.is_grad_enabled() or is_transformed(given):
            estimate = ctx.from_pairs(*arrays).to(given.dtype)
            (gradient,) = torch.autograd.grad(estimate, sigma, given, create_graph=True)
        else:
            total = torch.sum(torch.where(reached, given, 0.0) * slope)
            gradient = (total / sigma.double()).to(sigma.dtype).reshape(sigma.shape)
        return gradient, *[None] * 6
