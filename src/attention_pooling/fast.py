"""The estimate alone, for as many queries and keys as there are."""

import sys
from typing import Any, NamedTuple

import numpy as np
from array_api_compat import is_numpy_array, is_torch_array

from .arrays import checked_points, checked_sigma, checked_values, common_arrays
from .fast_gauss import gaussian_sums
from .kernels import constant, gaussian
from .pooling import chosen_kernel, nadaraya_watson
from .sorted_moments import SIDES, compact_sums


def line_estimate(queries, keys, values, kernel, sigma):
    q = np.argsort(queries); k=np.argsort(keys)
    v = values[k].astype(float)
    v = v[:,None] if v.ndim==1 else v
    size = np.max(abs(v),axis=0)
    scale = np.ldexp(1.0, np.frexp(size)[1])
    cols = np.vstack([np.ones(len(k)), (v/scale).T])
    mass = abs(cols[1:]).max(axis=0)
    if not mass.any(): mass[:]=1
    f = gaussian_sums if kernel is gaussian else (lambda *a: compact_sums(*a, kernel=kernel))
    s = f(queries[q], keys[k], cols, mass, np.asarray(sigma,dtype=keys.dtype)[()])
    est = np.full((len(q), v.shape[1]), np.nan)
    ok = s[0]>0
    est[q[ok]] = (s[1:,ok]/s[0,ok]).T*scale
    return est[:,0] if values.ndim==1 else est
