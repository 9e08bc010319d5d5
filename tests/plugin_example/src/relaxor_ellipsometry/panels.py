"""Panel of the ellipsometry."""

from matplotlib.axes import Axes
from relaxor.figures.panel import PanelData
from relaxor.figures.style import VERMILION, data_points

from relaxor_ellipsometry.analysis import CAUCHY, INDEX


def dispersion(ax: Axes, data: PanelData) -> None:
    """Draw the refractive index against the wavelength, and Cauchy's law."""
    (measurement, group), *_ = data.curves.items()
    curves = group["index"].to_dataset()
    data_points(ax, curves["wavelength"], curves["data"])
    ax.plot(curves["wavelength"], curves["fit"], color=VERMILION, label="Cauchy")
    limit = data.number(INDEX, measurement=measurement, model=CAUCHY)
    ax.set(xlabel="Wavelength (nm)", ylabel="Refractive index", title=f"A = {limit:.4f}")
    ax.legend()
