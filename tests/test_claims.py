import math
from dataclasses import replace

import pandas as pd
import pytest
from relaxor.core.errors import ResultError, SheetError
from relaxor.core.results import Number, Status
from relaxor.core.storage import save_parameters
from relaxor.reporting.claims import compare_claims
from relaxor.reporting.result_checks import check_results

from tests.analyses import analyse_with
from tests.project import CBPS
from tests.shown_tables import tables_of

CLAIM = """
- id: {id}
  panel: 1c
  quantity: Raman shift
  reported: "{reported}"
  unit: 1/cm
  {more}
"""
OURS = "ours: {technique: raman, measurement: r, parameter: raman_shift}"


@pytest.fixture
def parameters(tmp_path):
    path = tmp_path / "raman/parameters.csv"
    common = {"unit": "1/cm", "raw_sha256": "0" * 64, "origin": "simulated"}
    shift = Number("r", "voigt", "raman_shift", 111.9, 0.05, **common).with_component("axis", 0.05, "settings")
    rows = [
        shift,
        replace(shift, measurement="real", origin="measured"),
        replace(shift, measurement="missed").flagged(Status.MISFIT, "misfit: the model misses the data"),
        Number("r", "voigt", "shift_offset", math.nan, math.nan, unit="1/cm", method="not seen"),
        Number("r", "voigt", "area", 207.5, math.nan, unit="1/cm", method="at a bound"),
        Number("r", "voigt", "area_limit", 1.7e-11, 1e-13, unit="1/cm"),
        Number("r", "voigt", "fwhm", 0.4, 0.01),
        Number("r", "voigt", "fwhm_lorentzian", 0.7, 0.01),
    ]
    save_parameters(path, rows, "raman")
    return [str(path)]


def results(folder):
    return str(folder / "claims.csv"), str(folder / "claims.html")


def compare(tmp_path, parameters, *claims):
    (tmp_path / "claims.yaml").write_text("".join(CLAIM.format(**claim) for claim in claims))
    compare_claims(parameters, str(tmp_path / "claims.yaml"), *results(tmp_path))
    return pd.read_csv(tmp_path / "claims.csv").set_index("claim")


def test_verdicts(tmp_path, parameters):
    real, missed = (OURS.replace("measurement: r", f"measurement: {name}") for name in ("real", "missed"))
    table = compare(
        tmp_path,
        parameters,
        {"id": "near", "reported": "111.8", "more": OURS},
        {"id": "far", "reported": "110.8", "more": OURS},
        {"id": "two_values", "reported": "110.8", "more": OURS + "\n  contradiction: printed twice"},
        {"id": "gone", "reported": "111.8", "more": "not_testable: no data"},
        {"id": "bound", "reported": "100.0", "more": OURS + "\n  relation: at least"},
        {"id": "near_real", "reported": "111.8", "more": real},
        {"id": "far_real", "reported": "110.8", "more": real},
        {"id": "missed", "reported": "111.8", "more": missed},
    )
    assert table["verdict"].to_dict() == {
        "near": "returned",
        "far": "not returned",
        "two_values": "not returned",
        "gone": "not testable",
        "bound": "returned",
        "near_real": "agrees",
        "far_real": "differs",
        "missed": "flagged",
    }
    # 0.05 statistical, 0.05 systematic, 0.05/√3 for rounding to one decimal
    error = (0.05**2 + 0.05**2 + 0.05**2 / 3) ** 0.5
    assert table.loc["near", "z"] == pytest.approx(0.1 / error, rel=1e-4)
    assert table.loc["near", "could_see"] == pytest.approx(1.95996 * error, rel=1e-4)
    assert table.loc["near", "origin"] == "simulated"
    assert table.loc["two_values", "contradiction"] == "printed twice"
    assert table.loc["missed", "status"] == "misfit" and "misses the data" in table.loc["missed", "note"]


def answer(parameter, reported, *more):
    ours = OURS.replace("raman_shift", parameter)
    return {"id": "x", "reported": reported, "more": "\n  ".join((ours, *more))}


@pytest.mark.parametrize(("parameter", "reason"), [("shift_offset", "not seen"), ("area", "at a bound")])
@pytest.mark.parametrize("more", [(), ("relation: at least",), ("contradiction: printed twice",)])
def test_a_value_or_error_that_is_not_known_tests_nothing(tmp_path, parameters, parameter, reason, more):
    table = compare(tmp_path, parameters, answer(parameter, "207.5", *more))
    assert table["verdict"].item() == "not testable"
    assert table["note"].item() == f"our value or its error is not known: {reason}"
    assert math.isnan(table["z"].item())


