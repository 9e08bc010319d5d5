"""Relaxation laws: sums of exponentials and the stretched exponential, above a floor that is free or known.

The fit of a sum of exponentials is ill-conditioned: the covariance is misleading, and a search from a guess can end in
a local minimum. Three methods make the numbers reliable. First, amplitudes and floor are linear and are projected out
(variable projection; Golub & Pereyra, doi 10.1137/0710036), and the remaining parameters are first searched on a grid
of time constants. Second, intervals come from the profile likelihood in the logarithm of the time constants. Third, a
parametric bootstrap is given for comparison. All ends of all intervals, and all replicates, are searched together as
rows of the same arrays.
"""

from relaxor.stats.decay.fit import fit_decay
from relaxor.stats.decay.intervals import REPLICATES, SEED, bootstrap_decay, profile_decay
from relaxor.stats.decay.laws import DOUBLE, DRIFTING, SINGLE, STRETCHED, TRIPLE, Decay, Law

__all__ = [
    "DOUBLE",
    "DRIFTING",
    "REPLICATES",
    "SEED",
    "SINGLE",
    "STRETCHED",
    "TRIPLE",
    "Decay",
    "Law",
    "bootstrap_decay",
    "fit_decay",
    "profile_decay",
]
