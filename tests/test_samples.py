"""Figures of any sample, samples beside each other, and both in the workflow."""

import re
import shutil
from functools import partial

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib.figure import Figure
from relaxor.core.results import Number
from relaxor.core.storage import load, save_parameters, save_tree
from relaxor.core.variables import variable
from relaxor.figures import generic as plain
from relaxor.figures.panel import load_parameters
from relaxor.figures.style import mark_clipped, new_figure, spread, upright_labels
from relaxor.reporting import comparison
from relaxor.reporting import draw_samples as samples
from relaxor.reporting.comparison import NOWHERE, common_quantities, draw_comparison

from tests.project import Project

ATTRS = {
    "raw_file": "a.dat", "raw_sha256": "0" * 64, "origin": "measured", "instrument": "", "conditions": "{}",
}  # fmt: skip


def column(values, unit, name):
    return variable("point", np.asarray(values, dtype=float), unit, name)


def table(**columns):
    return xr.Dataset({name: column(*content, name) for name, content in columns.items()})


# --- what is drawn of a region -------------------------------------------------------------------------------------
RAMP = np.concatenate([np.linspace(0, 1, 20), np.linspace(1, -1, 40), np.linspace(-1, 0, 20)])
PULSE = np.where(np.arange(80) % 20 < 2, 1.0, 0.0)


@pytest.mark.parametrize(
    ("voltage", "across"),
    [(RAMP, "voltage"), (PULSE, "time"), (np.full(80, 0.1), "time")],
    ids=["swept", "pulsed", "held"],
)
def test_a_current_is_drawn_against_a_voltage_that_is_swept_and_else_against_time(voltage, across):
    region = table(time=(np.arange(80), "s"), voltage=(voltage, "V"), current=(voltage * 1e-9, "A"))
    x, y = plain.chosen(region)
    assert (x.name, y.name) == (across, "current")


def test_of_a_spectrum_the_signal_is_drawn_and_not_its_uncertainty():
    region = xr.Dataset(
        {
            "intensity_uncertainty": variable("energy", np.ones(5), "count", "uncertainty"),
            "intensity": variable("energy", np.arange(5.0), "count", "intensity"),
        },
        coords={"energy": variable("energy", np.linspace(0, 2, 5), "keV", "energy")},
    )
    x, y = plain.chosen(region)
    assert (x.name, y.name) == ("energy", "intensity")
    assert plain.label(x) == "energy (keV)"


def test_a_region_of_texts_and_single_numbers_is_not_drawn():
    region = xr.Dataset({"title": ("point", ["a", "b"]), "width": ((), 3.0)})
    assert plain.chosen(region) is None
    ax = Figure().add_subplot()
    plain.draw_regions(ax, {"sheet": region})
    assert ax.texts[0].get_text() == "nothing that can be drawn"


def test_regions_of_one_kind_share_a_panel_which_says_what_it_leaves_out():
    curve = table(voltage=(RAMP, "V"), current=(RAMP * 1e-9, "A"))
    other = table(time=(np.arange(9), "s"), current=(np.arange(9), "A"))
    ax = Figure().add_subplot()
    plain.draw_regions(ax, {"first": curve, "other": other, "second": curve})
    assert len(ax.lines) == 2
    assert ax.get_title("right") == "2 of 3 parts"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("voltage (V)", "current (A)")


def spectrum(low, high):
    energy = {"binding_energy": ("binding_energy", np.linspace(low, high, 50), {"units": "eV"})}
    return xr.Dataset({"intensity": ("binding_energy", np.ones(50), {"units": "count"})}, energy)


def test_photoelectron_spectra_of_one_range_share_a_panel_and_their_energy_descends():
    regions = {"survey": spectrum(0, 1200), "C1s": spectrum(280, 295), "C1s_2": spectrum(281, 296)}
    first, second = plain.panels_of(regions)
    assert (list(first), list(second)) == (["survey"], ["C1s", "C1s_2"])
    ax = Figure().add_subplot()
    plain.draw_regions(ax, second)
    assert ax.xaxis_inverted()
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["C1s", "C1s_2"]
    curve = table(voltage=(RAMP, "V"), current=(RAMP * 1e-9, "A"))
    assert plain.panels_of({"a": curve, "b": curve}) == [{"a": curve, "b": curve}]


def test_labels_are_moved_as_little_as_they_must_and_stay_inside():
    assert spread([1.0, 2.0, 3.0], 0.5, 0.0, 4.0) == [1.0, 2.0, 3.0]
    assert spread([1.0, 1.2], 0.5, 0.0, 4.0) == pytest.approx([0.85, 1.35])
    assert spread([3.9, 3.95, 4.0], 0.5, 0.0, 4.0) == pytest.approx([3.0, 3.5, 4.0])