def test_a_line_that_is_not_seen_tests_nothing(tmp_path, parameters):
    """The results hold a limit of its area in place of its shift."""
    rows = [Number("r", "voigt", "area_limit", 5.0, feature="Eg1", origin="measured").flagged(Status.LIMIT, "not seen")]
    save_parameters(tmp_path / "weak/raman/parameters.csv", rows, "raman")
    ours = OURS.replace("}", ", feature: Eg1}")
    table = compare(tmp_path, [str(tmp_path / "weak/raman/parameters.csv")], {"id": "x", "reported": "1", "more": ours})
    assert table.loc["x", ["verdict", "status", "note"]].tolist() == ["not testable", "limit", "not seen"]


def test_a_bound_is_not_rounded(tmp_path, parameters):
    """A slope of 1.7(1)e-11 grows, whatever unit it is in."""
    claims = [answer("area_limit", "0", f"relation: at {relation}") for relation in ("least", "most")]
    table = compare(tmp_path, parameters, *claims)
    assert list(table["verdict"]) == ["agrees", "differs"]
    assert table["z"].to_numpy() == pytest.approx(170)


def test_a_claim_may_tell_its_rounding(tmp_path, parameters):
    claims = [answer("raman_shift", "112", f"rounding: {rounding}") for rounding in (0, 0.3)]
    table = compare(tmp_path, parameters, *claims, answer("raman_shift", "112"))
    errors = [(2 * 0.05**2 + rounding**2 / 3) ** 0.5 for rounding in (0, 0.3, 0.5)]
    assert table["z"].to_numpy() == pytest.approx([-0.1 / error for error in errors], rel=1e-4)


@pytest.mark.parametrize("measured", [True, False])
def test_what_was_not_measured_is_not_testable(tmp_path, parameters, measured):
    claim = {
        "id": "x",
        "reported": "1",
        "more": OURS.replace("raman, measurement: r, parameter: raman_shift", "xrd, parameter: zero_shift"),
    }
    table = compare(tmp_path, parameters if measured else [], claim)
    assert table.loc["x", "verdict"] == "not testable"
    assert table.loc["x", "note"] == "the sheet has no xrd of this sample"


def test_a_selector_must_find_one_number(tmp_path, parameters):
    with pytest.raises(
        SheetError, match="claim 'x': technique raman, parameter fwhm\\*, measurement r finds 2 numbers"
    ):
        compare(tmp_path, parameters, {"id": "x", "reported": "1", "more": OURS.replace("raman_shift", "fwhm*")})


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("ramman, parameter: raman_shift", "technique 'ramman' is not known; did you mean 'raman'"),
        ("raman, parameter: raman_shif", "raman has no parameter 'raman_shif'; did you mean 'raman_shift'"),
        ("raman, parameter: raman_shift, model: vogt", "raman has no model 'vogt'; did you mean 'voigt'"),
    ],
)
def test_a_number_that_no_technique_gives_is_named(tmp_path, parameters, wrong, message):
    """Also where nothing was measured: a slip must not make a claim untestable, or a check pass."""
    with pytest.raises(SheetError, match=f"claim 'x': {message}"):
        compare(tmp_path, [], {"id": "x", "reported": "1", "more": f"ours: {{technique: {wrong}}}"})
    law = f"- what: x\n  at_least: 0\n  numbers: {{technique: {wrong}}}\n"
    with pytest.raises(SheetError, match=f"check 'x': {message}"):
        check(tmp_path, parameters, law)


def test_a_misspelt_measurement_names_the_nearest(tmp_path, parameters):
    ours = OURS.replace("measurement: r,", "measurement: rr,")
    note = compare(tmp_path, parameters, {"id": "x", "reported": "1", "more": ours}).loc["x", "note"]
    assert note == "the results have no rr of this sample; did you mean 'r'?"


