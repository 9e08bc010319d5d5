"""PFM: phase contrast and amplitude of domains in successive scans, and local switching loops.

A hysteretic loop under a PFM tip is no proof of ferroelectricity: charge injected by the tip, ions that move and the
electrostatic force on the cantilever make similar loops (Vasudevan et al., doi 10.1063/1.4979015). The numbers
therefore distinguish loops that are read with the bias on and off, and state the slope that the force adds.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from scipy import ndimage, stats
from scipy.special import i0e, i1e

from relaxor.core.errors import AnalysisError
from relaxor.core.results import COMBINES, Measurement, Number, Quantity, Result, combined, measured, provenance
from relaxor.core.units import factor
from relaxor.core.variables import dataset, variable
from relaxor.stats.adequacy import judge_beside
from relaxor.stats.blocks import correlation_length, jackknife, tiles
from relaxor.stats.fit import Fit, aicc, fit, parameters
from relaxor.stats.quantities import AICC
from relaxor.techniques.pfm import quantities as q
from relaxor.techniques.pfm.amplitudes import amplitude_of, curves_in, numbers_in, unit_of_amplitude
from relaxor.techniques.pfm.loops import analyse_loop
from relaxor.techniques.pfm.settings import PfmSettings

COMBINED = "pfm_cycles"
"""Name of the numbers and curves to which the scan cycles are combined."""
PHASE_BINS = np.linspace(-180.0, 180.0, 361)
"""Edges of the bins of phase histograms in degrees."""
EM_ROUNDS = 200
"""Largest number of rounds of the expectation–maximization algorithm."""
OFF_THE_SAMPLE = ("ac", "fm", "stm")
"""Beginnings of the names of those imaging modes of Asylum in which the tip is not in contact with the sample."""
SMALLEST_INTERIOR = 50
"""Smallest number of pixels that each kind of domain must have inside its walls."""


@dataclass(frozen=True)
class Image:
    """Amplitude (pm, or the unit of the file) and phase (radian) of a scan, shape (y, x), with coordinates in nm."""

    amplitude: np.ndarray
    phase: np.ndarray
    x: np.ndarray
    y: np.ndarray

    @property
    def pixel(self) -> float:
        """Distance between pixels in nm."""
        return float(self.x[1] - self.x[0])


@dataclass(frozen=True)
class Domains:
    """The two kinds of domains of an image.

    Attributes
    ----------
    leading
        Mask of the domains that are ahead in phase, shape (y, x).
    interior
        Mask of the pixels that are not near a wall, shape (y, x).
    center
        Phase midway between the two kinds, in radian.
    """

    leading: np.ndarray
    interior: np.ndarray
    center: float


def analyse(measurements: Sequence[Measurement], settings: PfmSettings) -> Iterator[Result]:
    """Find the phase contrast and amplitude of every scan cycle, their trend, and the local loops.

    Parameters
    ----------
    measurements
        Ingested measurements of one sample.
    settings
        See `PfmSettings`.

    Raises
    ------
    AnalysisError
        If a measurement is neither an image with amplitude and phase nor a curve with a bias, or was not taken in
        contact; if an image shows only one kind of domain, or the sheet does not give its cycle.
    """
    scans: list[tuple[float, Measurement, list[Number]]] = []
    for measurement in measurements:
        mode = str(measurement.only.attrs.get("imaging_mode", ""))
        if mode.lower().startswith(OFF_THE_SAMPLE):
            raise AnalysisError(
                f"{measurement.id}: was taken in '{mode}', in which the tip is not in contact with the "
                "sample, so that it shows no piezoresponse; correct its technique in the sheet"
            )
        if "bias" in measurement.only:
            found, parts = analyse_loop(measurement, settings.settling_fraction)
        else:
            found, parts = analyse_image(measurement, settings)
            scans.append((measurement.condition("cycle", "1"), measurement, found))
        unit = unit_of_amplitude(measurement.only)
        yield Result.of(measurement, numbers_in(unit, found), curves_in(unit, parts))
    if scans:
        scans.sort(key=lambda scan: scan[0])
        units = {scan.id: unit_of_amplitude(scan.only) for _, scan, _ in scans}
        if len(set(units.values())) > 1:
            told = ", ".join(f"{scan} in {unit}" for scan, unit in units.items())
            raise AnalysisError(f"the amplitudes of the scan cycles are in different units and have no trend: {told}")
        unit = next(iter(units.values()))
        found, trend = combine_cycles(scans)
        found, trend = numbers_in(unit, found), curves_in(unit, {"trend": trend})["trend"]
        attrs = provenance(scans[0][1]) | {COMBINES: ",".join(scan.id for _, scan, _ in scans)}
        yield Result(found, {COMBINED: xr.Dataset(attrs=attrs), f"{COMBINED}/trend": trend})


# --- one image -----------------------------------------------------------------------------------------------------
def load_image(measurement: Measurement) -> Image:
    """Take amplitude and phase of an image.

    Raises
    ------
    AnalysisError
        If one is missing or has pixels without value.
    """
    scan = measurement.only
    names = {kind: [n for n in map(str, scan.data_vars) if n.startswith(kind)] for kind in ("amplitude", "phase")}
    missing = [kind for kind, found in names.items() if not found or scan[found[0]].dims != ("y", "x")]
    if missing:
        found = ", ".join(map(str, scan.data_vars))
        raise AnalysisError(f"{measurement.id}: no {' and no '.join(missing)} image; its variables are {found}")
    amplitude, phase = (scan[names[kind][0]] for kind in ("amplitude", "phase"))
    values = {
        "amplitude": amplitude_of(amplitude),
        "phase": phase.to_numpy().astype(float) * factor(phase.attrs["units"], "radian"),
    }
    for kind, channel in values.items():
        if not np.isfinite(channel).all():
            raise AnalysisError(f"{measurement.id}: {names[kind][0]} holds pixels without value")
    x, y = (scan[axis].to_numpy() * factor(scan[axis].attrs["units"], "nm") for axis in "xy")
    return Image(values["amplitude"], values["phase"], x, y)


def find_domains(image: Image, wall_exclusion: float) -> Domains:
    """Divide an image into two kinds of domains by the phase alone.

    The unit vectors of the phases, averaged over 3×3 pixels, form two clusters on the circle. They are split across
    their principal axis, and each pixel is then moved to the nearer of the two circular means until nothing changes.
    """
    direction = np.exp(1j * image.phase)
    smooth = ndimage.uniform_filter(direction.real, 3) + 1j * ndimage.uniform_filter(direction.imag, 3)
    smooth /= np.abs(smooth) + 1e-12
    centered = smooth - smooth.mean()
    axis = np.exp(0.5j * np.angle(np.sum(centered**2)))
    leading = (centered * np.conj(axis)).real > 0
    for _ in range(EM_ROUNDS):
        ahead, behind = (smooth[side].mean() if side.any() else 0j for side in (leading, ~leading))
        nearer = np.abs(np.angle(smooth * np.conj(ahead))) < np.abs(np.angle(smooth * np.conj(behind)))
        if np.array_equal(nearer, leading):
            break
        leading = nearer
    if np.angle(ahead * np.conj(behind)) < 0:
        leading, ahead, behind = ~leading, behind, ahead
    margin = wall_exclusion / image.pixel
    interior = (ndimage.distance_transform_edt(leading) + ndimage.distance_transform_edt(~leading)) > margin
    center = float(np.angle(behind) + np.angle(ahead * np.conj(behind)) / 2)
    return Domains(leading, interior, center)


def analyse_image(measurement: Measurement, settings: PfmSettings) -> tuple[list[Number], dict[str, xr.Dataset]]:
    """Return the numbers and maps of one scan: phase contrast in two ways, amplitude, part of the area.

    Raises
    ------
    AnalysisError
        If the image shows only one kind of domain, or the sheet does not give its cycle.
    """
    cycle = measurement.condition("cycle", "1")
    image = load_image(measurement)
    domains = find_domains(image, settings.wall_exclusion)
    kinds = (domains.leading & domains.interior, ~domains.leading & domains.interior)
    if min(kind.sum() for kind in kinds) < SMALLEST_INTERIOR:
        raise AnalysisError(f"{measurement.id}: the phase image shows one kind of domain only")
    relative = np.degrees(np.angle(np.exp(1j * (image.phase - domains.center))))
    blocks = tiles(image.phase.shape, settings.tiles_per_side, settings.tiles_per_side)
    values, errors = jackknife(lambda keep: _estimate(image, domains, relative, keep), blocks)
    deviation = relative - np.where(domains.leading, relative[kinds[0]].mean(), relative[kinds[1]].mean())
    length = correlation_length(deviation, domains.interior, image.pixel)
    amplitude = image.amplitude - image.amplitude[domains.interior].mean()
    amplitude_length = correlation_length(amplitude, domains.interior, image.pixel)
    # A correlation exp(−r²/ℓ²) covers an area πℓ².
    area = max(np.pi * np.nan_to_num(length) ** 2, image.pixel**2)
    n = int(domains.interior.sum() * image.pixel**2 / area)
    count = settings.tiles_per_side**2

    def student(model: str, names: Sequence[Quantity], first: int, method: str) -> list[Number]:
        found = {name: (values[first + i], errors[first + i]) for i, name in enumerate(names)}
        rows = measured(measurement, model, found, f"{method}; jackknife over {count} tiles", n=n)
        return [row.with_interval(count - 1) for row in rows]

    rows = student(q.DOMAIN_MEANS, (q.PHASE_CONTRAST, q.AMPLITUDE_MEAN, q.DOMAIN_FRACTION), 0, "mean inside domains")
    lengths = {q.PHASE_CORRELATION_LENGTH: (length, np.nan), q.AMPLITUDE_CORRELATION_LENGTH: (amplitude_length, np.nan)}
    rows += measured(measurement, q.DOMAIN_MEANS, lengths, "autocorrelation inside domains falls to 1/e", n=n)
    rows += student(q.VON_MISES_MIXTURE, (q.PHASE_CONTRAST,), 3, "two von Mises distributions in the phase histogram")
    counts = np.histogram(relative[domains.interior], PHASE_BINS)[0]
    for model, two, k in ((q.VON_MISES_MIXTURE, True, 5), (q.VON_MISES_SINGLE, False, 2)):
        log_likelihood = _mixture(counts, two)[1] * n / counts.sum()
        rows += measured(measurement, model, {AICC: (aicc(-2 * log_likelihood, k, n), np.nan)}, "phase histogram", n=n)
    return rows, {"image": _maps(image, domains, relative).assign_attrs(cycle=cycle)}


def _estimate(image: Image, domains: Domains, relative: np.ndarray, keep: np.ndarray) -> np.ndarray:
    """Return phase contrast, mean amplitude, part of the area, and contrast by the mixture, of the pixels to keep."""
    inside = domains.interior & keep
    ahead, behind = (np.exp(1j * image.phase[inside & side]).sum() for side in (domains.leading, ~domains.leading))
    counts = np.histogram(relative[inside], PHASE_BINS)[0]
    return np.array(
        [
            np.degrees(np.angle(ahead * np.conj(behind))),
            image.amplitude[inside].mean(),
            domains.leading[keep].mean(),
            _mixture(counts, True)[0],
        ]
    )


def _mixture(counts: np.ndarray, two: bool) -> tuple[float, float]:
    """Fit one or two von Mises distributions to a phase histogram by expectation–maximization.

    Returns
    -------
    contrast, log_likelihood
        Distance of the two mean directions in degrees (0 for one), and ln L of the counts.
    """
    phase = np.radians((PHASE_BINS[1:] + PHASE_BINS[:-1]) / 2)
    # Phases count from midway between the two kinds of domain.
    share = np.stack([phase > 0, phase <= 0]).astype(float) if two else np.ones((1, len(phase)))
    log_likelihood = -np.inf
    for _ in range(EM_ROUNDS):
        weight = share * counts
        vector = (weight * np.exp(1j * phase)).sum(axis=1)
        total = np.maximum(weight.sum(axis=1), 1e-9)
        mean, resultant = np.angle(vector), np.clip(np.abs(vector) / total, 1e-6, 1 - 1e-9)
        kappa = _concentration(resultant)[:, None]
        von_mises = np.exp(kappa * (np.cos(phase - mean[:, None]) - 1)) / (2 * np.pi * i0e(kappa))
        density = total[:, None] / counts.sum() * von_mises
        mixed = np.maximum(density.sum(axis=0), 1e-300)
        share, previous = density / mixed, log_likelihood
        log_likelihood = float(np.sum(counts * np.log(mixed)))
        if log_likelihood - previous < 1e-9 * abs(log_likelihood):
            break
    contrast = float(np.degrees(np.angle(np.exp(1j * (mean[0] - mean[1]))))) if two else 0.0
    return contrast, log_likelihood


def _concentration(resultant: np.ndarray) -> np.ndarray:
    """Return κ with I1(κ)/I0(κ) = R; Sra, doi 10.1007/s00180-011-0232-x, and one Newton step."""
    kappa = resultant * (2 - resultant**2) / (1 - resultant**2)
    ratio = i1e(kappa) / i0e(kappa)
    return np.maximum(kappa - (ratio - resultant) / np.maximum(1 - ratio**2 - ratio / kappa, 1e-12), 1e-6)


def _maps(image: Image, domains: Domains, relative: np.ndarray) -> xr.Dataset:
    columns = {
        "phase": (relative.astype(np.float32), "degree", "phase from midway between the domains"),
        "amplitude": (image.amplitude.astype(np.float32), "pm", "piezoresponse amplitude"),
        "leading": (domains.leading.astype(np.int8), "1", "domain ahead in phase"),
        "interior": (domains.interior.astype(np.int8), "1", "pixel lies off the walls"),
    }
    return dataset(("y", "x"), columns, {"x": (image.x, "nm", "x"), "y": (image.y, "nm", "y")})


# --- over the cycles -----------------------------------------------------------------------------------------------
TRENDS = (q.PHASE_CONTRAST, q.AMPLITUDE_MEAN)
TREND = "weighted least squares over cycles"


def combine_cycles(scans: Sequence[tuple[float, Measurement, list[Number]]]) -> tuple[list[Number], xr.Dataset]:
    """Fit a line and a constant to contrast and amplitude against the scan cycle, weighted by their errors.

    The scale of the scatter is taken from the data, because scans differ by more than their own errors where the tip
    changes; the intervals are therefore Student's. Fewer than three cycles give no trend.

    Parameters
    ----------
    scans
        Number of the cycle, measurement and numbers of each scan, in the order of the cycles.
    """
    together = combined([scan for _, scan, _ in scans], COMBINED)
    cycle = np.array([scan[0] for scan in scans])
    trend = dataset("cycle", {}, {"cycle": (cycle, "1", "scan cycle")})
    rows: list[Number] = []
    for followed in TRENDS:
        name, unit = followed.name, followed.known_unit
        numbers = [
            next(row for row in found if row.parameter == name and row.model == q.DOMAIN_MEANS) for _, _, found in scans
        ]
        values, errors = (np.array([getattr(row, key) for row in numbers]) for key in ("value", "standard_error"))
        trend[name] = variable("cycle", values, unit, name.replace("_", " "))
        trend[f"{name}_uncertainty"] = variable("cycle", errors, unit, f"standard error of {name}")
        if len(scans) >= 3:
            rows += _trend(together, trend, name, unit)
    return rows, trend


def _trend(together: Measurement, trend: xr.Dataset, name: str, unit: str) -> list[Number]:
    """Return the numbers of both laws, and add the line and its residuals to the dataset."""
    cycle, values, errors = (trend[key].to_numpy() for key in ("cycle", name, f"{name}_uncertainty"))

    def fitted(slope: Any) -> Fit:
        def residual(params: dict[str, float]) -> np.ndarray:
            return (params["intercept"] + params["slope"] * cycle - values) / errors

        return fit(residual, parameters(intercept=float(values.mean()), slope=slope), absolute_sigma=False)

    def rows(model: str, law: Fit, further: Mapping[Quantity, tuple[float, float]], *names: Quantity) -> list[Number]:
        own = {quantity.name: quantity.in_unit(unit) for quantity in names}
        tests = {AICC: (law.aicc, np.nan), **further}
        found = law.numbers(together, model, own, TREND, feature=name)
        return found + measured(together, model, tests, TREND, feature=name, **law.quality)

    line, constant = fitted(0.0), fitted({"value": 0.0, "vary": False})
    t = line.value("slope") / line.error("slope")
    p_value = {q.SLOPE_P_VALUE: (float(2 * stats.t.sf(abs(t), len(cycle) - 2)), np.nan)}
    drawn = line.value("intercept") + line.value("slope") * cycle
    trend[f"{name}_fit"] = variable("cycle", drawn, unit, f"line through {name}")
    trend[f"{name}_residual"] = variable("cycle", values - drawn, unit, f"residual of {name}")
    beside = judge_beside(constant.aicc, {q.LINEAR: line.aicc})
    unchanged = [row.judged(beside) for row in rows(q.CONSTANT, constant, {}, q.INTERCEPT)]
    return rows(q.LINEAR, line, p_value, q.INTERCEPT, q.SLOPE) + unchanged