def test_a_line_scan_is_drawn_against_its_own_axes():
    axes = {"z": ("z", np.linspace(0, 19, 20), {"units": "um", "long_name": "depth"}),
            "energy": ("energy", np.linspace(0, 5, 30), {"units": "keV", "long_name": "energy"})}  # fmt: skip
    scan = xr.Dataset({"intensity": (("z", "energy"), np.ones((20, 30)), {"units": "count"})}, axes)
    ax = new_figure(89, 66).add_subplot()
    plain.draw_regions(ax, {"scan": scan})
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("energy (keV)", "depth (um)")
    assert ax.get_ylim()[1] == pytest.approx(19.5)


def picture(frames: int, unit: str = "m", **coords) -> xr.DataArray:
    values = np.arange(frames * 24.0).reshape(frames, 4, 6) * 1e-9
    dims = ("frame", "y", "x") if frames > 1 else ("y", "x")
    return xr.DataArray(np.squeeze(values), dims=dims, coords=coords, attrs={"units": unit, "long_name": "height"})


LENGTHS = {
    "x": ("x", np.linspace(0, 2.5e-6, 6), {"units": "m"}),
    "y": ("y", np.linspace(0, 1.5e-6, 4), {"units": "m"}),
}


def test_an_image_has_lengths_and_a_colour_bar_with_its_unit():
    ax = new_figure(89, 66).add_subplot()
    plain.draw_regions(ax, {"scan": picture(1, **LENGTHS).to_dataset(name="height")})
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("x (µm)", "y (µm)")
    assert ax.images[0].get_extent() == pytest.approx([-0.25, 2.75, 1.75, -0.25])
    assert ax.images[0].get_array().max() == pytest.approx(23.0)
    bar = ax.figure.axes[1]
    assert bar.get_ylabel() == "height (nm)"


def test_an_image_without_lengths_is_drawn_in_pixels():
    ax = new_figure(89, 66).add_subplot()
    plain.draw_regions(ax, {"scan": picture(1).to_dataset(name="height")})
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("x (pixel)", "y (pixel)")


def test_lengths_of_unequal_steps_are_heeded():
    ax = new_figure(89, 66).add_subplot()
    coords = LENGTHS | {"y": ("y", np.array([0.0, 1e-7, 4e-7, 9e-7]), {"units": "m"})}
    plain.draw_regions(ax, {"scan": picture(1, **coords).to_dataset(name="height")})
    assert len(ax.collections) == 1
    assert ax.yaxis_inverted()


def test_all_images_of_a_file_are_drawn_and_others_counted():
    phase = picture(1, "degree", **LENGTHS).assign_attrs(long_name="phase")
    scan = xr.Dataset({"height": picture(1, **LENGTHS), "phase": phase, "trace": ("time", np.arange(5.0))})
    ax = new_figure(89, 66).add_subplot()
    plain.draw_regions(ax, {"scan": scan})
    assert [own.get_title() for own in ax.child_axes] == ["height (nm)", "phase (degree)"]
    assert [text.get_text() for text in ax.texts] == ["not drawn: trace"]
    ax = new_figure(89, 66).add_subplot()
    plain.draw_regions(ax, {"film": picture(12, **LENGTHS).to_dataset(name="height")})
    assert [own.get_title() for own in ax.child_axes][-1] == "height 9 (nm)"
    assert [text.get_text() for text in ax.texts] == ["9 of 12 images"]


def test_images_and_curves_of_a_file_have_a_panel_each():
    curve = table(voltage=(RAMP, "V"), current=(RAMP * 1e-9, "A"))
    image = picture(1).to_dataset(name="height")
    assert [list(panel) for panel in plain.panels_of({"a": image, "b": curve, "c": image})] == [["a"], ["c"], ["b"]]


def test_columns_that_are_not_drawn_are_named():
    curve = table(voltage=(RAMP, "V"), current=(RAMP * 1e-9, "A"), gate=(RAMP, "V"))
    ax = new_figure(89, 66).add_subplot()
    plain.draw_regions(ax, {"sweep": curve})
    assert [text.get_text() for text in ax.texts] == ["not drawn: gate"]


def test_few_spectra_of_a_series_are_named_by_their_axis():
    axes = {"temperature": ("temperature", [10.0, 20.0], {"units": "K"}), "energy": ("energy", np.linspace(0, 5, 30))}
    scan = xr.Dataset({"intensity": (("temperature", "energy"), np.ones((2, 30)), {"units": "count"})}, axes)
    ax = new_figure(89, 66).add_subplot()
    plain.draw_regions(ax, {"scan": scan})
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["10", "20"]
    assert ax.get_legend().get_title().get_text() == "temperature (K)"


