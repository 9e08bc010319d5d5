"""The numbers and curves of the inpainting, for all holes and trainings."""

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from relaxor.core import netcdf
from relaxor.core.results import NORMAL_QUANTILE, Number, Quantity, student_quantile
from relaxor.core.storage import save_parameters, save_tree
from relaxor.core.variables import variable
from relaxor.inpainting.classifier import load_classifier
from relaxor.inpainting.letters import Letters, load_letters
from relaxor.inpainting.quality import OVERALL
from relaxor.inpainting.quantities import (
    AWARE,
    FID,
    FID_RATIO,
    FID_UNBIASED,
    FLOAT,
    KID,
    LETTERS,
    LETTERS_USED,
    METHODS,
    METRICS,
    REAL,
    UNFILLED,
    WEIGHT_BITS,
)
from relaxor.inpainting.topics import INPAINTING
from relaxor.inpainting.training import Networks
from relaxor.synapse.photoresponse.encoder import load_encoder


def summarize(
    letters: str,
    encoder: str,
    scores: Sequence[str],
    examples: Sequence[str],
    histories: Sequence[str],
    fine_tunings: Sequence[str],
    parameters: str,
    curves: str,
    *,
    holes: Sequence[int],
    seeds: Sequence[int],
) -> None:
    """Write ``parameters.csv`` and ``curves.nc``.

    Parameters
    ----------
    letters, encoder
        The letters and the device that the trainings used.
    scores, examples, histories, fine_tunings
        Files of every training, the seeds of a hole one after the other.
    parameters, curves
        Files to write. Measurements are ``hole_4``, …; models are `relaxor.inpainting.quantities.INPAINTING_MODELS`.
    holes, seeds
        Holes and seeds of the trainings.
    """
    found = load_letters(letters)
    trainings = [(hole, seed) for hole in holes for seed in seeds]
    tables = [
        pd.read_csv(path).assign(hole=hole, seed=seed) for path, (hole, seed) in zip(scores, trainings, strict=True)
    ]
    table = pd.concat(tables, ignore_index=True)
    origin = "simulated" if "simulated" in (found.origin, load_encoder(encoder).origin) else "measured"
    made_of = hashlib.sha256(f"{found.sha256} {Path(encoder).read_text(encoding='utf-8')}".encode()).hexdigest()
    rows = [*_rows(table, found), *_bit_rows(holes, examples[:: len(seeds)])]
    rows = [replace(row, raw_sha256=made_of, origin=origin) for row in rows]
    INPAINTING.require_named(rows)
    save_parameters(parameters, rows, INPAINTING.name)
    groups: dict[str, xr.Dataset] = {}
    for number, hole in enumerate(holes):
        first = number * len(seeds)
        groups |= _curves(hole, table[table["hole"] == hole], examples[first], histories[first], fine_tunings[first])
        groups[f"hole_{hole}"].attrs |= {
            "raw_sha256": made_of,
            "origin": origin,
            "raw_file": f"{Path(encoder).name} and {found.source.partition(' (')[0]}",
            "letters": found.source,
        }
    save_tree(curves, groups)


def _rows(table: pd.DataFrame, letters: Letters) -> list[Number]:
    """Return the numbers of all metrics, their ratios to the float decoder, and the numbers of letters."""
    features = f"64 features of the letter classifier {load_classifier()[1]['sha256'][:12]}"
    rows: list[Number] = []
    overall = table[table["class"] == OVERALL]
    for (hole, method), part in overall.groupby(["hole", "method"], sort=False):
        scored = dict(iter(part.groupby("metric")))
        for metric in METRICS:
            if metric.name in scored:
                where = f"; {features}" if metric in (FID, FID_UNBIASED, KID) else ""
                rows.append(_number(f"hole_{hole}", str(method), metric, **_mean(scored[metric.name], where)))
        if method in METHODS:
            of_float = overall[(overall["hole"] == hole) & (overall["method"] == FLOAT)]
            ratio = _ratio(part, of_float)
            rows.append(_number(f"hole_{hole}", str(method), FID_RATIO, feature=FLOAT, **ratio))
    for which, labels in (("train", letters.labels_train), ("test", letters.labels_test)):
        number = _found(labels.size, 0.0, math.nan, math.nan, letters.source, 0)
        rows.append(_number(LETTERS, LETTERS, LETTERS_USED, feature=which, **number))
    return rows


def _number(measurement: str, model: str, quantity: Quantity, **found: Any) -> Number:
    return Number(measurement, model, quantity.name, unit=quantity.known_unit, **found)


