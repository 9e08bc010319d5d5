"""Energy-dispersive X-ray spectra: families of lines on bremsstrahlung, and the composition they give.

All lines of a shell move and grow together, and their places and widths follow the scale and the resolution of the
detector, so that the whole spectrum resolves overlaps. Amounts follow from tabulated k-factors (Cliff & Lorimer, doi
10.1111/j.1365-2818.1975.tb03895.x). The uncertainty of these is systematic and is kept apart from that of the counts.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import lmfit
import numpy as np
import xarray as xr
from numpy.polynomial import chebyshev
from scipy.special import ndtr

from relaxor.core.errors import AnalysisError
from relaxor.core.results import Measurement, Number, Quantity, Result, measured
from relaxor.core.units import factor
from relaxor.core.variables import dataset, variable
from relaxor.stats.counts import not_negative, rising
from relaxor.stats.fit import Fit, fit_counts, parameters
from relaxor.stats.line_shapes import SQRT_2LN2
from relaxor.stats.optimizer import central_differences
from relaxor.stats.quantities import AICC
from relaxor.techniques.edx import quantities as q
from relaxor.techniques.edx.settings import EdxSettings

MN_ENERGY = 5.8988
"""Energy of Mn Kα1 in keV, at which the resolution of detectors is stated (Bearden 1967)."""
FANO_SLOPE = 8 * math.log(2) * 0.115 * 3.65e-3
"""Start of the growth of FWHM² with energy, keV: Fano factor 0.115, 3.65 eV per electron–hole pair in silicon."""
EDGE_WIDTH = 0.03
"""Width of an absorption edge as the detector resolves it near 1.8 keV (standard deviation), keV."""
DETECTOR = ("energy_offset", "energy_gain", "fwhm_Mn", "fano_slope", "edge_step")
"""Parameters of the fit that describe the detector."""
METHOD = "Poisson maximum likelihood, line families on Kramers' bremsstrahlung"
K_METHOD = "Cliff–Lorimer with standardless k-factors"


def intensity_of(family: str) -> str:
    """Return the name of the parameter of the fit that holds the counts of a family."""
    return f"intensity_{family.replace(' ', '_')}"


@dataclass(frozen=True)
class SpectrumModel:
    """Expected counts of a spectrum.

    Attributes
    ----------
    energy
        Axis, keV, shape (n,).
    beam_energy
        keV.
    families
        Name (``Cu K``) → lines: energies in keV and relative intensities, shape (m, 2).
    degree
        Of the polynomial on Kramers' law.
    edge
        Absorption edge of the detector, keV.
    """

    energy: np.ndarray
    beam_energy: float
    families: Mapping[str, np.ndarray]
    degree: int
    edge: float

    def family(self, params: lmfit.Parameters, name: str) -> np.ndarray:
        """Return the counts per channel of a family of lines, shape (n,)."""
        return params[intensity_of(name)].value * self._share(params, name)

    def _share(self, params: lmfit.Parameters, name: str) -> np.ndarray:
        """Return the fraction of the counts of a family in each channel."""
        lines = self.families[name]
        center = params["energy_offset"].value + params["energy_gain"].value * lines[:, 0]
        variance = params["fwhm_Mn"].value ** 2 + params["fano_slope"].value * (lines[:, 0] - MN_ENERGY)
        sigma = np.sqrt(np.maximum(variance, 1e-6)) / (2 * SQRT_2LN2)
        step = self.energy[1] - self.energy[0]
        # Counts of a channel are the integral over it.
        edges = np.append(self.energy - step / 2, self.energy[-1] + step / 2)
        share = np.diff(ndtr((edges[:, None] - center) / sigma), axis=0)
        return share @ (lines[:, 1] / lines[:, 1].sum())

    def background(self, params: lmfit.Parameters) -> np.ndarray:
        """Return the bremsstrahlung per channel, shape (n,): Kramers' law, smooth efficiency, edge of the detector."""
        smooth = self._polynomials() @ [params[f"background_{j}"].value for j in range(self.degree + 1)]
        above_edge = ndtr((self.energy - self.edge) / EDGE_WIDTH) * (self.edge / self.energy) ** 3
        step = 1 - params["edge_step"].value * above_edge
        return (self.beam_energy / self.energy - 1) * np.exp(smooth) * step

    def _polynomials(self) -> np.ndarray:
        """Return Chebyshev polynomials of the logarithm of energy, shape (n, degree + 1)."""
        logarithm = np.log(self.energy)
        scaled = 2 * (logarithm - logarithm[0]) / (logarithm[-1] - logarithm[0]) - 1
        return chebyshev.chebvander(scaled, self.degree)

    def expected(self, params: lmfit.Parameters) -> np.ndarray:
        """Return the counts per channel, shape (n,)."""
        return self.background(params) + sum(self.family(params, name) for name in self.families)

    def jacobian(self, params: lmfit.Parameters) -> np.ndarray:
        """Return the derivatives of `expected` by the parameters of `start` in their order, shape (n, k)."""
        bent = central_differences(self.expected, params, DETECTOR)
        background = self.background(params)[:, None] * self._polynomials()
        shares = [self._share(params, name) for name in self.families]
        return np.column_stack([bent, background, *shares])

    def start(self, counts: np.ndarray) -> lmfit.Parameters:
        """Guess the parameters: background from the lowest counts around, lines from what is above."""
        params = parameters(
            energy_offset=(0.0, -0.1, 0.1),
            energy_gain=(1.0, 0.98, 1.02),
            fwhm_Mn=(0.135, 0.09, 0.25),
            fano_slope=(FANO_SLOPE, 0.5 * FANO_SLOPE, 2 * FANO_SLOPE),
            edge_step=(0.05, -0.5, 0.9),
        )
        kramers = self.beam_energy / self.energy - 1
        low = np.quantile(counts / kramers, 0.2)
        for j in range(self.degree + 1):
            params.add(f"background_{j}", value=math.log(max(low, 1e-3)) if j == 0 else 0.0)
        above = counts - low * kramers
        for name, lines in self.families.items():
            near = np.abs(self.energy - lines[np.argmax(lines[:, 1]), 0]) < 0.1
            params.add(intensity_of(name), value=max(float(above[near].sum()), 10.0), min=0.0)
        return params


