"""HAADF-STEM: lattice, columns and intensities against the truth of simulated images."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from relaxor.core.errors import AnalysisError
from relaxor.core.results import Measurement, Result
from relaxor.core.storage import load, numbers_table, save_parameters, save_tree
from relaxor.core.variables import variable
from relaxor.figures import schematics
from relaxor.figures.panel import load_panel
from relaxor.figures.style import new_figure, save, use_style
from relaxor.readers import read
from relaxor.simulation import stem as twin
from relaxor.techniques.stem import lattice as lattices
from relaxor.techniques.stem import panels as figures
from relaxor.techniques.stem.frames import DriftError, mean_of
from relaxor.techniques.stem.settings import Site, StemSettings
from relaxor.techniques.stem.technique import TECHNIQUE

from tests.analyses import analysis_of
from tests.project import CBPS
from tests.simulated import against_truth, ingested, simulated, specimen

analyse = analysis_of("stem")

SETTINGS = StemSettings.model_validate(CBPS["stem"])
SPECIMEN = specimen("stem")
SMALL = replace(twin.Scan(), size=256)


def measured(image: np.ndarray, pixel: float = 0.15e-10, units: str = "m") -> Measurement:
    axes = {
        name: variable(name, np.arange(size) * pixel, units, name)
        for name, size in zip(("y", "x"), image.shape, strict=True)
    }
    dataset = xr.Dataset({"intensity": variable(("y", "x"), image, "1", "intensity")}, axes)
    attrs = {"raw_file": "x.emd", "raw_sha256": "0", "origin": "simulated", "instrument": ""}
    return Measurement("one", attrs, {}, {"HAADF": dataset})


def analysed(image: np.ndarray, pixel: float = 0.15e-10, **changes: object) -> pd.DataFrame:
    result = analyse([measured(image, pixel)], SETTINGS.model_copy(update=changes))
    return numbers_table(result.numbers, "stem").set_index(["model", "parameter", "feature"])


def drawn(seed: object, scan: twin.Scan = SMALL, **changes: object) -> np.ndarray:
    return twin.image(SPECIMEN.model_copy(update=changes), scan, np.random.default_rng(seed)).astype(float)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, pd.DataFrame]:
    """What is found in the sample image of the project, and its numbers beside the true values."""
    files = simulated("stem", 20241207)
    result = analyse(load(ingested(files, tmp_path_factory.mktemp("stem"))), SETTINGS)
    return result, against_truth(numbers_table(result.numbers, "stem"), files)


def test_truth_of_the_sample_is_recovered(sample):
    table = sample[1].dropna(subset="true")
    assert (table["unit"] == table["true_unit"]).all() and len(table) == 21
    z = (table["value"] - table["true"]) / table["standard_error"]
    inside = (table["ci_low"] <= table["true"]) & (table["true"] <= table["ci_high"])
    assert inside.mean() >= 0.9, table[~inside]
    assert z.abs().max() < 4


def test_every_number_is_listed(sample):
    TECHNIQUE.require_named(sample[0].numbers)
    renamed = replace(sample[0].numbers[0], parameter="d_100")
    with pytest.raises(ValueError, match="stem: 'd_100' of model 'fft_lattice' is not listed"):
        TECHNIQUE.require_named([renamed])


def test_crystal_agrees_within_calibration_and_distortion(sample):
    table = sample[1].set_index(["model", "parameter", "feature"])
    for feature in ("a", "100", "110"):
        row = table.loc["structure", "relative_deviation", feature]
        assert abs(row.value) < 2 * np.hypot(row.standard_error, row.systematic_error)
    assert table.loc[("column_lattice", "a_hexagonal", ""), "systematic_error"] > 0.01 * 6.5


def test_transform_and_columns_agree(sample):
    table = sample[1].set_index(["model", "parameter", "feature"])
    for name in ("a", "b", "gamma", "rotation"):
        fft, columns = table.loc["fft_lattice", name, ""], table.loc["column_lattice", name, ""]
        assert abs(fft.value - columns.value) < 4 * np.hypot(fft.standard_error, columns.standard_error)


def test_curves_are_the_image_and_its_columns(sample):
    image, columns, spots = (sample[0].curves[f"haadf_001/{part}"] for part in ("image", "columns", "spots"))
    np.testing.assert_allclose(image["residual"], image["intensity"] - image["fit"], atol=0.1)
    assert float(image["residual"].std()) < 0.6 * float(image["intensity"].std())
    assert int(np.sum(columns["site"] == 0)) == pytest.approx(148, abs=3)
    assert columns["site"].attrs["flag_meanings"] == "metal_1 metal_2 P2 Se"
    assert float(spots["d"].max()) == pytest.approx(5.66, abs=0.1)
    assert all("units" in entry.attrs for entry in [*image.values(), *columns.values(), *spots.values()])


@pytest.mark.parametrize("rotation", [0.0, 59.9])
@pytest.mark.parametrize("layers", [2, 5])
def test_any_rotation_and_thickness(rotation, layers):
    scan = replace(SMALL, drift=(0.0, 0.0), shear=0.0)
    values = analysed(drawn(3, scan, rotation=rotation, layers=layers))["value"]
    assert values["column_lattice", "a_hexagonal", ""] == pytest.approx(6.541, abs=0.01)
    turned = values["column_lattice", "rotation", ""] - rotation
    assert (turned + 30) % 60 - 30 == pytest.approx(0, abs=0.15)
    if layers == 5:
        assert values["column_intensity", "layers", ""] == pytest.approx(5, abs=0.6)
    else:
        # Bi and Cu alternate along every column of an even number of layers: nothing tells the number.
        assert values["column_intensity", "intensity_ratio", "metal_1/metal_2"] == pytest.approx(1, abs=0.03)
        assert ("column_intensity", "layers", "") not in values


def test_scale_of_the_pixel_scales_lengths():
    image = drawn(5)
    one, other = analysed(image)["value"], analysed(image, 0.15e-10 * 1.03)["value"]
    for model in ("fft_lattice", "column_lattice"):
        spacing = model, "lattice_spacing", "100"
        assert other[spacing] / one[spacing] == pytest.approx(1.03, rel=1e-4)
        assert other[model, "strain_xy", ""] == pytest.approx(one[model, "strain_xy", ""], abs=0.01)


def test_a_lattice_needs_no_more_than_its_brightest_columns():
    image = drawn(5)
    known = analysed(image)["value"]
    alone = analysed(image, sites=[Site(name="bright", position=(0.0, 0.0))])["value"]
    length = "column_lattice", "a_hexagonal", ""
    assert alone[length] == pytest.approx(known[length], rel=1e-3)
    assert alone["columns", "columns", "bright"] == known["columns", "columns", "metal_1"]
    assert ("columns", "columns", "other") in alone and "column_intensity" not in alone.index.get_level_values(0)


def test_images_that_cannot_be_analysed_are_refused():
    rng = np.random.default_rng(0)
    noise = rng.poisson(20, (256, 256)).astype(float)
    with pytest.raises(AnalysisError, match=r"one: no hexagonal lattice with a within 6% of 6.541 angstrom"):
        analysed(noise)
    with pytest.raises(AnalysisError, match="one: no hexagonal lattice"):
        analysed(np.ones((128, 128)))
    with pytest.raises(AnalysisError, match="not numbers"):
        analysed(np.where(noise > 40, np.nan, noise * np.nan))
    with pytest.raises(AnalysisError, match="does not resolve columns"):
        analysed(noise, 5e-10)
    with pytest.raises(AnalysisError, match="calibrated in m"):
        analyse([measured(noise, units="1")], SETTINGS)
    with pytest.raises(AnalysisError, match=r"no site has a position; give one in stem\.sites"):
        analysed(noise, sites=[Site(name="all")])


def test_real_image_without_a_lattice_is_refused(rawfiles):
    image = read(rawfiles / "stem_haadf/velox_emd/fei_emd_image.emd")["HAADF"]["intensity"].to_numpy()
    with pytest.raises(AnalysisError, match="no hexagonal lattice"):
        analysed(image.astype(float))


def test_lattice_description_of_a_known_strain():
    stretch = np.array([[1.004, 0.003], [0.003, 0.996]])
    values = lattices.describe(stretch @ lattices.hexagonal(6.0, np.radians(40.0)))
    assert values["a_hexagonal"] == pytest.approx(6.0)
    assert values["rotation"] == pytest.approx(40.0)
    assert values["strain_xx"] == pytest.approx(0.4)
    assert values["strain_xy"] == pytest.approx(0.3)
    ideal = lattices.describe(lattices.hexagonal(6.5410, 0.1))
    assert ideal["100"] == pytest.approx(5.665, abs=5e-4)
    assert ideal["110"] == pytest.approx(3.2705, abs=5e-4)
    assert ideal["gamma"] == pytest.approx(120)


def test_covariance_of_lines_sees_what_moves_together():
    """The sum of a first-order Markov process has (1+ρ)/(1−ρ) times the variance of independent lines."""
    rng = np.random.default_rng(1)
    memory, n = 0.8, 20_000
    kicks = rng.normal(size=n)
    lines = np.empty(n)
    lines[0] = kicks[0]
    for index in range(1, n):
        lines[index] = memory * lines[index - 1] + kicks[index]
    expected = n / (1 - memory) ** 2
    assert lattices.line_covariance(lines[:, np.newaxis], 200)[0, 0] == pytest.approx(expected, rel=0.25)
    alone = rng.normal(size=(n, 1))
    assert lattices.line_covariance(alone, 1)[0, 0] == pytest.approx(n, rel=0.05)


def test_errors_come_from_windows_of_whole_cells():
    """A broken cell would add the pattern of the lattice to the scatter between lines."""
    one, other, two = (analysed(drawn(3), correlated_length=length)["standard_error"] for length in (2, 6.5, 7))
    assert one.equals(other) and not one.equals(two)


def test_panels_are_drawn(sample, tmp_path):
    use_style()
    save_parameters(tmp_path / "parameters.csv", sample[0].numbers, "stem")
    save_tree(tmp_path / "curves.nc", sample[0].curves)
    data = load_panel(tmp_path)
    figure = new_figure(60, 45)
    figures.haadf(figure.add_subplot(), data)
    save(figure, [tmp_path / "1d.png"], "one", "")
    assert (tmp_path / "1d.png").stat().st_size > 10_000
    texts = {text.get_text() for axes in figure.axes[0].child_axes for text in axes.texts}
    assert {"Bi-rich", "Cu-rich", "P–P"} <= texts
    for width, height in ((60, 45), (183, 50)):
        figure = new_figure(width, height)
        axes = figure.add_subplot()
        schematics.synapse(axes, material="SiO2", electrode="Au")
        figure.canvas.draw()
        texts = [text for inner in axes.child_axes for text in inner.texts]
        boxes = [(text.get_text(), text.get_window_extent()) for text in texts]
        for index, (name, one) in enumerate(boxes):
            overlaps = [other for other, box in boxes[:index] if one.overlaps(box)]
            assert not overlaps, (width, name, overlaps)
            assert figure.bbox.contains(one.x0, one.y0) and figure.bbox.contains(one.x1, one.y1)


@pytest.mark.slow
def test_intervals_cover_the_truth():
    """95 % intervals hold the truth in 90 to 98 % of 200 images."""
    scan = twin.Scan()
    truth = {(*row[:2], row.feature): row.value for row in twin.truth(SPECIMEN, scan)}
    draws = pd.concat([analysed(drawn([9, seed], scan)) for seed in range(200)])
    draws = draws.assign(truth=[truth.get(key) for key in draws.index]).dropna(subset="truth")
    draws["inside"] = (draws["ci_low"] <= draws["truth"]) & (draws["truth"] <= draws["ci_high"])
    draws["z"] = (draws["value"] - draws["truth"]) / draws["standard_error"]
    summary = draws.groupby(level=[0, 1, 2]).agg(inside=("inside", "mean"), bias=("z", "mean"), spread=("z", "std"))
    print(summary.to_string())
    assert summary["inside"].between(0.90, 0.98).all(), summary


def test_a_series_of_frames_that_drift_gives_the_lattice_of_one_image():
    rng = np.random.default_rng(4)
    image = drawn(9)
    drift = np.cumsum(rng.integers(-3, 4, (12, 2)), axis=0)
    drift -= drift[0]
    frames = np.stack([rng.poisson(np.roll(image, place, (0, 1)) / 12) for place in drift]).astype(np.uint16)
    mean, shifts = mean_of(xr.DataArray(frames, dims=("time", "y", "x")))
    np.testing.assert_array_equal(shifts, -drift)
    assert mean.shape == tuple(np.array(image.shape) - np.ptp(drift, axis=0))
    single = measured(image)
    dataset = single.regions["HAADF"].drop_vars("intensity")
    dataset["intensity"] = variable(("time", "y", "x"), frames, "1", "intensity")
    series = replace(single, regions={"HAADF": dataset})
    tables = [numbers_table(analyse([each], SETTINGS).numbers, "stem") for each in (single, series)]
    first, second = (table.set_index(["model", "parameter", "feature"]) for table in tables)
    error = np.hypot(first["standard_error"], second["standard_error"])
    lengths = [("column_lattice", "a", ""), ("column_lattice", "b", ""), ("column_lattice", "gamma", "")]
    assert (abs(first["value"] - second["value"]) < 4 * error)[lengths].all()
    assert second["method"].str.contains("mean of 12 frames, shifted onto each other by up to").all()


def test_frames_that_drift_too_fast_to_be_followed_are_refused():
    atoms = 200 * np.random.default_rng(0).random((2, 60, 1, 1))
    rows, columns = np.mgrid[:200, :200]
    image = np.exp(-((rows - atoms[0]) ** 2 + (columns - atoms[1]) ** 2) / 50).sum(axis=0)
    frames = np.stack([np.roll(image, 8 * index, 0) for index in range(4)])
    with pytest.raises(DriftError, match="frame 2 moved by 6 pixels or more from the one before"):
        mean_of(xr.DataArray(frames, dims=("time", "y", "x")))


def test_energies_are_no_frames():
    single = measured(np.zeros((64, 64)))
    dataset = single.regions["HAADF"].drop_vars("intensity")
    dataset["intensity"] = variable(("energy", "y", "x"), np.zeros((3, 64, 64)), "1", "intensity")
    with pytest.raises(AnalysisError, match="expected an image, or frames of one"):
        analyse([replace(single, regions={"HAADF": dataset})], SETTINGS)
