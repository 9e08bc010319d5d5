"""Units as people and instruments write them, and as pint reads them: one table and one rule for all readers.

pint must not see what stands in files. It takes ``a.u.`` for a product of two units, ``~m`` for a metre, ``points`` for
1/72 of an inch, and the last letter of ``Device B`` for a byte.
"""

import re
from functools import cache

WORDS = {
    "": "1", "1": "1", "-": "1", "a.u.": "1", "a.u": "1", "arb. units": "1", "arb. unit": "1", "arb.units": "1",
    "arb.u.": "1", "arb. u.": "1", "arb units": "1", "arbitrary units": "1", "rel. units": "1", "norm.": "1",
    "normalized": "1", "points": "1", "pts": "1", "px": "1", "pixel": "1", "pixels": "1", "ch": "1", "channel": "1",
    "index": "1", "#": "1", "none": "1", "ratio": "1", "point": "1", "pix": "1", "channels": "1", "frame": "1",
    "frames": "1", "sequence": "1", "sample": "1", "samples": "1", "line": "1", "lines": "1",
    "count": "count", "counts": "count", "cts": "count", "cnt": "count", "ccd cts": "count", "ccd counts": "count",
    "cps": "count/s", "c/s": "count/s", "cts/s": "count/s", "counts/s": "count/s", "count/s": "count/s",
    "counts per second": "count/s", "kcps": "kcount/s",
    "~m": "um", "micron": "um", "microns": "um", "µ": "um",
    "uc_per_cm2": "uC/cm^2", "1/a": "1/angstrom", "a-1": "1/angstrom", "a^-1": "1/angstrom", "a^{-1}": "1/angstrom",
}  # fmt: skip
"""Whole units, in small letters. Points, pixels, channels and indices are numbers."""
NAMES = {
    "volt": "V", "volts": "V", "amp": "A", "amps": "A", "ampere": "A", "amperes": "A", "ohm": "ohm", "ohms": "ohm",
    "sec": "s", "secs": "s", "second": "s", "seconds": "s", "minute": "min", "minutes": "min", "min": "min",
    "hour": "h", "hours": "h", "hr": "h", "h": "h", "deg": "degree", "degs": "degree", "degree": "degree",
    "degrees": "degree", "°": "degree", "º": "degree", "deg.": "degree", "rad": "rad", "°c": "degC", "degc": "degC",
    "℃": "degC", "celsius": "degC", "kelvin": "K", "å": "angstrom", "ang": "angstrom", "angstrom": "angstrom",
    "angstroms": "angstrom", "a^-1": "1/angstrom", "%": "percent", "percent": "percent", "at.%": "percent",
    "at%": "percent", "wt%": "percent", "hertz": "Hz", "siemens": "S", "farad": "F", "meter": "m", "metre": "m",
    "meters": "m", "watt": "W", "watts": "W", "torr": "torr", "bar": "bar", "mbar": "mbar", "oe": "oersted",
    "gauss": "gauss", "nanometer": "nm", "nanometers": "nm", "nanometre": "nm", "nanometres": "nm",
}  # fmt: skip
"""Names and signs of units, in small letters; they take no prefix."""
SYMBOLS = {"V": "V", "A": "A", "s": "s", "m": "m", "g": "g", "Hz": "Hz", "eV": "eV", "K": "K", "F": "F", "S": "S",
           "C": "C", "J": "J", "W": "W", "Pa": "Pa", "T": "T", "N": "N", "Ω": "ohm", "\u2126": "ohm", "Ohm": "ohm",
           "ohm": "ohm", "Oe": "oersted", "L": "L"}  # fmt: skip
"""Symbols that take a prefix."""
PREFIXES = {prefix: prefix for prefix in "fpnumckMGT"} | {"µ": "u", "μ": "u"}
RAISED = str.maketrans("⁺⁻−⁰¹²³⁴⁵⁶⁷⁸⁹", "+--0123456789")
BRACKETS = re.compile(r"(.*?\S)\s*+[\[({]([^\])}]{0,99}+)[\])}]\s*+:?")
TRAILING = re.compile(r"(\S(?:.*?\S)??)\s*+[/,]\s*+([^/,]++(?:/[^/,]++)?+)")
TIME = re.compile(r"(?<![a-z])(time|t|zeit|delay|duration|width|interval)(?![a-z])", re.IGNORECASE)
INNER = re.compile(r"(.*\S)\s*+[\[(]([^\])]{1,99}+)[\])](_\S.*)")
"""A unit before what tells columns apart, as in ``Voltage (V)_a_Forward``."""
SUFFIX = re.compile(
    r"(?P<name>\w+)_(?P<unit>deg|nm|[uµm]m|k?eV|mV|[umnpµ]A|[umnµ]s|[kMG]?Hz|k?[oO]hm|nm\^-1|A\^-1|cm-1)"
    r"|(?P<known>t|time|temp|[vV][a-z]{0,2}|voltage|[iI][a-z]{0,2}|current)_(?P<letter>[sKVA])",
)
"""A unit behind an underscore: of several letters, or one letter that fits the name."""
LETTERS = {"t": "s", "v": "V", "i": "A", "c": "A"}
QUANTITY = re.compile(
    r"(wave ?length|wave ?number|raman shift|time|energy|temperature|frequency) (\S+?)\.?", re.IGNORECASE
)
"""A quantity and a unit behind a blank; only units in which it is given are taken."""
OF_QUANTITIES = {
    "wave": ("nm", "um", "1/cm"), "rama": ("1/cm",), "time": ("s", "ms", "us", "ns", "min", "h"),
    "ener": ("eV", "keV"), "temp": ("K", "degC"), "freq": ("Hz", "kHz", "MHz", "GHz"),
}  # fmt: skip
FACTOR = re.compile(r"([^\s\d^*·×/+-][^\d^*·×/\s+-]*)\^?\(?([+-]?\d+)?\)?")


