"""The numbers and curves of the inpainting, for all holes and trainings."""

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
import xarray as xr

from relaxor.core import netcdf
from relaxor.core.results import NORMAL_QUANTILE, Number, Quantity, origin_of
from relaxor.core.storage import save_parameters, save_tree
from relaxor.core.variables import variable
from relaxor.inpainting import quantities as q
from relaxor.inpainting.classifier import load_classifier
from relaxor.inpainting.letters import Letters, load_letters
from relaxor.inpainting.quality import OVERALL
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
    origin = origin_of([found.origin, load_encoder(encoder).origin])
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
    features = f"; 64 features of the letter classifier {load_classifier()[1]['sha256'][:12]}"
    rows: list[Number] = []
    overall = table[table["class"] == OVERALL]
    for (hole, method), part in overall.groupby(["hole", "method"], sort=False):
        scored = dict(iter(part.groupby("metric")))
        for metric in q.METRICS:
            if metric.name in scored:
                where = features if metric in (q.FID, q.FID_UNBIASED, q.KID) else ""
                rows.append(_mean(scored[metric.name], metric, where))
        if method in q.METHODS:
            rows.append(_ratio(part, overall[(overall["hole"] == hole) & (overall["method"] == q.FLOAT)]))
    for which, labels in (("train", letters.labels_train), ("test", letters.labels_test)):
        exact = {"standard_error": 0.0, "method": letters.source, "feature": which}
        rows.append(q.number_of(q.LETTERS, q.LETTERS, q.LETTERS_USED, labels.size, **exact))
    return rows


def _bit_rows(holes: Sequence[int], examples: Sequence[str]) -> list[Number]:
    """Return the number of bits that the levels of each quantized decoder take."""
    rows: list[Number] = []
    exact = {"standard_error": 0.0, "method": "binary logarithm of the span of all levels, rounded up"}
    for hole, path in zip(holes, examples, strict=True):
        levels = [layer["level"].to_numpy() for name, layer in netcdf.trees(path).items() if name.startswith("layer")]
        span = max(int(level.max()) for level in levels) - min(int(level.min()) for level in levels)
        rows.append(q.number_of(f"hole_{hole}", q.AWARE, q.WEIGHT_BITS, span.bit_length(), **exact))
    return rows


def _mean(part: pd.DataFrame, metric: Quantity, where: str) -> Number:
    """Average a metric over the trainings; a single training has its interval over the letters."""
    first, values = part.iloc[0], part["value"].to_numpy()
    name, kind = f"hole_{first['hole']}", str(first["method"])
    if kind not in (q.REAL, q.UNFILLED) and values.size > 1:
        method = f"mean of {values.size} trainings; interval from training to training{where}"
        return q.mean_of(name, kind, metric, values, method=method, n=int(part["n"].sum()))
    method = {
        q.REAL: "random halves of the originals, n each; range of the halvings",
        q.UNFILLED: "interval over the test letters, paired",
    }.get(kind, "one training; interval over the test letters, paired")
    ends = {"ci_low": first["ci_low"], "ci_high": first["ci_high"]}
    error = (first["ci_high"] - first["ci_low"]) / (2 * NORMAL_QUANTILE)
    fields = {"standard_error": error, **ends, "method": f"{method}{where}", "n": int(first["n"])}
    return q.number_of(name, kind, metric, values[0], **fields)


def _ratio(part: pd.DataFrame, of_float: pd.DataFrame) -> Number:
    """Divide the distances by those of the float decoder of the same training."""
    own, reference = (rows[rows["metric"] == q.FID.name].sort_values("seed") for rows in (part, of_float))
    ratios = own["value"].to_numpy() / reference["value"].to_numpy()
    name, kind = f"hole_{own['hole'].iloc[0]}", str(own["method"].iloc[0])
    fields = {"n": int(own["n"].sum()), "feature": q.FLOAT}
    if ratios.size > 1:
        method = f"distance over the float decoder's, mean of {ratios.size} trainings"
        return q.mean_of(name, kind, q.FID_RATIO, ratios, method=method, **fields)
    relative = [
        (rows["ci_high"].iloc[0] - rows["ci_low"].iloc[0]) / (2 * NORMAL_QUANTILE * rows["value"].iloc[0])
        for rows in (own, reference)
    ]
    method = "distance over the float decoder's, one training; interval over the test letters, taken as independent"
    error = ratios[0] * math.hypot(*relative)
    return q.number_of(name, kind, q.FID_RATIO, ratios[0], standard_error=error, method=method, **fields)


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
