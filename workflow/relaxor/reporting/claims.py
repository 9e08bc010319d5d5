"""Compare the numbers that a paper reports with those of the results."""

import fnmatch
import math
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from relaxor.core.errors import nearest
from relaxor.core.files import write_whole
from relaxor.core.results import NORMAL_QUANTILE, Status, origin_of
from relaxor.core.storage import save_table
from relaxor.core.units import factor
from relaxor.project.lists import SIGNS, Claim, Selector, load_claims
from relaxor.reporting.page import page_of_tables
from relaxor.reporting.selectors import all_numbers, one, require_listed, select
from relaxor.reporting.tables import render, short_hash, value_text

NAMES = ("measurement", "model", "parameter", "feature", "at", "raw_sha256")
"""Columns that identify the number of the results that tests a claim."""
COLUMNS = (
    *("claim", "panel", "quantity", "relation", "reported", "ours", "standard_error", "systematic_error", "unit"),
    *("z", "could_see", "verdict", "origin", "status", "contradiction", "note", *NAMES),
)
AGREES, DIFFERS, RETURNED, NOT_RETURNED = "agrees", "differs", "returned", "not returned"
FLAGGED, NOT_TESTABLE = "flagged", "not testable"
JUDGED = {"measured": (AGREES, DIFFERS), "simulated": (RETURNED, NOT_RETURNED)}
"""Verdicts on claims that hold and that do not, by the origin of the data."""
DECIDING = (Status.OK, Status.ASSUMED)
"""Statuses of numbers that can decide a claim."""


def compare_claims(parameters: Sequence[str], claims: str, comparison: str, shown: str) -> None:
    """Write ``claims.csv`` and a page that shows it.

    Parameters
    ----------
    parameters
        ``…/<technique>/parameters.csv`` of all techniques.
    claims
        ``config/claims.yaml``.
    comparison
        Table to write: each claim with our value, its uncertainty, z and the verdict. A claim about measured data
        *agrees* if the difference is within 1.96 standard uncertainties (statistical, systematic and the rounding of
        the printed value together), and *differs* otherwise. About simulated data the same test only says whether the
        value that was put in is *returned* or *not returned*. A number whose status is worse than ``assumed`` decides
        nothing: the verdict is *flagged*. Without a value in the results and its errors, a claim is *not testable*.
        The column ``could_see`` is the smallest difference that the test would notice, 1.96 standard uncertainties. A
        contradiction of the paper has its own column, and does not change the verdict.
    shown
        Page of HTML to write: the same, for reading.

    Raises
    ------
    SheetError
        If the selector of a claim finds no number, or several. A claim about a missing measurement is not testable.
    """
    numbers = all_numbers(parameters)
    rows = [_compare(claim, numbers, claims) for claim in load_claims(claims)]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    save_table(comparison, table, digits=6)
    write_whole(shown, page_of_tables("Claims", _for_reading(load_comparison(comparison))))


def load_comparison(path: Path | str) -> pd.DataFrame:
    """Load ``claims.csv``, with empty texts and NaN where a claim has no number."""
    numeric = {name: ["", "nan"] for name in ("ours", "standard_error", "systematic_error", "z", "could_see", "at")}
    texts = dict.fromkeys(set(COLUMNS) - numeric.keys(), str)
    table = pd.read_csv(path, keep_default_na=False, na_values=numeric, dtype=texts)
    return table.astype(dict.fromkeys(numeric, float))


def _for_reading(table: pd.DataFrame) -> str:
    """Return the verdicts and their count as text in Markdown."""
    count = ", ".join(f"{number} {verdict}" for verdict, number in table["verdict"].value_counts().items())
    ours = [value_text(*pair) for pair in zip(table["ours"], table["standard_error"], strict=True)]
    columns = {
        "Panel": table["panel"].str.replace(",", ", "),
        "Quantity": table["quantity"],
        "Reported": table["relation"].map(SIGNS) + table["reported"],
        "Ours": ours,
        "Systematic": [f"{error:.2g}" if error > 0 else "" for error in table["systematic_error"]],
        "Unit": table["unit"],
        "z": [f"{z:+.1f}" if math.isfinite(z) else "" for z in table["z"]],
        "Could see": [f"{reach:.2g}" if math.isfinite(reach) else "" for reach in table["could_see"]],
        "Verdict": table["verdict"],
        "Data": table["origin"],
        "Contradiction of the paper": table["contradiction"],
        "Note": table["note"],
        "Measurement, raw file (SHA-256)": table["measurement"] + " " + table["raw_sha256"].map(short_hash),
    }
    caption = f"{len(table)} reported numbers: {count or 'none'}. One standard error in parentheses."
    return render(pd.DataFrame(columns), ".html", caption, "claims")


def _compare(claim: Claim, numbers: pd.DataFrame, source: str) -> dict[str, object]:
    row: dict[str, object] = {
        **{key: getattr(claim, key) for key in ("panel", "quantity", "relation", "reported", "unit", "contradiction")},
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
    if (limit := _limit(claim.ours, numbers)) is not None:
        return row | {"status": limit["status"], "origin": limit["origin"], "note": limit["method"]}
    number = one(numbers, claim.ours, where)
    scale = factor(str(number["unit"]), claim.unit)
    value, *errors = (float(number[name]) * scale for name in ("value", "standard_error", "systematic_error"))
    row |= {key: number[key] for key in (*NAMES, "origin", "status")}
    row |= {"ours": value, "standard_error": errors[0], "systematic_error": errors[1]}
    if not all(map(math.isfinite, (value, *errors))):
        return row | {"note": f"our value or its error is not known: {number['method']}"}
    difference, error = value - float(claim.reported), math.hypot(*errors, claim.reported_error)
    reach = NORMAL_QUANTILE * error
    row |= {"z": difference / error if error else math.nan, "could_see": reach}
    if number["status"] not in DECIDING:
        return row | {"verdict": FLAGGED, "note": number["method"]}
    holds = {
        "equal": abs(difference) <= reach,
        "at least": difference >= -reach,
        "at most": difference <= reach,
    }[claim.relation]
    right, wrong = JUDGED[origin_of([str(number["origin"])])]
    return row | {"verdict": right if holds else wrong}


def _limit(ours: Selector, numbers: pd.DataFrame) -> pd.Series | None:
    """Return the limit that the results give in place of a number, because what it belongs to is not seen."""
    if len(select(numbers, ours, "")):
        return None
    instead = select(numbers, ours.model_copy(update={"parameter": "*"}), "")
    limits = instead[instead["status"] == Status.LIMIT]
    return limits.iloc[0] if len(limits) else None
