"""The memristor chip: where weights are placed, how they are written, and what the arrays compute with them.

`chip` holds the chip as a value, `placement` packs the layers of a network onto its arrays, `write` programs the cells
and reads them back, `network` solves the wires exactly, and `compute` runs a decoder of integers through all of it.
"""