@cache
def unit_of(text: str) -> str | None:
    """Return a unit as pint reads it, or None if the text is no physical unit.

    Counts, and points, pixels or arbitrary units (``1``), are units here; ``cm-1``, ``cm⁻¹``, ``mA/cm2``, ``mA cm^-2``,
    ``(arb. units)`` and ``kΩ`` are written as they are in files.
    """
    bare = text.strip().strip("()[]").strip()
    if (found := WORDS.get(bare.lower())) is not None:
        return found
    above, *below = bare.translate(RAISED).split("/")
    powers: list[tuple[str, int]] = []
    for sign, part in ((1, above), *((-1, each) for each in below)):
        factors = _factors(part.strip())
        if factors is None:
            return None
        powers += [(symbol, sign * power) for symbol, power in factors]
    product = "*".join(_raised(symbol, power) for symbol, power in powers if power > 0)
    divisor = "".join(f"/{_raised(symbol, -power)}" for symbol, power in powers if power < 0)
    return (product or "1") + divisor if powers else None


def split_label(text: str) -> tuple[str, str | None]:
    """Return name and unit of a column, the unit None if the text states none.

    ``Raman shift (cm-1)``, ``U/V``, ``Voltage, V`` and ``Counts`` are understood; ``Reference (sample 1)`` has no unit.
    """
    text = text.strip()
    if (match := BRACKETS.fullmatch(text)) and (unit := unit_of(match[2])) is not None:
        spelled_s = unit.endswith("S") and TIME.search(match[1]) is not None  # (mS) is no conductance behind a time
        return match[1], unit[:-1] + "s" if spelled_s else unit
    if (unit := unit_of(text)) in ("count", "count/s", "kcount/s"):
        return text, unit
    if (match := TRAILING.fullmatch(text)) and (unit := unit_of(match[2])) is not None:
        return match[1], unit
    if (match := INNER.fullmatch(text)) and (unit := unit_of(match[2])) is not None:
        return match[1] + match[3], unit
    if match := SUFFIX.fullmatch(text):
        name, word = match["name"] or match["known"], match["unit"] or match["letter"]
        if match["unit"] or word == LETTERS[name.lower()[:1]] or (name.lower(), word) in (("temp", "K"), ("t", "K")):
            return name, unit_of(word)
    if (match := QUANTITY.fullmatch(text)) and (unit := unit_of(match[2])) in OF_QUANTITIES[match[1].lower()[:4]]:
        return match[1], unit
    return text, None


def stated_columns(text: str) -> list[tuple[str, str]]:
    """Return names and units of a list such as ``two_theta (degree), intensity (count)``.

    Raises
    ------
    ValueError
        If a column has no name or no unit that is known; ``-`` stands for a column that is left out.
    """
    found = []
    for part in text.split(","):
        label, unit = ("-", "1") if part.strip() == "-" else split_label(part)
        if unit is None or not label.strip():
            raise ValueError(f"'{part.strip()}' is not 'name (unit)'")
        found.append((label.strip(), unit))
    return found


def spelled(text: str) -> str:
    """Return a unit as pint reads it; text that is no unit is returned unchanged."""
    return unit_of(text) or text.strip()


def counted(text: str) -> str:
    """Return ``count`` or ``count/s`` for the names that instruments give counts, and ``1`` for anything else."""
    unit = WORDS.get(text.strip().lower(), "1")
    return unit if unit.startswith("count") else "1"


def _raised(symbol: str, power: int) -> str:
    return symbol if power == 1 else f"{symbol}^{power}"


def _factors(part: str) -> list[tuple[str, int]] | None:
    """Return the symbols of a product with their powers, or None if one of them is no unit."""
    if part == "1":
        return []
    found: list[tuple[str, int]] = []
    place = 0
    for match in FACTOR.finditer(part):
        if part[place : match.start()].strip(" *·×."):
            return None
        symbol = _symbol(match[1].rstrip("."))
        if symbol is None:
            return None
        found.append((symbol, int(match[2] or 1)))
        place = match.end()
    return found if found and not part[place:].strip() else None


def _symbol(word: str) -> str | None:
    """Return how pint writes a symbol with or without a prefix, or a name."""
    if word in SYMBOLS:
        return SYMBOLS[word]
    if word.lower() in NAMES:
        return NAMES[word.lower()]
    if word.lower() in ("count", "counts", "cts"):
        return "count"
    prefix, rest = word[:1], word[1:]
    return PREFIXES[prefix] + SYMBOLS[rest] if prefix in PREFIXES and rest in SYMBOLS else None
