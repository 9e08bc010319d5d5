"""Panels of transistors."""

import math
from collections.abc import Callable
from functools import partial

import matplotlib as mpl
import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from relaxor.figures.panel import PanelData
from relaxor.figures.shown import first_measurement
from relaxor.figures.style import GREY, LIGHTEST, SEQUENTIAL, current_unit, label, spread
from relaxor.techniques.transistors.quantities import TRANSFER

DECADES = 30.0
"""Ratio of the currents of a transfer curve above which its axis is logarithmic."""
GAP = 0.06
"""Part of the axis that two labels are apart."""


def overview(name: str, group: xr.DataTree) -> list[tuple[str, Callable[[Axes, PanelData], None]]]:
    """Return titles and panels of a measurement: one for each transistor of a file."""
    regions = dict.fromkeys(str(node.attrs["region"]) for node in group.children.values() if "kind" in node.attrs)
    return [(f"{name}: {each}" if each else name, partial(transistor, region=each)) for each in regions]


def transistor(ax: Axes, data: PanelData, region: str | None = None) -> None:
    """Draw the curves: of transfer on a logarithmic axis if they span decades, with gate current and thresholds."""
    _, group = first_measurement(ax, data)
    curves = [node.to_dataset() for node in group.children.values() if "kind" in node.attrs]
    curves = [curve for curve in curves if region is None or curve.attrs["region"] == region]
    transfer = curves[0].attrs["kind"] == TRANSFER
    sizes = np.concatenate([np.abs(curve["current"].to_numpy()) for curve in curves])
    scale, unit = current_unit(float(sizes.max()))
    logarithmic = transfer and float(sizes.max()) > DECADES * float(sizes[sizes > 0].min())
    values = sorted({_constant(curve) for curve in curves})
    for curve in curves:
        color = mpl.colormaps[SEQUENTIAL](LIGHTEST * values.index(_constant(curve)) / max(len(values) - 1, 1))
        current, style = curve["current"] * scale, "--" if curve.attrs["direction"] == "down" else "-"
        ax.plot(curve["voltage"], np.abs(current) if logarithmic else current, color=color, lw=0.8, ls=style)
        if logarithmic and "leakage" in curve:
            ax.plot(curve["voltage"], np.abs(curve["leakage"]) * scale, color=GREY, lw=0.4, zorder=1)
        if np.isfinite(curve.attrs["marked"]):
            ax.axvline(curve.attrs["marked"], color=color, lw=0.5, ls=":", zorder=1)
    if logarithmic:
        ax.set_yscale("log")
        ax.set_ylim(bottom=float(sizes[sizes > 0].min()) * scale / 3)
    _name_curves(ax, curves, "V_\\mathrm{D}" if transfer else "V_\\mathrm{G}", scale, logarithmic)
    ax.set_xlabel("Gate voltage (V)" if transfer else "Drain voltage (V)")
    ax.set_ylabel(f"|Drain current| ({unit})" if logarithmic else f"Drain current ({unit})")
    text = ["down: dashed"] if any(curve.attrs["direction"] == "down" for curve in curves) else []
    text += ["threshold: dotted"] if any(np.isfinite(curve.attrs["marked"]) for curve in curves) else []
    text += ["gate current: grey"] if logarithmic and any("leakage" in curve for curve in curves) else []
    ax.set_title(", ".join(text), loc="right", fontsize=5, pad=2)


def _constant(curve: xr.Dataset) -> float:
    return float(np.nan_to_num(float(f"{curve.attrs['at']:.3g}")))


def _name_curves(ax: Axes, curves: list[xr.Dataset], symbol: str, scale: float, logarithmic: bool) -> None:
    """Write the constant voltage beside the right ends of the curves that are far enough from each other."""
    first = {_constant(curve): curve for curve in reversed(curves) if np.isfinite(curve.attrs["at"])}
    ends = []
    for curve in first.values():
        last = int(np.argmax(curve["voltage"].to_numpy()))
        value = float(curve["current"][last]) * scale
        ends.append((float(curve["voltage"][last]), abs(value) if logarithmic else value))
    low, high = ax.get_ylim()
    heights = [np.log(y / low) / np.log(high / low) if logarithmic else (y - low) / (high - low) for _, y in ends]
    order = np.argsort(heights)[:: math.ceil(GAP * len(heights)) or 1]
    for index, height in zip(order, spread([heights[index] for index in order], GAP, 0.0, 1.0), strict=True):
        place = low * (high / low) ** height if logarithmic else low + height * (high - low)
        text = f"${symbol} = {list(first)[index]:.2g}$ V"
        label(ax, text, (ends[index][0], place), (2, 0), ha="left", va="center", annotation_clip=False)
    left, right = ax.get_xlim()
    ax.set_xlim(left, right + 0.24 * (right - left) if ends else right)
