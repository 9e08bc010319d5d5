"""Panels of plasticity: pairs of pulses, series, traces with their relaxation, potentiation and depression.

Electrical and optical pulses are drawn alike.
"""

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from uncertainties import ufloat

from relaxor.core.results import NORMAL_QUANTILE
from relaxor.figures.panel import PanelData
from relaxor.figures.style import (
    GREY,
    LIGHTEST,
    SEQUENTIAL,
    VERMILION,
    data_points,
    label,
    light_color,
    line_look,
    marker_of,
    plain_ticks,
    spread,
)
from relaxor.synapse.quantities import LIGHT_STIMULUS, ON_OFF_RATIO, RELAXATION_TIME

AXIS_LABELS = {
    "V": "Pulse amplitude (V)",
    "mW/cm^2": "Power density (mW cm$^{-2}$)",
    "s": "Pulse width (s)",
    "Hz": "Frequency (Hz)",
    "1": "Number of pulses",
}
"""Labels of axes by the unit of the quantity that a series varies."""
UNITS = {"V": " V", "1": " pulses", "s": " s", "Hz": " Hz", "mW/cm^2": " mW cm$^{-2}$"}
"""What stands behind the value of a relaxation by its unit."""
LABEL_GAP = 0.045
"""Part of an axis by which two labels beside its curves are apart at least."""
LAWS: dict[int, dict[str, Any]] = {
    1: {"color": GREY, "lw": 0.8, "ls": "--", "label": "one exponential"},
    2: {"color": VERMILION, "lw": 0.9, "label": "two exponentials"},
}
"""Look of each law by the number of its exponentials."""


def pairs(ax: Axes, data: PanelData) -> None:
    """Draw the paired-pulse index against the interval, with one and two exponentials."""
    name, group = data.only("pairs")
    _draw_pairs(ax, data, name, group, "pairs")


def joined_pairs(ax: Axes, data: PanelData) -> None:
    """Draw the paired-pulse index against the interval, of pairs that were saved in one file for each interval."""
    found = [(name, group) for name, group in data.curves.items() if "joined_pairs" in group.children]
    if len(found) == 1:
        _draw_pairs(ax, data, *found[0], "joined_pairs")
        return
    for number, (name, group) in enumerate(found):
        points, color = group["joined_pairs"].to_dataset(), line_look(number)["color"]
        look = {"fmt": marker_of(number), "color": color, "label": name}
        data_points(ax, points.interval, points["index"], _known(points), **look)
    _pair_axes(ax, [float(value) for _, group in found for value in group["joined_pairs"]["index"]])
    ax.legend(loc="upper right")


def _known(points: xr.Dataset) -> xr.DataArray | None:
    return points.index_uncertainty if np.isfinite(points.index_uncertainty).all() else None


def _pair_axes(ax: Axes, index: Sequence[float]) -> None:
    ax.set(xscale="log", xlabel="Interval $\\Delta t$ (s)", ylabel="PPF index $A_2/A_1$ (%)")
    low, high = min(index), max(index)
    room = (high - low) or 0.1 * abs(high)
    ax.set_ylim(low - 0.1 * room, high + 0.25 * room)


def _draw_pairs(ax: Axes, data: PanelData, name: str, group: xr.DataTree, part: str) -> None:
    points = group[part].to_dataset()
    laws = group["laws"].to_dataset() if "laws" in group.children else xr.Dataset()
    for model, law in laws.data_vars.items():
        ax.plot(laws.interval, law, **LAWS.get(law.attrs["terms"], {"lw": 0.8, "ls": ":", "label": str(model)}))
    data_points(ax, points.interval, points["index"], _known(points))
    _pair_axes(ax, points["index"].values.tolist())
    ax.legend(loc="upper right")
    double = next((str(model) for model, law in laws.data_vars.items() if law.attrs["terms"] == 2), None)
    if double:
        _write_constants(ax, data, name, double)


