"""Core levels of a model: their names, doublets and splittings."""

from collections.abc import Mapping, Sequence

from relaxor.techniques.xps.settings import XpsLine

MOMENTA = {"p": ("3/2", "1/2"), "d": ("5/2", "3/2"), "f": ("7/2", "5/2")}
"""Total angular momenta of the stronger and the weaker line of a doublet."""
DEGENERACY = {"p": 1 / 2, "d": 2 / 3, "f": 3 / 4}
"""Area of the weaker line over the stronger: ratio of 2j + 1."""


class Line(XpsLine):
    """A core level in a model: one line (s levels) or a spin–orbit doublet."""

    level: str
    """Its name: ``"Bi 4f"``; a suffix tells chemical states apart (``"C 1s C-O"``)."""

    @property
    def doublet(self) -> bool:
        """Whether the level is split."""
        return self.splitting > 0

    @property
    def slug(self) -> str:
        """Beginning of the names of its parameters in fits: ``bi_4f``."""
        return slug(self.level)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of its lines: ``("Bi 4f7/2", "Bi 4f5/2")``; the state follows the momentum (``"Ti 2p3/2 Ti3"``)."""
        if not self.doublet:
            return (self.level,)
        state = self.level.removeprefix(self.shell)
        return tuple(f"{self.shell}{momentum}{state}" for momentum in MOMENTA[self.orbital])

    @property
    def shell(self) -> str:
        """Element and orbital without the chemical state: ``"Ti 2p"`` of ``"Ti 2p Ti3"``."""
        return shell(self.level)

    @property
    def element(self) -> str:
        """Chemical symbol."""
        return self.level.split()[0]

    @property
    def orbital(self) -> str:
        """``s``, ``p``, ``d`` or ``f``."""
        return self.level.split()[1][1]


def shell(level: str) -> str:
    """Return element and orbital of a level, ``"Ti 2p"`` of ``"Ti 2p Ti3"``."""
    return " ".join(level.split()[:2])


def slug(name: str) -> str:
    """Turn the name of a level, ``"Bi 4f"``, into a name that parameters of fits may have, ``"bi_4f"``."""
    return "".join(letter if letter.isalnum() else "_" for letter in name.lower())


def with_splitting(lines: Sequence[Line], splitting: Mapping[str, float | None]) -> tuple[Line, ...]:
    """Return the lines with the splitting of some fixed to a value, or freed (None)."""
    changes = {
        line.level: {
            "splitting": splitting[line.level] or line.splitting,
            "splitting_tolerance": None if splitting[line.level] is None else 0.0,
        }
        for line in lines
        if line.level in splitting
    }
    return tuple(line.model_copy(update=changes.get(line.level)) for line in lines)
