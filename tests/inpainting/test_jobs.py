"""The jobs of the workflow on few letters: what they write, that it is the same again, and what numbers must obey."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnxruntime
import pandas as pd
import pytest
import xarray as xr
from relaxor.core.checksums import sha256
from relaxor.core.errors import AnalysisError
from relaxor.core.storage import load_parameters
from relaxor.inpainting import chip_breakdown as breakdown
from relaxor.inpainting import chip_experiment as experiment
from relaxor.inpainting import chip_summary, learning
from relaxor.inpainting.checkpoints import to_tensors
from relaxor.inpainting.export import load_quantized
from relaxor.inpainting.learning import load_networks
from relaxor.inpainting.letters import load_letters, prepare_letters
from relaxor.inpainting.models import predict
from relaxor.inpainting.quantities import ALL_BUT_ONE_IDEAL, METHODS, ONE_IDEAL, REMEDY, WHOLE_CHIP
from relaxor.inpainting.scoring import judge, score_decoder
from relaxor.inpainting.summary import summarize

from tests.inpainting.samples import device

pytestmark = pytest.mark.slow
"""Most of it is compilation."""

HOLE = 4
READING = {"hole": HOLE, "seed": 0, "device_variation": 0.05}
TRAINING = {
    "epochs": 2, "batch": 128, "learning_rate": 1e-3, "step_epochs": 20, "gamma": 0.8, "adversarial": 0.01,
    "letter": 0.01,
}  # fmt: skip
FINE_TUNING = {
    "epochs": 1, "learning_rate": 1e-3, "step_epochs": 3, "gamma": 0.5, "level_size": 0.7, "noise": 0.36,
    "sum_noise": 0.15,
}  # fmt: skip
DECODERS = ("plain", "clipped", "per_column", "aware", "float_longer")


def rounded(of: SimpleNamespace) -> list[str]:
    """Files of the integer decoders."""
    return [of.plain, of.clipped, of.per_column, of.aware]


def learn(folder: Path, seed: int = 0) -> SimpleNamespace:
    """Letters to scores of one training; the paths of all files."""
    files = {name: str(folder / f"{name}.safetensors") for name in ("networks", *DECODERS)}
    files |= {name: str(folder / f"{name}.csv") for name in ("training", "fine_tuning", "scores")}
    files |= {"letters": str(folder / "letters.nc"), "encoder": str(folder / "encoder.json")}
    files |= {"examples": str(folder / "examples.nc"), "onnx": str(folder / "decoder.onnx")}
    of = SimpleNamespace(**files)
    reading = READING | {"seed": seed}
    prepare_letters([], of.letters, train=1040, test=520)
    Path(of.encoder).write_text(device().model_dump_json(), encoding="utf-8")
    learning.train_decoder(
        of.letters,
        of.encoder,
        of.networks,
        of.onnx,
        of.training,
        reading=reading,
        training=TRAINING,
        checkpoint_epochs=1,
    )
    learning.quantize_decoder(
        of.letters, of.encoder, of.networks, rounded(of)[:3], of.aware, of.float_longer, of.fine_tuning,
        reading=reading, training=TRAINING, fine_tuning=FINE_TUNING, lowest_level=-7, checkpoint_epochs=1,
    )  # fmt: skip
    score_decoder(
        of.letters, of.encoder, of.networks, rounded(of), of.float_longer, of.scores, of.examples, reading=reading,
        feature_network=None,
    )  # fmt: skip
    return of


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("relaxor.inpainting.quality.RESAMPLES", 50)
        yield learn(tmp_path_factory.mktemp("learned"))


def content(of: SimpleNamespace) -> dict[str, bytes]:
    return {name: Path(path).read_bytes() for name, path in vars(of).items()}


def test_the_same_again_and_nothing_but_results_is_left(learned: SimpleNamespace, tmp_path: Path) -> None:
    again = content(learn(tmp_path))
    assert [name for name, found in content(learned).items() if found != again[name]] == []
    assert {path.name for path in tmp_path.iterdir()} == {Path(path).name for path in vars(learned).values()}


def test_a_killed_training_leaves_what_the_next_one_goes_on_from(
    learned: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def killed(*_: object) -> None:
        raise Killed

    networks = tmp_path / "networks.safetensors"
    arguments = (learned.letters, learned.encoder, str(networks), str(tmp_path / "a.onnx"), str(tmp_path / "a.csv"))
    settings = {"reading": READING, "training": TRAINING, "checkpoint_epochs": 1}
    with monkeypatch.context() as patch:
        patch.setattr(learning, "save_networks", killed)
        with pytest.raises(Killed):
            learning.train_decoder(*arguments, **settings)
    left = [path.name for path in (tmp_path / "networks_checkpoints").rglob("*.safetensors")]
    assert sorted(left) == ["epoch_0001.safetensors", "epoch_0002.safetensors"]
    other_data = settings | {"reading": READING | {"device_variation": 0.5}}
    learning.train_decoder(*arguments, **other_data)  # is not in the way of the first
    assert networks.read_bytes() != Path(learned.networks).read_bytes()
    learning.train_decoder(*arguments, **settings)
    assert networks.read_bytes() == Path(learned.networks).read_bytes()
    assert not (tmp_path / "networks_checkpoints").exists()


def test_files_hold_the_decoders(learned: SimpleNamespace) -> None:
    networks = load_networks(learned.networks, HOLE)
    currents = np.random.default_rng(0).random((5, 196), np.float32)
    session = onnxruntime.InferenceSession(learned.onnx, providers=["CPUExecutionProvider"])
    drawn = session.run(None, {"currents": currents})[0].reshape(5, HOLE, HOLE)
    np.testing.assert_allclose(drawn, predict(networks.decoder, currents), atol=1e-6)
    for name in ("plain", "clipped", "per_column", "aware"):
        layers = load_quantized(getattr(learned, name)).layers
        assert [layer.levels.shape for layer in layers] == [(256, 196), (512, 256), (16, 512)]
        assert all(abs(int(layer.levels.min())) <= 7 and int(layer.levels.max()) <= 7 for layer in layers)
    longer = to_tensors(load_networks(learned.float_longer, HOLE))
    assert any(not np.array_equal(longer[name], values) for name, values in to_tensors(networks).items())
    with pytest.raises(AnalysisError, match="shape"):
        load_networks(learned.networks, 8)
    with pytest.raises(AnalysisError, match=r"encoder\.json: cannot be read"):
        load_networks(learned.encoder, HOLE)


def test_restored_letters_are_nearer_than_letters_with_a_hole(learned: SimpleNamespace) -> None:
    scores = pd.read_csv(learned.scores)
    whole = scores[scores["class"] == "all"].set_index(["method", "metric"])["value"]
    assert set(scores["method"]) == {"real", "unfilled", *METHODS}
    for method in METHODS:
        assert whole[method, "mse_hole"] < whole["unfilled", "mse_hole"]
        assert 0 <= whole[method, "accuracy"] <= 1
        assert whole[method, "fid"] > 0
    assert whole["clipped", "mse_hole"] < 1.05 * whole["float", "mse_hole"]
    assert set(scores["class"]) == {"all", *"ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
    assert (scores["ci_low"].fillna(-np.inf) <= scores["value"]).all()


def test_originals_are_at_no_distance_from_themselves(learned: SimpleNamespace) -> None:
    letters = load_letters(learned.letters)
    originals = letters.images_test[:130] / np.float32(255)
    table = judge(originals, letters.labels_test[:130], {"same": originals}, hole=HOLE)
    found = table[(table["class"] == "all") & (table["method"] == "same")].set_index("metric")["value"]
    assert found["fid"] < 1e-6 and found["mse"] == 0 and found["ssim"] == pytest.approx(1)


def test_shown_letters_are_the_first_of_their_class(learned: SimpleNamespace) -> None:
    letters = load_letters(learned.letters)
    with xr.open_datatree(learned.examples, engine="h5netcdf") as stored:
        shown = stored["letters"].load().to_dataset()
    original = shown["ink"].sel(decoder="original").to_numpy()
    for letter in range(26):
        first = letters.images_test[letters.labels_test == letter][:2]
        np.testing.assert_array_equal(original[:, letter], first)
    np.testing.assert_array_equal(shown["label"], [np.arange(26)] * 2)


# --- numbers of several trainings
def test_several_trainings_are_averaged(learned: SimpleNamespace, tmp_path: Path) -> None:
    other = pd.read_csv(learned.scores)
    other["value"] *= 1.2
    other.to_csv(tmp_path / "other.csv", index=False)
    parameters, curves = str(tmp_path / "parameters.csv"), str(tmp_path / "curves.nc")
    summarize(
        learned.letters, learned.encoder, [learned.scores, str(tmp_path / "other.csv")], [learned.examples] * 2,
        [learned.training] * 2, [learned.fine_tuning] * 2, parameters, curves, holes=[HOLE], seeds=[0, 1],
    )  # fmt: skip
    table = load_parameters(parameters)
    first = pd.read_csv(learned.scores)
    value = first[(first["method"] == "aware") & (first["metric"] == "fid")]["value"].iloc[0]
    (row,) = table[(table["model"] == "aware") & (table["parameter"] == "fid")].to_dict("records")
    assert row["value"] == pytest.approx(1.1 * value)
    assert row["standard_error"] == pytest.approx(0.1 * value)
    assert row["ci_high"] - row["value"] == pytest.approx(12.706 * 0.1 * value, rel=1e-3)  # Student's t of one degree
    (ratio,) = table[(table["model"] == "float") & (table["parameter"] == "fid_ratio")].to_dict("records")
    assert (ratio["value"], ratio["standard_error"]) == pytest.approx((1, 0))
    assert set(table["origin"]) == {"simulated"} and table["raw_sha256"].str.len().eq(64).all()
    counted = table[table["model"] == "letters"].set_index("feature")
    assert dict(counted["value"]) == {"train": 1040, "test": 520}
    exact = table["parameter"].isin(["letters", "weight_bits"])
    assert (table[exact]["standard_error"] == 0).all()  # else no claim could be tested against them
    with xr.open_datatree(curves, engine="h5netcdf") as stored:
        assert "not EMNIST" in stored[f"hole_{HOLE}"].attrs["letters"]


# --- the chip
CHIP = {"chips": 2, "arrays": 2, "writing": {"accuracy": 0.8456}}
LIGHT = "measurement,model,parameter,value,unit\nlight,integral,energy_per_spike,0.9,pJ\n"


@pytest.fixture(scope="module")
def chips(learned: SimpleNamespace) -> SimpleNamespace:
    folder = Path(learned.letters).parent / "chips"
    folder.mkdir()
    of = SimpleNamespace(
        **{name: str(folder / f"{name}.csv") for name in ("chips", "costs", "variants", "light")},
        cells=str(folder / "cells.nc"),
    )
    Path(of.light).write_text(LIGHT, encoding="utf-8")
    experiment.run_chips(
        learned.letters, learned.encoder, of.light, learned.networks, learned.aware, of.chips, of.costs, of.cells,
        reading=READING, crossbar={"chip": CHIP, "chips_made": 2}, read_outs=[],
    )  # fmt: skip
    return of


def test_chips_are_read_back_as_accurately_as_they_are_set(chips: SimpleNamespace) -> None:
    with xr.open_datatree(chips.cells, engine="h5netcdf") as stored:
        read, plan, cells = (stored[name].load().to_dataset() for name in ("read_back", "plan", "arrays"))
    np.testing.assert_allclose(read["accuracy"], 0.8456, atol=0.004)
    assert int(read["confusion"].sum()) == 2 * int(cells["used"].sum())
    assert int((plan["height"] * plan["width"]).sum()) == int(cells["used"].sum())
    assert "fit into 4 arrays" in plan.attrs["statement"]


def test_a_chip_costs_quality_and_an_ideal_one_does_not(learned: SimpleNamespace, chips: SimpleNamespace) -> None:
    table = pd.read_csv(chips.chips).set_index(["decoder", "chip", "metric"])["value"]
    scores = pd.read_csv(learned.scores)
    whole = scores[scores["class"] == "all"].set_index(["method", "metric"])["value"]
    assert table["ideal", 0, "fid"] == pytest.approx(whole["aware", "fid"], rel=1e-6)
    assert table["float", 0, "fid"] == pytest.approx(whole["float", "fid"], rel=1e-6)
    assert table["chip", 0, "mse_hole"] != table["chip", 1, "mse_hole"]
    assert table["chip", 0, "mse_hole"] < whole["unfilled", "mse_hole"]


def test_costs_add_up_and_name_their_sources(chips: SimpleNamespace) -> None:
    table = pd.read_csv(chips.costs).set_index("item")
    value = table["value"]
    assert value["chip_energy"] == pytest.approx(
        value["cell_energy"] + value["converter_energy"] + value["digital_energy"]
    )
    # Seven bit planes, each tile's columns converted once in each: no tile stands above another here.
    assert value["conversions"] == 7 * (256 + 512 + 16)
    assert value["converter_energy"] == pytest.approx(value["conversions"] * 34e-15 * 16)
    assert 1e-11 < value["encoder_energy"] < 1e-8  # some tens of bright pixels at 0.9 pJ
    assert table["source"].str.len().gt(2).all() and table["formula"].str.len().gt(2).all()


def test_measured_read_outs_stand_for_chips(learned: SimpleNamespace, chips: SimpleNamespace, tmp_path: Path) -> None:
    with xr.open_datatree(chips.cells, engine="h5netcdf") as stored:
        targets = stored["arrays"]["target"].to_numpy()[0]
    paths = [str(tmp_path / f"array_{number}.npy") for number in range(len(targets))]
    for path, levels in zip(paths, targets, strict=True):
        np.save(path, levels)
    of = [str(tmp_path / name) for name in ("chips.csv", "costs.csv", "cells.nc")]
    arguments = (learned.letters, learned.encoder, chips.light, learned.networks, learned.aware, *of)
    settings = {"reading": READING, "crossbar": {"chip": CHIP, "chips_made": 2}}
    experiment.run_chips(*arguments, **settings, read_outs=paths)
    with xr.open_datatree(of[2], engine="h5netcdf") as stored:
        np.testing.assert_array_equal(stored["read_back"]["accuracy"], [1.0])
        assert "pulses" not in stored["read_back"], "nobody knows how it was written"
        assert stored["read_back"].attrs["read_outs_sha256"] == ",".join(sha256(Path(path)) for path in paths)
    with pytest.raises(AnalysisError, match="3 files; 4 needed, one for each of 4 arrays"):
        experiment.run_chips(*arguments, **settings, read_outs=paths[:3])
    np.save(paths[1], targets[1][:5])
    with pytest.raises(AnalysisError, match=r"array_1\.npy: read-out has the shape \(5, 128\)"):
        experiment.run_chips(*arguments, **settings, read_outs=paths)


def test_breakdown_and_summary(learned: SimpleNamespace, chips: SimpleNamespace, tmp_path: Path) -> None:
    breakdown.break_down_chip(
        learned.letters, learned.encoder, rounded(learned), chips.variants, reading=READING,
        crossbar={"chip": CHIP, "compared_chips": 2},
    )  # fmt: skip
    table = pd.read_csv(chips.variants)
    error = table[table["metric"] == "mse_hole"].groupby("label")["value"].mean()
    for model in (ALL_BUT_ONE_IDEAL, ONE_IDEAL):
        assert set(table.loc[table["model"] == model, "feature"]) == set(breakdown.PARTS)
    assert error["whole: a day later"] > error["whole: chip"]
    assert list(table.loc[table["label"] == "whole: a day later", "at"].unique()) == [86_400.0]
    parameters = str(tmp_path / "parameters.csv")
    source = tmp_path / "inpainting.csv"
    source.write_text("measurement,raw_sha256,origin\nhole_4," + 64 * "a" + ",simulated\n", encoding="utf-8")
    chip_summary.summarize(
        str(source), [chips.chips], [chips.costs], [chips.cells], chips.variants, parameters,
        str(tmp_path / "curves.nc"), holes=[HOLE],
    )  # fmt: skip
    numbers = load_parameters(parameters).set_index(["model", "parameter", "feature"])["value"]
    assert numbers["write", "write_accuracy", ""] == pytest.approx(84.56, abs=0.4)
    assert numbers["placement", "passes", ""] == 1
    ratio = numbers["chip", "fid", ""] / numbers["float", "fid", ""]
    assert numbers["chip", "fid_ratio", "float"] == pytest.approx(ratio)
    assert numbers[WHOLE_CHIP, "fid", ""].size == 2 and (REMEDY, "fid", "copies") in numbers.index
    with xr.open_datatree(tmp_path / "curves.nc", engine="h5netcdf") as stored:
        variants = stored[f"hole_{HOLE}/variants"].to_dataset()
        assert variants.attrs["whole"] == variants["fid"].sel(variant="whole: chip")
