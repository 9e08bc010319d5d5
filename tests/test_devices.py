"""Comparison with other devices: the literature table, our rows beside it, and the panel."""

import math
from dataclasses import replace

import pandas as pd
import pytest
from relaxor.core.errors import SheetError
from relaxor.core.results import Number
from relaxor.core.storage import save_parameters
from relaxor.figures.panel import load_table
from relaxor.figures.style import SINGLE, new_figure, use_style
from relaxor.project.lists import load_literature
from relaxor.reporting import literature_panels as figures
from relaxor.reporting.literature import compare

from tests.project import SETTINGS as PROJECT

HEADER = "device,doi,quantity,value,value_high,unit,limit,source"
SETTINGS = PROJECT.devices.model_dump()


def number(model, parameter, value, error, unit="pJ"):
    return Number(
        "series",
        model,
        parameter,
        value,
        error,
        unit=unit,
        method="∫V·I dt",
        raw_sha256="a" * 64,
        origin="simulated",
    ).with_component("scale of the current", 0.2, "settings")


@pytest.fixture
def results(tmp_path):
    """Results of pulses and light; there is no PPF of pulses and no on/off ratio."""
    pulses = [number("integral", "energy_per_spike", 11.9, 0.6), number("read", "energy_per_spike", 0.04, 0.01)]
    light = [
        number("integral", "energy_per_spike", 0.9, 0.05),
        number("optical_absorbed", "energy_per_spike", 3200, 300),
        replace(number("pairs", "paired_pulse_index", 108, 1, "percent"), feature="shortest"),
    ]
    save_parameters(tmp_path / "electrical_pulses/parameters.csv", pulses, "electrical_pulses")
    save_parameters(tmp_path / "optical_pulses/parameters.csv", light, "optical_pulses")
    return [str(tmp_path / technique / "parameters.csv") for technique in ("electrical_pulses", "optical_pulses")]


def run(tmp_path, literature, parameters, **settings):
    table = tmp_path / "devices.csv"
    printed = [str(tmp_path / f"devices.{suffix}") for suffix in ("md", "tex")]
    compare(str(literature), parameters, str(table), printed, **(SETTINGS | settings))
    return pd.read_csv(table)


def literature(tmp_path, *lines):
    path = tmp_path / "literature.csv"
    path.write_text("\n".join((HEADER, *lines)) + "\n", encoding="utf-8")
    return path


def test_every_fact_of_the_reference_is_shipped(root, reference):
    facts = {(fact.device, fact.quantity): fact for fact in load_literature(root / "config/literature.csv")}
    by_doi = {}
    for fact in facts.values():
        by_doi.setdefault(fact.doi, set()).update({fact.value, fact.value_high})
    known = pd.read_csv(reference / "literature_synapses.csv", dtype=str)
    for _, row in known.iterrows():
        low, *high = (float(part) for part in row["value"].split("-"))
        assert {low, *high} <= by_doi[row["doi"]], row.to_dict()
    assert facts["IZO/P-SiO2 transistor", "energy per spike"].value_high == 45
    assert facts["BP/CdS photonic synapse", "retention"].limit == "at least"
    assert facts["CuCrP2S6 memristor", "energy per spike"].value is None
    unverified = {fact.doi for fact in facts.values() if "to be verified" in fact.source}
    assert unverified == {"10.1038/s41467-023-43628-x", "10.1038/ncomms4158"}


def test_ours_stands_beside_the_others(root, results, tmp_path):
    table = run(tmp_path, root / "config/literature.csv", results)
    ours = table[table["device"] == SETTINGS["device"]].set_index("quantity")
    assert list(ours.index) == list(SETTINGS["numbers"])
    row = ours.loc["energy per spike (electrical)"]
    assert (row["value"], row["standard_error"], row["systematic_error"], row["unit"]) == (11.9, 0.6, 0.2, "pJ")
    assert (row["origin"], row["model"], row["raw_sha256"]) == ("simulated", "integral", "a" * 64)
    others = table[table["device"] != SETTINGS["device"]]
    assert set(others["origin"]) == {"reported"}
    assert len(others) == len(load_literature(root / "config/literature.csv"))
    markdown = (tmp_path / "devices.md").read_text(encoding="utf-8")
    assert "reported and simulated data" in markdown
    for text in ("11.90(60)", "Systematic", "15 to 45", "≥ 5000", "| –"):
        assert text in markdown
    assert r"paired\_pulse\_index" in (tmp_path / "devices.tex").read_text(encoding="utf-8")


def test_a_number_without_a_result_is_blank_and_says_so(root, results, tmp_path):
    table = run(tmp_path, root / "config/literature.csv", results).set_index(["device", "quantity"])
    row = table.loc[(SETTINGS["device"], "on/off ratio")]
    assert math.isnan(row["value"])
    assert (
        row["source"]
        == "no result: no row of technique electrical_pulses, parameter on_off_ratio, measurement ltp_ltd_50, "
        "model cycles"
    )