def _write_constants(ax: Axes, data: PanelData, measurement: str, model: str) -> None:
    lines = []
    for index in (1, 2):
        row = data.row(RELAXATION_TIME, measurement=measurement, model=model, feature=str(index))
        value, low, high = (_number(row[column]) for column in ("value", "ci_low", "ci_high"))
        lines.append(f"$\\tau_{index}$ = {value} s ({low} to {high})")
    box = {"facecolor": "white", "edgecolor": "none", "pad": 0.5, "alpha": 0.85}
    ax.text(0.03, 0.04, "\n".join(lines), transform=ax.transAxes, fontsize=5.2, color=VERMILION, va="bottom", bbox=box)


def series(ax: Axes, data: PanelData) -> None:
    """Draw the response against what the series varies, with the prediction of the fitted response or a power law."""
    _, group = data.only("responses")
    points = group["responses"].to_dataset()
    data_points(ax, points.value, 1e12 * points.response, 1e12 * points.response_uncertainty)
    if "law" in group.children:
        law = group["law"].to_dataset()
        name = "fitted response" if "predicted" in law.attrs else "power law"
        _line(ax, law, VERMILION, name if law.attrs.get("follows", 1) else f"{name}, which misses points")
        ax.legend(loc="upper right" if law.response[-1] < law.response[0] else "upper left")
    ax.set(xscale="log", xlabel=AXIS_LABELS[points.value.attrs["units"]], ylabel="$\\Delta$PSC (pA)")
    if float(points.response.max()) > 12 * float(points.response.min()) > 0:
        ax.set_yscale("log")
    plain_ticks(ax)


def _line(ax: Axes, law: xr.Dataset, color: str, name: str | None = None) -> None:
    """Draw a law, and the 95 % band of a prediction; dashed where the points do not follow."""
    style = "-" if law.attrs.get("follows", 1) else "--"
    ax.plot(law.value, 1e12 * law.response, color=color, lw=0.8, ls=style, label=name)
    if "response_uncertainty" in law:
        half = NORMAL_QUANTILE * law.response_uncertainty
        low, high = (1e12 * (law.response + side * half) for side in (-1, 1))
        ax.fill_between(law.value, low, high, color=color, alpha=0.25, lw=0)


def noise(ax: Axes, data: PanelData) -> None:
    """Draw the noise spectrum in the dark, the band of the signal, and the shot noise of the dark current."""
    _, group = data.only("noise_spectrum")
    found = group["noise_spectrum"].to_dataset()
    ax.axvspan(found.attrs["band_from"], found.attrs["band_to"], color=GREY, alpha=0.3, lw=0, label="band that is used")
    data_points(ax, found.frequency, found.density, found.density_uncertainty)
    ax.axhline(found.attrs["shot_noise"], color=VERMILION, lw=0.8, ls="--", label="shot noise")
    ax.set(xscale="log", yscale="log", xlabel="Frequency (Hz)", ylabel="Noise (A Hz$^{-1/2}$)")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_minor_formatter(mpl.ticker.NullFormatter())
    ax.legend(loc="center right")


def first_of(data: PanelData, what: str) -> str:
    """Return the name of the first part of a measurement that begins with a word, or what the first would be called."""
    names = (str(name) for group in data.curves.values() for name in group.children)
    return next((name for name in names if name.startswith(f"{what}_")), f"{what}_1")


def traces(ax: Axes, data: PanelData) -> None:
    """Draw the recorded current of every run, coloured by what the series varies."""
    _, group = data.only(first_of(data, "trace"))
    runs = [node.to_dataset() for name, node in group.children.items() if name.startswith("trace")]
    values = [run.attrs["value"] for run in runs]
    scale = LogNorm(min(values), max(values)) if min(values) > 0 else Normalize(min(values), max(values))
    for run in runs:
        color = mpl.colormaps[SEQUENTIAL](LIGHTEST * scale(run.attrs["value"]))
        ax.plot(run.time, 1e12 * run.current, color=color, lw=0.6)
    mapped = mpl.cm.ScalarMappable(
        scale, mpl.colors.ListedColormap(mpl.colormaps[SEQUENTIAL](np.linspace(0, LIGHTEST, 256)))
    )
    bar = ax.figure.colorbar(mapped, ax=ax, pad=0.02, fraction=0.06)
    bar.set_label(AXIS_LABELS[runs[0].attrs["value_units"]], fontsize=6)
    bar.ax.tick_params(labelsize=5)
    bar.ax.yaxis.set_major_locator(mpl.ticker.FixedLocator(_few(values)))
    bar.ax.yaxis.set_major_formatter(mpl.ticker.StrMethodFormatter("{x:g}"))
    bar.ax.yaxis.set_minor_locator(mpl.ticker.NullLocator())
    ax.set(xlabel="Time (s)", ylabel="Current (pA)")


