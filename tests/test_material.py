"""Settings that are proposed for a material: against published tables, and written without touching the rest."""

import itertools
from pathlib import Path

import numpy as np
import pytest
import yaml
from relaxor.cli.main import app
from relaxor.core.errors import ReadError, SheetError
from relaxor.core.results import Measurement
from relaxor.project.proposed_settings import write
from relaxor.project.settings import load_settings
from relaxor.readers import read
from relaxor.techniques.edx.proposal import propose as propose_edx
from relaxor.techniques.edx.settings import EdxSettings
from relaxor.techniques.material import Material, Proposed
from relaxor.techniques.stem.proposal import propose as propose_stem
from relaxor.techniques.stem.settings import StemSettings
from relaxor.techniques.xps.proposal import propose as propose_xps
from relaxor.techniques.xps.settings import XpsSettings
from relaxor.techniques.xrd.powder import Lattice
from relaxor.techniques.xrd.proposal import propose as propose_xrd
from relaxor.techniques.xrd.proposal import strongest_lines
from relaxor.techniques.xrd.settings import XrdSettings
from typer.testing import CliRunner

from tests.analyses import analysis_of
from tests.project import empty_project
from tests.public_files import shared

analyse = analysis_of("edx")

RUTILE = """data_rutile
_cell_length_a 4.5941
_cell_length_b 4.5941
_cell_length_c 2.9589
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_space_group_name_H-M_alt 'P 42/m n m'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
Ti1 Ti 0 0 0 1
O1 O 0.3057 0.3057 0 1
"""


def cif_of(edges: tuple[float, ...], angles: tuple[float, ...], group: str, atoms: str) -> str:
    """Return the text of a structure file."""
    cell = [f"_cell_length_{name} {edge}" for name, edge in zip("abc", edges, strict=True)]
    cell += [f"_cell_angle_{name} {angle}" for name, angle in zip(("alpha", "beta", "gamma"), angles, strict=True)]
    head = [*cell, f"_space_group_name_H-M_alt '{group}'", "loop_"]
    head += [f"_atom_site_{name}" for name in ("label", "fract_x", "fract_y", "fract_z")]
    return "\n".join(["data_cell", *head, *(atom.strip() for atom in atoms.split(","))]) + "\n"


SCOFIELD = {"Cu 2p": 25.39, "Bi 4f": 24.83, "P 2p": 1.192, "Se 3d": 2.294, "Ti 2p": 7.91, "Sr 3d": 5.05, "O 1s": 2.93,
            "S 2p": 1.68, "Mo 3d": 9.50, "Hf 4f": 7.52, "Zr 3d": 7.04, "Pt 4f": 15.45, "Au 4f": 17.1}  # fmt: skip
"""Both lines of a doublet over C 1s at Al Kα; Scofield 1976, doi 10.1016/0368-2048(76)80015-1."""
HANDBOOK = {"Cu 2p": (932.6, 19.8), "Bi 4f": (157.0, 5.31), "Se 3d": (55.0, 0.86), "Ti 2p": (453.9, 6.1),
            "Mo 3d": (228.0, 3.13), "Pt 4f": (71.2, 3.33), "Au 4f": (84.0, 3.67), "In 3d": (443.9, 7.54)}  # fmt: skip
"""Binding energies and splittings of elements, eV; Moulder et al., Handbook of X-ray Photoelectron Spectroscopy."""
CERTIFIED = {"O": 42.758, "Mg": 11.6567, "Al": 4.9061, "Si": 21.1982, "Ca": 10.899, "Fe": 7.7742}
"""Weight percent of the glass K412 of NIST."""
ELEMENTS = """Li B C N O F Na Mg Al Si P S Cl K Ca Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Sr Y Zr Nb Mo Ru Pd Ag Cd In
Sn Sb Te I Cs Ba La Ce Gd Hf Ta W Re Ir Pt Au Hg Tl Pb Bi U"""
LIGHT = "Li B C N O F"
"""Elements without a line above 0.7 keV."""


@pytest.fixture
def rutile(tmp_path) -> Path:
    path = tmp_path / "rutile.cif"
    path.write_text(RUTILE)
    return path


def test_cross_sections_are_those_of_scofield() -> None:
    found = {}
    for formula in ("CuBiP2Se6", "SrTiO3", "MoS2", "HfZrO4", "Pt", "Au"):
        found |= propose_xps(Material.of(formula)).settings["sensitivity"]
    for level, known in SCOFIELD.items():
        assert found[level] == pytest.approx(known, rel=0.006), level


