"""Names and meanings of the numbers of crystal structures.

``feature`` is the Miller indices of lattice planes, the pair of elements of a bond, the element and the layer of an
offset, or the name of a published cell.
"""

from relaxor.core.results import Quantity

CIF, PUBLISHED_CELL = "cif", "published_cell"
MODELS = {
    CIF: "geometry of a structure file",
    PUBLISHED_CELL: "cell that the settings name, with which measured spacings are compared",
}
QUANTITIES = (
    CELL_VOLUME := Quantity("cell_volume", "angstrom**3", "volume of the unit cell"),
    FORMULA_MASS := Quantity("formula_mass", "g/mol", "molar mass of one formula unit"),
    DENSITY := Quantity("density", "g/cm**3", "mass of the atoms of the unit cell divided by its volume"),
    INTERLAYER_SPACING := Quantity(
        "interlayer_spacing", "angstrom", "distance between the middles of neighbouring layers"
    ),
    LATTICE_SPACING := Quantity("lattice_spacing", "angstrom", "distance between neighbouring lattice planes"),
    VAN_DER_WAALS_GAP := Quantity("van_der_waals_gap", "angstrom", "height without atoms between neighbouring layers"),
    LAYER_OFFSET := Quantity("layer_offset", "angstrom", "height of an element above the middle of its layer"),
    MEAN_LAYER_OFFSET := Quantity("mean_layer_offset", "angstrom", "mean of the offsets of an element over all layers"),
    BOND_LENGTH := Quantity("bond_length", "angstrom", "mean distance between bonded atoms of two elements"),
    SHORTEST_BOND_LENGTH := Quantity("shortest_bond_length", "angstrom", "shortest distance between bonded atoms"),
    LONGEST_BOND_LENGTH := Quantity("longest_bond_length", "angstrom", "longest distance between bonded atoms"),
    COORDINATION := Quantity("coordination", "1", "mean number of bonds of an atom of the first element"),
)