def relaxation(ax: Axes, data: PanelData) -> None:
    """Draw the response that remains after the last pulse, with the fitted law."""
    _, group = data.only(first_of(data, "tail"))
    tails = [node.to_dataset() for name, node in group.children.items() if name.startswith("tail")]
    for tail in tails:
        ax.plot(tail.time, 1e12 * tail.law, color=VERMILION, lw=0.8)
        data_points(ax, tail.time, 1e12 * tail.current, ms=1.6, mew=0.4, zorder=3)
    ax.set(xscale="log", xlabel="Time after the last pulse (s)", ylabel="$\\Delta$PSC (pA)")
    low, high = ax.get_ylim()
    tails.sort(key=lambda tail: float(tail.current[-1]))
    gap = LABEL_GAP * (high - low)
    places = spread([1e12 * float(tail.current[-1]) for tail in tails], gap, low + gap / 2, high - gap / 2)
    for tail, place in zip(tails, places, strict=True):
        text = f"{tail.attrs['value']:g}{UNITS.get(tail.attrs['value_units'], '')}"
        label(ax, text, (float(tail.time[-1]), place), (2, 0), ha="left", va="center", annotation_clip=False)
    ax.set_ylim(low, high)
    low, high = ax.get_xlim()
    ax.set_xlim(low, high * (high / low) ** 0.2)


def cycles(ax: Axes, data: PanelData) -> None:
    """Draw potentiation and depression of every cycle, and the fitted laws of their mean."""
    name, group = data.only("cycles")
    curves = group["cycles"].to_dataset()
    scale = 1e12
    count = curves.sizes["cycle"]
    ax.plot(curves.pulse, scale * curves.law, color=VERMILION, lw=0.9)
    for index in range(count)[::-1]:  # the first one, which may differ, lies on top
        color = mpl.colormaps[SEQUENTIAL](LIGHTEST * index / max(count - 1, 1))
        values = scale * curves.conductance[index]
        ax.plot(curves.pulse, values, "o", color=color, mfc="white", ms=1.9, mew=0.5, zorder=3)
    ax.set(xlabel="Pulse number", ylabel="Conductance (pS)", yscale="log")
    plain_ticks(ax)
    ratio = data.row(ON_OFF_RATIO, measurement=name)
    text = f"{count} cycles\non/off {ufloat(ratio.value, ratio.standard_error):.1uP}"
    ax.text(0.03, 0.05, text, transform=ax.transAxes, fontsize=5.5, va="bottom")


def colours(ax: Axes, data: PanelData) -> None:
    """Draw the response to light of several wavelengths against its power, with predictions of the fitted responses."""
    for number, group in enumerate(data.curves.values()):
        points = group["responses"].to_dataset()
        wavelength = group.attrs["wavelength_nm"]
        color = light_color(wavelength)
        if "law" in group.children:
            _line(ax, group["law"].to_dataset(), color)
        look = {"fmt": marker_of(number), "color": color, "label": f"{wavelength:g} nm"}
        data_points(ax, points.value, 1e12 * points.response, 1e12 * points.response_uncertainty, **look)
    ax.set(xscale="log", yscale="log", xlabel=AXIS_LABELS[LIGHT_STIMULUS], ylabel="$\\Delta$PSC (pA)")
    ax.legend(loc="lower right")
    plain_ticks(ax)


def _number(value: float) -> str:
    return f"{value:.2g}" if np.isfinite(value) else "∞"


def _few(values: list[float]) -> list[float]:
    """Return at most five of the values, both ends among them."""
    found = sorted(set(values))
    return found if len(found) <= 5 else [found[i] for i in np.linspace(0, len(found) - 1, 5).round().astype(int)]