def test_levels_lie_where_handbooks_have_them() -> None:
    for formula in ("CuInP2Se6", "Bi", "Ti", "Mo", "Pt", "Au"):
        for level, entry in propose_xps(Material.of(formula)).settings["lines"].items():
            position, splitting = HANDBOOK.get(level, (entry["position"], entry.get("splitting", 0.0)))
            assert entry["position"] == pytest.approx(position, abs=0.7), level
            assert entry.get("splitting", 0.0) == pytest.approx(splitting, abs=0.35), level


@pytest.mark.parametrize("element", ELEMENTS.split())
def test_every_element_has_valid_settings(element) -> None:
    material = Material.of(element)
    xps = XpsSettings.model_validate(propose_xps(material).settings)
    (level, factor) = next(iter(xps.sensitivity.items()))
    inside = [window for window in xps.windows.values() if window.low < xps.lines[level].position < window.high]
    assert inside and factor > 0
    edx = propose_edx(material)
    assert (edx is None) == (element in LIGHT.split())
    if edx is not None:
        assert EdxSettings.model_validate(edx.settings).quantified


def test_a_level_in_the_window_of_another_is_a_line_of_its_model() -> None:
    settings = propose_xps(Material.of("CuBiP2Se6")).settings
    assert settings["windows"]["Bi4f"]["models"] == {"Bi4f_and_Se3p": {"lines": ["Bi 4f", "Se 3p"]}}
    assert "Se 3p" not in settings["sensitivity"]


def test_levels_whose_windows_overlap_share_one() -> None:
    windows = propose_xps(Material.of("PbHf")).settings["windows"]
    edges = sorted((window["low"], window["high"]) for window in windows.values())
    assert all(one[1] <= other[0] for one, other in itertools.pairwise(edges))
    merged = propose_xps(Material.of("PtAl")).settings["windows"]  # Pt 4f at 71, Al 2p at 73 and Al 2s at 118 eV
    assert any(
        set(model["lines"]) >= {"Pt 4f", "Al 2p"} for each in merged.values() for model in each["models"].values()
    )


@pytest.mark.parametrize("element", ["Ru", "K", "Sr"])
def test_energies_refer_to_carbon_where_a_level_is_near_it(element) -> None:
    """The 3d lines of ruthenium lie below carbon, and those of potassium above."""
    settings = propose_xps(Material.of(f"{element}O2")).settings
    (model,) = settings["windows"][settings["reference_window"]]["models"].values()
    assert model["lines"][0] == "C 1s"


def test_hydrogen_has_no_level() -> None:
    assert set(propose_xps(Material.of("Mg(OH)2")).settings["sensitivity"]) == {"Mg 2s", "O 1s"}


@pytest.mark.parametrize(("group", "edges"), [("R -3 c:H", (4.759, 4.759, 12.991, 90, 90, 120)),
                                              ("R -3 c:R", (5.128, 5.128, 5.128, 55.29, 55.29, 55.29))])  # fmt: skip
def test_the_choice_of_axes_of_a_rhombohedral_cell_is_kept(tmp_path, group, edges) -> None:
    path = tmp_path / "corundum.cif"
    names = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
    cell = "".join(f"_cell_{name} {value}\n" for name, value in zip(names, edges, strict=True))
    path.write_text(f"data_c\n{cell}_space_group_name_H-M_alt '{group}'\n" + RUTILE[RUTILE.index("loop_") :])
    phase = XrdSettings.model_validate(propose_xrd(Material.of("", path)).settings).phases["corundum"]
    given = {name: value for name, value in phase.model_dump().items() if name != "space_group"}
    assert phase.space_group == group
    assert Lattice.of("corundum", phase.space_group, given).start == pytest.approx(edges)


def test_lines_of_a_large_oblique_cell_have_names(tmp_path) -> None:
    """Millions of reflections of such a cell lie below the largest angle; a bounded number is calculated."""
    path = tmp_path / "large.cif"
    path.write_text(RUTILE.replace("4.5941", "80").replace("2.9589", "70").replace("beta 90", "beta 101")
                    .replace("P 42/m n m", "P 1 21/c 1"))  # fmt: skip
    lines = strongest_lines(Material.of("", path).structure)
    assert len(lines) == 5 and all(name for name, _ in lines)


def test_lines_of_a_powder_are_those_of_its_card(rutile) -> None:
    """Rutile, card 21-1276 of the ICDD."""
    material = Material.of("", rutile)
    assert material.atoms == {"Ti": 1.0, "O": 2.0}
    assert dict(strongest_lines(material.structure)) == pytest.approx(
        {"110": 27.446, "101": 36.085, "111": 41.225, "211": 54.322, "301": 69.008}, abs=0.02
    )
    settings = XrdSettings.model_validate(propose_xrd(material).settings)
    assert (settings.phases["rutile"].a, settings.phases["rutile"].c) == (4.5941, 2.9589)
    assert propose_xrd(Material.of("TiO2")) is None


