"""Composition from the counts of families of lines, with the uncertainty of everything that it rests on.

A bulk specimen changes what leaves it by its own composition, so that counts are corrected and composition is found in
turns. The amounts of a thin film follow from the factors of Cliff and Lorimer
(doi 10.1111/j.1365-2818.1975.tb03895.x), which hold as long as nothing is absorbed in the film. Each input is changed
by its standard uncertainty, and the change of the composition is its systematic component.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from relaxor.core.errors import AnalysisError
from relaxor.core.results import ADEQUATE, Adequacy, Measurement, Number, Quantity, Status, measured
from relaxor.techniques.edx import quantities as q
from relaxor.techniques.edx.lines import Emitter, atomic_mass
from relaxor.techniques.edx.matrix import LEAST_OVERVOLTAGE, Bulk, mass_per_photon
from relaxor.techniques.edx.settings import EdxSettings, Element

OXYGEN = "O"
TURNS, CONVERGED = 60, 1e-9
"""Largest number of turns of correction and composition, and the largest change of a mass fraction at the end."""
MODEL_UNCERTAINTY = 0.02
"""Relative standard uncertainty of what XPP gives for a family: its deviations from measured k-ratios have a root mean
square of some 2 % (Pouchou & Pichoir, as cited in `relaxor.techniques.edx.matrix`)."""
FLUORESCENCE_UNCERTAINTY = 0.3
"""Relative standard uncertainty of fluorescence by lines; that by bremsstrahlung is left out."""
ASSUMED_TAKE_OFF, ASSUMED_TAKE_OFF_UNCERTAINTY = 35.0, 5.0
"""Take-off angle and its standard uncertainty where nothing states it, degrees: usual detectors stand at 30 to 40."""
THIN_ABOVE = 50.0
"""Energy of the beam above which a specimen of unknown geometry is taken for a thin film, keV."""
ASSUMED_MASS_THICKNESS = 5e-5
"""Mass thickness of a film that nothing states, g/cm²: some 100 nm."""
THIN = 0.1
"""Largest relative change of a ratio by absorption in a film that counts as thin."""
SEEN, LIMIT = 3.0, 1.645
"""Standard errors above which an element is seen, and those above the counts at which its limit of 95 % lies."""
SMALL = 0.05
"""Step of a derivative, in standard errors."""
METHODS = {
    q.XPP: "k-factors, generation and absorption in depth (XPP), fluorescence by lines; iterated",
    q.CLIFF_LORIMER: "Cliff–Lorimer with k-factors, absorption left out",
}
CALCULATED = "; k-factors calculated from cross-sections of ionization and yields"


@dataclass(frozen=True)
class Inputs:
    """What a composition is calculated from.

    Attributes
    ----------
    counts, k_factors
        Of the quantified families, shape (n,).
    absorption
        Factors of the mass absorption coefficients at each family, shape (n,).
    fluorescence
        Factor of the fluorescence by lines.
    take_off
        Change of the take-off angle, degrees.
    heinrich
        Whether absorption is that of Philibert and Heinrich.
    film
        Mass thickness of a film, g/cm²; infinite for a bulk specimen, and zero for a film without absorption.
    """

    counts: np.ndarray
    k_factors: np.ndarray
    absorption: np.ndarray
    fluorescence: float = 1.0
    take_off: float = 0.0
    heinrich: bool = False
    film: float = math.inf


@dataclass(frozen=True)
class Change:
    """A change of the inputs by a standard uncertainty.

    Attributes
    ----------
    name, source
        Of the systematic component.
    inputs
        The changed inputs.
    scale
        Share of the change of the composition that is its standard uncertainty.
    """

    name: str
    source: str
    inputs: Inputs
    scale: float = 1.0


@dataclass(frozen=True)
class Specimen:
    """A specimen whose composition is sought.

    Attributes
    ----------
    elements
        Settings of the quantified elements by symbol.
    emitters
        Their quantified families, in the same order.
    others
        Further families, which excite fluorescence.
    beam, take_off
        keV, degrees.
    angle_error
        Standard uncertainty of the take-off angle, degrees.
    calculated
        Whether k-factors are those of free layers, which are calculated.
    adequacy
        What was assumed of the specimen.
    """

    elements: Mapping[str, Element]
    emitters: tuple[Emitter, ...]
    others: tuple[Emitter, ...]
    beam: float
    take_off: float
    angle_error: float = 0.0
    calculated: bool = False
    adequacy: Adequacy = ADEQUATE
    _bulks: dict[Any, Bulk] = field(default_factory=dict, repr=False)

    @cached_property
    def symbols(self) -> tuple[str, ...]:
        """Elements of the composition; oxygen is the last one if it is bound to the others and not measured."""
        bound = any(element.oxygen for element in self.elements.values()) and OXYGEN not in self.elements
        return (*self.elements, OXYGEN) if bound else tuple(self.elements)

    def composition(self, inputs: Inputs) -> np.ndarray:
        """Return the mass fractions of `symbols`.

        Raises
        ------
        AnalysisError
            If correction and composition do not come to rest.
        """
        bulk = self._bulk(self.symbols, inputs)
        apparent = inputs.counts * inputs.k_factors * self._standards(inputs)
        mass = self._fractions(apparent, bulk)
        for _ in range(TURNS):
            responses = [self._response(i, mass, bulk, inputs) for i in range(len(self.emitters))]
            better = self._fractions(apparent / responses, bulk)
            change, mass = float(np.abs(better - mass).max()), better
            if change < CONVERGED:
                return mass
        raise AnalysisError("the correction of absorption and the composition do not come to rest")

    def _bulk(self, symbols: tuple[str, ...], inputs: Inputs) -> Bulk:
        """Return the absorbing specimen of some elements; it looks up absorption only once."""
        key = symbols, inputs.take_off
        if key not in self._bulks:
            sources = tuple(each for each in (*self.emitters, *self.others) if each.element in symbols)
            self._bulks[key] = Bulk(self.beam, self.take_off + inputs.take_off, symbols, sources)
        return self._bulks[key]

    def _fractions(self, relative: np.ndarray, bulk: Bulk) -> np.ndarray:
        """Return the mass fractions of all elements from relative masses of the measured ones."""
        if len(self.symbols) > relative.size:
            per_atom = np.array([element.oxygen for element in self.elements.values()])
            relative = np.append(relative, bulk.masses[-1] * float(per_atom @ (relative / bulk.masses[:-1])))
        return relative / relative.sum()

    def _response(self, index: int, mass: np.ndarray, bulk: Bulk, inputs: Inputs) -> float:
        """Return what leaves a specimen per generated photon, or, against a standard, per photon of a free layer."""
        emitter, factor = self.emitters[index], float(inputs.absorption[index])
        if math.isfinite(inputs.film):
            depth = factor * float(emitter.weights @ bulk.chi(emitter, mass)) * inputs.film
            return -math.expm1(-depth) / depth if depth else 1.0
        escaping = bulk.escaping_by_heinrich if inputs.heinrich else bulk.escaping
        whole = escaping(emitter, mass, factor) + inputs.fluorescence * bulk.secondary(emitter, mass)
        of_layer = self.calculated or bool(self.elements[emitter.element].standard)
        return whole * bulk.distribution(emitter, mass).area if of_layer else whole

    def _standards(self, inputs: Inputs) -> np.ndarray:
        """Return the responses of the standards that k-factors were measured on, shape (n,); one without a standard."""
        found = np.ones(len(self.emitters))
        for i, element in enumerate(self.elements.values()):
            if element.standard and not math.isfinite(inputs.film):
                mass = np.array(list(element.standard.values()))
                bulk = self._bulk(tuple(element.standard), inputs)
                found[i] = self._response(i, mass / mass.sum(), bulk, inputs)
        return found


@dataclass(frozen=True)
class Table:
    """The numbers that a composition is written as.

    Attributes
    ----------
    symbols
        Elements of the composition.
    unseen
        Elements whose lines are not seen.
    """

    symbols: tuple[str, ...]
    unseen: tuple[str, ...]
    settings: EdxSettings

    def absent(self, feature: str) -> bool:
        """Return whether a feature is an element that is not seen, or a ratio of one."""
        return feature.partition("/")[0] in self.unseen

    @cached_property
    def others(self) -> list[str]:
        """Elements that are set in ratio to the reference; none if the reference is not seen."""
        reference = self.settings.reference
        return [name for name in self.symbols if name != reference and reference not in self.unseen]

    @cached_property
    def keys(self) -> list[tuple[Quantity, str]]:
        """Quantity and feature of the numbers."""
        amounts = q.ATOMIC_PERCENT, q.WEIGHT_PERCENT, q.ATOMS_PER_FORMULA_UNIT
        ratios = [(q.ATOMIC_RATIO, f"{name}/{self.settings.reference}") for name in self.others]
        return [(quantity, name) for quantity in amounts for name in self.symbols] + ratios

    def values(self, mass: np.ndarray) -> np.ndarray:
        """Return the numbers of `keys` of given mass fractions."""
        known = self.settings.elements
        weights = [known[name].atomic_weight if name in known else atomic_mass(name) for name in self.symbols]
        atoms = mass / weights / np.sum(mass / weights)
        base = atoms[self.symbols.index(self.settings.reference)]
        ratios = [atoms[self.symbols.index(name)] / base for name in self.others]
        return np.concatenate([100 * atoms, 100 * mass, self.settings.formula_atoms * atoms, ratios])


def composition_rows(
    measurement: Measurement,
    beam: float,
    families: Mapping[str, np.ndarray],
    counts: np.ndarray,
    covariance: np.ndarray,
    settings: EdxSettings,
    **quality: Any,
) -> list[Number]:
    """Quantify: atomic and weight percent, atoms per formula unit, ratios to the reference.

    Parameters
    ----------
    beam
        Energy of the electrons, keV.
    families
        Lines of all families in the spectrum.
    counts, covariance
        Counts of the quantified families, (n,), and their covariance, (n, n).
    quality
        What is known of the fit of the spectrum, as arguments of `relaxor.core.results.measured`.
    """
    specimen = specimen_of(measurement, beam, families, settings)
    model, inputs = inputs_of(specimen, np.maximum(counts, 0.0), settings)
    errors = np.sqrt(np.diag(covariance))
    unseen = tuple(name for name, n, error in zip(specimen.elements, counts, errors, strict=True) if n < SEEN * error)
    if len(unseen) == counts.size:
        raise AnalysisError(
            f"{measurement.id}: none of {', '.join(unseen)} shows counts, so that nothing is quantified"
        )
    table = Table(specimen.symbols, unseen, settings)
    base = table.values(specimen.composition(inputs))
    steps = SMALL * np.where(np.isfinite(errors), errors, np.sqrt(inputs.counts))
    moved = [replace(inputs, counts=inputs.counts + step) for step in np.diag(steps)]
    gradient = np.array([table.values(specimen.composition(each)) - base for each in moved]) / steps[:, None]
    statistical = np.sqrt(np.einsum("ik,ij,jk->k", gradient, covariance, gradient))
    budget, thickness = systematic(measurement, specimen, inputs, table, base)
    adequacy = quality.pop("adequacy").joined(specimen.adequacy).joined(thickness)
    rows = []
    for i, key in enumerate(table.keys):
        values = {key: (base[i], statistical[i])}
        method = METHODS[model] + CALCULATED * settings.calculated
        (row,) = measured(measurement, model, values, method, adequacy=adequacy, **quality)
        for (name, source), sizes in budget.items():
            row = row.with_component(name, float(sizes[i]), source)
        rows.append(as_limit(row) if table.absent(row.feature) else row)
    return rows


def specimen_of(
    measurement: Measurement, beam: float, families: Mapping[str, np.ndarray], settings: EdxSettings
) -> Specimen:
    """Return the specimen, with what was assumed of it."""
    emitters = {name: Emitter.of(name, lines) for name, lines in families.items()}
    names = list(settings.quantified.values())
    others = tuple(each for name, each in emitters.items() if name not in names)
    elements = {name: settings.elements[name] for name in settings.quantified}
    for name in names:
        if beam < LEAST_OVERVOLTAGE * emitters[name].edge:
            raise AnalysisError(f"{measurement.id}: {beam:g} keV hardly excite {name}, whose edge is near them")
    adequacy = ADEQUATE
    if not settings.geometry:
        shape = "a thin film" if beam > THIN_ABOVE else "a flat bulk specimen"
        adequacy = Adequacy(Status.ASSUMED, 1.0, f"assumed: {shape}, because the settings state no geometry")
    angle = float(measurement.only.attrs.get("elevation_angle_deg", math.nan))
    angle, error = measurement.condition("take_off_angle", "deg", default=angle), settings.take_off_uncertainty
    if not angle > 0:
        angle, error = ASSUMED_TAKE_OFF, ASSUMED_TAKE_OFF_UNCERTAINTY
        remark = f"assumed: a take-off angle of {angle:g} ± {error:g} degrees, which neither file nor sheet states"
        adequacy = adequacy.joined(Adequacy(Status.ASSUMED, 1.0, remark))
    quantified = tuple(emitters[name] for name in names)
    return Specimen(elements, quantified, others, beam, angle, error, settings.calculated, adequacy)


def inputs_of(specimen: Specimen, counts: np.ndarray, settings: EdxSettings) -> tuple[str, Inputs]:
    """Return the model of the stated geometry, or of the likelier one, and its inputs."""
    thin = settings.geometry == "thin_film" or (not settings.geometry and specimen.beam > THIN_ABOVE)
    k_factors = np.array([element.k_factor or 1.0 for element in specimen.elements.values()])
    if settings.calculated:
        k_factors = np.array([mass_per_photon(emitter, specimen.beam) for emitter in specimen.emitters])
    film = 0.0 if thin else math.inf
    return (q.CLIFF_LORIMER if thin else q.XPP), Inputs(counts, k_factors, np.ones(counts.size), film=film)


def systematic(
    measurement: Measurement, specimen: Specimen, inputs: Inputs, table: Table, base: np.ndarray
) -> tuple[dict[tuple[str, str], np.ndarray], Adequacy]:
    """Return the systematic components of all numbers of a table by name and source, and whether a film is thin."""
    found: dict[tuple[str, str], np.ndarray] = {}
    adequacy = ADEQUATE
    for change in _changes(measurement, specimen, inputs, table.settings):
        difference = change.scale * (table.values(specimen.composition(change.inputs)) - base)
        key = change.name, change.source
        found[key] = np.hypot(found.get(key, 0.0), difference)
        if 0 < change.inputs.film < math.inf:
            relative = float(np.max(np.abs(difference[base > 0] / base[base > 0])))
            adequacy = adequacy.joined(_thin(relative, change))
    return found, adequacy


def _thin(relative: float, change: Change) -> Adequacy:
    """Judge whether a film absorbs so little that k-factors alone give its composition."""
    if relative > THIN:
        remark = f"misfit: the film is not thin, absorption in it changes amounts by up to {100 * relative:.2g} %"
        return Adequacy(Status.MISFIT, 1.0, remark)
    return Adequacy(Status.ASSUMED, 1.0, f"assumed: {change.source}") if "not stated" in change.source else ADEQUATE


def _changes(measurement: Measurement, specimen: Specimen, inputs: Inputs, settings: EdxSettings) -> Iterator[Change]:
    """Yield everything that a composition rests on, changed by its standard uncertainty."""
    for i, element in enumerate(specimen.elements.values()):
        k_factors = inputs.k_factors * np.where(np.arange(inputs.counts.size) == i, 1 + element.k_uncertainty, 1.0)
        yield Change("k-factors", "k_uncertainty of the elements in the settings", replace(inputs, k_factors=k_factors))
    if math.isfinite(inputs.film):
        thickness = measurement.condition("mass_thickness", "g/cm^2", default=math.nan)
        source = f"absorption in a film of {1e6 * thickness:g} µg/cm²"
        if not thickness > 0:
            thickness = ASSUMED_MASS_THICKNESS
            source = f"a film of {1e6 * thickness:g} µg/cm², which is not stated"
        yield Change("absorption in the film", source, replace(inputs, film=thickness))
        return
    uncertain = settings.absorption_uncertainty
    for i in range(inputs.counts.size):
        absorption = np.where(np.arange(inputs.counts.size) == i, 1 + uncertain, 1.0)
        source = f"mass absorption coefficients, {100 * uncertain:g} % at each family (settings)"
        yield Change("absorption", source, replace(inputs, absorption=absorption))
        whole = inputs.k_factors * np.where(np.arange(inputs.counts.size) == i, 1 + MODEL_UNCERTAINTY, 1.0)
        measured_ratios = f"deviations of XPP from measured k-ratios, {100 * MODEL_UNCERTAINTY:g} % at each family"
        yield Change("matrix correction", measured_ratios, replace(inputs, k_factors=whole))
    angle = f"take-off angle and tilt of the surface, {specimen.angle_error:g} degrees"
    yield Change("take-off angle", angle, replace(inputs, take_off=specimen.angle_error))
    reed = f"Reed's fluorescence by lines, {100 * FLUORESCENCE_UNCERTAINTY:g} % of it"
    yield Change("fluorescence", reed, replace(inputs, fluorescence=1 + FLUORESCENCE_UNCERTAINTY))
    other = "difference between XPP and Philibert–Heinrich, as the half-width of a uniform distribution"
    yield Change("depth distribution", other, replace(inputs, heinrich=True), 1 / math.sqrt(3))
    if not settings.geometry:
        yield Change("geometry", "half the difference from a thin film", replace(inputs, film=0.0), 0.5)


def as_limit(row: Number) -> Number:
    """Return the row of an element that is not seen: its value is the limit of 95 %."""
    limit = row.value + LIMIT * row.standard_error
    remark = f"limit of 95 %: the counts of the element are below {SEEN:g} standard errors"
    return replace(row, value=limit, ci_low=0.0, ci_high=limit).flagged(Status.LIMIT, remark)
