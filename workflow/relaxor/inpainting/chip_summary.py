"""The numbers and curves of the chip, for all holes."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from relaxor.core import netcdf
from relaxor.core.results import Number, Quantity, Status, origin_of
from relaxor.core.storage import load_parameters, save_budget, save_parameters, save_tree
from relaxor.core.variables import variable
from relaxor.crossbar import quantities as c
from relaxor.crossbar.cost import COUNTED, MODEL_ERROR, MODEL_SOURCE
from relaxor.inpainting import quantities as q
from relaxor.inpainting.quality import OVERALL
from relaxor.inpainting.topics import CROSSBAR

NAMED = {quantity.name: quantity for quantity in (*q.CHIP_METRICS, *c.COST_QUANTITIES)}
"""The quantity of each name in the tables of the jobs."""
ONE_TRAINING = " of one training, without the spread from training to training"
"""What is said of the chips of one training."""
ALONE = {q.FLOAT_LONGER: q.FLOAT_LONGER, q.IDEAL: q.AWARE}
"""Decoders without a chip, and the model of the inpainting that each is: an ideal chip computes what integers give."""


def summarize(
    inpainting: str,
    trained: Sequence[str],
    scores: Sequence[str],
    costs: Sequence[str],
    cells: Sequence[str],
    variants: str,
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
    inpainting
        ``parameters.csv`` of the inpainting, whose hashes and decoders without a chip are those of these numbers too.
    trained
        Files of `relaxor.inpainting.scoring.score_decoder` of every training, the seeds of a hole one after the other.
    scores
        Files of `relaxor.inpainting.chip_experiment.run_chips` of every training, in the same order.
    costs, cells
        Other files of `relaxor.inpainting.chip_experiment.run_chips`, those of the first training of every hole.
    variants
        File of `relaxor.inpainting.chip_breakdown.break_down_chip`, for the largest hole.
    parameters, budget, curves
        Files to write: numbers, the components of their uncertainties, and curves.
    holes, seeds
        Holes and seeds in the order of the files.
    """
    restored = load_parameters(inpainting)
    source = restored.iloc[0]
    letters = restored.loc[restored["model"] == q.LETTERS, "method"].iloc[0]
    largest = holes.index(max(holes))
    rows: list[Number] = []
    groups: dict[str, xr.Dataset] = {}
    known: dict[str, dict[str, Any]] = {}
    for number, (hole, cost, cell) in enumerate(zip(holes, costs, cells, strict=True)):
        name, files = f"hole_{hole}", slice(number * len(seeds), (number + 1) * len(seeds))
        chips = [pd.read_csv(path) for path in scores[files]]
        alone = _alone(restored[restored["measurement"] == name])
        rows += alone
        rows += _chip_rows(name, chips, [pd.read_csv(path) for path in trained[files]])
        rows += _cost_rows(name, pd.read_csv(cost))
        parts = {child: group.to_dataset() for child, group in netcdf.trees(cell).items()}
        read_outs = parts["read_back"].attrs["read_outs_sha256"]
        known[name] = {
            "raw_sha256": ",".join(filter(None, (source["raw_sha256"], read_outs))),
            "origin": origin_of([source["origin"], "measured" if read_outs else "simulated"]),
        }
        raw_file = "encoder.json, letters and read-outs" if read_outs else "encoder.json and letters"
        groups[name] = xr.Dataset(attrs={"hole": hole, "raw_file": raw_file, "letters": letters, **known[name]})
        rows += _write_rows(name, parts["read_back"], parts["plan"])
        groups |= {f"{name}/{child}": part for child, part in parts.items()}
        groups[f"{name}/distances"] = _by_chip(chips[0], alone)
    compared = pd.read_csv(variants, keep_default_na=False, na_values={"at": ""})
    rows += _variant_rows(f"hole_{holes[largest]}", compared)
    groups[f"hole_{holes[largest]}/variants"] = _variants(compared)
    rows = [replace(row, **known[row.measurement]) for row in rows]
    CROSSBAR.require_named(rows)
    save_parameters(parameters, rows, CROSSBAR.name)
    save_budget(budget, rows)
    save_tree(curves, groups)


def _alone(restored: pd.DataFrame) -> list[Number]:
    """Return the numbers of the decoders without a chip, which are those of the inpainting."""
    metrics = [metric.name for metric in q.CHIP_METRICS]
    fields = ("measurement", "parameter", "value", "standard_error", "ci_low", "ci_high", "unit", "method", "n")
    return [
        Number(model=name, status=Status(row["status"]), **{field: row[field] for field in fields})
        for name, model in ALONE.items()
        for row in restored[(restored["model"] == model) & restored["parameter"].isin(metrics)].to_dict("records")
    ]


def _chip_rows(name: str, chips: Sequence[pd.DataFrame], trained: Sequence[pd.DataFrame]) -> list[Number]:
    """Average over the chips and, if there are several, the trainings; divide the distance by those without a chip."""
    means = [table.groupby("metric")["value"].mean() for table in chips]
    rows = []
    for metric in q.CHIP_METRICS:
        if len(chips) > 1:
            values = np.array([mean[metric.name] for mean in means])
            method = f"mean of {values.size} trainings and their chips; Student's t from training to training"
            rows.append(q.mean_of(name, q.CHIP, metric, values, method=method, n=values.size))
        else:
            rows.append(_mean(name, q.CHIP, metric, _of_chips(chips[0], metric)))
    whole = [table[table["class"] == OVERALL].set_index(["method", "metric"])["value"] for table in trained]
    for reference, model in ALONE.items():
        ratios = [mean[q.PAIRED.name] / own[model, q.PAIRED.name] for mean, own in zip(means, whole, strict=True)]
        rows.append(q.ratio_of(name, q.CHIP, np.array(ratios), reference))
    return rows


