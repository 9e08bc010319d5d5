"""Write the table of all scenarios: ``uv run python -m tests.outside.table`` (it takes many minutes).

Every scenario of ``tests/outside`` is analysed as often as it says. The columns "before" come from ``before.csv``
beside this file: the same scenarios, analysed by relaxor before it judged its fits.
"""

import importlib
import re
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pandas as pd
from relaxor.core.files import write_whole
from relaxor.core.storage import save_table

from tests.outside.scenario import Scenario, outcomes
from tests.project import ROOT

HERE = Path(__file__).parent
BEFORE = HERE / "before.csv"
NAMES = ["technique", "scenario", "number"]
HEADER = """# Truth from outside

Data of forward models that share nothing with the simulator or with the fits of relaxor (`tests/outside`), analysed
as often as the last column says. A number is right if the truth lies within value ± 1.96 √(statistical² +
systematic²); "flagged" is the share of the draws whose row has another status than `ok`, or whose data are refused. The
columns "before" are those of relaxor before numbers had a status; a dash stands where it gave no such number or did not
know the setting. Bias and uncertainty are in the unit of the number ([numbers.md](numbers.md)).
This page is written by `uv run python -m tests.outside.table`.

"""


def scenarios() -> Iterator[Scenario]:
    """Yield the scenarios of all techniques."""
    for path in sorted(HERE.glob("test_*.py")):
        yield from getattr(importlib.import_module(f"tests.outside.{path.stem}"), "SCENARIOS", [])


def rows_of(index: int) -> list[tuple[object, ...]]:
    """Return one row for every number of a scenario; only its place in the list can be sent to another process."""
    scenario = list(scenarios())[index]
    return [
        (scenario.technique, scenario.name, " ".join(part for part in key if part not in ("", "*")),
         found.bias, found.error, found.coverage, found.flagged, scenario.draws)
        for key, found in outcomes(scenario, scenario.draws).items()
    ]  # fmt: skip


def measured() -> pd.DataFrame:
    """Return one row for every number of every scenario, from as many processes as there are cores."""
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        rows = [row for found in pool.map(rows_of, range(len(list(scenarios())))) for row in found]
    return pd.DataFrame(rows, columns=[*NAMES, "bias", "uncertainty", "coverage", "flagged", "draws"])


def page(now: pd.DataFrame, before: pd.DataFrame) -> str:
    """Return the page in Markdown."""
    both = now.merge(before.drop(columns=["flagged", "draws"]), on=NAMES, how="left", suffixes=("", " before"))
    order = [*NAMES, "bias before", "uncertainty before", "coverage before"]
    both = both[[*order, "bias", "uncertainty", "coverage", "flagged", "draws"]]
    both["scenario"] = both["scenario"].str.replace("|", "\\|")  # a bar ends a cell of Markdown
    digits = (*[""] * len(NAMES), *[".3g", ".2g", ".2f"], *[".3g", ".2g", ".2f", ".2f", "d"])
    table = both.to_markdown(index=False, floatfmt=digits)
    return HEADER + re.sub(r"\bnan\b", "  –", table) + "\n"


if __name__ == "__main__":
    found = measured()
    if "--before" in sys.argv:  # numbers that were never given before, as of settings that did not exist, are left out
        save_table(BEFORE, found.dropna(subset=["bias"]), digits=4)
    else:
        known = pd.read_csv(BEFORE) if BEFORE.exists() else found.head(0)
        write_whole(ROOT / "docs/outside.md", page(found, known))
