"""Core levels, windows and sensitivity factors of the elements of a material, from tables."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from relaxor.techniques.material import Material, Proposed
from relaxor.techniques.xps.levels import DEGENERACY

PHOTONS = 1486.6
"""Energy of Al Kα photons, eV, to which cross-sections belong."""
SHELLS = {
    (1, "s"): ("K",), (2, "s"): ("L1",), (2, "p"): ("L3", "L2"), (3, "s"): ("M1",),
    (3, "p"): ("M3", "M2"), (3, "d"): ("M5", "M4"),
    (4, "s"): ("N1",), (4, "p"): ("N3", "N2"), (4, "d"): ("N5", "N4"), (4, "f"): ("N7", "N6"), (5, "d"): ("O5", "O4"),
}  # fmt: skip
"""Edges of each level, that of the stronger line first."""
IN_SOLIDS = {"C 1s": 284.8, "N 1s": 399.0, "O 1s": 530.5, "F 1s": 685.0, "P 2p": 131.0}
"""Binding energies, eV, where the table has those of free molecules: usual ones of nitrides, oxides, fluorides and
phosphides (NIST Standard Reference Database 20, doi 10.18434/T4T88K), and the usual reference of carbon."""
SHALLOWEST, SLOWEST = 14.0, 350.0
"""Smallest binding energy, above the valence bands and hydrogen, and smallest kinetic energy of a level that is
proposed, eV; slower electrons come from the outermost layer alone."""
RESPONSE = 1.0
"""Usual width of analyser and source together, eV: a level that is broader than this has low, wide lines."""
BELOW, ABOVE = 8.0, 10.0
"""What a window holds below the stronger and above the weaker line of a level, eV."""
SPLITTING_UNCERTAINTY = 0.1
"""Standard uncertainty of a splitting that is the difference of two energies of the table, eV."""
INTERFERING = 0.03
"""Share of the main level's intensity from which another level in its window has a line of its own."""
CARBON = "C 1s"
NOT_METALS = frozenset(
    [
        "H",
        "He",
        "B",
        "C",
        "N",
        "O",
        "F",
        "Ne",
        "Si",
        "P",
        "S",
        "Cl",
        "Ar",
        "Ge",
        "As",
        "Se",
        "Br",
        "Kr",
        "Sb",
        "Te",
        "I",
        "Xe",
        "At",
        "Rn",
    ]
)
"""Elements without which a material is a metal."""
ASYMMETRY = 0.1
"""Asymmetry at which the fit of the line of a metal starts."""


@dataclass(frozen=True)
class Level:
    """A core level of the tables.

    Attributes
    ----------
    name
        Element and orbital, ``Bi 4f``.
    position, splitting
        Binding energy of the stronger line, and the distance of the weaker one, eV; zero for an s level.
    widths
        Lifetime widths of both, eV.
    cross_section
        Of both lines together, relative to that of C 1s.
    amount
        Atoms in the formula.
    """

    name: str
    position: float
    splitting: float
    widths: tuple[float, float]
    cross_section: float
    amount: float

    @property
    def region(self) -> str:
        """The usual name of its region: ``Bi4f``."""
        return self.name.replace(" ", "")

    @property
    def height(self) -> float:
        """Relative height of its stronger line behind the usual response."""
        share = 1 / (1 + DEGENERACY[self.name[-1]]) if self.splitting > RESPONSE else 1.0
        return share * self.cross_section / math.hypot(RESPONSE, self.widths[0])

    @property
    def setting(self) -> dict[str, Any]:
        """The level as a setting."""
        found: dict[str, Any] = {"position": round(self.position, 1)}
        if self.splitting:
            found |= {"splitting": round(self.splitting, 2), "splitting_tolerance": SPLITTING_UNCERTAINTY}
        return found | {"lorentzian": [round(width, 2) for width in self.widths]}

    @property
    def setting_of_metal(self) -> dict[str, Any]:
        """The level as a setting with the asymmetric line of a metal, whose lifetime width is fitted with it."""
        return self.setting | {"free_lorentzian": "shared", "asymmetry": ASYMMETRY}