def analyse(measurements: Sequence[Measurement], settings: EdxSettings) -> Result:
    """Fit EDX spectra and quantify them.

    Parameters
    ----------
    measurements
        Ingested measurements of one sample.
    settings
        See `EdxSettings`.

    Raises
    ------
    AnalysisError
        If a spectrum has no ordered energy axis with a unit, no beam energy, or too few or negative counts in the
        range.
    """
    if not settings.elements:
        raise AnalysisError("edx: no elements are named; set edx.elements for this sample")
    return Result.joined(_analyse_one(measurement, settings) for measurement in measurements)


def _analyse_one(measurement: Measurement, settings: EdxSettings) -> Result:
    model, counts = prepare(measurement, settings)
    fitted = fit_counts(model.expected, counts, model.start(counts), jacobian=model.jacobian)
    rows = spectrum_rows(measurement, model, fitted) + composition_rows(measurement, fitted, settings)
    return Result.of(measurement, rows, {"spectrum": spectrum_curves(model, counts, fitted)})


def prepare(measurement: Measurement, settings: EdxSettings) -> tuple[SpectrumModel, np.ndarray]:
    """Cut the fitted range out of a spectrum and choose the families whose strongest line lies in it.

    Raises
    ------
    AnalysisError
        See `analyse`.
    """
    region = measurement.only
    if "energy" not in region.coords:
        raise AnalysisError(
            f"{measurement.id}: EDX needs an axis of energy, the file has {', '.join(map(str, region.dims))}"
        )
    region = rising(measurement, region, "energy")
    try:
        energy = region["energy"].values * factor(region["energy"].attrs["units"], "keV")
    except ValueError as error:
        raise AnalysisError(f"{measurement.id}: the unit of the energy axis is not known ({error})") from error
    beam = float(region.attrs.get("beam_voltage_kV", math.nan))
    beam = measurement.condition("beam_energy", "keV", default=beam)
    low, high = settings.fit_range
    if not beam > low:
        raise AnalysisError(f"{measurement.id}: the file gives no beam energy (add 'beam_energy=… keV' to the sheet)")
    inside = (energy >= low) & (energy <= min(high, 0.95 * beam))
    counts = not_negative(measurement, region["intensity"][inside])
    if counts.size < 50 or counts.sum() < 1000:
        raise AnalysisError(
            f"{measurement.id}: {counts.sum():g} counts in {counts.size} channels between "
            f"{low:g} and {high:g} keV; at least 1000 in 50 are needed"
        )
    families = {
        f"{symbol} {shell}": np.array(lines)
        for symbol, element in settings.elements.items()
        for shell, lines in element.families.items()
    }
    seen = {
        name: lines
        for name, lines in families.items()
        if energy[inside][0] < lines[np.argmax(lines[:, 1]), 0] < energy[inside][-1]
    }
    missing = [family for family in settings.quantified.values() if family not in seen]
    if missing:
        raise AnalysisError(f"{measurement.id}: quantified lines lie outside the fitted range: {', '.join(missing)}")
    return SpectrumModel(energy[inside], beam, seen, settings.background_degree, settings.detector_edge), counts


