"""The techniques: one folder each, found by walking this package and by entry points."""

import importlib
import logging
import pkgutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

import xarray as xr

from relaxor.core.lazy import lazy
from relaxor.core.results import Number, Quantity, Result
from relaxor.core.section import Section

if TYPE_CHECKING:
    from relaxor.figures.panel import Panel
    from relaxor.techniques.contents import Contents
    from relaxor.techniques.material import Material, Proposed

ENTRY_POINTS = "relaxor.techniques"
"""Group of entry points under which other packages offer a `Technique` each."""
OTHER = "other"
"""The technique of a file that is drawn as it was measured, without an analysis."""
NOTICED: set[str] = set()
"""Former names of techniques of which a notice was given."""


@dataclass(frozen=True)
class Topic:
    """What results are grouped by: a technique, or a part of the work that has no raw files of its own.

    Attributes
    ----------
    name
        In the sheet, the settings and the results.
    title
        In headings.
    part
        Part of the work that its tables belong to; a target of the workflow has its name.
    models
        Every model that its numbers name: name → meaning. ``*`` in a name stands for a name that the settings give.
    quantities
        Every quantity that its numbers have.
    panels
        Name → panel.
    """

    name: str
    title: str
    part: str
    models: Mapping[str, str] = field(default_factory=dict)
    quantities: tuple[Quantity, ...] = ()
    panels: "Mapping[str, Panel]" = field(default_factory=dict)

    def require_named(self, numbers: Iterable[Number]) -> None:
        """Refuse numbers whose model, parameter or unit is not listed.

        Raises
        ------
        ValueError
            If one is not: an error of the technique's code.
        """
        known = {quantity.name: quantity for quantity in self.quantities}
        for number in numbers:
            quantity = known.get(number.parameter)
            if quantity is None or not any(fnmatchcase(number.model, model) for model in self.models):
                raise ValueError(f"{self.name}: '{number.parameter}' of model '{number.model}' is not listed")
            if not quantity.allows(number.unit):
                raise ValueError(f"{self.name}: '{number.parameter}' in {number.unit}, listed in {quantity.unit}")


@dataclass(frozen=True)
class Conditions:
    """What the sheet tells about a file of a technique; each a mapping from a name to the unit in which it is usual.

    Attributes
    ----------
    required
        What the analysis cannot do without, unless the file tells it.
    alternative
        Condition that replaces all of the required ones together.
    optional
        What the analysis heeds where it is given; without a unit it is only noted, in any unit.
    told_by
        Whether the file itself tells what is required.
    """

    required: Mapping[str, str] = field(default_factory=dict)
    alternative: Mapping[str, str] = field(default_factory=dict)
    optional: Mapping[str, str] = field(default_factory=dict)
    told_by: "Callable[[Contents], bool]" = lambda contents: False

    @property
    def known(self) -> dict[str, str]:
        """Every condition that is known to the technique."""
        return {**self.required, **self.alternative, **self.optional}

    def needed(self, contents: "Contents") -> dict[str, str]:
        """Return what the analysis of a file needs from the sheet."""
        return {} if self.told_by(contents) else dict(self.required)

    def missing(self, needed: Mapping[str, str], given: Collection[str]) -> dict[str, str]:
        """Return the conditions that are still to be given.

        Parameters
        ----------
        needed
            What `needed` returned for the file.
        given
            Names that the sheet gives. One that only `alternative` has says that `alternative` holds.
        """
        others = self.alternative
        wanted = others if needed and (others.keys() - needed.keys()) & set(given) else needed
        return {name: unit for name, unit in wanted.items() if name not in given}

    def instead(self, needed: Mapping[str, str], given: Collection[str]) -> str:
        """Return what may be given instead of all that is needed, as cells of the sheet have it; "" if nothing may."""
        chosen = set(given) & (needed.keys() ^ self.alternative.keys())  # conditions that only one of the two has
        open_ = {} if chosen or not needed else self.alternative
        return "; ".join(f"{name}=… {unit}" for name, unit in open_.items() if name not in given)


@dataclass(frozen=True)
class ComparedSpectrum:
    """The spectra of a technique that are drawn over each other where several samples have it.

    Attributes
    ----------
    curves, axis, variable
        Part of a measurement, and names in it.
    label
        Of the axis.
    """

    curves: str
    axis: str
    variable: str
    label: str


