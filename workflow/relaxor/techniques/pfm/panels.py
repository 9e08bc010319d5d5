"""Panels of piezoresponse force microscopy."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from relaxor.figures.images import image_strip
from relaxor.figures.panel import PanelData
from relaxor.figures.shown import first_measurement
from relaxor.figures.style import BLACK, BLUE, SKY, VERMILION, data_points
from relaxor.techniques.pfm import quantities as q
from relaxor.techniques.pfm.amplitudes import label_of

DIVERGING = "PuOr"
"""Colour map of the phase; its middle is the phase midway between the two kinds of domain."""


def phase_cycles(ax: Axes, data: PanelData) -> None:
    """Draw the phase images of all scan cycles on one colour scale."""
    images = _images(data, "phase")
    limit = 10 * np.ceil(max(np.percentile(np.abs(image[1]), 98) for image in images) / 10)
    image_strip(ax, images, (-limit, limit), "Phase (degree)", DIVERGING)


def amplitude_cycles(ax: Axes, data: PanelData) -> None:
    """Draw the amplitude images of all scan cycles on one colour scale."""
    images = _images(data, "amplitude")
    top = max(float(np.percentile(image[1], 99.5)) for image in images)
    image_strip(ax, images, (0.0, top), f"Amplitude ({_unit(data, 'image', 'amplitude')})")


def _unit(data: PanelData, part: str, name: str) -> str:
    """Return the unit of a curve as an axis shows it."""
    group = next(group for group in data.curves.values() if part in group.children)
    return label_of(group[part][name].attrs["units"])


def _images(data: PanelData, channel: str) -> list[tuple[str, np.ndarray, np.ndarray, np.ndarray]]:
    scans = [group["image"].to_dataset() for group in data.curves.values() if "image" in group.children]
    scans.sort(key=lambda scan: scan.attrs["cycle"])
    return [
        (f"cycle {scan.attrs['cycle']:g}", scan[channel].to_numpy(), scan.x.to_numpy(), scan.y.to_numpy())
        for scan in scans
    ]


def contrast(ax: Axes, data: PanelData) -> None:
    """Draw phase contrast and mean amplitude against the scan cycle, with 95 % intervals and fitted lines."""
    trend = next(group["trend"].to_dataset() for group in data.curves.values() if "trend" in group.children)
    _against_cycle(ax, trend, q.PHASE_CONTRAST.name, BLUE, "o")
    ax.set_xlabel("Scan cycle")
    ax.set_ylabel("Phase contrast (degree)", color=BLUE)
    other = ax.twinx()
    _against_cycle(other, trend, q.AMPLITUDE_MEAN.name, VERMILION, "s")
    other.set_ylabel(f"Mean amplitude ({label_of(trend[q.AMPLITUDE_MEAN.name].attrs['units'])})", color=VERMILION)
    ax.set_xticks(trend.cycle.to_numpy())
    for axes, color, room in ((ax, BLUE, (0.05, 0.35)), (other, VERMILION, (0.35, 0.05))):
        axes.tick_params(axis="y", colors=color)
        low, high = axes.get_ylim()
        axes.set_ylim(low - room[0] * (high - low), high + room[1] * (high - low))


def _against_cycle(ax: Axes, trend: xr.Dataset, name: str, color: str, marker: str) -> None:
    cycle = trend.cycle.to_numpy()
    if f"{name}_fit" in trend:
        ax.plot(cycle, trend[f"{name}_fit"], color=color, lw=0.7, alpha=0.7)
    error = 1.96 * trend[f"{name}_uncertainty"].to_numpy()
    data_points(ax, cycle, trend[name], error, color=color, fmt=marker)


def local_loop(ax: Axes, data: PanelData) -> None:
    """Draw the piezoresponse of a local loop with the bias on and off, and its better model."""
    _, group = first_measurement(ax, data, "off_field")
    for field, color, line, label in (
        ("on_field", SKY, BLUE, "bias on"),
        ("off_field", BLACK, VERMILION, "bias off"),
    ):
        if field not in group.children:
            continue
        points, model = group[field].to_dataset(), group[f"{field}_model"].to_dataset()
        ax.plot(points.bias, points["data"], "o", color=color, ms=1.3, mew=0.3, mfc="none", label=label)
        for branch in ("rising", "falling"):
            ax.plot(model.bias, model[branch], color=line, lw=0.8)
    ax.axhline(0, color="0.7", lw=0.4, zorder=0)
    ax.axvline(0, color="0.7", lw=0.4, zorder=0)
    ax.set_xlabel("Tip bias (V)")
    ax.set_ylabel(f"Piezoresponse $A\\cos\\varphi$ ({_unit(data, 'off_field', 'data')})")
    ax.legend(loc="upper left", handlelength=0.8, borderaxespad=0.3)
