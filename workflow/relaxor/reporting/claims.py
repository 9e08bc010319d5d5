"""Compare the numbers that a paper reports with those of the results."""

import fnmatch
import math
from collections.abc import Sequence

import pandas as pd

from relaxor.core.errors import nearest
from relaxor.core.results import NORMAL_QUANTILE
from relaxor.core.storage import save_table
from relaxor.core.units import factor
from relaxor.project.lists import Claim, load_claims
from relaxor.reporting.selectors import all_numbers, one, require_listed

NAMES = ("measurement", "model", "parameter", "feature", "at", "raw_sha256", "origin")
"""Columns that identify the number of the results that tests a claim."""
COLUMNS = (
    *("claim", "panel", "quantity", "relation", "reported", "ours", "standard_error", "systematic_error", "unit", "z"),
    *("verdict", "note", *NAMES),
)
AGREES, DIFFERS, CONTRADICTS, NOT_TESTABLE = "agrees", "differs", "the paper contradicts itself", "not testable"


def compare_claims(parameters: Sequence[str], claims: str, comparison: str) -> None:
    """Write ``claims.csv``.

    Parameters
    ----------
    parameters
        ``…/<technique>/parameters.csv`` of all techniques.
    claims
        ``config/claims.yaml``.
    comparison
        Table to write: each claim with our value, its uncertainty, z and the verdict. A claim *agrees* if the
        difference is within 1.96 standard uncertainties (statistical, systematic and the rounding of the printed value
        together). Without a value in the results and its errors, a claim is not testable.

    Raises
    ------
    SheetError
        If the selector of a claim finds no number, or several. A claim about a missing measurement is not testable.
    """
    numbers = all_numbers(parameters)
    rows = [_compare(claim, numbers, claims) for claim in load_claims(claims)]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    save_table(comparison, table, digits=6)


def _compare(claim: Claim, numbers: pd.DataFrame, source: str) -> dict[str, object]:
    row: dict[str, object] = {
        **{key: getattr(claim, key) for key in ("panel", "quantity", "relation", "reported", "unit")},
        **{"claim": claim.id, "verdict": NOT_TESTABLE, "note": claim.not_testable},
    }
    if claim.ours is None:
        return row
    where = f"{source}: claim '{claim.id}'"
    require_listed(claim.ours, where)
    technique, measurement = claim.ours.technique, claim.ours.measurement
    measured = sorted(set(numbers["measurement"][numbers["technique"] == technique]))
    if not measured:
        return row | {"note": f"the sheet has no {technique} of this sample"}
    if not fnmatch.filter(measured, measurement):
        return row | {"note": f"the results have no {measurement} of this sample{nearest(measurement, measured)}"}
    number = one(numbers, claim.ours, where)
    scale = factor(str(number["unit"]), claim.unit)
    value, *errors = (float(number[name]) * scale for name in ("value", "standard_error", "systematic_error"))
    row |= {key: number[key] for key in NAMES}
    row |= {"ours": value, "standard_error": errors[0], "systematic_error": errors[1]}
    if not all(map(math.isfinite, (value, *errors))):
        return row | {"note": f"our value or its error is not known: {number['method']}"}
    difference, error = value - float(claim.reported), math.hypot(*errors, claim.reported_error)
    reach = NORMAL_QUANTILE * error
    holds = {
        "equal": abs(difference) <= reach,
        "at least": difference >= -reach,
        "at most": difference <= reach,
    }[claim.relation]
    verdict = CONTRADICTS if claim.contradiction else AGREES if holds else DIFFERS
    z = difference / error if error else math.nan
    return row | {"z": z, "verdict": verdict, "note": claim.contradiction}
