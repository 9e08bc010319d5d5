"""The numbers and curves of the inpainting, for all holes and trainings."""

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from relaxor.core import netcdf
from relaxor.core.results import NORMAL_QUANTILE, Number, Quantity, Status, origin_of
from relaxor.core.storage import save_budget, save_parameters, save_tree
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
    budget: str,
    curves: str,
    *,
    holes: Sequence[int],
    seeds: Sequence[int],
) -> None:
    """Write ``parameters.csv``, ``budget.csv`` and ``curves.nc``.

    Parameters
    ----------
    letters, encoder
        The letters and the device that the trainings used.
    scores, examples, histories, fine_tunings
        Files of every training, the seeds of a hole one after the other.
    parameters, budget, curves
        Files to write: numbers, the components of their uncertainties, and curves.
        Measurements are ``hole_4``, …; models are `relaxor.inpainting.quantities.INPAINTING_MODELS`.
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
    rows = [replace(row, raw_sha256=made_of, origin=origin) for row in _rows(table, found)]
    INPAINTING.require_named(rows)
    save_parameters(parameters, rows, INPAINTING.name)
    save_budget(budget, rows)
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
    """Return the numbers of all metrics, ratios to the float decoder of as many epochs, and the numbers of letters."""
    features = f"; 64 features of the letter classifier {load_classifier()[1]['sha256'][:12]}"
    rows: list[Number] = []
    overall = table[table["class"] == OVERALL]
    for (hole, method), part in overall.groupby(["hole", "method"], sort=False):
        scored = dict(iter(part.groupby("metric")))
        for metric in q.METRICS:
            if metric.name in scored:
                where = features if metric in (q.PAIRED, q.PAIRED_UNBIASED, q.FID, q.KID) else ""
                rows.append(_mean(scored[metric.name], metric, where))
        if method in q.METHODS and method not in (q.FLOAT, q.FLOAT_LONGER):
            distances = (_paired(overall, int(hole), each) for each in (str(method), q.FLOAT_LONGER))
            rows.append(q.ratio_of(f"hole_{hole}", str(method), np.divide(*distances), q.FLOAT_LONGER))
    for which, labels in (("train", letters.labels_train), ("test", letters.labels_test)):
        exact = {"standard_error": 0.0, "method": letters.source, "feature": which}
        rows.append(q.number_of(q.LETTERS, q.LETTERS, q.LETTERS_USED, labels.size, **exact))
    return rows


def _mean(part: pd.DataFrame, metric: Quantity, where: str) -> Number:
    """Average a metric over the trainings; a single training has its interval over the letters."""
    first, values = part.iloc[0], part["value"].to_numpy()
    name, kind = f"hole_{first['hole']}", str(first["method"])
    if kind not in (q.REAL, q.UNFILLED) and values.size > 1:
        method = f"mean of {values.size} trainings; interval from training to training{where}"
        return q.mean_of(name, kind, metric, values, method=method, n=int(part["n"].sum()))
    method = "interval over the test letters"
    if metric == q.FID:
        method = "half of the letters against the originals of the other half, n each; range of the halvings"
    if kind not in (q.REAL, q.UNFILLED):
        method = f"one training, seed {first['seed']}: without the spread from training to training; {method}"
    ends = {"ci_low": first["ci_low"], "ci_high": first["ci_high"]}
    error = (first["ci_high"] - first["ci_low"]) / (2 * NORMAL_QUANTILE)
    fields = {"standard_error": error, **ends, "method": f"{method}{where}", "n": int(first["n"])}
    number = q.number_of(name, kind, metric, values[0], **fields)
    few = "not identified: too few letters for an interval"
    return number if math.isfinite(error) else number.flagged(Status.NOT_IDENTIFIED, few)


def _paired(table: pd.DataFrame, hole: int, method: str) -> np.ndarray:
    """Return the paired distance of a decoder in every training, in the order of the seeds, shape (n,)."""
    found = table[(table["hole"] == hole) & (table["method"] == method) & (table["metric"] == q.PAIRED.name)]
    return found.sort_values("seed")["value"].to_numpy()


def _curves(hole: int, table: pd.DataFrame, examples: str, history: str, fine_tuning: str) -> dict[str, xr.Dataset]:
    """Return the groups of a hole: distances of every training, accuracy by letter, examples, levels and losses."""
    name = f"hole_{hole}"
    groups = {name: xr.Dataset(attrs={"hole": hole, "networks": json.dumps(_sizes(hole))})}
    groups |= {f"{name}/{child}": group.to_dataset() for child, group in netcdf.trees(examples).items()}
    for metric in (q.PAIRED, q.ACCURACY):
        groups[f"{name}/{metric.name}"] = _by_method(table, metric.name)
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
