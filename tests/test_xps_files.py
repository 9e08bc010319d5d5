"""XPS of files as other laboratories have them: several files, repeated scans, no counting time, metals, profiles.

The spectra are made from formulas that are summed on a fine grid, not with the functions of the analysis, and are
written as VAMAS files.
"""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from relaxor.core.errors import AnalysisError
from relaxor.core.results import Measurement
from relaxor.core.storage import numbers_table, save_tree
from relaxor.figures.panel import PanelData
from relaxor.figures.style import SINGLE, new_figure
from relaxor.readers import read
from relaxor.techniques.material import Material
from relaxor.techniques.registry import techniques
from relaxor.techniques.xps.settings import XpsSettings
from relaxor.techniques.xps.spectra import spectra_of
from scipy.special import voigt_profile

from tests.analyses import analysis_of
from tests.public_files import shared
from tests.readers.samples.photoemission import BLOCK, vamas

analyse = analysis_of("xps")

PHOTON, FINE, TAIL = 1486.6, 0.01, 10.0
GAUSSIAN, LORENTZIAN, ALPHA, POSITION, SPLITTING = 0.60, 0.36, 0.19, 71.20, 3.33
PLATINUM = XpsSettings.model_validate(techniques()["xps"].propose(Material.of("Pt")).settings)
METAL = "Pt4f_shirley_doniach_sunjic"


# --- spectra from formulas
def metal(energy: np.ndarray, position: float) -> np.ndarray:
    """Doniach–Šunjić line summed over a Gaussian, with an area of one up to 10 eV above its center."""
    half, sigma = LORENTZIAN / 2, GAUSSIAN / 2.3548200450309493
    shifts = np.linspace(-6, 6, 481) * sigma
    weights = np.exp(-0.5 * (shifts / sigma) ** 2)
    total = np.zeros_like(energy)
    for shift, weight in zip(shifts, weights / weights.sum(), strict=True):
        below = position + shift - energy
        line = np.cos(math.pi * ALPHA / 2 + (1 - ALPHA) * np.arctan(below / half))
        total += weight * line / (below**2 + half**2) ** ((1 - ALPHA) / 2)
    return total / (total[(energy > position - 30) & (energy < position + TAIL)].sum() * FINE)


def tougaard(energy: np.ndarray, lines: np.ndarray, strength: float) -> np.ndarray:
    """What electrons that lost energy add, by sums over the losses."""
    loss = np.arange(0, 100, FINE * 10)
    kernel = strength * loss / (1643.0 + loss**2) ** 2 * FINE * 10
    coarse = lines[::10]
    return np.interp(energy, energy[::10], np.convolve(coarse, kernel)[: coarse.size])


