"""The numbers and curves of the chip, for all holes."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from relaxor.core import netcdf
from relaxor.core.results import Number, Quantity
from relaxor.core.storage import load_parameters, save_parameters, save_tree
from relaxor.core.variables import variable
from relaxor.crossbar import quantities as c
from relaxor.inpainting import quantities as q
from relaxor.inpainting.topics import CROSSBAR

NAMED = {quantity.name: quantity for quantity in (*q.CHIP_METRICS, *c.COST_QUANTITIES)}
"""The quantity of each name in the tables of the jobs."""


def summarize(
    inpainting: str,
    scores: Sequence[str],
    costs: Sequence[str],
    cells: Sequence[str],
    variants: str,
    parameters: str,
    curves: str,
    *,
    holes: Sequence[int],
) -> None:
    """Write ``parameters.csv`` and ``curves.nc``.

    Parameters
    ----------
    inpainting
        ``parameters.csv`` of the inpainting, whose hashes and origin hold for these numbers too.
    scores, costs, cells
        Files of `relaxor.inpainting.chip_experiment.run_chips`, one per hole.
    variants
        File of `relaxor.inpainting.chip_breakdown.break_down_chip`, for the largest hole.
    parameters, curves
        Files to write.
    holes
        Holes in the order of the files.
    """
    source = load_parameters(inpainting).iloc[0]
    largest = holes.index(max(holes))
    rows: list[Number] = []
    groups: dict[str, xr.Dataset] = {}
    hashes: dict[str, str] = {}
    for hole, score, cost, cell in zip(holes, scores, costs, cells, strict=True):
        name = f"hole_{hole}"
        table = pd.read_csv(score)
        rows += _score_rows(name, table)
        rows += [
            q.number_of(name, q.COST, NAMED[row.item], row.value, method=f"{row.formula}; {row.source}")
            for row in pd.read_csv(cost).itertuples(index=False)
        ]
        parts = {child: group.to_dataset() for child, group in netcdf.trees(cell).items()}
        read_outs = parts["read_back"].attrs["read_outs_sha256"]
        hashes[name] = ",".join(filter(None, (source["raw_sha256"], read_outs)))
        raw_file = "encoder.json, letters and read-outs" if read_outs else "encoder.json and letters"
        known = {"hole": hole, "raw_sha256": hashes[name], "origin": source["origin"], "raw_file": raw_file}
        groups[name] = xr.Dataset(attrs=known)
        rows += _write_rows(name, parts["read_back"], parts["plan"])
        groups |= {f"{name}/{child}": part for child, part in parts.items()}
        groups[f"{name}/fid"] = _by_chip(table)
    compared = pd.read_csv(variants, keep_default_na=False, na_values={"at": ""})
    rows += _variant_rows(f"hole_{holes[largest]}", compared)
    groups[f"hole_{holes[largest]}/variants"] = _variants(compared)
    rows = [replace(row, raw_sha256=hashes[row.measurement], origin=source["origin"]) for row in rows]
    CROSSBAR.require_named(rows)
    save_parameters(parameters, rows, CROSSBAR.name)
    save_tree(curves, groups)


def _score_rows(name: str, table: pd.DataFrame) -> list[Number]:
    """Average over the chips, and divide the distance by those without a chip."""
    rows = []
    for (decoder, metric), part in table.groupby(["decoder", "metric"], sort=False):
        rows.append(_mean(name, str(decoder), NAMED[str(metric)], part["value"].to_numpy()))
    chips = _distance(table, q.CHIP)
    rows += [
        _mean(name, q.CHIP, q.FID_RATIO, chips / _distance(table, reference), feature=reference)
        for reference in (q.FLOAT, q.IDEAL)
    ]
    return rows


def _distance(table: pd.DataFrame, decoder: str) -> np.ndarray:
    return table[(table["metric"] == q.FID.name) & (table["decoder"] == decoder)]["value"].to_numpy()


def _mean(
    name: str, model: str, quantity: Quantity, values: np.ndarray, alone: str = "all test letters", **where: Any
) -> Number:
    """Average over chips; a single chip gives no error, and ``alone`` is its method."""
    if values.size < 2:
        return q.number_of(name, model, quantity, values[0], method=alone, n=1, **where)
    method = f"mean of {values.size} chips; Student's t from chip to chip"
    return q.mean_of(name, model, quantity, values, method=method, n=values.size, **where)


def _write_rows(name: str, read_back: xr.Dataset, plan: xr.Dataset) -> list[Number]:
    values = {c.WRITE_ACCURACY: 100 * read_back["accuracy"].to_numpy()}
    if "pulses" in read_back:  # not of a chip that was written elsewhere
        values |= {
            c.PULSES_PER_CELL: read_back["pulses"].to_numpy(),
            c.WRITE_ENERGY_PER_CELL: read_back["energy"].to_numpy(),
        }
    rows = [_mean(name, q.WRITE, quantity, found, "one chip") for quantity, found in values.items()]
    method = f"standard deviation, levels; {read_back.attrs['far_errors']}"
    rows.append(q.number_of(name, q.WRITE, c.LEVEL_ERROR, read_back.attrs["sigma"], method=method))
    placed = int((plan["height"] * plan["width"]).sum())
    counts = {c.CELLS: placed, c.TILES: plan.sizes["tile"], c.PASSES: int(plan["pass_number"].max()) + 1}
    statement = plan.attrs["statement"]
    return rows + [q.number_of(name, q.PLACEMENT, key, count, method=statement) for key, count in counts.items()]


def _variant_rows(name: str, table: pd.DataFrame) -> list[Number]:
    rows = []
    for (_, metric), part in table.groupby(["label", "metric"], sort=False):
        first = part.iloc[0]
        where = {"feature": first["feature"], "at": first["at"], "at_unit": first["at_unit"]}
        rows.append(_mean(name, first["model"], NAMED[str(metric)], part["value"].to_numpy(), **where))
    return rows


def _by_chip(table: pd.DataFrame) -> xr.Dataset:
    """Return the distance of every chip, and of the decoders without one."""
    alone = {f"fid_{name}": float(_distance(table, name)[0]) for name in (q.FLOAT, q.IDEAL)}
    return xr.Dataset({"fid": variable("chip", _distance(table, q.CHIP), "1", "Fréchet distance")}, attrs=alone)


def _variants(table: pd.DataFrame) -> xr.Dataset:
    """Return mean and standard error of the distance of every variant; the attribute ``whole`` is that of the chip."""
    distances = table[table["metric"] == q.FID.name]
    found = distances.groupby("label", sort=False)["value"]
    mean, error = found.mean(), found.sem().fillna(0.0)
    whole = distances[(distances["model"] == q.WHOLE_CHIP) & (distances["feature"] == "") & distances["at"].isna()]
    return xr.Dataset(
        {
            "fid": variable("variant", mean.to_numpy(), "1", "Fréchet distance"),
            "fid_uncertainty": variable("variant", error.to_numpy(), "1", "standard error over the chips"),
        },
        {"variant": ("variant", np.array(mean.index, dtype=str))},
        {"whole": float(mean[whole["label"].iloc[0]])},
    )
