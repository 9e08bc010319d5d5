"""Relaxation laws: sums of exponentials and the stretched exponential, above a floor that is free or known.

Sums of exponentials are the classic ill-conditioned fit: the covariance misleads and a search from a guess finds a
side valley. Three things keep the numbers honest. Amplitudes and floor are linear, so they are projected out
(variable projection; Golub & Pereyra, doi 10.1137/0710036), and what is left is searched on a grid of time constants
first. Intervals come from the profile likelihood in the logarithm of the time constants. A parametric bootstrap stands
beside them. All ends of all intervals, and all replicates, are searched at once: each is a row of the same arrays.
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
