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
        of.letters, of.encoder, of.networks, rounded(of)[:3], of.aware, of.float_longer,
        of.fine_tuning,
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
        assert whole[method, "paired_frechet_distance"] > 0
        assert whole[method, "fid"] > whole["real", "fid"], "the floor applies to halves of other letters"
    assert whole["clipped", "mse_hole"] < 1.05 * whole["float_longer", "mse_hole"]
    assert set(scores["class"]) == {"all", *"ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
    assert (scores["ci_low"].fillna(-np.inf) <= scores["value"]).all()


def test_originals_are_at_no_distance_from_themselves(learned: SimpleNamespace) -> None:
    letters = load_letters(learned.letters)
    originals = letters.images_test[:130] / np.float32(255)
    table = judge(originals, letters.labels_test[:130], {"same": originals}, hole=HOLE)
    found = table[(table["class"] == "all") & (table["method"] == "same")].set_index("metric")["value"]
    floor = table[(table["method"] == "real") & (table["metric"] == "fid")]["value"].iloc[0]
    assert found["fid"] == pytest.approx(floor), "restored perfectly, letters are as far from others as these are"
    assert found["paired_frechet_distance"] < 1e-6 and found["mse"] == 0 and found["ssim"] == pytest.approx(1)


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
FACTORS = {1: (1.0,), 2: (1.0, 1.2), 3: (1.0, 1.2, 1.1)}
"""By how much all decoders of each training are worse than those of the first."""


def summarized(learned: SimpleNamespace, folder: Path, trainings: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Numbers of trainings whose scores are those of the first one times a factor, and the first scores."""
    first = pd.read_csv(learned.scores)
    scores = [str(folder / f"scores_{number}.csv") for number in range(trainings)]
    for path, factor in zip(scores, FACTORS[trainings], strict=True):
        first.assign(value=factor * first["value"]).to_csv(path, index=False)
    files = [str(folder / name) for name in ("parameters.csv", "budget.csv", "curves.nc")]
    several = ([getattr(learned, name)] * trainings for name in ("examples", "training", "fine_tuning"))
    summarize(
        learned.letters, learned.encoder, scores, *several, *files, holes=[HOLE], seeds=list(range(trainings)),
    )  # fmt: skip
    return load_parameters(files[0]), first


def test_several_trainings_are_averaged(learned: SimpleNamespace, tmp_path: Path) -> None:
    table, first = summarized(learned, tmp_path, 3)
    values = first.set_index(["method", "class", "metric"])["value"]
    value = values["aware", "all", "paired_frechet_distance"]
    row = table[(table["model"] == "aware") & (table["parameter"] == "paired_frechet_distance")].iloc[0]
    assert row["value"] == pytest.approx(1.1 * value)
    assert row["standard_error"] == pytest.approx(0.1 * value / 3**0.5)
    half = row["ci_high"] - row["value"]
    assert half == pytest.approx(4.3027 * row["standard_error"], rel=1e-3)  # Student's t of two degrees
    ratio = table[(table["model"] == "aware") & (table["parameter"] == "paired_frechet_distance_ratio")].iloc[0]
    assert ratio["value"] == pytest.approx(value / values["float_longer", "all", "paired_frechet_distance"])
    assert (ratio["feature"], ratio["status"]) == ("float_longer", "ok") and ratio["standard_error"] < 1e-9
    assert set(table["origin"]) == {"simulated"} and table["raw_sha256"].str.len().eq(64).all()
    counted = table[table["model"] == "letters"].set_index("feature")
    assert dict(counted["value"]) == {"train": 1040, "test": 520}
    with xr.open_datatree(tmp_path / "curves.nc", engine="h5netcdf") as stored:
        assert "not EMNIST" in stored[f"hole_{HOLE}"].attrs["letters"]


@pytest.mark.parametrize("trainings", [1, 2])
def test_a_ratio_of_few_trainings_has_no_interval(learned: SimpleNamespace, tmp_path: Path, trainings: int) -> None:
    table, _ = summarized(learned, tmp_path, trainings)
    ratios = table[table["parameter"] == "paired_frechet_distance_ratio"]
    assert set(ratios["model"]) == set(METHODS) - {"float", "float_longer"}
    assert set(ratios["feature"]) == {"float_longer"}, "the only float decoder that was trained as long"
    assert set(ratios["status"]) == {"not_identified"} and ratios["standard_error"].isna().all()
    assert ratios["method"].str.contains("3 seeds or more").all()
    others = table[table["model"].isin(METHODS) & ~table.index.isin(ratios.index)]
    alone = others["method"].str.contains("without the spread from training to training")
    assert alone.all() if trainings == 1 else not alone.any()
    assert not table["value"].isna().any()


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
        learned.letters, learned.encoder, of.light, learned.aware, of.chips, of.costs, of.cells,
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


def test_chips_differ_and_restore_letters(learned: SimpleNamespace, chips: SimpleNamespace) -> None:
    table = pd.read_csv(chips.chips).set_index(["chip", "metric"])["value"]
    scores = pd.read_csv(learned.scores)
    whole = scores[scores["class"] == "all"].set_index(["method", "metric"])["value"]
    assert table[0, "mse_hole"] != table[1, "mse_hole"]
    assert table[0, "mse_hole"] < whole["unfilled", "mse_hole"]


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
        np.save(path, levels + 2.5 * (levels == 7))  # beyond the highest level reads as the highest
    of = [str(tmp_path / name) for name in ("chips.csv", "costs.csv", "cells.nc")]
    arguments = (learned.letters, learned.encoder, chips.light, learned.aware, *of)
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


@pytest.fixture(scope="module")
def variants(learned: SimpleNamespace, chips: SimpleNamespace) -> pd.DataFrame:
    breakdown.break_down_chip(
        learned.letters, learned.encoder, rounded(learned), chips.variants, reading=READING,
        crossbar={"chip": CHIP, "compared_chips": 2},
    )  # fmt: skip
    return pd.read_csv(chips.variants)


def test_breakdown(variants: pd.DataFrame) -> None:
    error = variants[variants["metric"] == "mse_hole"].groupby("label")["value"].mean()
    for model in (ALL_BUT_ONE_IDEAL, ONE_IDEAL):
        assert set(variants.loc[variants["model"] == model, "feature"]) == set(breakdown.PARTS)
    assert error["whole: a day later"] > error["whole: chip"]
    assert list(variants.loc[variants["label"] == "whole: a day later", "at"].unique()) == [86_400.0]


@pytest.mark.usefixtures("variants")
@pytest.mark.parametrize("trainings", [1, 3])
def test_numbers_of_chips(learned: SimpleNamespace, chips: SimpleNamespace, tmp_path: Path, trainings: int) -> None:
    restored, _ = summarized(learned, tmp_path, trainings)
    chip_summary.summarize(
        str(tmp_path / "parameters.csv"), [str(tmp_path / f"scores_{number}.csv") for number in range(trainings)],
        [chips.chips] * trainings, [chips.costs], [chips.cells], chips.variants, str(tmp_path / "chip.csv"),
        str(tmp_path / "chip_budget.csv"), str(tmp_path / "chip.nc"), holes=[HOLE], seeds=list(range(trainings)),
    )  # fmt: skip
    table = load_parameters(tmp_path / "chip.csv")
    numbers = {(row["model"], row["parameter"], row["feature"]): row for row in table.to_dict("records")}
    value = {key: row["value"] for key, row in numbers.items()}
    distance = "paired_frechet_distance"
    alone = restored.set_index(["model", "parameter", "feature"])["value"]
    assert value["float_longer", distance, ""] == pytest.approx(alone["float_longer", distance, ""])
    assert value["ideal", distance, ""] == pytest.approx(alone["aware", distance, ""])
    ratio = numbers["chip", "paired_frechet_distance_ratio", "float_longer"]
    assert ratio["status"] == ("not_identified" if trainings == 1 else "ok")
    assert np.isfinite(ratio["standard_error"]) == (trainings == 3)
    if trainings == 1:
        assert ratio["value"] == pytest.approx(value["chip", distance, ""] / value["float_longer", distance, ""])
    accuracy = numbers["write", "write_accuracy", ""]
    assert accuracy["value"] == pytest.approx(84.56, abs=0.4)
    assert accuracy["status"] == "not_identified" and "is a setting" in accuracy["method"]
    assert set(table["origin"]) == {"simulated"}, "a model of a chip is no measurement"
    energy = numbers["cost", "chip_energy", ""]
    assert energy["status"] == "assumed" and energy["systematic_error"] == pytest.approx(0.6 * energy["value"])
    assert value["placement", "passes", ""] == 1
    whole = table[(table["model"] == WHOLE_CHIP) & (table["parameter"] == distance) & (table["feature"] == "")]
    assert len(whole) == 2 and (REMEDY, distance, "copies") in numbers
    with xr.open_datatree(tmp_path / "chip.nc", engine="h5netcdf") as stored:
        compared = stored[f"hole_{HOLE}/variants"].to_dataset()
        assert compared.attrs["whole"] == compared["distance"].sel(variant="whole: chip")
        assert "not EMNIST" in stored[f"hole_{HOLE}"].attrs["letters"]
