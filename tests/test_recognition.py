"""What a file is, told from what is in it."""

import ast

import pytest
from relaxor.core.errors import AnalysisError
from relaxor.project.snakemake_adapter import sources
from relaxor.readers import read
from relaxor.techniques.contents import Contents
from relaxor.techniques.recognition import likely_techniques
from relaxor.techniques.registry import techniques

from tests.project import ROOT, SETTINGS, sheet_rows
from tests.public_files import present

ROWS = {row["measurement"]: row for row in sheet_rows()}


@pytest.mark.parametrize("measurement", ROWS)
def test_every_sample_file_is_recognised_and_told_enough_about(measurement):
    row = ROWS[measurement]
    tree = read(ROOT / row["file"], SETTINGS.tables[row["table"]] if row["table"] else None)
    found = likely_techniques(tree)
    if row["technique"] == "shg":  # a spectrum over wavelength may be anything
        assert found == ()
    elif row["technique"] in ("iv_sweeps", "electrical_pulses"):  # what is in the voltage decides, not its unit
        assert found == ("iv_sweeps", "electrical_pulses")
    else:
        assert found == (row["technique"],)
    assert set(techniques()[row["technique"]].conditions.needed(Contents.of(tree))) <= set(row["conditions"])


REAL = {
    "afm_pfm/asylum_ibw/P0089OP0027.ibw": ("pfm",),
    "afm_pfm/asylum_ibw/force_ibw.ibw": (),
    "afm_pfm/bruker_nanoscope/full_multiple_images.txt": ("afm", "pfm"),
    "electrical/keithley4200_xls/vds-id#1.xls": ("transistors", "iv_sweeps", "electrical_pulses"),
    "ferroelectric_pe/aixacct_dat/PUND_TFA3000.dat": ("hysteresis",),
    "ferroelectric_pe/aixacct_dat/FeFETD1_die68_MFS+_100_10x10_forc.dat": ("hysteresis", "iv_sweeps"),
    "ferroelectric_pe/radiant_txt/TypABdata.Hysteresis.2.txt": ("hysteresis",),
    "stem_haadf/velox_emd/fei_emd_image.emd": ("stem",),
    "raman_shg/renishaw_wdf/renishaw_test_linescan.wdf": (),
    "raman_shg/renishaw_wdf/renishaw_test_zscan.wdf": ("raman",),
    "xps/vamas_vms/regular.vms": ("xps",),
    "xrd/panalytical_xrdml/rsm_1.xrdml.bz2": ("xrd",),
    "xrd/ascii_xy/SbI3.xy": (),
}
"""Real files, and the techniques that may have measured them."""


def test_real_files_are_recognised(rawfiles, subtests):
    for path, found in present(rawfiles, REAL):
        with subtests.test(path.name):
            assert likely_techniques(read(path)) == found


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ("Temperature (K),Time Stamp (sec)", ("growth",)),
        ("Temperature (K),Time Stamp (sec),Resistance (ohm)", ()),  # of a PPMS
        ("Pulse width (us),P* (uC/cm2),dP (uC/cm2)", ()),
        ("Time (s),R_on (ohm),R_off (ohm)", ("endurance",)),
        ("2Theta (deg),Reflectivity", ()),
        ("2Theta (deg),Intensity", ("xrd",)),
    ],
)
def test_tables_that_look_like_others(tmp_path, names, found):
    path = tmp_path / "a.csv"
    columns = names.count(",") + 1
    path.write_text(f"{names}\n" + "".join(",".join([f"{n / 2 + 1}"] * columns) + "\n" for n in range(30)))
    assert likely_techniques(read(path)) == found


def test_a_tester_knows_its_capacitor(rawfiles):
    for name in ("aixacct_dat/RTWhiteB_freqs.dat", "radiant_txt/TypABdata.Hysteresis.2.txt"):
        assert not techniques()["hysteresis"].conditions.needed(Contents.of(read(rawfiles / "ferroelectric_pe" / name)))


def asked_for(technique: str) -> set[str]:
    """Conditions for which the code of a technique asks without a default."""
    found = set()
    for path in sources(techniques()[technique].analyse.__module__):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")) if path.suffix == ".py" else ast.parse("")):
            called = isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "condition"
            if called and len(node.args) == 2 and not node.keywords:
                found.add(node.args[0].value)
    return found


@pytest.mark.parametrize("technique", techniques())
def test_the_table_of_conditions_is_what_the_analyses_ask_for(monkeypatch, technique):
    monkeypatch.chdir(ROOT)
    asked = asked_for(technique) - {"thickness_alternative"}  # asked for where it is given
    if technique == "iv_sweeps":
        asked -= {"gap"}  # asked for where it is given
    if technique == "edx":
        assert not asked  # the file's own beam energy goes first
    else:
        assert asked == set(techniques()[technique].conditions.required)


@pytest.mark.parametrize("technique", [name for name, own in techniques().items() if own.needed_setting])
def test_a_material_that_nobody_described_is_refused_with_the_setting_that_is_missing(technique):
    own = techniques()[technique]
    with pytest.raises(AnalysisError, match=f"set {technique}.{own.needed_setting}") as caught:
        list(own.analyse([], own.settings()))
    assert "'other' is drawn without analysis" in caught.value.advice
