"""Model structures of CuBiP2Se6, as CIF: antiferroelectric, and ferroelectric as a field makes it.

No coordinates of the compound were available, so these are models and say so. The cell is measured (Gave et al. 2005,
doi 10.1021/ic050357+; header of its CIF: P-31c, 293 K). Heights above the middle of a layer are those of a calculated
single layer (density functional theory, github.com/MadsKruse3/2D_ferroelectrics, BiCuP2Se6): copper and bismuth stand
off the middle in opposite senses. In the plane, each metal and each P2 pair sits on a threefold axis and selenium
lies on the line from its phosphorus to the centre of the metal triangle, at the P–Se distance of selenophosphates.

In the antiferroelectric state successive layers are related by inversion (P-3), in the ferroelectric one by the
c glide (P31c), so that all copper is displaced the same way. Both groups are subgroups of the disordered mean, P-31c.
"""

import math
from collections.abc import Iterator

import numpy as np

from relaxor.simulation.sample_file import SampleFile, Truth

A, A_UNCERTAINTY = 6.5410, 9
"""Cell edge a (angstrom) and the uncertainty of its last digits."""
C, C_UNCERTAINTY = 13.263, 3
HEIGHTS = {"Bi1": 0.31, "Cu1": -1.38, "P1": 1.22, "P2": -1.08, "Se1": 1.81, "Se2": -1.81}
"""Height above the middle of the layer, angstrom."""
P_SE = 2.20
"""P–Se bond, angstrom: usual in [P2Se6]4- salts (2.16–2.22)."""
AXES = {"Bi1": (0.0, 0.0), "Cu1": (1 / 3, 2 / 3), "P1": (2 / 3, 1 / 3), "P2": (2 / 3, 1 / 3)}
"""Threefold axis of each site, fractions of a and b."""
MASSES = {"Cu": 63.546, "Bi": 208.980, "P": 30.974, "Se": 78.971}
"""Standard atomic weights, g/mol."""
FORMULA = {"Cu": 1, "Bi": 1, "P": 2, "Se": 6}
FORMULA_UNITS = 2
LAYER_MIDDLE = 0.25
"""Height of the first layer in the cell; the second is at 0.75."""
STATES = {"afe": ("P -3", 147, ("-x,-y,-z",)), "fe": ("P 3 1 c", 159, ("y,x,z+1/2",))}
"""State → space group, its number, and what makes the second layer from the first."""
PAPER_GROUP = "P -3 1 c"
THREEFOLD = ("x,y,z", "-y,x-y,z", "-x+y,-x,z")
BASIS = np.array([[A, -A / 2, 0.0], [0.0, A * math.sqrt(3) / 2, 0.0], [0.0, 0.0, C]])
"""Columns are the cell vectors in Cartesian coordinates (angstrom)."""


def sites() -> dict[str, np.ndarray]:
    """Return the sites of the first layer: label → fractional coordinates."""
    result = {label: np.array([*axis, LAYER_MIDDLE + HEIGHTS[label] / C]) for label, axis in AXES.items()}
    for label, phosphorus, away in (("Se1", "P1", (1.0, 2 / 3)), ("Se2", "P2", (2 / 3, 0.0))):
        rise = HEIGHTS[label] - HEIGHTS[phosphorus]
        direction = np.array([*away, 0.0]) - np.array([*AXES[phosphorus], 0.0])
        across = math.sqrt(P_SE**2 - rise**2) * direction / np.linalg.norm(BASIS @ direction)
        result[label] = np.array([*AXES[phosphorus], LAYER_MIDDLE + HEIGHTS[label] / C]) + across
    return result


def simulate(rng: np.random.Generator) -> Iterator[SampleFile]:
    """Yield the two CIF; nothing in them is random."""
    for state, (group, number, second) in STATES.items():
        yield SampleFile(
            measurement=f"structure_{state}",
            technique="structure",
            panel="1g",
            name=f"cbps_{state}_model.cif",
            content=_cif(state, group, number, second).encode("ascii"),
            truth=tuple(_truth(state)),
            note="MODEL: measured cell, calculated heights; not a refined structure",
        )


def _cif(state: str, group: str, number: int, second: tuple[str, ...]) -> str:
    import gemmi

    operations = [gemmi.Op(triplet) for triplet in THREEFOLD]
    operations += [gemmi.Op(second[0]) * operation for operation in operations]
    lines = [
        f"# SIMULATED: a MODEL of CuBiP2Se6 ({state.upper()} state), not a refinement. Cell measured at 293 K",
        "# (doi 10.1021/ic050357+); heights of the atoms from a calculated single layer; in-plane selenium idealized.",
        f"data_CBPS_{state.upper()}_MODEL",
        f"_publ_section_title 'SIMULATED model of CuBiP2Se6, {state.upper()} state'",
        "_audit_creation_date 2024-11-04",
        "_chemical_formula_sum 'Cu Bi P2 Se6'",
        f"_cell_length_a {A:.4f}({A_UNCERTAINTY})",
        f"_cell_length_b {A:.4f}({A_UNCERTAINTY})",
        f"_cell_length_c {C:.3f}({C_UNCERTAINTY})",
        "_cell_angle_alpha 90",
        "_cell_angle_beta 90",
        "_cell_angle_gamma 120",
        f"_cell_formula_units_Z {FORMULA_UNITS}",
        "_cell_measurement_temperature 293(2)",
        f"_space_group_name_H-M_alt '{group}'",
        f"_space_group_IT_number {number}",
        "loop_",
        "_space_group_symop_operation_xyz",
        *(f"'{operation.wrap().triplet()}'" for operation in operations),
        "loop_",
        *(f"_atom_site_{name}" for name in ("label", "type_symbol", "fract_x", "fract_y", "fract_z", "occupancy")),
    ]
    for label, position in sites().items():
        coordinates = " ".join(f"{value:.6f}" for value in position)
        lines.append(f"{label} {label[:-1]} {coordinates} 1")
    return "\n".join(lines) + "\n"


def _truth(state: str) -> Iterator[Truth]:
    volume = A * A * math.sqrt(3) / 2 * C
    mass = sum(MASSES[element] * count for element, count in FORMULA.items())
    thickness = HEIGHTS["Se1"] - HEIGHTS["Se2"]
    values = {
        "cell_volume": (volume, "angstrom**3"),
        "density": (FORMULA_UNITS * mass / (volume * 0.602214076), "g/cm**3"),
        "interlayer_spacing": (C / 2, "angstrom"),
        "d_100": (A * math.sqrt(3) / 2, "angstrom"),
        "d_110": (A / 2, "angstrom"),
        "van_der_waals_gap": (C / 2 - thickness, "angstrom"),
        "bond_P_P": (HEIGHTS["P1"] - HEIGHTS["P2"], "angstrom"),
        "bond_P_Se": (P_SE, "angstrom"),
        "offset_Cu_layer_1": (HEIGHTS["Cu1"], "angstrom"),
        "offset_Cu_layer_2": (HEIGHTS["Cu1"] * (-1 if state == "afe" else 1), "angstrom"),
        "offset_Cu_mean": (0.0 if state == "afe" else HEIGHTS["Cu1"], "angstrom"),
        "offset_Bi_layer_1": (HEIGHTS["Bi1"], "angstrom"),
        "offset_Bi_layer_2": (HEIGHTS["Bi1"] * (-1 if state == "afe" else 1), "angstrom"),
        "offset_Bi_mean": (0.0 if state == "afe" else HEIGHTS["Bi1"], "angstrom"),
    }
    for name, (value, unit) in values.items():
        yield "cif", name, value, unit