def platinum(area: float = 4e4, energy: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Energies and mean rates of Pt 4f: both lines, Tougaard losses, and a falling base."""
    energy = np.arange(62.0, 90.0, 0.1) if energy is None else energy
    fine = np.arange(30.0, 120.0, FINE)
    lines = area / 1.75 * (metal(fine, POSITION) + 0.75 * metal(fine, POSITION + SPLITTING))
    whole = lines + tougaard(fine, lines, 300.0) + 800 + 3 * (fine - 62)
    return energy, np.interp(energy, fine, whole)


def carbon(shift: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    energy = np.arange(276.0, 296.0, 0.1)
    return energy, 6000 * voigt_profile(energy - 284.8 - shift, 0.5, 0.05) + 500


def counted(rate: np.ndarray, seconds: float, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).poisson(rate * seconds)


def block(energy: np.ndarray, counts: np.ndarray, species: str, level: str, seconds: float, etched: str = "") -> str:
    """A block of a VAMAS file, over ascending kinetic energy."""
    number = "\n".join(f"{count:d}" for count in counts[::-1])
    text = BLOCK.format(identifier=f"{species}{level}")
    text = text.replace("\nC\n1s\n", f"\n{species}\n{level}\n").replace("XPS\n", f"XPS\n{etched}", 1)
    text = text.replace("1190.6\n0.5\n", f"{PHOTON - energy[-1]:.4f}\n{energy[1] - energy[0]:.4f}\n")
    text = text.replace("pulse counting\n0.5\n2\n", f"pulse counting\n{seconds:g}\n1\n")
    head, _, _ = text.partition("4\n1\n9\n1\n4\n9\n4\n")
    return f"{head}{counts.size}\n{counts.min()}\n{counts.max()}\n{number}\n"


def written(folder: Path, name: str, *blocks: str, etched: bool = False) -> Measurement:
    """Write a VAMAS file and return what is read from it."""
    head = vamas(0).removesuffix("end of experiment\n").removesuffix("0\n") + f"{len(blocks)}\n"
    if etched:
        head = head.replace("\nREGULAR\n1\n0\n", "\nREGULAR\n1\n1\nEtch Time\ns\n")
    path = folder / f"{name}.vms"
    path.write_text(head + "".join(blocks) + "end of experiment\n")
    return measurement(path)


def measurement(path: Path) -> Measurement:
    tree = read(path)
    regions = {name: region.to_dataset() for name, region in tree.children.items()}
    return Measurement(path.stem, {"instrument": "lab", "origin": "simulated", **tree.attrs}, {}, regions)


def plain(rate: np.ndarray, energy: np.ndarray, unit: str, **more: object) -> Measurement:
    """A measurement of one spectrum, as a table of numbers is read."""
    axis = {"binding_energy": ("binding_energy", energy, {"units": "eV"})}
    spectrum = xr.Dataset({"intensity": ("binding_energy", rate, {"units": unit})}, axis, more)
    attrs = {"instrument": "lab", "origin": "simulated", "raw_file": "table.txt", "raw_sha256": "0" * 64}
    return Measurement("table", attrs, {}, {"Pt4f": spectrum})


def values(result, model: str = METAL) -> dict[tuple[str, str], object]:
    return {(row.parameter, row.feature): row for row in result.numbers if row.model == model}


def drawn(result, folder: Path) -> list[tuple[str, object]]:
    """Draw each panel of a result and return titles and axes."""
    save_tree(folder / "curves.nc", result.curves)
    numbers = numbers_table(result.numbers, "xps")
    found = []
    with xr.open_datatree(folder / "curves.nc", engine="h5netcdf") as tree:
        for name, group in tree.children.items():
            for title, draw in techniques()["xps"].overview(name, group):
                figure = new_figure(SINGLE, 60)
                ax = figure.add_subplot()
                draw(ax, PanelData({name: group}, numbers[numbers["measurement"] == name]))
                figure.draw_without_rendering()
                found.append((title, ax))
    return found


# --- metals
@pytest.fixture(scope="module")
def metallic(tmp_path_factory):
    energy, rate = platinum()
    scans = [block(energy, counted(rate, 0.5, seed), "Pt", "4f", 0.5) for seed in range(4)]
    file = written(tmp_path_factory.mktemp("pt"), "Pt", *scans)
    return analyse([file], PLATINUM)


def test_lines_of_a_metal_are_found_from_its_formula(metallic):
    techniques()["xps"].require_named(metallic.numbers)
    found = values(metallic)
    truth = {
        ("binding_energy", "Pt 4f7/2"): POSITION,
        ("binding_energy", "Pt 4f5/2"): POSITION + SPLITTING,
        ("splitting", "Pt 4f"): SPLITTING,
        ("asymmetry", "Pt 4f"): ALPHA,
        ("fwhm_lorentzian", "Pt 4f"): LORENTZIAN,
        ("fwhm_gaussian", ""): GAUSSIAN,
        ("area_ratio", "Pt 4f"): 0.75,
        ("area", "Pt 4f"): 4e4,
    }
    for key, true in truth.items():
        row = found[key]
        components = [each.value for each in row.budget if each.name != "energy of the reference"]
        error = math.hypot(row.standard_error, *components)
        assert abs(row.value - true) < 2.5 * error, key
        assert error < (0.3 if "fwhm" in key[0] else 0.12) * true
    assert found["binding_energy", "Pt 4f7/2"].standard_error < 0.01


def test_the_width_of_a_metal_includes_its_tail(metallic):
    fine = np.arange(60.0, 80.0, 0.001)
    half, sigma = LORENTZIAN / 2, GAUSSIAN / 2.3548200450309493
    shifts = np.linspace(-6, 6, 481) * sigma
    below = POSITION + shifts[:, None] - fine
    line = np.cos(math.pi * ALPHA / 2 + (1 - ALPHA) * np.arctan(below / half)) / (below**2 + half**2) ** (
        (1 - ALPHA) / 2
    )
    curve = np.exp(-0.5 * (shifts / sigma) ** 2) @ line
    above = fine[curve > curve.max() / 2]
    row = values(metallic)["fwhm", "Pt 4f7/2"]
    assert abs(row.value - (above[-1] - above[0])) < 3 * math.hypot(row.standard_error, 0.002)


def test_scans_are_added_and_energies_without_a_reference_are_flagged(metallic):
    row = values(metallic)["binding_energy", "Pt 4f7/2"]
    assert "4 scans of one axis added" in row.method
    assert "no charge reference: 'C1s' was not measured" in row.method
    assert row.status == "assumed"
    assert row.systematic_error == pytest.approx(0.2, abs=0.02)  # a metal does not charge
    assert not [each for each in metallic.numbers if each.parameter == "atomic_percent"]  # one element


def test_each_panel_has_descending_energies(metallic, tmp_path):
    ((title, ax),) = drawn(metallic, tmp_path)
    assert title.endswith(": Pt4f")
    assert all(axes.xaxis_inverted() for axes in ax.child_axes)
    assert ax.child_axes[1].get_ylabel() == "Rate (10$^3$ counts s$^{-1}$)"


# --- what is missing
def test_noise_is_that_of_the_data_where_there_are_no_counts():
    energy, rate = platinum()
    counts = counted(rate, 2.0, 1)
    timed = analyse([plain(counts / 2.0, energy, "count/s", counting_time=2.0)], PLATINUM)
    for unit, scale in (("1", 1.7e-5), ("count/s", 0.5)):
        timeless = analyse([plain(counts * scale, energy, unit)], PLATINUM)
        for key in (("binding_energy", "Pt 4f7/2"), ("area_ratio", "Pt 4f")):
            one, two = values(timed)[key], values(timeless)[key]
            assert two.value == pytest.approx(one.value, abs=0.2 * one.standard_error)
            assert two.standard_error == pytest.approx(one.standard_error, rel=0.25)
            assert "the noise is that between neighbouring points" in two.method
        assert values(timeless)["area", "Pt 4f"].unit == ("eV" if unit == "1" else "count*eV/s")


def test_counts_of_a_known_time_are_rates():
    energy, rate = platinum()
    counts = counted(rate, 2.0, 1)
    row = values(analyse([plain(counts, energy, "count", counting_time=2.0)], PLATINUM))["area", "Pt 4f"]
    assert (row.unit, row.value) == ("count*eV/s", pytest.approx(4e4, rel=0.1))
    row = values(analyse([plain(counts, energy, "count")], PLATINUM))["area", "Pt 4f"]
    assert (row.unit, row.value) == ("count*eV", pytest.approx(8e4, rel=0.1))


def test_kinetic_energies_become_binding_energies():
    energy, rate = platinum()
    spectrum = plain(counted(rate, 2.0, 1), energy, "count").regions["Pt4f"]
    kinetic = spectrum.assign_coords(binding_energy=PHOTON - energy).rename(binding_energy="kinetic_energy")
    file = replace(plain(rate, energy, "count"), regions={"Pt4f": kinetic})
    row = values(analyse([file], PLATINUM))["binding_energy", "Pt 4f7/2"]
    assert row.value == pytest.approx(POSITION, abs=0.03)
    assert "does not state the energy of the photons, taken as 1486.6 eV" in row.method
    stated = replace(file, regions={"Pt4f": kinetic.assign_attrs(excitation_energy=1486.6)})
    row = values(analyse([stated], PLATINUM))["binding_energy", "Pt 4f7/2"]
    assert "binding energies are 1486.6 eV minus kinetic energies" in row.method


def test_lines_without_names_are_found_and_flagged(tmp_path):
    energy, rate = platinum()
    result = analyse([plain(counted(rate, 2.0, 1), energy, "count")], XpsSettings())
    rows = [row for row in result.numbers if row.parameter == "binding_energy" and row.model.endswith("doniach_sunjic")]
    assert [round(row.value, 1) for row in rows] == pytest.approx([POSITION + SPLITTING, POSITION], abs=0.11)
    assert all(row.status != "ok" and "which were found" in row.method for row in rows)
    ((_, ax),) = drawn(result, tmp_path)
    assert ax.child_axes


def test_what_cannot_be_fitted_is_drawn_with_the_reason(tmp_path):
    energy, rate = platinum()
    for values_given, reason in (
        (rate - rate.mean(), "some of its intensities are negative"),
        (np.full(rate.size, 3.0), "its intensities have no noise"),
    ):
        file = plain(values_given, energy, "1")
        ((_, ax),) = drawn(analyse([file], XpsSettings()), tmp_path)
        assert reason in ax.texts[0].get_text().replace("\n", " ")
        assert ax.xaxis_inverted()
        with pytest.raises(AnalysisError, match=f"table: region 'Pt4f': {reason}"):
            analyse([file], PLATINUM)


def test_a_file_without_spectra_is_refused():
    image = xr.Dataset({"height": (("y", "x"), np.ones((4, 4)))})
    file = replace(plain(np.ones(3), np.arange(3.0), "1"), regions={"picture": image})
    with pytest.raises(AnalysisError, match=r"holds no spectrum over binding or kinetic energy \(it has picture\)"):
        analyse([file], PLATINUM)


def test_a_region_that_lies_elsewhere_is_not_the_window():
    energy, rate = platinum(energy=np.arange(162.0, 190.0, 0.1))
    file = plain(counted(rate + 1000, 1.0, 1), energy, "count")
    assert not [row for row in analyse([file], PLATINUM).numbers if row.feature == "Pt 4f7/2"]
    needed = PLATINUM.model_copy(update={"reference": "line", "reference_window": "Pt4f"})
    with pytest.raises(AnalysisError, match=r"no points between 63\.2 and 84\.5 eV; it lies between 162 and"):
        analyse([file], needed)


# --- several files and references
def test_files_of_one_region_each_share_reference_and_composition(tmp_path):
    settings = XpsSettings.model_validate(techniques()["xps"].propose(Material.of("PtC2")).settings)
    (energy, rate), (above, other) = platinum(), carbon(shift=0.4)
    shifted = block(energy + 0.4, counted(rate, 2.0, 1), "Pt", "4f", 2.0)
    adventitious = block(above, counted(other, 2.0, 2), "C", "1s", 2.0)
    apart = [written(tmp_path, "a", shifted), written(tmp_path, "b", adventitious)]
    one = analyse([written(tmp_path, "both", shifted, adventitious)], settings)
    several = analyse(apart, settings)

    def contents(result):
        return {row.feature: row.value for row in result.numbers if row.parameter == "atomic_percent"}

    assert contents(several) == pytest.approx(contents(one))
    assert {row.measurement for row in several.numbers if row.parameter == "atomic_percent"} == {"all_files"}
    shift = next(row for row in several.numbers if row.parameter == "charge_shift")
    assert (shift.measurement, shift.value) == ("b", pytest.approx(0.4, abs=0.02))
    lines = [row for row in several.numbers if row.parameter == "binding_energy" and row.measurement == "a"]
    assert min(abs(row.value - POSITION) for row in lines) < 0.02
    assert {title.partition(":")[0] for title, _ in drawn(several, tmp_path)} == {"a", "b"}


def test_files_of_one_region_twice_are_analysed_one_by_one(tmp_path):
    energy, rate = platinum()
    files = [written(tmp_path, name, block(energy, counted(rate, 1.0, 3), "Pt", "4f", 1.0)) for name in "ab"]
    rows = [row for row in analyse(files, PLATINUM).numbers if row.parameter == "area" and row.model == METAL]
    assert [row.measurement for row in rows] == ["a", "b"]


# --- depth profiles and samples
def test_areas_of_a_depth_profile_follow_the_etch_time(tmp_path):
    levels = [(0, 4e4), (60, 2e4), (120, 8e3)]
    blocks = []
    for etched, area in levels:
        energy, rate = platinum(area)
        blocks.append(block(energy, counted(rate, 2.0, etched), "Pt", "4f", 2.0, etched=f"{etched}\n"))
    result = analyse([written(tmp_path, "profile", *blocks, etched=True)], PLATINUM)
    techniques()["xps"].require_named(result.numbers)
    areas = [row for row in result.numbers if row.parameter == "area" and row.model == METAL]
    assert [(row.at, row.at_unit) for row in areas] == [(0.0, "s"), (60.0, "s"), (120.0, "s")]
    for row, (_, area) in zip(areas, levels, strict=True):
        assert abs(row.value - area) < 2.5 * math.hypot(row.standard_error, row.systematic_error)
        assert row.value == pytest.approx(area, rel=0.15)
    panels = drawn(result, tmp_path)
    assert [title for title, _ in panels] == [
        "profile: profile", "profile: Pt4f, 0 s", "profile: Pt4f, 60 s", "profile: Pt4f, 120 s"
    ]  # fmt: skip
    (areas_over_time,) = panels[0][1].child_axes
    assert areas_over_time.get_xlabel() == "Etch time (s)"
    assert len({row.value for row in areas}) == 3


def test_groups_of_one_file_are_told_apart():
    energy, rate = platinum()
    regions = {}
    for number, name in enumerate(("Pt4f", "Pt4f_2")):
        one = plain(counted(rate, 2.0, number), energy, "count", group=f"spot {number}", region="Pt4f")
        regions[name] = one.regions["Pt4f"]
    result = analyse([replace(one, regions=regions)], PLATINUM)
    rows = [row for row in result.numbers if row.parameter == "area" and row.model == METAL]
    assert [row.at for row in rows] == [1.0, 2.0]
    assert "group 'spot 1'" in rows[1].method


# --- public files
def test_platinum_of_khervefitting():
    # Pt4f.xlsx beside it stores a fit by another program: 71.07 and 74.40 eV, 1.02 eV wide, areas 7593 and 5686.
    found = values(analyse([measurement(shared("cases/p05-xps-workbook/Pt4f.vms"))], PLATINUM))
    for line, stored in (("Pt 4f7/2", 71.07), ("Pt 4f5/2", 74.40)):
        row = found["binding_energy", line]
        assert abs(row.value - stored) < 2 * row.standard_error < 0.03
    assert found["fwhm", "Pt 4f7/2"].value == pytest.approx(1.02, abs=0.04)
    ratio = found["area_ratio", "Pt 4f"]
    assert abs(ratio.value - 5686 / 7593) < ratio.standard_error
    assert 0.15 < found["asymmetry", "Pt 4f"].value < 0.25


def test_a_spectrum_that_was_stored_twice_counts_once():
    file = measurement(shared("cases/p03-two-vamas-experiments/two_experiments.vms"))
    (spectrum,) = spectra_of(file, PHOTON)
    assert spectrum.remarks == ("stored more than once in the file",)
    assert spectrum.time == pytest.approx(0.05)


def test_depth_profile_of_three_equal_spectra():
    file = measurement(shared("cases/p04-vamas-depth-profile/etch_profile.vms"))
    rows = [row for row in analyse([file], PLATINUM).numbers if row.parameter == "area" and row.model == METAL]
    assert [(row.at, row.at_unit) for row in rows] == [(0.0, "s"), (60.0, "s"), (120.0, "s")]
    assert len({row.value for row in rows}) == 1


@pytest.mark.costly
def test_a_file_of_several_groups_and_chemical_shifts():
    settings = XpsSettings.model_validate(techniques()["xps"].propose(Material.of("MgFe2O4")).settings)
    settings = settings.model_copy(update={"backgrounds": ["shirley"], "shapes": ["voigt"]})
    result = analyse([measurement(shared("cases/p01-specs-fixed-energies/MgFe2O4.xy"))], settings)
    rows = {(row.feature, row.at): row for row in result.numbers if row.parameter == "binding_energy"}
    for group in (2.0, 3.0):  # a ferrite holds Fe(III)
        assert rows["Fe 2p3/2", group].value == pytest.approx(710.7, abs=0.6)
        assert rows["Fe 2p1/2", group].value - rows["Fe 2p3/2", group].value == pytest.approx(13.5, abs=0.4)
        assert rows["O 1s", group].value == pytest.approx(531.0, abs=0.5)


def test_carbon_of_a_fluoride_is_not_the_reference(rawfiles):
    result = analyse([measurement(rawfiles / "xps/vamas_vms/fomblin_y.vms")], XpsSettings())
    shift = next(row for row in result.numbers if row.parameter == "charge_shift")
    assert (shift.value, shift.status) == (0.0, "assumed")
    places = {
        round(row.value, 1) for row in result.numbers if "C1s" in row.feature and row.parameter == "binding_energy"
    }
    assert {293.6, 291.5} <= places
