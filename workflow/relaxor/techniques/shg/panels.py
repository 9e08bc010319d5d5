"""Panel of second-harmonic generation."""

import math

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm

from relaxor.figures.panel import PanelData
from relaxor.figures.style import GREY, SEQUENTIAL, VERMILION, data_points
from relaxor.techniques.shg import quantities as q

NARROWEST = 4.5
"""Least range in nm that is drawn below the line."""


def spectra(ax: Axes, data: PanelData) -> None:
    """Draw the spectra of all powers with their fits; inset: area against power and the power law."""
    curves = [group["spectrum"].to_dataset() for name, group in data.curves.items() if name != q.SERIES]
    points = data.curves[q.SERIES]["points"].to_dataset()
    lit = points.power.values[points.power.values > 0]
    scale = LogNorm(lit.min(), lit.max())
    top = max(float(curve.fit.max()) for curve in curves) / 1e3
    for curve in sorted(curves, key=lambda curve: curve.attrs["power_mW"]):
        power = curve.attrs["power_mW"]
        color = mpl.colormaps[SEQUENTIAL](0.92 * scale(power)) if power > 0 else GREY
        ax.plot(curve.wavelength, curve.data / 1e3, ".", color=color, ms=1.0, mew=0)
        ax.plot(curve.wavelength, curve.fit / 1e3, color=color, lw=0.6)
    center, *widths = (
        data.number(quantity, measurement=q.SERIES, model=q.VOIGT)
        for quantity in (q.CENTER, q.FWHM_GAUSSIAN, q.FWHM_LORENTZIAN)
    )
    half = max(NARROWEST, 1.5 * sum(widths))  # the insert stands on the right, where the line has ended
    ax.set(xlim=(center - half, center + 3 * half), ylim=(-0.04 * top, 1.08 * top))
    ax.set_xlabel("Wavelength (nm)")
    ax.set_ylabel("Intensity (10$^3$ counts)")
    _power_law(ax.inset_axes((0.47, 0.30, 0.51, 0.67)), data)
    span = f"{lit.min():g} to\n{lit.max():g} mW"
    ax.text(0.02, 0.96, span, transform=ax.transAxes, fontsize=5, va="top", linespacing=1.1)


def _power_law(ax: Axes, data: PanelData) -> None:
    points = data.curves[q.SERIES]["points"].to_dataset()
    laws = data.curves[q.SERIES]["laws"].to_dataset()
    points = points.isel(power=points.power.values > 0)
    colors = mpl.colormaps[SEQUENTIAL](0.92 * LogNorm()(points.power.values))
    ax.fill_between(laws.power, laws.low, laws.high, color=VERMILION, alpha=0.25, lw=0)
    ax.plot(laws.power, laws[q.POWER_LAW_BACKGROUND], color=VERMILION, lw=0.8)
    data_points(ax, points.power, points.signal, points.signal_uncertainty, xerr=points.power_uncertainty, fmt="none")
    ax.scatter(points.power, points.signal, c=colors, s=3, lw=0, zorder=3)
    ax.set(xscale="log", yscale="log")
    ax.tick_params(labelsize=5, pad=1.5)
    ax.set_xlabel("Power (mW)", fontsize=5.5, labelpad=0.5)
    ax.set_ylabel("Area (counts nm s$^{-1}$)", fontsize=5.5, labelpad=0.5)
    top = float(points.power.max())
    ax.xaxis.set_major_locator(mpl.ticker.FixedLocator([10 ** math.floor(math.log10(top)), top]))
    ax.xaxis.set_major_formatter(mpl.ticker.StrMethodFormatter("{x:g}"))
    ax.xaxis.set_minor_formatter(mpl.ticker.NullFormatter())
    row = data.row(q.EXPONENT, measurement=q.SERIES, model=q.POWER_LAW_BACKGROUND)
    text = f"slope\n{row.value:.2f} ± {row.standard_error:.2f}"
    ax.text(0.06, 0.94, text, transform=ax.transAxes, va="top", fontsize=5.5, color=VERMILION)