def test_labels_that_find_no_room_and_values_off_the_axis_are_counted():
    ax = new_figure(89, 66).add_subplot()
    ax.set(xlim=(0, 1), ylim=(-4, 4))
    upright_labels(ax, [(f"{number}", (number / 50, number)) for number in range(50)], width=0.1)
    mark_clipped(ax, [0.1, 0.2, 0.3], [1.0, -12.0, np.nan])
    written = [text.get_text() for text in ax.texts if text.get_text()]
    assert written == [*map(str, range(40, 50)), "40 weaker lines without a label", "outside: 1, up to 12"]


# --- the figure of a sample ----------------------------------------------------------------------------------------
def titles(analysed, technique):
    folder = analysed(technique).folder
    measurements = load(folder.parent / f"{technique}.nc")
    files = ([str(folder / "parameters.csv")], [str(folder / "curves.nc")])
    return [title for title, *_ in samples._panels(technique, measurements, *files)]


@pytest.mark.parametrize(
    ("technique", "expected"),
    [
        ("xrd", ["xrd_platelet"]),
        ("pfm", ["phase", "amplitude", "over the cycles", "pfm_loop_1", "pfm_loop_2"]),
        ("xps", ["xps: Su1s", "xps: Cu2p", "xps: Bi4f", "xps: P2p", "xps: Se3d", "xps: C1s"]),
    ],
)
def test_each_measurement_has_its_panel(analysed, technique, expected):
    assert titles(analysed, technique) == expected


def test_the_figure_of_an_analysis_names_its_raw_files_and_is_the_same_twice(analysed, tmp_path):
    folder, figure = analysed("xrd").folder, tmp_path / "xrd.png"
    drawn = []
    for _ in range(2):
        table, curves = str(folder / "parameters.csv"), str(folder / "curves.nc")
        samples.draw_sample(str(folder.parent / "xrd.nc"), [table], [curves], [str(figure)])
        drawn.append(figure.read_bytes())
    assert b"cbps_platelet_00l.raw" in drawn[0]
    assert drawn[0] == drawn[1]


def test_what_was_not_analysed_is_drawn_as_it_is(tmp_path):
    groups = {}
    for number in range(samples.MOST_PANELS + 1):
        groups |= {
            f"m{number}": xr.Dataset(attrs=ATTRS),
            f"m{number}/sheet": table(time=([0, 1], "s"), current=([0, 1], "A")),
        }
    save_tree(tmp_path / "other.nc", groups)
    shown = list(samples._panels("other", load(tmp_path / "other.nc"), [], []))
    assert [title for title, *_ in shown] == [f"m{number}" for number in range(samples.MOST_PANELS + 1)]
    assert {panel for _, panel, _ in shown} == {plain.draw_regions}


# --- samples beside each other -------------------------------------------------------------------------------------
NUMBERS = [
    {"technique": "raman", "model": "voigt", "parameter": "*fwhm*"},
    {"technique": "structure", "model": "cif", "parameter": "density"},
]


def numbers(folder, *rows):
    path = folder / "raman/parameters.csv"
    save_parameters(path, [Number("m", "voigt", *row, unit="1/cm", origin="measured") for row in rows], "raman")
    axis = np.linspace(100, 600, 50)
    spectrum = xr.Dataset(
        {"data": variable("raman_shift", np.cos(axis / 40) + 2, "count", "data")},
        coords={"raman_shift": variable("raman_shift", axis, "1/cm", "Raman shift")},
    )
    save_tree(folder / "raman/curves.nc", {"m": xr.Dataset(attrs=ATTRS), "m/spectrum": spectrum})
    return path


def test_what_two_samples_have_with_an_error_is_compared(tmp_path):
    paths = {
        "a": numbers(tmp_path / "a", ("fwhm", 100.0, 0.1), ("fwhm_lorentzian", 200.0, 0.1), ("aicc", 3.0)),
        "b": numbers(tmp_path / "b", ("fwhm", 101.0, 0.1), ("area", 3.0, 0.1), ("area_limit", 9.0)),
        "c": numbers(tmp_path / "c", ("area_limit", 9.0, 0.1)),
    }
    tables = {sample: load_parameters(path) for sample, path in paths.items()}
    assert common_quantities(tables, NUMBERS) == [{"model": "voigt", "parameter": "fwhm", "feature": "", "at": NOWHERE}]