def test_a_page_shows_the_verdicts_and_what_they_rest_on(tmp_path, parameters):
    at_least = OURS + "\n  relation: at least\n  contradiction: printed <b>twice</b> | or once"
    compare(
        tmp_path,
        parameters,
        {"id": "near", "reported": "111.8", "more": at_least},
        {"id": "gone", "reported": "1", "more": "not_testable: no data"},
    )
    ((first, second),) = tables_of(tmp_path / "claims.html")
    assert (first["Reported"], first["Ours"], first["Unit"]) == ("≥ 111.8", "111.900(50)", "1/cm")
    assert (first["Verdict"], first["Data"]) == ("returned", "simulated")
    assert first["Measurement, raw file (SHA-256)"] == "r 000000000000"
    assert first["Contradiction of the paper"] == "printed <b>twice</b> | or once"
    assert (second["Verdict"], second["Note"]) == ("not testable", "no data")
    text = (tmp_path / "claims.html").read_text(encoding="utf-8")
    assert "2 reported numbers: 1 returned, 1 not testable." in text
    assert "<b>" not in text


def test_names_that_look_like_numbers_stay_names(tmp_path, parameters):
    path = tmp_path / "raman/parameters.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("\nr,", "\n007,"), encoding="utf-8")
    ours = OURS.replace("measurement: r", "measurement: '007'")
    compare(tmp_path, parameters, {"id": "near", "reported": "111.8", "more": ours})
    ((row,),) = tables_of(tmp_path / "claims.html")
    assert row["Measurement, raw file (SHA-256)"] == "007 000000000000"


def test_a_claim_needs_an_answer_or_a_reason(tmp_path, parameters):
    with pytest.raises(SheetError, match="either 'ours' or 'not_testable'"):
        compare(tmp_path, parameters, {"id": "x", "reported": "1", "more": "relation: equal"})


def test_the_shipped_claims_find_their_numbers(root, analysed, tmp_path):
    from relaxor.techniques.registry import techniques

    parameters = [str(analysed(technique).folder / "parameters.csv") for technique in techniques()]
    compare_claims(parameters, str(root / "config/claims.yaml"), *results(tmp_path))
    table = pd.read_csv(tmp_path / "claims.csv")
    assert set(table["verdict"]) <= {"returned", "not returned", "flagged", "not testable"}
    assert table["contradiction"].notna().any()
    path = str(root / "config/checks.yaml")
    check_results(parameters, path, str(tmp_path / "checks.csv"))
    table = pd.read_csv(tmp_path / "checks.csv")
    assert set(table["verdict"]) <= {"holds", "flagged"}


@pytest.mark.parametrize("cell", ["R-3", None])
def test_the_shipped_checks_hold_for_another_cell_and_for_none(root, analysed, tmp_path, cell):
    data = str(analysed("xrd").folder.parent / "xrd.nc")
    (tmp_path / "xrd").mkdir()
    parameters = str(tmp_path / "xrd/parameters.csv")
    analyse_with("xrd", data, parameters, str(tmp_path / "curves.nc"), **(CBPS["xrd"] | {"cell": cell}))
    check_results([parameters], str(root / "config/checks.yaml"), str(tmp_path / "checks.csv"))
    assert pd.read_csv(tmp_path / "checks.csv").empty == (cell is None)


def check(tmp_path, parameters, text):
    (tmp_path / "checks.yaml").write_text(text)
    check_results(parameters, str(tmp_path / "checks.yaml"), str(tmp_path / "checks.csv"))


def test_a_broken_law_fails_and_says_which(tmp_path, parameters):
    law = """
- what: fractions sum to one
  numbers: {technique: raman, parameter: fwhm*}
  combine: sum by measurement and model
  at_least: 0.99
  at_most: 1.01
"""
    message = r"r: sum of fwhm\* = 1.1 is not within \[0.99, 1.01\]: fractions sum to one"
    with pytest.raises(ResultError, match=message):
        check(tmp_path, parameters, law)
    assert not (tmp_path / "checks.csv").exists()


@pytest.mark.parametrize("combine", ["each", "sum by measurement and model"])
def test_what_a_sample_does_not_have_is_not_checked(tmp_path, parameters, combine):
    numbers = f"  combine: {combine}\n  at_least: 0\n  numbers: "
    missing = "".join(
        f"- what: {what}\n{numbers}{{technique: {technique}, parameter: {parameter}}}\n"
        for what, technique, parameter in (("x", "raman", "aicc"), ("y", "xrd", "lattice_parameter"))
    )
    check(tmp_path, parameters, missing)
    assert pd.read_csv(tmp_path / "checks.csv").empty
    check(tmp_path, parameters, f"{missing}- what: z\n{numbers}{{technique: raman, parameter: fwhm}}\n")
    assert list(pd.read_csv(tmp_path / "checks.csv")["check"]) == ["z"]