def _of_chips(table: pd.DataFrame, metric: Quantity) -> np.ndarray:
    """Return a metric of every chip, shape (chips,)."""
    return table.loc[table["metric"] == metric.name, "value"].to_numpy()


def _mean(
    name: str, model: str, quantity: Quantity, values: np.ndarray, of: str = ONE_TRAINING, **where: Any
) -> Number:
    """Average over the chips; a single chip has no error. ``of`` says more of them."""
    if values.size < 2:
        number = q.number_of(name, model, quantity, values[0], method=f"one chip{of}", n=1, **where)
        return number.flagged(Status.NOT_IDENTIFIED, "not identified: one chip has no spread from chip to chip")
    method = f"mean of {values.size} chips{of}; Student's t from chip to chip"
    return q.mean_of(name, model, quantity, values, method=method, n=values.size, **where)


def _cost_rows(name: str, table: pd.DataFrame) -> list[Number]:
    """Return the costs; all but the counted ones rest on constants that were not measured on this chip."""
    rows = []
    for row in table.itertuples(index=False):
        quantity, method = NAMED[row.item], f"{row.formula}; {row.source}"
        if quantity in COUNTED:
            rows.append(q.number_of(name, q.COST, quantity, row.value, standard_error=0.0, method=method))
            continue
        cost = q.number_of(name, q.COST, quantity, row.value, standard_error=0.0, method=method)
        cost = cost.flagged(Status.ASSUMED, "assumed: the constants of the cost model")
        rows.append(cost.with_component("constants of the cost model", MODEL_ERROR * row.value, MODEL_SOURCE))
    return rows


def _write_rows(name: str, read_back: xr.Dataset, plan: xr.Dataset) -> list[Number]:
    placed = int((plan["height"] * plan["width"]).sum())
    rows = [_accuracy(name, read_back, placed), _level_error(name, read_back)]
    if "pulses" in read_back:  # not of a chip that was written elsewhere
        values = {c.PULSES_PER_CELL: read_back["pulses"], c.WRITE_ENERGY_PER_CELL: read_back["energy"]}
        rows += [_mean(name, q.WRITE, quantity, found.to_numpy(), "") for quantity, found in values.items()]
    counts = {c.CELLS: placed, c.TILES: plan.sizes["tile"], c.PASSES: int(plan["pass_number"].max()) + 1}
    exact = {"standard_error": 0.0, "method": plan.attrs["statement"]}
    return rows + [q.number_of(name, q.PLACEMENT, key, count, **exact) for key, count in counts.items()]


def _accuracy(name: str, read_back: xr.Dataset, cells: int) -> Number:
    """Return the share of cells that are read at their level: counted on a measured chip, set on a simulated one."""
    values = 100 * read_back["accuracy"].to_numpy()
    if read_back.attrs["read_outs_sha256"]:
        right = values[0] / 100
        error = 100 * float(np.sqrt(right * (1 - right) / cells))
        method = "cells of the measured read-outs; binomial"
        return q.number_of(name, q.WRITE, c.WRITE_ACCURACY, values[0], standard_error=error, method=method, n=cells)
    reason = "not identified: the model of the chip is calibrated to this accuracy, which is a setting"
    return _mean(name, q.WRITE, c.WRITE_ACCURACY, values, "").flagged(Status.NOT_IDENTIFIED, reason)


def _level_error(name: str, read_back: xr.Dataset) -> Number:
    sigma, n = float(read_back.attrs["sigma"]), int(read_back["confusion"].sum())
    statement, beyond = str(read_back.attrs["far_errors"]), bool(read_back.attrs["beyond_normal"])
    fields = {"standard_error": sigma / float(np.sqrt(2 * n)), "method": f"standard deviation, levels; {statement}"}
    number = q.number_of(name, q.WRITE, c.LEVEL_ERROR, sigma, n=n, **fields)
    return number.flagged(Status.MISFIT, "misfit: errors of levels are not normal") if beyond else number


def _variant_rows(name: str, table: pd.DataFrame) -> list[Number]:
    rows = []
    for (_, metric), part in table.groupby(["label", "metric"], sort=False):
        first = part.iloc[0]
        where = {"feature": first["feature"], "at": first["at"], "at_unit": first["at_unit"]}
        rows.append(_mean(name, first["model"], NAMED[str(metric)], part["value"].to_numpy(), **where))
    return rows


def _by_chip(table: pd.DataFrame, alone: Sequence[Number]) -> xr.Dataset:
    """Return the distance of every chip, and of the decoders without one as attributes."""
    distances = {row.model: row.value for row in alone if row.parameter == q.PAIRED.name}
    return xr.Dataset(
        {"distance": variable("chip", _of_chips(table, q.PAIRED), "1", "paired Fréchet distance")}, attrs=distances
    )


def _variants(table: pd.DataFrame) -> xr.Dataset:
    """Return mean and standard error of the distance of every variant; the attribute ``whole`` is that of the chip."""
    distances = table[table["metric"] == q.PAIRED.name]
    found = distances.groupby("label", sort=False)["value"]
    mean, error = found.mean(), found.sem().fillna(0.0)
    whole = distances[(distances["model"] == q.WHOLE_CHIP) & (distances["feature"] == "") & distances["at"].isna()]
    return xr.Dataset(
        {
            "distance": variable("variant", mean.to_numpy(), "1", "paired Fréchet distance"),
            "distance_uncertainty": variable("variant", error.to_numpy(), "1", "standard error over the chips"),
        },
        {"variant": ("variant", np.array(mean.index, dtype=str))},
        {"whole": float(mean[whole["label"].iloc[0]])},
    )
