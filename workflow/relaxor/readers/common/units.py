"""Units as instruments spell them, and as pint reads them.

pint must not see the spellings of this table. It takes ``a.u.`` for a product of two units, ``~m`` for a metre, and
``points`` for 1/72 of an inch.
"""

SPELLINGS = {
    "": "1",
    "a.u.": "1",
    "arb. units": "1",
    "points": "1",
    "%": "percent",
    "deg": "degree",
    "°": "degree",
    "º": "degree",
    "Å": "angstrom",
    "~m": "um",
    "µm": "um",
    "Ohm": "ohm",
    "Ohms": "ohm",
    "Amps": "A",
    "mm2": "mm^2",
    "uC/cm2": "uC/cm^2",
    "µC/cm2": "uC/cm^2",
    "uC_per_cm2": "uC/cm^2",
    "uA/cm2": "uA/cm^2",
    "uJ/cm2": "uJ/cm^2",
}
COUNTS = {"counts": "count", "ccd cts": "count", "counts/s": "count/s", "cps": "count/s", "c/s": "count/s"}
"""Words for counts and rates, in lower case; pint does not know them, or takes them for other units."""


def spelled(text: str) -> str:
    """Return a unit as pint reads it; what is not in the table is returned as it is."""
    return SPELLINGS.get(text.strip(), text.strip())


def counted(text: str) -> str:
    """Return ``count`` or ``count/s`` for what an instrument calls its counts, and ``1`` for anything else."""
    return COUNTS.get(text.strip().lower(), "1")
