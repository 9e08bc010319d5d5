"""Settings of the memristor chip."""

from pydantic import Field, NonNegativeFloat, PositiveInt

from relaxor.core.section import Section
from relaxor.crossbar.chip import Chip


class Crossbar(Section):
    """Settings of the memristor chip."""

    chip: Chip = Chip()
    """The chip; see `relaxor.crossbar.chip` for what each setting is and where its default comes from."""
    chips_made: PositiveInt = Field(10, ge=2)
    """Chips that are written and read, each with its own devices."""
    copies: PositiveInt = 1
    """How often each layer is written; outputs are averaged."""
    elapsed: float = Field(1.0, ge=1.0)
    """Seconds from writing to reading."""
    correct_columns: bool = True
    """Whether the sums of every column are corrected by a straight line, set on sample letters. The chip family's tools
    correct k·y + b an array."""
    read_outs: dict[int, list[str]] = {}
    """Size of the hole → measured read-outs of the arrays that its decoder was written into, in their order, instead of
    written chips: .csv or .npy, levels, 576 × 128."""
    compared_chips: PositiveInt = 3
    """Chips of each variant in the breakdown of what costs what; with one there are no error bars."""
    day: NonNegativeFloat = 86_400.0
    """Seconds after which the breakdown reads a chip that has drifted."""
