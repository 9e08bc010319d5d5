"""Tables for print: what a reader of them sees of a number beside its value."""

import pandas as pd
import pytest
from relaxor.core.results import Number
from relaxor.core.storage import save_parameters
from relaxor.reporting.tables import write_tables

LIMIT = "P_max = ∫I dt / A; the current stands at a limit, 0.5 A: charge is missing"
FIT = "least squares, 95 % of α"


@pytest.fixture
def tables(tmp_path):
    common = {"unit": "uC/cm^2", "origin": "measured", "raw_sha256": "a" * 64}
    rows = [
        Number("m", "loop", "p_max", 3.0, 0.1, method=LIMIT, **common),
        Number("m", "fit", "slope", 2.0, 0.1, method=FIT, reduced_chi_square=1.234, **common),
        Number("m", "loop", "p_r", 1.0, 0.1, method=LIMIT, **common),
        Number("m", "loop", "count", 5, **common),
    ]
    save_parameters(tmp_path / "hysteresis/parameters.csv", rows, "hysteresis")
    paths = {suffix: tmp_path / f"hysteresis.{suffix}" for suffix in ("csv", "md", "tex")}
    write_tables([str(tmp_path / "hysteresis/parameters.csv")], [str(path) for path in paths.values()])
    return paths


def test_a_csv_holds_the_method_of_every_number(tables):
    table = pd.read_csv(tables["csv"], dtype=str, keep_default_na=False)
    assert list(table["Method"]) == [LIMIT, FIT, LIMIT, ""]
    assert list(table["Reduced chi-square"]) == ["", "1.23", "", ""]


def test_markdown_numbers_methods_and_says_each_once_below_the_table(tables):
    text = tables["md"].read_text(encoding="utf-8")
    assert text.endswith(f"|\n\n1. {LIMIT}\n2. {FIT}\n")
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if "| m " in line]
    assert [row[-1] for row in cells] == ["1", "2", "1", ""]
    assert [row[-3] for row in cells] == ["", "1.23", "", ""]


def test_latex_numbers_them_too_and_can_be_set(tables):
    text = tables["tex"].read_text(encoding="utf-8")
    below = text.partition(r"\end{longtable}")[2]
    limit = r"\item P\_max = $\int$I dt / A; the current stands at a limit, 0.5 A: charge is missing"
    assert below.splitlines()[1:] == [
        r"\begin{enumerate}",
        limit,
        r"\item least squares, 95 \% of $\alpha$",
        r"\end{enumerate}",
    ]
    assert r"&  & measured & 1 \\" in text
