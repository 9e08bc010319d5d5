"""Settings of the XPS analysis."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

from relaxor.core.section import Section, setting

FORMER = {
    "carbon_window": "reference_window",
    "carbon_energy": "reference_energy",
    "carbon_uncertainty": "reference_uncertainty",
}
"""Former names of settings, which stay valid, and the present ones."""


class XpsLine(Section):
    """A core level: one line, or a spin–orbit doublet whose ratio of areas follows from degeneracy."""

    position: float = setting(..., "eV")
    """The expected binding energy of the stronger line, corrected for charging. A fit starts there, and a level that
    follows another keeps its distance."""
    splitting: float = setting(0.0, "eV", ge=0)
    """The spin–orbit splitting, which is zero for an s level."""
    splitting_tolerance: float | None = setting(0.0, "eV", ge=0)
    """The standard uncertainty of the splitting, which is part of the likelihood. Zero fixes the splitting, and null
    frees it."""
    ratio_freedom: float = setting(0.10, source="twice the 5 % by which Scofield's cross-sections deviate", gt=0)
    """The relative standard uncertainty of the ratio of degeneracies, which is part of the likelihood."""
    lorentzian: tuple[float, float] = setting((0.1, 0.1), "eV")
    """The lifetime widths of the stronger and the weaker line. Fits start there where the widths are free."""
    free_lorentzian: Literal["none", "shared", "each"] = "none"
    """Whether lifetime widths are fitted: not at all, one for both lines, or one for each line, as Coster–Kronig decay
    needs it."""
    asymmetry: float = setting(0.0, source="Doniach & Šunjić, doi 10.1088/0022-3719/3/2/010", ge=0, le=0.5)
    """The exponent α of the asymmetric line of a metal, at which its fit starts; zero for a symmetric line. The line is
    convolved with the Gaussian of the instrument, and its area, which has no end, is counted to 10 eV above it. Pt 4f
    has about 0.2. Free the lifetime width with it."""
    own_width: bool = False
    """Whether the Gaussian width of this level is fitted by itself (an oxide beside a hydroxide). Without it, the level
    has the width that the levels of its window share."""
    follows: str | None = None
    """The level to which this one keeps its expected distance."""
    label: str = ""
    """The text over the line in figures. Without it, the name of the line is used."""


class XpsModel(Section):
    """One of the competing models of a window."""

    lines: list[str]
    """The levels of the model."""
    splitting: dict[str, float | None] = setting({}, "eV")
    """The splittings that are held fixed in this model, by level. Null frees a splitting."""


class XpsWindow(Section):
    """A narrow region, by its name in the file. A region of another name is taken if it covers the window."""

    low: float = setting(..., "eV")
    """The lowest binding energy that is used, corrected for charging."""
    high: float = setting(..., "eV")
    """The highest binding energy that is used, corrected for charging."""
    polynomial: Literal[0, 1, 2] = 1
    """The degree of the baseline under lines and background. It is 2 where a broad Auger line lies beneath."""
    models: dict[str, XpsModel] = {}
    """The competing models, the physical one first. Only the window of a Fermi edge has none."""


class XpsSettings(Section):
    """Settings of the XPS analysis."""

    reference: Literal["carbon", "line", "fermi_edge", "calibrated", "none"] = "carbon"
    """What the energies are referred to: C 1s where it was measured and stands out, and otherwise nothing (`carbon`);
    the first line of a window, which must stand out (`line`); the Fermi edge in a window (`fermi_edge`); nothing,
    because the file is calibrated already (`calibrated`), or because nothing is known (`none`)."""
    reference_window: str = "C1s"
    """The window of the reference: its first line, or its Fermi edge. It is not used for calibrated files."""
    unreferenced_uncertainty: float = setting(1.0, "eV", source="judgement: what a flood gun leaves", ge=0)
    """The standard uncertainty of energies without a reference. With lines of a metal (`asymmetry`) it is 0.2 eV, the
    calibration of the instrument, because a metal does not charge."""
    reference_energy: float = setting(284.8, "eV", source="usual practice; the value of IUPAC is 285.0")
    """The binding energy that is given to the reference: of adventitious carbon, of any other line (Au 4f7/2: 84.0), or
    of the Fermi edge (0)."""
    reference_uncertainty: float = setting(
        0.25, "eV", source="284.91 ± 0.25 on insulators (xpsfitting.com); IUPAC, doi 10.1351/goldbook.09305", ge=0
    )
    """The standard uncertainty of the energy of the reference, which is a systematic error of all energies. That of
    adventitious carbon may be larger (doi 10.1016/j.pmatsci.2019.100591); a Fermi edge or a metal is good to some
    0.05 eV."""
    backgrounds: list[Literal["shirley", "tougaard"]] = Field(["shirley", "tougaard"], min_length=1)
    """The backgrounds that are compared by AICc for the first model of each window. The other models use the first
    background."""
    shapes: list[Literal["voigt", "gl", "sgl", "doniach_sunjic"]] = Field(
        ["voigt", "gl", "doniach_sunjic"], min_length=1
    )
    """The line shapes that are compared by AICc for the first model of each window, on its first background. All other
    fits use the first shape."""
    lines: dict[str, XpsLine] = {}
    """The core levels by name: element, orbital and, if needed, the chemical state."""
    windows: dict[str, XpsWindow] = {}
    """The windows by the name of their region in the file."""
    readings: dict[str, dict[str, float]] = setting({}, "eV")
    """The published binding energies with which lines are compared, by line and by the name of the source."""
    sensitivity: dict[str, float] = setting({})
    """The photoionization cross-sections relative to that of C 1s, by level, with both lines of a doublet together. The
    factor of `Ti 2p` holds for all of its chemical states, unless a state (`Ti 2p Ti3`) has its own. Only one level of
    an element may have factors, and the areas of its states are added. The escape depth and the transmission of the
    analyser are corrected separately."""
    sensitivity_uncertainty: float = setting(0.10, source="standardless quantification is good to about 10 %", ge=0)
    """The relative standard uncertainty of each factor: cross-section, escape depth, transmission, and the angular
    asymmetry, which is not corrected."""
    escape_exponent: float = setting(0.75, source="describes TPP-2M between 500 and 1,500 eV", ge=0, le=1)
    """The exponent of the kinetic energy in the escape depth."""
    photon_energy: float = setting(1486.6, "eV", source="Al Kα", gt=0)
    """The energy of the photons where the file does not give it."""
    survey_region: str = ""
    """The region that holds the survey. Without a name it is the widest region of more than 300 eV, if there is one."""
    survey_lines: dict[str, float] = setting({}, "eV")
    """The binding energies at which lines are searched for in the survey, by line."""

    @model_validator(mode="before")
    @classmethod
    def _with_present_names(cls, given: Any) -> Any:
        """Give settings under former names their present ones."""
        if not isinstance(given, Mapping):
            return given
        if twice := [old for old, new in FORMER.items() if old in given and new in given]:
            raise ValueError(f"'{twice[0]}' is the former name of '{FORMER[twice[0]]}'; keep one of them")
        return {FORMER.get(name, name): value for name, value in given.items()}

    @model_validator(mode="after")
    def _names_exist(self) -> "XpsSettings":
        """Refuse names that point nowhere."""
        needed = self.reference in ("line", "fermi_edge") or "reference_window" in self.model_fields_set
        if (
            self.windows
            and needed
            and self.reference not in ("calibrated", "none")
            and self.reference_window not in self.windows
        ):
            raise ValueError(
                f"reference_window '{self.reference_window}' (formerly carbon_window) is not one of "
                f"{', '.join(self.windows)}"
            )
        for name, window in self.windows.items():
            if not window.models and (self.reference, self.reference_window) != ("fermi_edge", name):
                raise ValueError(f"windows.{name}.models: names no model")
            for model, entry in window.models.items():
                for level in [*entry.lines, *entry.splitting]:
                    if level not in self.lines:
                        raise ValueError(f"windows.{name}.models.{model}: no line '{level}' under lines")
                for level in entry.lines:
                    leader = self.lines[level].follows
                    if leader is not None and leader not in entry.lines:
                        raise ValueError(f"windows.{name}.models.{model}: '{level}' follows the missing '{leader}'")
        return self

    @model_validator(mode="after")
    def _one_level_an_element(self) -> "XpsSettings":
        """Refuse factors of two levels of one element, whose atoms would be counted twice."""
        levels: dict[str, str] = {}
        for name in self.sensitivity:
            element, level = name.split()[0], " ".join(name.split()[:2])
            if levels.setdefault(element, level) != level:
                raise ValueError(
                    f"sensitivity: {levels[element]} and {level} are two levels of {element}, whose atoms would count "
                    "twice; keep the factor of the level that is to be used"
                )
        return self