@pytest.mark.parametrize(
    ("text", "system", "edge", "columns"),
    [
        # SrTiO3: columns of O alone are too faint (doi 10.1107/S0567739479000267); rutile: two columns of TiO2 a cell.
        (cif_of((3.905,) * 3, (90, 90, 90), "P m -3 m", "Sr 0 0 0, Ti .5 .5 .5, O .5 .5 0"), "square", 3.905,
         {"Sr": (0, 0), "Ti-O": (0.5, 0.5)}),
        (RUTILE, "square", 4.5941, {"Ti": (0, 0), "Ti_2": (0.5, 0.5)}),
        # Silicon repeats after a/√8 = 1.920 angstrom along [001].
        (cif_of((5.431,) * 3, (90, 90, 90), "F d -3 m:1", "Si 0 0 0"), "square", 1.9201, {"Si": (0, 0)}),
        (cif_of((3.16, 3.16, 12.29), (90, 90, 120), "P 63/m m c", "Mo .33333 .66667 .25, S .33333 .66667 .621"), None,
         3.16, {"Mo-S": (0, 0), "Mo-S_2": (0.6667, 0.3333)}),
    ],
    ids=["strontium titanate", "rutile", "silicon", "molybdenum disulphide"],
)  # fmt: skip
def test_columns_along_c_are_those_of_the_structure(tmp_path, text, system, edge, columns) -> None:
    file = tmp_path / "cell.cif"
    file.write_text(text)
    proposed = propose_stem(Material.of("", file))
    settings = StemSettings.model_validate(proposed.settings)
    assert (settings.system, settings.b) == (system, None)
    assert settings.a == pytest.approx(edge, abs=1e-3)
    assert {site.name: site.position for site in settings.sites} == columns
    assert "[001]" in proposed.sources[1]


def test_glass_of_nist_has_its_certified_composition_without_a_standard() -> None:
    spectrum = read(shared("public/edx_nexl_k412") / "III-E_K412_0__4_.msa")["spectrum"].to_dataset()
    settings = propose_edx(Material.of("MgAlSiCaFe")).settings
    for element, oxygen in {"Mg": 1.0, "Al": 1.5, "Si": 2.0, "Ca": 1.0, "Fe": 1.0}.items():
        settings["elements"][element]["oxygen"] = oxygen
    attrs = {"raw_file": "a.msa", "raw_sha256": "0" * 64, "origin": "measured"}
    given = EdxSettings.model_validate({**settings, "geometry": "bulk", "fit_range": (0.9, 15.0)})
    rows = analyse([Measurement("k412", attrs, {}, {"spectrum": spectrum})], given).numbers
    percent = {row.feature: row for row in rows if row.parameter == "weight_percent"}
    for element, certified in CERTIFIED.items():
        row = percent[element]
        assert row.value == pytest.approx(certified, rel=0.09), element
        assert abs(row.value - certified) < 1.96 * np.hypot(row.standard_error, row.systematic_error)
        assert "k-factors calculated" in row.method


@pytest.mark.parametrize("formula", ["Xx2", "cu", "C-", "K" * 3000 + "("])
def test_what_is_no_formula_is_refused_in_one_line(formula) -> None:
    with pytest.raises(SheetError, match="not a chemical formula such as CuInP2S6") as caught:
        Material.of(formula)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 400


