"""Estimates from sums that NumPy has taken, in PyTorch's graph with their derivatives."""

import torch

from .streaming import blocked_estimate, is_transformed


def recorded(
    estimate, slope, shares, queries, keys, values, kernel, sigma, unreached="nan", own=None
):
    """Return an estimate as a function of values and σ that PyTorch can differentiate.

    Parameters
    ----------
    estimate, slope : float64 tensor, shape (m,) or (m, c)
        The estimate, and its derivative in ln σ.
    shares : callable
        Leads from derivatives in the estimate to those in the values, in NumPy's arrays.
    queries, keys : tensor, shape (m, 1) and (n, 1)
        Where values are estimated, and where they were observed.
    values : tensor, shape (n,) or (n, c)
        What was observed.
    kernel : callable
        A function of the scaled distance u.
    sigma : tensor, shape () or (1,)
        Width.
    unreached : {"nan", "nearest"}, optional
        What a query gets that no key reaches.
    own : integer tensor, shape (m,), optional
        The key that each query leaves out.

    Returns
    -------
    float64 tensor, shape (m,) or (m, c)
        The estimate. What is unreached adds to no derivative. Derivatives of derivatives, and many
        at once, take each pair of query and key, in blocks.
    """

    def from_pairs(values, sigma, queries, keys):
        return blocked_estimate(queries, keys, values, kernel, sigma, unreached, own)

    return _Recorded.apply(values, sigma, estimate, slope, shares, from_pairs, queries, keys)


class _Recorded(torch.autograd.Function):
    # Functions that PyTorch transforms may close over a tensor in the graph.
    generate_vmap_rule = True

    @staticmethod
    def forward(values, sigma, estimate, slope, shares, from_pairs, queries, keys):
        return estimate.clone()

    @staticmethod
    def setup_context(ctx, inputs, output):
        values, sigma, estimate, slope, ctx.shares, ctx.from_pairs, queries, keys = inputs
        ctx.save_for_backward(estimate, slope, values, sigma, queries, keys)

    @staticmethod
    def backward(ctx, given):
        estimate, slope, *arrays = ctx.saved_tensors
        values, sigma = arrays[:2]
        wanted = ctx.needs_input_grad[:2]
        gradients = [None, None]
        if torch.is_grad_enabled() or is_transformed(given):
            with torch.enable_grad():
                again = ctx.from_pairs(*arrays).to(given.dtype)
                inputs = [array for array in (values, sigma) if array.requires_grad]
                found = iter(torch.autograd.grad(again, inputs, given, create_graph=True))
            gradients = [next(found) if is_wanted else None for is_wanted in wanted]
        else:
            reached = ~torch.isnan(estimate)
            given, slope = (torch.where(reached, array, 0.0) for array in (given, slope))
            if wanted[0]:
                received = torch.from_numpy(ctx.shares(given.numpy()))
                gradients[0] = received.to(values.dtype)
            if wanted[1]:
                total = torch.sum(given * slope) / sigma.double()
                gradients[1] = total.to(sigma.dtype).reshape(sigma.shape)
        return *gradients, *[None] * 6