def spectrum_rows(measurement: Measurement, model: SpectrumModel, fitted: Fit) -> list[Number]:
    """Make the rows of the lines and of the detector (energies in eV)."""

    def found(name: str, scale: float = 1.0) -> tuple[float, float]:
        value, error = fitted.estimate(name)
        return scale * value, scale * error

    values = {
        (q.ENERGY_OFFSET, ""): found("energy_offset", 1e3),
        (q.ENERGY_GAIN, ""): found("energy_gain"),
        (q.DETECTOR_RESOLUTION, q.MANGANESE): found("fwhm_Mn", 1e3),
        (AICC, ""): (fitted.aicc, math.nan),
        **{(q.INTENSITY, family): found(intensity_of(family)) for family in model.families},
    }
    return measured(measurement, q.LINE_FAMILIES, values, METHOD, **fitted.quality)


def composition_rows(measurement: Measurement, fitted: Fit, settings: EdxSettings) -> list[Number]:
    """Quantify: atomic and weight percent, atoms per formula unit, ratios to the reference.

    The statistical error follows from the counts and their covariance, the systematic one from the k-factors.
    """
    names, lines = list(settings.quantified), [intensity_of(family) for family in settings.quantified.values()]
    elements = [settings.elements[name] for name in names]
    counts = np.array([fitted.value(line) for line in lines])
    if not (counts > 0).all():
        absent = names[int(np.argmin(counts))]
        raise AnalysisError(f"{measurement.id}: {absent} shows no counts: the composition cannot be quantified")
    index = [fitted.names.index(line) for line in lines]
    relative = fitted.covariance[np.ix_(index, index)] / np.outer(counts, counts)
    k_relative = np.diag([element.k_uncertainty**2 for element in elements])
    mass = counts * np.array([element.k_factor for element in elements])
    atoms = mass / np.array([element.atomic_weight for element in elements])
    unit, base = np.eye(len(names)), names.index(settings.reference)
    rows: list[Number] = []

    def add(quantity: Quantity, feature: str, value: float, gradient: np.ndarray) -> None:
        """Append a row from the derivatives of the value by the logarithms of counts (and k-factors)."""
        error, systematic = (math.sqrt(gradient @ matrix @ gradient) for matrix in (relative, k_relative))
        values, common = {quantity: (value, error)}, {"feature": feature, **fitted.quality}
        (row,) = measured(measurement, q.CLIFF_LORIMER, values, K_METHOD, **common)
        rows.append(row.with_component("k-factors", systematic, "k_uncertainty of the elements in the settings"))

    for i, name in enumerate(names):
        for amount, scale, quantity in (
            (atoms, 100.0, q.ATOMIC_PERCENT),
            (mass, 100.0, q.WEIGHT_PERCENT),
            (atoms, settings.formula_atoms, q.ATOMS_PER_FORMULA_UNIT),
        ):
            share = amount / amount.sum()
            add(quantity, name, scale * share[i], scale * share[i] * (unit[i] - share))
        if i != base:
            ratio = atoms[i] / atoms[base]
            add(q.ATOMIC_RATIO, f"{name}/{settings.reference}", ratio, ratio * (unit[i] - unit[base]))
    return rows


def spectrum_curves(model: SpectrumModel, counts: np.ndarray, fitted: Fit) -> xr.Dataset:
    """Make data, fit, families, background and residual on the energy axis; the lines for labels."""
    names = list(model.families)
    families = np.array([model.family(fitted.params, name) for name in names])
    strongest = [model.families[name][np.argmax(model.families[name][:, 1]), 0] for name in names]
    columns = {
        "data": (counts, "count", "counts"),
        "fit": (model.expected(fitted.params), "count", "fit"),
        "background": (model.background(fitted.params), "count", "bremsstrahlung"),
        "residual": (fitted.residual, "1", "deviance residual"),
    }
    curves = dataset("energy", columns, {"energy": (model.energy, "keV", "X-ray energy")})
    return curves.assign(
        components=variable(("family", "energy"), families, "count", "line families"),
        line_energy=variable("family", strongest, "keV", "energy of the strongest line"),
    ).assign_coords(
        family=variable("family", names, "1", "family of lines"),
        element=variable("family", [name.partition(" ")[0] for name in names], "1", "element"),
    )
