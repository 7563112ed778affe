"""Estimates from sums that NumPy has taken, in PyTorch's graph with their derivative in σ."""

import torch

from .streaming import blocked_estimate


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
        The estimate. Only derivatives of its derivative take each pair of query and key, in blocks.
    """

    def from_pairs(queries, keys, values, sigma):
        return blocked_estimate(queries, keys, values, kernel, sigma, unreached, own)

    return _Recorded.apply(sigma, estimate, slope, from_pairs, queries, keys, values)


class _Recorded(torch.autograd.Function):
    # Functions that PyTorch transforms may close over a width in the graph.
    generate_vmap_rule = True

    @staticmethod
    def forward(sigma, estimate, slope, from_pairs, *points):
        return estimate.clone()

    @staticmethod
    def setup_context(ctx, inputs, output):
        sigma, estimate, slope, ctx.from_pairs, *points = inputs
        # No width changes what is unreached; NaN must not spread from there.
        reached = ~torch.isnan(estimate)
        ctx.save_for_backward(torch.where(reached, slope, 0.0), reached, *points, sigma)

    @staticmethod
    def backward(ctx, given):
        slope, reached, *arrays = ctx.saved_tensors
        sigma = arrays[-1]
        if torch.is_grad_enabled():
            estimate = ctx.from_pairs(*arrays).to(given.dtype)
            (gradient,) = torch.autograd.grad(estimate, sigma, given, create_graph=True)
        else:
            total = torch.sum(torch.where(reached, given, 0.0) * slope)
            gradient = (total / sigma.double()).to(sigma.dtype).reshape(sigma.shape)
        return gradient, *[None] * 6