def propose(material: Material) -> Proposed:
    """Propose the strongest level of each element, its window with what else lies in it, and its cross-section."""
    levels = {element: list(_levels(element, n)) for element, n in material.atoms.items()}
    main = {element: max(found, key=lambda level: level.height) for element, found in levels.items() if found}
    carbon = next(level for level in _levels("C", 1.0) if level.name == CARBON)
    shown = {each.name: each for each in [*main.values(), carbon]}
    everything = [level for found in levels.values() for level in found]
    lines: dict[str, Level] = dict(shown)
    windows: dict[str, Any] = {}
    for group in _grouped(list(shown.values())):
        low, high = _range(group)
        weakest = min(level.height * level.amount for level in group)
        beside = [
            each
            for each in everything
            if each.name not in shown
            and any(low < place < high for place in (each.position, each.position + each.splitting))
            and each.height * each.amount > INTERFERING * weakest
        ]
        lines |= {each.name: each for each in beside}
        model = "_and_".join(each.region for each in [*group, *beside])
        models = {model: {"lines": [each.name for each in [*group, *beside]]}}
        windows[group[0].region] = {"low": round(low, 1), "high": round(high, 1), "models": models}
    metal = not material.atoms.keys() & NOT_METALS
    settings: dict[str, Any] = {
        "reference_window": carbon.region,
        "lines": {
            name: level.setting_of_metal if metal and level is not carbon else level.setting
            for name, level in lines.items()
        },
        "windows": windows,
        "sensitivity": {level.name: round(level.cross_section, 3) for level in main.values()},
        "survey_lines": {name: level.position for name, level in lines.items()},
    }
    return Proposed(
        settings,
        (
            *(("asymmetry: the lines are those of a metal, and each fit finds its own",) if metal else ()),
            "positions and splittings: edges of xraydb (Elam et al., doi 10.1016/S0969-806X(01)00227-4), of solids "
            "for N, O, F and P (NIST SRD 20); chemical shifts of some eV are found by the fit",
            "lifetime widths: Campbell & Papp (doi 10.1006/adnd.2000.0848) and others, in xraydb",
            "sensitivity: subshell cross-sections at Al Kα over C 1s, Kissel in xraylib (doi "
            "10.1016/j.sab.2011.09.011), which agree with Scofield's to 0.6 %",
        ),
    )


def _range(levels: Sequence[Level]) -> tuple[float, float]:
    """Return the window of levels, eV."""
    lowest = min(level.position for level in levels)
    return lowest - BELOW, max(level.position + level.splitting for level in levels) + ABOVE


def _grouped(levels: Sequence[Level]) -> list[list[Level]]:
    """Group levels whose windows overlap, in the order of their energies.

    Carbon comes first in its group: a window has the name of its first level, and energies refer to this one.
    """
    found: list[list[Level]] = []
    for level in sorted(levels, key=lambda each: each.position):
        if found and level.position - BELOW < _range(found[-1])[1]:
            found[-1].append(level)
        else:
            found.append([level])
    return [sorted(group, key=lambda level: level.name != CARBON) for group in found]


def _levels(element: str, amount: float) -> Iterator[Level]:
    """Yield the levels of an element that Al Kα photons show."""
    import xraydb
    import xraylib

    edges, number = xraydb.xray_edges(element), xraydb.atomic_number(element)
    carbon = _barns(xraylib, 6, ("K",))
    for (shell, orbital), names in SHELLS.items():
        if not all(name in edges and edges[name].energy > SHALLOWEST for name in names):
            continue
        name = f"{element} {shell}{orbital}"
        first, last = (edges[names[i]].energy for i in (0, -1))
        splitting = float(last - first) if len(names) > 1 else 0.0
        position = IN_SOLIDS.get(name, float(first))
        widths = [float(xraydb.core_width(element, each) or 0) for each in names]
        cross_section = _barns(xraylib, number, names) / carbon
        if position < PHOTONS - SLOWEST and cross_section > 0 and splitting >= 0:
            both = (max(widths[0], 0.02), max(widths[-1], 0.02))
            yield Level(name, position, splitting, both, cross_section, amount)


def _barns(xraylib: Any, number: int, shells: Sequence[str]) -> float:
    """Return the photoelectric cross-section of subshells at `PHOTONS`, barn per atom; 0 where the table has none."""
    total = 0.0
    for shell in shells:
        try:
            per_gram = xraylib.CS_Photo_Partial(number, getattr(xraylib, f"{shell}_SHELL"), PHOTONS / 1e3)
        except ValueError:  # the subshell is empty, or too deep for the photons
            continue
        total += per_gram * xraylib.AtomicWeight(number)
    return total
