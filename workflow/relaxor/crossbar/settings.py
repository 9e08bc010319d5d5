"""Settings of the memristor chip."""

from relaxor.core.section import Section, setting
from relaxor.crossbar.chip import ASSUMED, Chip


class Crossbar(Section):
    """The memristor chip, its measured read-outs and the chips that are simulated."""

    chip: Chip = Chip()
    """The chip: its arrays, cells, wires and converters, and how it is written."""
    chips_made: int = setting(10, source=ASSUMED, ge=2)
    """Number of chips that are written and read, each with its own devices."""
    copies: int = setting(1, source=ASSUMED, gt=0)
    """Number of copies of each layer that are written; their outputs are averaged."""
    elapsed: float = setting(1.0, "s", ASSUMED, ge=1)
    """Time from writing to reading."""
    correct_columns: bool = True
    """Whether the sums of every column are corrected by a straight line that is set on sample letters. The tools of the
    chip family apply the correction k·y + b to a whole array."""
    read_outs: dict[int, list[str]] = {}
    """Measured read-outs of the arrays into which a decoder was written, in their order, by the size of the hole. They
    replace simulated chips. The files are .csv or .npy and hold levels in the rows and columns of an array."""
    compared_chips: int = setting(3, source=ASSUMED, gt=0)
    """Number of chips of each variant in the breakdown. A single chip gives no error bars."""
    day: float = setting(86_400.0, "s", "one day", ge=0)
    """Time after which the breakdown reads a chip that has drifted."""
