"""Tables for print: what a reader of them sees of a number beside its value."""

import pandas as pd
import pytest
from relaxor.core.results import Number, Status
from relaxor.core.storage import save_parameters
from relaxor.reporting import tables as printing
from relaxor.reporting.tables import write_tables

from tests.shown_tables import tables_of

LIMIT = "P_max = ∫I dt / A; the current stands at a limit, 0.5 A: charge is missing"
FIT = "least squares, 95 % of α"


@pytest.fixture
def tables(tmp_path):
    common = {"unit": "uC/cm^2", "origin": "measured", "raw_sha256": "a" * 64}
    peak = Number("m", "voigt", "raman_shift", 111.7, 0.3, feature="Eg1", **common | {"unit": "1/cm"})
    peak = peak.with_component("axis", 0.4, "settings")  # 0.5 with that of the fit
    rows = [
        Number("m", "loop", "p_max", 3.0, 0.1, method=LIMIT, **common),
        Number("m", "fit", "slope", 2.0, 0.1, method=FIT, reduced_chi_square=1.234, **common),
        Number("m", "loop", "p_r", 1.0, 0.1, method=LIMIT, **common),
        Number("m", "loop", "count", 5, **common),
        peak,
        Number("m", "voigt", "fwhm", 4.0, feature="Eg1", status=Status.LIMIT, **common | {"unit": "1"}),
        Number("m", "voigt", "fwhm", 5.0, 0.1, at=0.5, at_unit="V", **common | {"unit": "1"}),
    ]
    save_parameters(tmp_path / "hysteresis/parameters.csv", rows, "hysteresis")
    paths = {suffix: tmp_path / f"hysteresis.{suffix}" for suffix in ("csv", "md", "tex", "html")}
    parameters, files = [str(tmp_path / "hysteresis/parameters.csv")], {"m": "raw_data/a|b.dat"}
    write_tables(parameters, [str(path) for path in paths.values()], files=files)
    return paths


def test_a_csv_holds_the_method_of_every_number(tables):
    table = pd.read_csv(tables["csv"], dtype=str, keep_default_na=False)
    assert list(table["Method"]) == [LIMIT, FIT, LIMIT, "", "", "", ""]
    assert list(table["Reduced chi-square"]) == ["", "1.23", *5 * [""]]
    assert list(table["Feature"]) == [*4 * [""], "Eg1", "Eg1", ""]
    assert list(table["At"]) == [*6 * [""], "0.5 V"]
    assert set(table["Raw file (SHA-256)"]) == {12 * "a"}


def test_markdown_numbers_methods_and_says_each_once_below_the_table(tables):
    text = tables["md"].read_text(encoding="utf-8")
    assert text.endswith(f"|\n\n1. {LIMIT}\n2. {FIT}\n3. m: raw_data/a|b.dat SHA-256 {'a' * 64}\n")
    whole = text.partition("One standard error")[2]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in whole.splitlines() if "| m " in line]
    assert [row[-1] for row in cells] == ["1", "2", "1", *4 * [""]]
    assert [row[-4] for row in cells] == ["", "1.23", *5 * [""]]


def test_a_page_begins_with_one_line_for_each_peak(tables):
    (peak, point), whole = tables_of(tables["html"])
    assert peak | {"Measurement": "m", "Feature": "Eg1", "At": ""} == peak
    assert (peak["raman_shift (1/cm)"], peak["fwhm"]) == ("111.70(50)", "4 limit")
    assert (point["At"], point["fwhm"]) == ("0.5 V", "5.00(10)")
    assert len(whole) == 7


def test_no_text_is_a_command_of_latex_or_a_formula_of_a_spreadsheet(tmp_path):
    number = Number("m", "loop", "p", 1.0, 0.1, unit="V", method=r"\input{/etc/passwd} 5 $ #1 ~ α", feature="=1+2")
    save_parameters(tmp_path / "x/parameters.csv", [number], "x")
    paths = [tmp_path / "x.csv", tmp_path / "x.tex"]
    write_tables([str(tmp_path / "x/parameters.csv")], list(map(str, paths)), files={})
    assert pd.read_csv(paths[0])["Feature"].item() == "'=1+2"
    assert r"\textbackslash{}input\{/etc/passwd\} 5 \$ \#1 \~{} $\alpha$" in paths[1].read_text(encoding="utf-8")


def test_latex_numbers_them_too_and_can_be_set(tables):
    text = tables["tex"].read_text(encoding="utf-8")
    below = text.rpartition(r"\end{longtable}")[2]
    limit = r"\item P\_max = $\int$I dt / A; the current stands at a limit, 0.5 A: charge is missing"
    assert below.splitlines()[1:] == [
        r"\begin{enumerate}",
        limit,
        r"\item least squares, 95 \% of $\alpha$",
        rf"\item m: raw\_data/a|b.dat SHA-256 {'a' * 64}",
        r"\end{enumerate}",
    ]
    assert r"&  & measured & aaaaaaaaaaaa & 1 \\" in text


def test_a_long_table_is_cut_for_print_and_whole_as_csv(tmp_path, monkeypatch):
    monkeypatch.setattr(printing, "MOST_ROWS", 2)
    monkeypatch.setattr(printing, "ROWS", 2)
    rows = [Number("m", "line", f"p{index}", float(index), feature="A1g", origin="measured") for index in range(5)]
    save_parameters(tmp_path / "x/parameters.csv", rows, "x")
    write_tables(
        [str(tmp_path / "x/parameters.csv")], [str(tmp_path / f"x.{suffix}") for suffix in ("csv", "md")], files={}
    )
    assert pd.read_csv(tmp_path / "x.csv")["Parameter"].tolist() == [f"p{index}" for index in range(5)]
    text = (tmp_path / "x.md").read_text()
    assert text.count("Of the first 2 of 5 numbers; x.csv has all.") == 2  # of the table of lines too
    assert "p1" in text and "p2" not in text
