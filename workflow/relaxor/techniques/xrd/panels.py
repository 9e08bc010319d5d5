"""Panels of X-ray diffraction."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm

from relaxor.figures.panel import PanelData
from relaxor.figures.shown import first_measurement
from relaxor.figures.style import BLACK, BLUE, GREY, SEQUENTIAL, VERMILION, label, mark_clipped, upright_labels
from relaxor.techniques.xrd import quantities as q

STRIP = 0.2
"""Height of the strip of residuals as a fraction of the panel."""
LABEL_ROOM = 9.0
"""End of the logarithmic axis over the strongest line, which leaves room for labels and the legend."""
DARKEST = 5
"""Percentile of the intensities above zero at which the colours of a map begin."""
UPRIGHT_ROOM = 0.35
"""Room over the strongest line for upright labels, as a part of the logarithmic height of that line."""
TOP = 0.35
"""Height over the middle of a map, as a part of it, from which labels stand below their peaks."""
OTHER_LINES = {"kbeta_of_": "Kβ of ", "w_lalpha_of_": "W Lα of "}
"""Beginning of the names of lines of other radiation, and of their labels."""


def pattern(ax: Axes, data: PanelData) -> None:
    """Draw counts on a logarithmic axis, the fit, indices or spacings, and the residual."""
    ax.set_axis_off()
    measurement, group = first_measurement(ax, data)
    curves = group["pattern"].to_dataset()
    angle = curves["two_theta"].to_numpy()
    counts, fit = curves["intensity"].to_numpy(), curves["fit"].to_numpy()
    upper = ax.inset_axes((0, STRIP + 0.03, 1, 1 - STRIP - 0.03))
    lower = ax.inset_axes((0, 0, 1, STRIP), sharex=upper)
    upper.semilogy(angle, np.where(counts > 0, counts, np.nan), ".", ms=0.9, color=BLACK, label="data")
    upper.semilogy(angle, fit, lw=0.7, color=VERMILION, label="fit")
    indices = _indices(data, measurement)
    lines = indices + _others(data, measurement)
    layered = bool(indices) and all(name.startswith("00") for name, _ in lines)
    lowest = np.percentile(counts[counts > 0], 1)
    low, room = lowest / 2, LABEL_ROOM if layered else (2 * counts.max() / lowest) ** UPRIGHT_ROOM
    upper.set(xlim=(angle[0], angle[-1]), ylim=(low, room * counts.max()), ylabel="Intensity (count)")
    near = max(min(0.5, 0.01 * (angle[-1] - angle[0])), 2 * float(np.max(np.diff(angle))))
    labels = [(name, (place, float(np.nanmax(fit[np.abs(angle - place) < near])))) for name, place in lines]
    if layered:
        for number, (name, place) in enumerate(labels):
            label(upper, name, place, ha="left" if number == 0 else "center", fontsize=5.5)
        upper.legend(loc="upper right", ncols=2, handlelength=1.2, markerscale=3)
    else:
        upright_labels(upper, labels, fontsize=4.5)
        place = (0.74, 0.98)  # above the frame, beside remarks
        upper.legend(loc="lower right", bbox_to_anchor=place, borderaxespad=0, ncols=2, handlelength=1.2, markerscale=3)
    upper.tick_params(labelbottom=False)
    lower.axhspan(-2, 2, color=GREY, alpha=0.25, lw=0)
    lower.plot(angle, curves["residual"], lw=0.35, color=BLUE)
    lower.set(
        xlim=(angle[0], angle[-1]),
        ylim=(-4.5, 4.5),
        yticks=(-3, 0, 3),
        ylabel=r"$\Delta/\sigma$",
        xlabel=r"2$\theta$ (degree)",
    )
    mark_clipped(lower, angle, curves["residual"])
    for film in data.rows(q.FILM_THICKNESS, measurement=measurement).itertuples():
        error = float(np.hypot(film.standard_error, film.systematic_error))
        text = f"fringes of a film\nof {film.value:.1f} ± {error:.1f} nm"
        upper.text(0.985, 0.95, text, transform=upper.transAxes, fontsize=5, ha="right", va="top")
    for strip in (upper, lower):
        strip.yaxis.set_label_coords(-0.13, 0.5)


def reciprocal_map(ax: Axes, data: PanelData) -> None:
    """Draw the intensity of a map against the scattering vector, and mark its peaks with their spacings."""
    measurement, group = first_measurement(ax, data)
    curves = group["reciprocal_map"].to_dataset()
    across, up = (curves[name].to_numpy() for name in ("q_x", "q_z"))
    counts = curves["intensity"].to_numpy()
    lowest = float(np.percentile(counts[counts > 0], DARKEST))
    drawn = ax.pcolormesh(
        across,
        up,
        np.maximum(counts, lowest),
        norm=LogNorm(lowest, float(counts.max())),
        cmap=SEQUENTIAL,
        shading="nearest",
        rasterized=True,
    )
    ax.figure.colorbar(drawn, ax=ax, label="Intensity (count)")
    places = [
        data.rows(quantity, measurement=measurement, model=q.RECIPROCAL_MAP)["value"] for quantity in (q.Q_X, q.Q_Z)
    ]
    spacings = data.rows(q.LATTICE_SPACING, measurement=measurement, model=q.RECIPROCAL_MAP)["value"]
    ax.plot(*places, "o", mfc="none", mec="white", ms=5, mew=0.7)
    ax.set(xlabel="$Q_x$ (Å$^{-1}$)", ylabel="$Q_z$ (Å$^{-1}$)")
    ax.set_facecolor(GREY)
    named = [(f"{spacings[name]:.4f} Å", (places[0][name], places[1][name])) for name in spacings.index]
    middle = float(np.mean(up))
    for text, place in named:
        below = place[1] > middle + TOP * float(np.ptp(up))
        label(ax, text, place, (0, -4 if below else 4), va="top" if below else "bottom", color="white")


def _indices(data: PanelData, measurement: str) -> list[tuple[str, float]]:
    """Return indices and position of each indexed line; 00·10 where an index of a layered crystal has two digits."""
    indices, places = (
        data.rows(quantity, measurement=measurement, model=q.VOIGT_DOUBLET)["value"]
        for quantity in (q.INDEX_L, q.TWO_THETA)
    )
    layered = {name: f"00{index:g}" if index < 10 else f"00·{index:g}" for name, index in indices.items()}
    return [(text if name.startswith("00") else name, float(places[name])) for name, text in layered.items()]


def _others(data: PanelData, measurement: str) -> list[tuple[str, float]]:
    """Return label and position of the lines without indices: distances of planes, and lines of other radiation."""
    spacings = data.rows(q.LATTICE_SPACING, measurement=measurement, model=q.SPACINGS)["value"]
    places = data.rows(q.TWO_THETA, measurement=measurement, model=q.VOIGT_DOUBLET)["value"]
    shown = [(f"{spacing:.4f} Å", float(places[name])) for name, spacing in spacings.items()]
    for start, text in OTHER_LINES.items():
        foreign = [name for name in places.index if name.startswith(start)]
        shown += [(text + name.removeprefix(start), float(places[name])) for name in foreign]
    return shown
