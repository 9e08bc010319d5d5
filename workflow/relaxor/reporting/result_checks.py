"""Physical constraints that all results must satisfy; a violation fails the build."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from relaxor.core.errors import ResultError
from relaxor.core.results import Status
from relaxor.core.storage import save_table
from relaxor.project.lists import Check, load_checks
from relaxor.reporting.claims import DECIDING, FLAGGED
from relaxor.reporting.selectors import all_numbers, select

COLUMNS = ("check", "measurement", "model", "parameter", "value", "at_least", "at_most", "verdict", "status")
HOLDS, VIOLATED = "holds", "violated"


def check_results(parameters: Sequence[str], expectations: str, checks: str) -> None:
    """Test every check of ``config/checks.yaml`` and write the values that were found.

    Parameters
    ----------
    parameters
        ``…/<sample>/<technique>/parameters.csv``.
    expectations
        ``config/checks.yaml``.
    checks
        Table to write: check, measurement, model, parameter, value, bounds, verdict and status. A check that finds no
        number has no row, because measurements and analyses differ from sample to sample. A number whose status is
        worse than ``assumed`` neither holds nor violates anything: its verdict is *flagged*.

    Raises
    ------
    ResultError
        One line per violation.
    SheetError
        If a check names a technique, parameter or model that does not exist.
    """
    numbers, samples = all_numbers(parameters), {"", *(Path(path).parts[-3] for path in parameters)}
    tested = [check for check in load_checks(expectations) if check.sample in samples]
    rows = [row for check in tested for row in _test(check, numbers, expectations)]
    broken = [row for row in rows if row["verdict"] == VIOLATED]
    if broken:
        raise ResultError(
            "\n".join(
                f"{row['measurement']}: {row['parameter']} = {row['value']:.4g} is not within "
                f"[{row['at_least']:g}, {row['at_most']:g}]: {row['check']}"
                for row in broken
            )
        )
    save_table(checks, pd.DataFrame(rows, columns=list(COLUMNS)), digits=6)


def _test(check: Check, numbers: pd.DataFrame, source: str) -> list[dict[str, Any]]:
    """Return what a check finds: rows with the columns `COLUMNS`."""
    found = select(numbers, check.numbers, f"{source}: check '{check.what}'")
    if check.combine != "each":
        groups = found.groupby(["measurement", "model"], as_index=False, sort=False)
        found = groups.agg(value=("value", "sum"), status=("status", Status.worst))
        found["parameter"] = f"sum of {check.numbers.parameter}"
    holds = found["value"].between(check.at_least, check.at_most)
    verdict = holds.map({True: HOLDS, False: VIOLATED}).where(found["status"].isin(DECIDING), FLAGGED)
    found = found.assign(check=check.what, at_least=check.at_least, at_most=check.at_most, verdict=verdict)
    return found[list(COLUMNS)].to_dict("records")