def test_a_file_that_is_no_structure_is_refused(tmp_path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("U [V],I [A]\n0,1\n1,2\n2,3\n3,4\n")
    with pytest.raises(ReadError, match="expected a structure file"):
        Material.of("TiO2", path)


# --- into the settings file ---------------------------------------------------------------------------------------
BEFORE = """# my lab
samples:
  first:  # a crystal
    raman:
      modes: {A: 100.0}  # cm-1
      window: [50.0,
               400.0]
  # after the first
  second: {xrd: {window: 1.0}}

# what is compared
comparison: []
"""
SECTION = {"xrd": Proposed({"phases": {"a": {"space_group": "P 1", "a": 3.0}}}, ("from a table",))}


@pytest.mark.parametrize(
    ("sample", "follows"),
    [("third", "  second: {xrd: {window: 1.0}}\n"), ("first", "               400.0]\n")],
)
def test_sections_are_inserted_and_all_else_stays(tmp_path, sample, follows) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(BEFORE)
    write(path, sample, Material.of("TiO2"), SECTION)
    text = path.read_text()
    head, tail = BEFORE.split(follows)
    assert text.startswith(head + follows) and text.endswith(tail)
    assert "# proposed for TiO2" in text and "# from a table" in text
    settings = load_settings(path)
    assert settings.samples[sample].xrd.phases["a"].a == 3.0
    assert settings.samples["first"].raman.modes == {"A": 100.0}


def test_line_ends_and_names_that_are_numbers_are_kept(tmp_path) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes(BEFORE.replace("\n", "\r\n").encode())
    write(path, "12", Material.of("TiO2"), SECTION)
    assert path.read_bytes().startswith(BEFORE.split("\n# what")[0].replace("\n", "\r\n").encode())
    assert load_settings(path).samples["12"].xrd.phases["a"].a == 3.0


def test_a_file_without_samples_gets_them(tmp_path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("sample: first  # no line end")
    write(path, "first", Material.of("TiO2"), SECTION)
    assert load_settings(path).samples["first"].xrd.phases["a"].a == 3.0


@pytest.mark.parametrize("text", ["samples: {}\n", "samples:\n  first: {xrd: {window: 1.0}}\n", "samples:\n"])
def test_a_place_in_braces_is_named_and_left(tmp_path, text) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(SheetError, match=r"line \d: the settings of samples stand in braces or are empty.*--dry-run"):
        write(path, "first", Material.of("TiO2"), SECTION)
    assert path.read_text() == text


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    root = empty_project(tmp_path / "project", "sample: powder\n")
    monkeypatch.chdir(root)
    return root


def pattern(path: Path, lines: dict[float, float]) -> Path:
    """A pattern of Gaussian lines, which the analysis does not use."""
    angle = np.arange(20, 60, 0.02)
    counts = 50 + sum(height * np.exp(-0.5 * ((angle - place) / 0.05) ** 2) for place, height in lines.items())
    noisy = np.random.default_rng(5).poisson(counts)
    path.write_text(
        "2theta (deg),Intensity (counts)\n" + "".join(f"{a:.2f},{n}\n" for a, n in zip(angle, noisy, strict=True))
    )
    return path


@pytest.mark.costly
def test_a_formula_and_a_structure_lead_to_a_refined_cell(project, tmp_path, rutile) -> None:
    card = {27.446: 4000, 36.085: 2000, 39.187: 300, 41.225: 1000, 44.05: 400, 54.322: 2400}
    raw = pattern(tmp_path / "powder.csv", card)
    arguments = ["add", "powder", str(raw), "--formula", "TiO2", "--cif", str(rutile), "--yes"]
    before = (project / "config/config.yaml").read_text()
    shown = CliRunner().invoke(app, [*arguments, "--dry-run"])
    assert shown.exit_code == 0, shown.output
    assert "space_group: P 42/m n m" in shown.output
    assert (project / "config/config.yaml").read_text() == before
    assert not (project / "raw_data").exists()
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert "settings of xrd added" in done.output
    sections = yaml.safe_load((project / "config/config.yaml").read_text())["samples"]["powder"]
    assert list(sections) == ["xrd"]  # only what the files need
    (row,) = load_settings("config/config.yaml").load_sheet()
    assert row["technique"] == "xrd" and not row["note"]
    written = (project / "config/config.yaml").read_text()
    again = CliRunner().invoke(app, arguments)
    assert again.exit_code == 1  # nothing is left to add
    assert (project / "config/config.yaml").read_text() == written


def test_a_refused_file_has_its_settings_to_be_edited(project, tmp_path) -> None:
    raw = tmp_path / "Bi4f.csv"
    energy = np.arange(150.0, 172.0, 0.1)
    rows = "".join(f"{place:.1f},{500}\n" for place in energy)
    raw.write_text("Binding energy (eV),Intensity (counts)\n" + rows)
    done = CliRunner().invoke(app, ["add", "powder", str(raw), "--formula", "Bi2Se3", "--yes"])
    assert done.exit_code == 0, done.output
    assert "Bi 4f" in load_settings("config/config.yaml").samples["powder"].xps.lines


def test_settings_that_cannot_be_written_leave_no_rows(project, tmp_path, rutile) -> None:
    (project / "config/config.yaml").write_text("sample: powder\nsamples: {}\n")
    raw = pattern(tmp_path / "powder.csv", {27.446: 4000, 36.085: 2000, 54.322: 2400})
    done = CliRunner().invoke(app, ["add", "powder", str(raw), "--cif", str(rutile), "--yes"])
    assert isinstance(done.exception, SheetError)
    assert load_settings("config/config.yaml").load_sheet() == []
    assert not (project / "raw_data").exists()
