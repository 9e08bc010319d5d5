"""The numbers and curves of the chip, as every technique gives them."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import xarray as xr

from relaxor.core import netcdf
from relaxor.core.results import Number
from relaxor.core.storage import load_parameters, save_parameters, save_tree
from relaxor.core.variables import variable


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
        ``parameters.csv`` of the inpainting: where its numbers come from holds for these.
    scores, costs, cells
        Files of `relaxor.inpainting.chip_experiment.run_chips`, one a hole.
    variants
        File of `relaxor.inpainting.chip_breakdown.break_down_chip`, for the largest hole.
    parameters, curves
        Files to write.
    holes
        In the order of the files.
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
            Number(name, "cost", row.item, row.value, unit=row.unit, method=f"{row.formula}; {row.source}")
            for row in pd.read_csv(cost).itertuples(index=False)
        ]
        parts = {child: group.to_dataset() for child, group in netcdf.trees(cell).items()}
        read_outs = parts["read_back"].attrs["read_outs_sha256"]
        hashes[name] = ",".join(filter(None, (source["raw_sha256"], read_outs)))
        raw_file = "encoder.json, letters and read-outs" if read_outs else "encoder.json and letters"
        groups[name] = xr.Dataset(
            attrs={
                "hole": hole,
                "raw_sha256": hashes[name],
                "origin": source["origin"],
                "raw_file": raw_file,
            }
        )
        rows += _write_rows(name, parts["read_back"], parts["plan"])
        groups |= {f"{name}/{child}": part for child, part in parts.items()}
        groups[f"{name}/fid"] = _by_chip(table)
    rows += _variant_rows(f"hole_{holes[largest]}", pd.read_csv(variants))
    groups[f"hole_{holes[largest]}/variants"] = _variants(pd.read_csv(variants))
    rows = [replace(row, raw_sha256=hashes[row.measurement], origin=source["origin"]) for row in rows]
    save_parameters(parameters, rows, "crossbar")
    save_tree(curves, groups)


def _score_rows(name: str, table: pd.DataFrame) -> list[Number]:
    """Average over the chips, and set the distance in ratio to those without a chip."""
    rows = []
    for (decoder, metric), part in table.groupby(["decoder", "metric"], sort=False):
        rows.append(_mean(name, str(decoder), str(metric), part["value"].to_numpy()))
    chips = _distance(table, "chip")
    rows += [
        _mean(name, "chip", f"fid_ratio_to_{reference}", chips / _distance(table, reference))
        for reference in ("float", "ideal")
    ]
    return rows


def _distance(table: pd.DataFrame, decoder: str) -> np.ndarray:
    return table[(table["metric"] == "fid") & (table["decoder"] == decoder)]["value"].to_numpy()


def _mean(
    name: str, model: str, parameter: str, values: np.ndarray, unit: str = "1", alone: str = "all test letters"
) -> Number:
    """Average over chips; from one alone there is no error, and ``alone`` is its method."""
    if values.size < 2:
        return Number(name, model, parameter, float(values[0]), unit=unit, method=alone, n=1)
    error = float(values.std(ddof=1) / math.sqrt(values.size))
    mean = float(values.mean())
    method = f"mean of {values.size} chips; Student's t from chip to chip"
    number = Number(name, model, parameter, mean, error, unit=unit, method=method, n=values.size)
    return number.with_interval(values.size - 1)


def _write_rows(name: str, read_back: xr.Dataset, plan: xr.Dataset) -> list[Number]:
    values = {"write_accuracy": (100 * read_back["accuracy"].to_numpy(), "percent")}
    if "pulses" in read_back:  # not of a chip that was written elsewhere
        values["pulses_per_cell"] = (read_back["pulses"].to_numpy(), "1")
        values["write_energy_per_cell"] = (read_back["energy"].to_numpy(), "J")
    rows = [_mean(name, "write", parameter, found, unit, "one chip") for parameter, (found, unit) in values.items()]
    method = f"standard deviation, levels; {read_back.attrs['far_errors']}"
    rows.append(Number(name, "write", "level_error", read_back.attrs["sigma"], method=method))
    placed = int((plan["height"] * plan["width"]).sum())
    counts = {"cells": placed, "tiles": plan.sizes["tile"], "passes": int(plan["pass_number"].max()) + 1}
    statement = plan.attrs["statement"]
    return rows + [Number(name, "placement", key, float(count), method=statement) for key, count in counts.items()]


def _variant_rows(name: str, table: pd.DataFrame) -> list[Number]:
    return [
        _mean(name, f"{group}: {variant}", str(metric), part["value"].to_numpy())
        for (group, variant, metric), part in table.groupby(["group", "variant", "metric"], sort=False)
    ]


def _by_chip(table: pd.DataFrame) -> xr.Dataset:
    """Return the distance of every chip, and of the decoders without one."""
    alone = {f"fid_{name}": float(_distance(table, name)[0]) for name in ("float", "ideal")}
    return xr.Dataset({"fid": variable("chip", _distance(table, "chip"), "1", "Fréchet distance")}, attrs=alone)


def _variants(table: pd.DataFrame) -> xr.Dataset:
    """Return mean and standard error of the distance of every variant."""
    found = table[table["metric"] == "fid"].groupby(["group", "variant"], sort=False)["value"]
    mean, error = found.mean(), found.sem().fillna(0.0)
    names = [f"{group}: {variant}" for group, variant in mean.index]
    return xr.Dataset(
        {
            "fid": variable("variant", mean.to_numpy(), "1", "Fréchet distance"),
            "fid_uncertainty": variable("variant", error.to_numpy(), "1", "standard error over the chips"),
        },
        {"variant": ("variant", np.array(names))},
    )
