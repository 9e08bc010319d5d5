"""Names and meanings of the costs of writing a decoder into a chip and of restoring a letter with it."""

from relaxor.core.results import Quantity

ENCODER_ENERGY = Quantity("encoder_energy", "J", "energy of the pulses of light in the devices that encode a letter")
CELL_ENERGY = Quantity("cell_energy", "J", "energy in the cells of the arrays per letter")
CONVERTER_ENERGY = Quantity("converter_energy", "J", "energy of the converters per letter")
DIGITAL_ENERGY = Quantity("digital_energy", "J", "energy of the digital sums and activations per letter")
CHIP_ENERGY = Quantity("chip_energy", "J", "energy of cells, converters and digital part per letter")
CHIP_ENERGY_PER_MAC = Quantity("chip_energy_per_mac", "J", "energy of the chip per multiplication of the decoder")
CONVERSIONS = Quantity("conversions", "1", "conversions per letter")
ENCODER_TIME = Quantity("encoder_time", "s", "time of the pulses of light and their read-out")
CHIP_TIME = Quantity("chip_time", "s", "time of the chip per letter")
CELL_AREA = Quantity("cell_area", "m^2", "area of all cells of the chips")
CONVERTER_AREA = Quantity("converter_area", "m^2", "area of all converters of the chips")
COST_QUANTITIES = (
    *(ENCODER_ENERGY, CELL_ENERGY, CONVERTER_ENERGY, DIGITAL_ENERGY, CHIP_ENERGY, CHIP_ENERGY_PER_MAC, CONVERSIONS),
    *(ENCODER_TIME, CHIP_TIME, CELL_AREA, CONVERTER_AREA),
)
WRITE_ACCURACY = Quantity("write_accuracy", "percent", "fraction of the cells that are read back at their level")
PULSES_PER_CELL = Quantity("pulses_per_cell", "1", "mean number of pulses that write a cell")
WRITE_ENERGY_PER_CELL = Quantity("write_energy_per_cell", "J", "mean energy of the pulses that write a cell")
LEVEL_ERROR = Quantity("level_error", "1", "standard deviation of read levels from written ones")
CELLS = Quantity("cells", "1", "number of cells that hold weights")
TILES = Quantity("tiles", "1", "number of rectangles into which the layers are divided")
PASSES = Quantity("passes", "1", "number of times that the arrays are written for one pass of the decoder")
CHIP_QUANTITIES = (
    *(*COST_QUANTITIES, WRITE_ACCURACY, PULSES_PER_CELL, WRITE_ENERGY_PER_CELL, LEVEL_ERROR),
    *(CELLS, TILES, PASSES),
)