def test_a_comparison_is_drawn_also_where_nothing_is_in_common(tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr("relaxor.figures.style.save", lambda figure, *_, **__: drawn.append(figure))
    parts = [numbers(tmp_path / "a", ("fwhm", 100.0, 0.1)), numbers(tmp_path / "b", ("fwhm", 101.0, 0.1))]
    parts.append(numbers(tmp_path / "c", ("area_limit", 9.0, 0.1)))
    draw = partial(draw_comparison, figure=[str(tmp_path / "raman.png")], numbers=NUMBERS)
    for chosen in (parts, parts[1:]):
        draw([str(path) for path in chosen], [str(path.with_name("curves.nc")) for path in chosen])
    spectra, quantity = drawn[0].axes
    assert len(spectra.lines) == 3
    assert [label.get_text() for label in quantity.get_xticklabels()] == ["a", "b"]
    assert quantity.get_title() == "fwhm (1/cm)\nvoigt"
    assert len(drawn[1].axes) == 1
    assert drawn[1].get_suptitle() == "the samples share no number of the section 'comparison' of the settings"


@pytest.mark.parametrize(
    ("values", "scale"), [((1.0, 200.0), "log"), ((1.0, 50.0), "linear"), ((-1.0, 200.0), "linear")]
)
def test_values_of_many_decades_have_a_logarithmic_axis(values, scale):
    ax = Figure().add_subplot()
    rows = {
        name: pd.DataFrame({"value": [value], "standard_error": [0.1], "systematic_error": [0.0], "status": ["ok"]})
        for name, value in zip("ab", values, strict=True)
    }
    comparison._quantity(ax, rows, dict.fromkeys("ab", comparison.LOOKS[0]))
    assert ax.get_yscale() == scale


# --- the workflow --------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def two_samples(tmp_path_factory) -> Project:
    """The Raman spectrum of the sample data once more, as that of a film without settings, and a file as it is."""
    project = Project.of_this(tmp_path_factory.mktemp("two samples – Proben") / "Projekt Ω", "raman")
    header, row = project.read_sheet()
    (project.folder / "raw_data/film").mkdir()
    lines = [header, row]
    for name, technique in (("spectrum", "raman"), ("as it is", "other")):
        file = f"raw_data/film/{name}.txt"
        shutil.copy2(project.folder / row[header.index("file")], project.folder / file)
        own = dict(zip(header, row, strict=True))
        own |= {"measurement": technique, "sample": "film", "technique": technique, "file": file, "instrument": ""}
        lines.append([own[column] for column in header])
    project.write_sheet(lines)
    project.run()
    return project


@pytest.mark.slow
def test_a_second_sample_has_results_figures_and_a_comparison(two_samples):
    results = set(two_samples.results())
    for suffix in ("pdf", "svg", "png"):
        assert {f"figures/samples/film/{name}.{suffix}" for name in ("raman", "other")} <= results
        assert f"figures/comparison/raman.{suffix}" in results
    assert {
        "tables/samples/film/raman.csv",
        "analysis/film/raman/parameters.csv",
        "analysis/film/raman/curves.nc",
    } <= results
    assert not any(name.startswith(("figures/figure4", "figures/samples/cbps")) for name in results)
    assert "Nothing to be done" in two_samples.run()


@pytest.mark.slow
def test_settings_of_a_sample_concern_its_own_analysis(two_samples):
    settings = two_samples.folder / "config/config.yaml"
    before = settings.read_text(encoding="utf-8")
    settings.write_text(before + "  film:\n    raman: {significance: 20.0}\n", encoding="utf-8")
    try:
        planned = two_samples.run("--dry-run")
    finally:
        settings.write_text(before, encoding="utf-8")
    logs = set(re.findall(r"log: results/logs/(\S+)\.log", planned))
    assert logs == {
        "analyse_technique/film/raman",
        "draw_sample/film/raman",
        "write_tables_sample/film/raman",
        "draw_comparison/raman",
        "build_explorer",
    }


@pytest.mark.slow
def test_the_only_sample_is_drawn_if_no_figure_shows_it(tmp_path):
    """A lab whose sheet names no panels has no sample of the paper, and gets its figures all the same."""
    project = Project.of_this(tmp_path / "project", "raman")
    header, row = project.read_sheet()
    assert project.planned("samples") == set()
    project.write_sheet([header, [cell if name != "panel" else "" for name, cell in zip(header, row, strict=True)]])
    planned = {f"{rule}:raman" for rule in ("ingest_files", "analyse_technique", "draw_sample")}
    assert project.planned("samples") == planned
    assert project.planned("figures") == set()


@pytest.mark.costly
def test_files_without_an_analysis_have_no_notebook(tmp_path):
    project = Project.of_this(tmp_path / "project", "raman")
    header, row = project.read_sheet()
    cells = dict(zip(header, row, strict=True)) | {"technique": "other", "panel": ""}
    project.write_sheet([header, list(cells.values())])
    settings = project.folder / "config/config.yaml"
    settings.write_text(settings.read_text(encoding="utf-8").replace("notebooks: []", "notebooks: [explore]"))
    assert "notebooks: [explore]" in settings.read_text(encoding="utf-8")
    planned = project.planned()
    assert "draw_sample:other" in planned and not any(rule.startswith("run_notebook") for rule in planned)
