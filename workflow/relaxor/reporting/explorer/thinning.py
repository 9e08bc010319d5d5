"""Fewer points of long curves and large images, where a screen shows no more, with a remark that says so."""

from itertools import pairwise

import numpy as np
import xarray as xr

BINS = 1000
"""Bins of a long curve; of each, the smallest and the largest value of every variable stay."""
FEW = 24
"""Largest number of rows of a table of two dimensions that are drawn as curves."""
MOST_VALUES = 2**19
"""Largest number of values of a variable that stay; larger images are averaged over blocks."""


def is_curves(values: xr.DataArray) -> bool:
    """Return whether a variable is one curve along its last dimension, or few."""
    return 0 < values.ndim <= 2 and values.size <= FEW * values.shape[-1]


def thinned(dataset: xr.Dataset) -> tuple[xr.Dataset, list[str]]:
    """Return a dataset with as many points as a page shows, and a remark for each dimension that lost some."""
    remarks = []
    for name, size in dataset.sizes.items():
        users = [values for values in dataset.data_vars.values() if name in values.dims]
        if size > 2 * BINS and all(is_curves(values) and values.dims[-1] == name for values in users):
            kept = _extremes(users, str(name), size)
            dataset = dataset.isel({name: kept})
            remarks.append(
                f"{kept.size} of {size} points along {name}: the smallest and the largest of each of {BINS} bins"
            )
    return _averaged(dataset, remarks)


def _extremes(variables: list[xr.DataArray], dim: str, size: int) -> np.ndarray:
    """Return the sorted positions of the smallest and the largest value of each variable in each bin."""
    edges = np.linspace(0, size, BINS + 1).astype(int)
    kept = {0, size - 1}
    for values in variables:
        if values.dtype.kind not in "iuf":
            continue
        for row in values.transpose(..., dim).values.reshape(-1, size):
            known = np.isfinite(row)
            low, high = np.where(known, row, np.inf), np.where(known, row, -np.inf)
            for start, stop in pairwise(edges):
                kept |= {start + int(low[start:stop].argmin()), start + int(high[start:stop].argmax())}
    return np.array(sorted(kept))


def _averaged(dataset: xr.Dataset, remarks: list[str]) -> tuple[xr.Dataset, list[str]]:
    """Halve the longest dimension of the largest variable until it is small enough."""
    factors: dict[str, int] = {}
    sizes = {str(name): size for name, size in dataset.sizes.items()}
    for values in dataset.data_vars.values():
        while int(np.prod([sizes[str(dim)] for dim in values.dims])) > MOST_VALUES:
            longest = max(map(str, values.dims), key=lambda dim: sizes[dim])
            factors[longest] = 2 * factors.get(longest, 1)
            sizes[longest] = -(-sizes[longest] // 2)
    if not factors:
        return dataset, remarks
    texts = [name for name, values in dataset.variables.items() if values.dtype.kind not in "biuf"]
    numbers = dataset.drop_vars([name for name in texts if factors.keys() & set(dataset[name].dims)])
    smaller = numbers.astype(float).coarsen(factors, boundary="pad").mean(keep_attrs=True)
    return smaller, [*remarks, *(f"mean of {by} neighbours along {dim}" for dim, by in sorted(factors.items()))]