@dataclass(frozen=True)
class Technique(Topic):
    """A technique: how its files are told, analysed and drawn.

    Attributes
    ----------
    settings
        Model of its settings; all of them have defaults.
    analyse
        ``analyse(measurements, settings)`` yields a `Result` of each measurement, or of several together; touches no
        file. Measurements are those of one sample whose settings are the same.
    recognise
        How likely a file belongs to the technique, 0 to 1, from what is in it.
    conditions
        What the sheet tells about its files.
    needed_setting
        Name of the setting of the material without which nothing can be analysed; empty if there is none.
    overview
        Titles and drawings of one measurement of a sample whose figures nobody composed; if not given, those of the
        panels with ``overview`` whose curves the measurement has.
    compared
        Spectra to draw over each other.
    former_names
        Names that sheets and settings may still use.
    single
        Whether a row of the sheet is about one spectrum of its file, so that a file of several needs several rows.
    joined
        Whether the spectra of a file are nevertheless one measurement, such as repeated scans.
    parallel
        Whether the analysis uses the cores of its job (`relaxor.core.parallel.ordered_map`).
    propose
        ``propose(material) -> Proposed | None``: the settings of a material (`relaxor.techniques.material`), None if
        what is known of it says nothing.
    simulate
        ``simulate(rng, specimen)`` yields simulated files (`relaxor.simulation.sample_file.SampleFile`) of what the
        mapping ``specimen`` describes.
    """

    settings: type[Section] = Section
    analyse: Callable[[Sequence[Any], Any], Iterator[Result]] = field(kw_only=True)
    recognise: "Callable[[Contents], float]" = lambda contents: 0.0
    conditions: Conditions = Conditions()
    needed_setting: str = ""
    overview: Callable[[str, xr.DataTree], list[tuple[str, Callable[..., None]]]] | None = None
    compared: ComparedSpectrum | None = None
    former_names: tuple[str, ...] = ()
    single: bool = False
    joined: "Callable[[Contents], bool]" = lambda contents: False
    parallel: bool = False
    propose: "Callable[[Material], Proposed | None] | None" = None
    simulate: Callable[..., Iterator[Any]] | None = None

    @classmethod
    def of_folder(cls, package: str, **fields: Any) -> "Technique":
        """Make the technique of a folder of this library, whose modules are called alike in every folder.

        The technique has the name of its folder. Its ``analyse`` is that of the module ``analysis``, its models and
        quantities are ``MODELS`` and ``QUANTITIES`` of the module ``quantities``, and its ``simulate`` is that of the
        module of `relaxor.simulation` with the name of the folder.

        Parameters
        ----------
        package
            ``__package__`` of the folder.
        fields
            All other fields.
        """
        name = package.rpartition(".")[2]
        numbers = importlib.import_module(f"{package}.quantities")
        return cls(
            name=name,
            analyse=lazy(f"{package}.analysis", "analyse"),
            models=numbers.MODELS,
            quantities=numbers.QUANTITIES,
            simulate=lazy(f"relaxor.simulation.{name}", "simulate"),
            **fields,
        )


@cache
def entries() -> Sequence[tuple[Technique, str]]:
    """Return every technique with the module that makes it: of its folder, or of an entry point."""
    package = importlib.import_module("relaxor.techniques")
    folders = [module.name for module in pkgutil.iter_modules(package.__path__) if module.ispkg]
    modules = [f"relaxor.techniques.{name}.technique" for name in folders]
    found = [(importlib.import_module(module).TECHNIQUE, module) for module in modules]
    return found + [(entry.load(), entry.module) for entry in entry_points(group=ENTRY_POINTS)]


def module_of(name: str) -> str:
    """Return the module that makes a technique."""
    return next(module for technique, module in entries() if technique.name == name)


@cache
def techniques() -> Mapping[str, Technique]:
    """Return all techniques by name, in alphabetical order.

    Raises
    ------
    ValueError
        If two techniques have the same name.
    """
    found = [technique for technique, _ in entries()]
    ordered = {technique.name: technique for technique in sorted(found, key=lambda technique: technique.name)}
    if len(ordered) < len(found):
        names = sorted(technique.name for technique in found)
        raise ValueError(f"two techniques have the same name among {', '.join(names)}")
    return ordered


def current_name(name: str, where: str) -> str:
    """Return the name of a technique as it is today; a former name is accepted, and one notice for each says so.

    Parameters
    ----------
    where
        File, row or key in which the name stands, for the notice, which names the first place only.
    """
    for technique in techniques().values():
        if name in technique.former_names:
            if name not in NOTICED:
                NOTICED.add(name)
                text = f"{where}: technique '{name}' is called '{technique.name}' now; the old name still works"
                # Without configuration, logging prints warnings on standard error.
                logging.getLogger("relaxor").warning(text)
            return technique.name
    return name
