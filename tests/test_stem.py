"""HAADF-STEM: lattice, columns and intensities against the truth of simulated images."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from relaxor.core.errors import AnalysisError
from relaxor.core.storage import load_parameters, save_tree
from relaxor.core.variables import variable
from relaxor.figures import schematics
from relaxor.figures.panel import load_panel
from relaxor.figures.style import new_figure, save, use_style
from relaxor.project.simulate import sample_files
from relaxor.readers import read
from relaxor.simulation import stem as twin
from relaxor.techniques.stem import lattice as lattices
from relaxor.techniques.stem import panels as figures

from tests.analyses import analyse_with
from tests.project import CBPS
from tests.simulated import SCENARIO

SETTINGS = CBPS["stem"]
SMALL = replace(twin.Scan(), size=256)


def ingest(image: np.ndarray, path: Path, pixel: float = 0.15e-10, units: str = "m") -> Path:
    axes = {
        name: variable(name, np.arange(size) * pixel, units, name)
        for name, size in zip(("y", "x"), image.shape, strict=True)
    }
    dataset = xr.Dataset({"intensity": variable(("y", "x"), image, "1", "intensity")}, axes)
    attrs = {"raw_file": "x.emd", "raw_sha256": "0", "origin": "simulated", "instrument": "", "conditions": "{}"}
    save_tree(path, {"one": xr.Dataset(attrs=attrs), "one/HAADF": dataset})
    return path


def analysed(image: np.ndarray, folder: Path, **changes: object) -> pd.DataFrame:
    data = ingest(image, folder / "data.nc")
    analyse_with(
        "stem", str(data), str(folder / "parameters.csv"), str(folder / "curves.nc"), **{**SETTINGS, **changes}
    )
    return load_parameters(folder / "parameters.csv")


def compared(table: pd.DataFrame, truth: list[tuple[str, str, float, str]]) -> pd.DataFrame:
    known = pd.DataFrame(truth, columns=["model", "parameter", "truth", "unit"])
    return table.merge(known, on=["model", "parameter", "unit"], validate="one_to_one")


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list]:
    """The sample image of the project, read and analysed as the workflow does."""
    folder = tmp_path_factory.mktemp("stem")
    (file,) = sample_files(SCENARIO, ["stem"])
    (folder / file.name).write_bytes(file.content)
    tree = read(folder / file.name)
    attrs = {**tree.attrs, "origin": "simulated", "instrument": "", "conditions": json.dumps({})}
    children = {f"{file.measurement}/{name}": child.to_dataset() for name, child in tree.children.items()}
    save_tree(folder / "data.nc", {file.measurement: xr.Dataset(attrs=attrs), **children})
    analyse_with("stem", str(folder / "data.nc"), str(folder / "parameters.csv"), str(folder / "curves.nc"), **SETTINGS)
    return folder, list(file.truth)


def test_truth_of_the_sample_is_recovered(sample):
    folder, truth = sample
    table = compared(load_parameters(folder / "parameters.csv"), truth)
    assert len(table) == len(truth)
    z = (table["value"] - table["truth"]) / table["standard_error"]
    inside = (table["ci_low"] <= table["truth"]) & (table["truth"] <= table["ci_high"])
    assert inside.mean() >= 0.9, table[~inside]
    assert z.abs().max() < 4


def test_crystal_agrees_within_calibration_and_distortion(sample):
    folder, _ = sample
    table = load_parameters(folder / "parameters.csv").set_index(["model", "parameter"])
    for name in ("a_hexagonal", "d_100", "d_110"):
        row = table.loc["structure", f"deviation_{name}"]
        assert abs(row.value) < 2 * np.hypot(row.standard_error, row.systematic_error)
    assert table.loc[("column_lattice", "a_hexagonal"), "systematic_error"] > 0.01 * 6.5


def test_transform_and_columns_agree(sample):
    table = load_parameters(sample[0] / "parameters.csv").set_index(["model", "parameter"])
    for name in ("a", "b", "gamma", "rotation"):
        fft, columns = table.loc["fft_lattice", name], table.loc["column_lattice", name]
        assert abs(fft.value - columns.value) < 4 * np.hypot(fft.standard_error, columns.standard_error)


def test_curves_are_the_image_and_its_columns(sample):
    with xr.open_datatree(sample[0] / "curves.nc", engine="h5netcdf") as curves:
        group = curves["haadf_001"]
        image = group["image"].to_dataset().load()
        columns, spots = group["columns"].to_dataset(), group["spots"].to_dataset()
        np.testing.assert_allclose(image["residual"], image["intensity"] - image["fit"], atol=0.1)
        assert float(image["residual"].std()) < 0.6 * float(image["intensity"].std())
        assert int(np.sum(columns["site"] == 0)) == pytest.approx(148, abs=3)
        assert float(spots["d"].max()) == pytest.approx(5.66, abs=0.1)
        assert all("units" in entry.attrs for entry in [*image.values(), *columns.values(), *spots.values()])


@pytest.mark.parametrize("rotation", [0.0, 59.9])
@pytest.mark.parametrize("layers", [2, 5])
def test_any_rotation_and_thickness(rotation, layers, tmp_path):
    scan = replace(SMALL, rotation=np.radians(rotation), layers=layers, drift=(0.0, 0.0), shear=0.0)
    table = analysed(twin.image(scan, np.random.default_rng(3)).astype(float), tmp_path)
    values = table.set_index(["model", "parameter"])["value"]
    assert values["column_lattice", "a_hexagonal"] == pytest.approx(6.541, abs=0.01)
    turned = values["column_lattice", "rotation"] - rotation
    assert (turned + 30) % 60 - 30 == pytest.approx(0, abs=0.15)
    if layers == 5:
        assert values["column_intensity", "layers"] == pytest.approx(5, abs=0.6)
    else:
        # Bi and Cu alternate along every column of an even number of layers: nothing tells the number.
        assert values["column_intensity", "ratio_metal"] == pytest.approx(1, abs=0.03)
        assert ("column_intensity", "layers") not in values


def test_scale_of_the_pixel_scales_lengths(tmp_path):
    image = twin.image(SMALL, np.random.default_rng(5)).astype(float)
    one = analysed(image, tmp_path).set_index(["model", "parameter"])["value"]
    data = ingest(image, tmp_path / "scaled.nc", pixel=0.15e-10 * 1.03)
    analyse_with("stem", str(data), str(tmp_path / "p.csv"), str(tmp_path / "c.nc"), **SETTINGS)
    other = load_parameters(tmp_path / "p.csv").set_index(["model", "parameter"])["value"]
    for model in ("fft_lattice", "column_lattice"):
        assert other[model, "d_100"] / one[model, "d_100"] == pytest.approx(1.03, rel=1e-4)
        assert other[model, "strain_xy"] == pytest.approx(one[model, "strain_xy"], abs=0.01)


def test_images_that_cannot_be_analysed_are_refused(tmp_path):
    rng = np.random.default_rng(0)
    noise = rng.poisson(20, (256, 256)).astype(float)
    with pytest.raises(AnalysisError, match=r"one: no hexagonal lattice with a within 6% of 6.541 angstrom"):
        analysed(noise, tmp_path)
    with pytest.raises(AnalysisError, match="one: no hexagonal lattice"):
        analysed(np.ones((128, 128)), tmp_path)
    with pytest.raises(AnalysisError, match="not numbers"):
        analysed(np.where(noise > 40, np.nan, noise * np.nan), tmp_path)
    data = ingest(noise, tmp_path / "coarse.nc", pixel=5e-10)
    with pytest.raises(AnalysisError, match="does not resolve columns"):
        analyse_with("stem", str(data), str(tmp_path / "p.csv"), str(tmp_path / "c.nc"), **SETTINGS)
    data = ingest(noise, tmp_path / "uncalibrated.nc", units="1")
    with pytest.raises(AnalysisError, match="calibrated in m"):
        analyse_with("stem", str(data), str(tmp_path / "p.csv"), str(tmp_path / "c.nc"), **SETTINGS)
    assert not (tmp_path / "p.csv").exists()


def test_real_image_without_a_lattice_is_refused(rawfiles, tmp_path):
    image = read(rawfiles / "stem_haadf/velox_emd/fei_emd_image.emd")["HAADF"]["intensity"].to_numpy()
    with pytest.raises(AnalysisError, match="no hexagonal lattice"):
        analysed(image.astype(float), tmp_path)


def test_lattice_description_of_a_known_strain():
    stretch = np.array([[1.004, 0.003], [0.003, 0.996]])
    values = lattices.describe(stretch @ lattices.hexagonal(6.0, np.radians(40.0)))
    assert values["a_hexagonal"] == pytest.approx(6.0)
    assert values["rotation"] == pytest.approx(40.0)
    assert values["strain_xx"] == pytest.approx(0.4)
    assert values["strain_xy"] == pytest.approx(0.3)
    ideal = lattices.describe(lattices.hexagonal(6.5410, 0.1))
    assert ideal["d_100"] == pytest.approx(5.665, abs=5e-4)
    assert ideal["d_110"] == pytest.approx(3.2705, abs=5e-4)
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


def test_errors_come_from_windows_of_whole_cells(tmp_path):
    """A broken cell would add the pattern of the lattice to the scatter between lines."""
    image = twin.image(SMALL, np.random.default_rng(3)).astype(float)
    one, other, two = (analysed(image, tmp_path, correlated_length=length)["standard_error"] for length in (2, 6.5, 7))
    assert one.equals(other) and not one.equals(two)


def test_panels_are_drawn(sample, tmp_path):
    use_style()
    data = load_panel(sample[0])
    figure = new_figure(60, 45)
    figures.haadf(figure.add_subplot(), data)
    assert save(figure, tmp_path / "1d", ("png",))[0].stat().st_size > 10_000
    for width, height in ((60, 45), (183, 50)):
        figure = new_figure(width, height)
        axes = figure.add_subplot()
        schematics.synapse(axes, material="SiO2")
        figure.canvas.draw()
        texts = [text for inner in axes.child_axes for text in inner.texts]
        boxes = [(text.get_text(), text.get_window_extent()) for text in texts]
        for index, (name, one) in enumerate(boxes):
            overlaps = [other for other, box in boxes[:index] if one.overlaps(box)]
            assert not overlaps, (width, name, overlaps)
            assert figure.bbox.contains(one.x0, one.y0) and figure.bbox.contains(one.x1, one.y1)


@pytest.mark.slow
def test_intervals_cover_the_truth(tmp_path):
    """95 % intervals hold the truth in 90 to 98 % of 200 images."""
    scan = twin.Scan()
    truth = list(twin.truth(scan))
    tables = [
        compared(analysed(twin.image(scan, np.random.default_rng([9, seed])).astype(float), tmp_path), truth)
        for seed in range(200)
    ]
    draws = pd.concat(tables)
    draws["inside"] = (draws["ci_low"] <= draws["truth"]) & (draws["truth"] <= draws["ci_high"])
    draws["z"] = (draws["value"] - draws["truth"]) / draws["standard_error"]
    summary = draws.groupby(["model", "parameter"]).agg(
        inside=("inside", "mean"), bias=("z", "mean"), spread=("z", "std")
    )
    print(summary.to_string())
    assert summary["inside"].between(0.90, 0.98).all(), summary