def _bit_rows(holes: Sequence[int], examples: Sequence[str]) -> list[Number]:
    """Return the number of bits that the levels of each quantized decoder take."""
    rows: list[Number] = []
    for hole, path in zip(holes, examples, strict=True):
        levels = [layer["level"].to_numpy() for name, layer in netcdf.trees(path).items() if name.startswith("layer")]
        span = max(int(level.max()) for level in levels) - min(int(level.min()) for level in levels)
        method = "binary logarithm of the span of all levels, rounded up"
        bits = _found(span.bit_length(), 0.0, math.nan, math.nan, method, 0)
        rows.append(_number(f"hole_{hole}", AWARE, WEIGHT_BITS, **bits))
    return rows


def _mean(part: pd.DataFrame, where: str) -> dict[str, Any]:
    """Average over the trainings; a single training has its interval over the letters."""
    values = part["value"].to_numpy()
    n = int(part["n"].sum())
    kind = part["method"].iloc[0]
    if kind in (REAL, UNFILLED) or values.size == 1:
        low, high = part["ci_low"].iloc[0], part["ci_high"].iloc[0]
        error = (high - low) / (2 * NORMAL_QUANTILE)
        method = {
            REAL: "random halves of the originals, n each; range of the halvings",
            UNFILLED: "interval over the test letters, paired",
        }.get(kind, "one training; interval over the test letters, paired")
        return _found(values[0], error, low, high, f"{method}{where}", int(part["n"].iloc[0]))
    return _found(*_student(values), f"mean of {values.size} trainings; interval from training to training{where}", n)


def _ratio(part: pd.DataFrame, of_float: pd.DataFrame) -> dict[str, Any]:
    """Divide the distances by those of the float decoder of the same training."""
    own, reference = (rows[rows["metric"] == FID.name].sort_values("seed") for rows in (part, of_float))
    ratios = own["value"].to_numpy() / reference["value"].to_numpy()
    n = int(own["n"].sum())
    if ratios.size > 1:
        return _found(*_student(ratios), f"distance over the float decoder's, mean of {ratios.size} trainings", n)
    relative = [
        (rows["ci_high"].iloc[0] - rows["ci_low"].iloc[0]) / (2 * NORMAL_QUANTILE * value)
        for rows, value in ((own, own["value"].iloc[0]), (reference, reference["value"].iloc[0]))
    ]
    error = ratios[0] * math.hypot(*relative)
    method = "distance over the float decoder's, one training; interval over the test letters, taken as independent"
    return _found(ratios[0], error, math.nan, math.nan, method, n)


def _student(values: np.ndarray) -> tuple[float, float, float, float]:
    mean, error = float(values.mean()), float(values.std(ddof=1) / math.sqrt(values.size))
    margin = student_quantile(values.size - 1) * error
    return mean, error, mean - margin, mean + margin


def _found(value: float, error: float, low: float, high: float, method: str, n: int) -> dict[str, Any]:
    return {"value": float(value), "standard_error": error, "ci_low": low, "ci_high": high, "method": method, "n": n}


def _curves(hole: int, table: pd.DataFrame, examples: str, history: str, fine_tuning: str) -> dict[str, xr.Dataset]:
    """Return the groups of a hole: distances of every training, accuracy by letter, examples, levels and losses."""
    name = f"hole_{hole}"
    groups = {name: xr.Dataset(attrs={"hole": hole, "networks": json.dumps(_sizes(hole))})}
    groups |= {f"{name}/{child}": group.to_dataset() for child, group in netcdf.trees(examples).items()}
    for metric in ("fid", "accuracy"):
        groups[f"{name}/{metric}"] = _by_method(table, metric)
    for kind, path in (("training", history), ("fine_tuning", fine_tuning)):
        losses = pd.read_csv(path)
        epoch = variable("epoch", losses.pop("epoch").to_numpy(), "1", "epoch")
        groups[f"{name}/{kind}"] = xr.Dataset(
            {
                loss: variable("epoch", values.to_numpy(), "1", loss.replace("_", " "))
                for loss, values in losses.items()
            },
            {"epoch": epoch},
        )
    return groups


def _by_method(table: pd.DataFrame, metric: str) -> xr.Dataset:
    """Return a metric by method, letter and training, with its interval over the letters."""
    rows = table[table["metric"] == metric].set_index(["method", "class", "seed"])
    found = rows[["value", "ci_low", "ci_high"]].to_xarray()
    return found.rename({"method": "decoder", "class": "letter"})


def _sizes(hole: int) -> dict[str, list[int]]:
    """Return the width of every layer of both networks, inputs first."""
    networks = Networks.create(hole, 0)
    return {
        kind: [int(layers[0].in_features), *(int(layer.out_features) for layer in layers)]
        for kind, layers in (("decoder", networks.decoder.layers), ("discriminator", networks.discriminator.layers))
    }