def test_a_selector_must_not_find_two_numbers(root, results, tmp_path):
    loose = {"energy": {"technique": "electrical_pulses", "parameter": "energy_per_spike"}}
    with pytest.raises(SheetError, match=r"'energy': technique electrical_pulses, .* finds 2 numbers instead of one"):
        run(tmp_path, root / "config/literature.csv", results, numbers=loose)
    assert not (tmp_path / "devices.csv").exists()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("A,,e,many,,pJ,,text", "line 3: column 'value': expected a number or nothing, found 'many'"),
        ("A,,e,nan,,pJ,,text", "line 3: column 'value': expected a number or nothing, found 'nan'"),
        ("A,,e,1,0.5,pJ,,text", "line 3: column 'value_high': 0.5 is not above value 1"),
        ("A,,e,,5,pJ,,text", "line 3: column 'value': blank, but the line gives a range or a limit"),
        ("A,,e,1,2,pJ,at most,text", "line 3: column 'limit': a range cannot be a limit"),
        ("A,,e,1,,pJ,above,text", "line 3: column 'limit': expected '', 'at least' or 'at most', found 'above'"),
        ("A,,e,1,,s (lower,,text", r"line 3: column 'unit': 's \(lower' is not a unit"),
        ("A,,first,1,,V,,text", "line 3: column 'unit': 'first' has another dimension above"),
        ("A,doi:5,e,1,,pJ,,text", "line 3: column 'doi': expected .* found 'doi:5'"),
        ("A,,e,1,,pJ,,", "line 3: column 'source': expected a text, found ''"),
        ("A,,e,1,,pJ,text", "line 3: expected 8 cells, found 7"),
        ("B,,first,1,,pJ,,text", "line 3: 'first' of 'B' is already in line 2"),
    ],
)
def test_a_broken_line_is_refused_with_its_place(tmp_path, line, message):
    with pytest.raises(SheetError, match=message) as caught:
        load_literature(literature(tmp_path, "B,,first,1,,pJ,,text", line))
    assert "\n" not in str(caught.value)


def test_a_broken_file_is_refused(tmp_path):
    path = tmp_path / "literature.csv"
    with pytest.raises(SheetError, match="cannot be read"):
        load_literature(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SheetError, match="cannot be read"):
        load_literature(path)
    path.write_text("device,doi\nA,\n")
    with pytest.raises(SheetError, match=r"line 1: expected the columns device,doi,quantity,.*, found device,doi"):
        load_literature(path)


def test_same_bytes_each_time(root, results, tmp_path):
    run(tmp_path, root / "config/literature.csv", results)
    first = [(tmp_path / f"devices.{suffix}").read_bytes() for suffix in ("csv", "md", "tex")]
    run(tmp_path, root / "config/literature.csv", results)
    assert first == [(tmp_path / f"devices.{suffix}").read_bytes() for suffix in ("csv", "md", "tex")]


def drawn(table, height=72):
    use_style()
    figure = new_figure(SINGLE, height)
    axes = figure.add_subplot()
    figures.benchmark(axes, table)
    figure.draw_without_rendering()
    return figure, axes


def test_the_panel_shows_values_and_names_blanks(root, results, tmp_path):
    run(tmp_path, root / "config/literature.csv", results)
    table = load_table(tmp_path / "devices.csv")
    assert table.origin == "simulated"
    assert table.files == {"series aaaaaaaaaaaa"}
    figure, axes = drawn(table)
    energies = table.table[table.table["quantity"].str.startswith("energy per")]
    ticks = axes.get_yticklabels()
    assert len(ticks) == (energies["value"] != "").sum()
    assert sum(tick.get_fontweight() == "bold" for tick in ticks) == 3
    assert len([patch for patch in axes.patches if patch.get_height() == pytest.approx(0.36)]) == 1  # the range
    (blanks,) = axes.texts
    assert blanks.get_text().count(";") == (energies["value"] == "").sum() - 1
    boxes = [tick.get_window_extent() for tick in ticks] + [blanks.get_window_extent()]
    for index, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:index])
        assert figure.bbox.contains(box.x0, box.y0) and figure.bbox.contains(box.x1, box.y1)


def test_units_are_converted_and_limits_are_arrows(results, tmp_path):
    path = literature(tmp_path, "A,,energy per spike,5,,fJ,at most,text", "B,,energy per spike,2,,nJ,at least,text")
    run(tmp_path, path, results, numbers={})
    table = load_table(tmp_path / "devices.csv")
    assert table.origin == "measured"
    _, axes = drawn(table)
    assert sorted(line.get_xdata()[0] for line in axes.lines) == pytest.approx([0.005, 2000])
    (low_value, low_end), (high_value, high_end) = sorted((text.xyann[0], text.xy[0]) for text in axes.texts)
    assert low_end < low_value == pytest.approx(0.005)
    assert high_end > high_value == pytest.approx(2000)
    assert axes.get_xlim()[0] < low_end and axes.get_xlim()[1] > high_end


def test_our_missing_energy_is_named(root, results, tmp_path):
    save_parameters(results[0], [number("read", "energy_per_spike", 0.04, 0.01)], "electrical_pulses")
    run(tmp_path, root / "config/literature.csv", results)
    _, axes = drawn(load_table(tmp_path / "devices.csv"))
    assert "this work" in axes.texts[0].get_text().replace("\n", " ")
    assert "(no result)" in axes.texts[0].get_text().replace("\n", " ")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("CuBiP2Se6 (paper)", "CuBiP$_{2}$Se$_{6}$ (paper)"), ("IZO/P-SiO2", "IZO/P-SiO$_{2}$"), ("Sun 2023", "Sun 2023")],
)
def test_formulas_are_set_with_low_numbers(text, expected):
    assert figures.subscripts(text) == expected
