"""Elements and lines of a material for the fit of an EDX spectrum, from tables."""

from typing import Any

from relaxor.techniques.edx.lines import EDGES, atomic_mass, atomic_number
from relaxor.techniques.edx.settings import EdxSettings
from relaxor.techniques.material import Material, Proposed

LINES = {
    "K": ("KL3", "KL2", "KM3", "KM2", "KN3", "KN2"),
    "L": ("L3M5", "L3M4", "L3M1", "L3N5", "L2M4", "L2M1", "L2N4", "L1M3", "L1M2", "L1N3"),
    "M": ("M5N7", "M5N6", "M4N6", "M4N3", "M5N3", "M3N5"),
}
"""Transitions of each family."""
ELECTRONS = {"K": 2, "L1": 2, "L2": 2, "L3": 4, "M3": 4, "M4": 4, "M5": 6}
"""Electrons of a subshell, to which the vacancies that fast electrons make are in proportion."""
HIGHEST_EDGE = {"K": 13.0, "L": 8.0, "M": 5.0}
"""Highest energy of an edge, keV, that a beam of the usual 20 keV excites well."""
WEAKEST = 0.01
"""Intensity over that of the strongest line below which a line is left out."""
SOFT = 1.5
"""Energy of a line, keV, below which the window of the detector absorbs a part that the tables do not know."""
UNCERTAIN = 0.3
"""Relative standard uncertainty of a calculated k-factor of such a line, and of families other than K: 28 % is the
deviation from a published factor of Pt L against Fe K at 200 keV."""
OXYGEN = "O"


def propose(material: Material) -> Proposed | None:
    """Propose the lines of each element; k-factors are left to the tables, at the energy of the beam."""
    lowest, highest = EdxSettings().fit_range
    elements: dict[str, dict[str, Any]] = {}
    unseen = []
    for element in material.atoms:
        families = {shell: found for shell in LINES if (found := _lines(element, shell, lowest, highest))}
        quantified = next((shell for shell in families if _edge(element, shell) < HIGHEST_EDGE[shell]), "")
        if not quantified:
            unseen.append(element)
            continue
        elements[element] = {
            "atomic_weight": round(atomic_mass(element), 3),
            "families": {shell: [list(line) for line in found] for shell, found in families.items()},
            "quantified": quantified,
        }
        if quantified != "K" or _main(families[quantified]) < SOFT:
            elements[element]["k_uncertainty"] = UNCERTAIN
    if not elements:
        return None
    if OXYGEN in unseen and len(elements) == 1:
        (only,) = elements
        elements[only]["oxygen"] = material.atoms[OXYGEN] / material.atoms[only]
    sources = ["lines: energies (keV) and radiative rates of xraylib (doi 10.1016/j.sab.2011.09.011)",
               "k-factors: none is given, so that they are calculated for the energy of the beam"]  # fmt: skip
    if unseen:
        sources.append(
            f"{', '.join(unseen)}: no line above {lowest:g} keV; what absorbs but is not seen can be given as 'oxygen' "
            "of the elements that bind it"
        )
    settings = {
        "elements": elements,
        "reference": max(elements, key=lambda name: material.atoms[str(name)]),
        "formula_atoms": sum(n for name, n in material.atoms.items() if name in elements or name == OXYGEN),
    }
    return Proposed(settings, tuple(sources))


def _edge(element: str, shell: str) -> float:
    """Return the energy that ionizes a shell, keV."""
    import xraydb

    return float(xraydb.xray_edge(element, EDGES[shell]).energy) / 1e3


def _main(lines: list[tuple[float, float]]) -> float:
    """Return the energy of the strongest line."""
    return max(lines, key=lambda line: line[1])[0]


def _lines(element: str, shell: str, lowest: float, highest: float) -> list[tuple[float, float]]:
    """Return energies (keV) and intensities (strongest 100) of a family, if its main line is in a range."""
    import xraylib

    number = atomic_number(element)
    found: dict[float, float] = {}
    for name in LINES[shell]:
        initial = "K" if name[0] == "K" else name[:2]
        try:
            line, hole = getattr(xraylib, f"{name}_LINE"), getattr(xraylib, f"{initial}_SHELL")
            energy = round(float(xraylib.LineEnergy(number, line)), 4)
            strength = xraylib.RadRate(number, line) * xraylib.FluorYield(number, hole) * ELECTRONS[initial]
        except ValueError:  # the element has no such transition
            continue
        found[energy] = found.get(energy, 0.0) + strength
    if not found or not lowest <= _main(list(found.items())) <= highest:
        return []
    relative = {energy: round(100 * strength / max(found.values()), 1) for energy, strength in found.items()}
    return [(energy, share) for energy, share in relative.items() if share >= 100 * WEAKEST]
