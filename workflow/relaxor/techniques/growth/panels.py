"""Panel of the crystal growth."""

from matplotlib.axes import Axes

from relaxor.figures.panel import PanelData
from relaxor.figures.shown import first_measurement
from relaxor.figures.style import BLACK, GREY, VERMILION


def profile(ax: Axes, data: PanelData) -> None:
    """Draw the temperature log, the fitted segments, and below them the residuals of the fit."""
    measurement, group = first_measurement(ax, data)
    run = group["run"].to_dataset()
    hours = run["time"].to_numpy()
    ax.set_axis_off()
    main, rest = ax.inset_axes((0, 0.3, 1, 0.7)), ax.inset_axes((0, 0, 1, 0.24))
    main.plot(hours, run["data"], color=BLACK, lw=1.8, label="log")
    main.plot(hours, run["fit"], color=VERMILION, lw=0.8, ls="--", label="fit")
    numbers = {
        name: data.number(name, measurement=measurement)
        for name in ("soak_temperature", "ramp_rate", "soak_time", "cooling_time_constant", "ramp_start", "ramp_time")
    }
    middle = numbers["ramp_start"] + numbers["ramp_time"] + numbers["soak_time"] / 2
    text = (
        f"{numbers['soak_temperature']:.1f} °C, {numbers['soak_time']:.1f} h\n"
        f"ramp {numbers['ramp_rate']:.2f} °C h$^{{-1}}$\ncooling $\\tau$ = {numbers['cooling_time_constant']:.2f} h"
    )
    main.text(middle, numbers["soak_temperature"] * 0.93, text, ha="center", va="top", fontsize=6)
    main.set_ylabel("Temperature (°C)")
    main.tick_params(labelbottom=False)
    main.legend(loc="lower center", ncols=2)
    scatter = float(run["data_uncertainty"])
    rest.axhspan(-scatter, scatter, color=GREY, alpha=0.35, lw=0)
    rest.plot(hours, run["residual"], ".", color=BLACK, ms=0.8, mew=0, rasterized=True)
    rest.axhline(0, color=VERMILION, lw=0.6)
    rest.set_xlabel("Time (h)")
    rest.set_ylabel("Δ (°C)")
    rest.set_xlim(main.get_xlim())
    rest.set_ylim(-4.5 * scatter, 4.5 * scatter)
