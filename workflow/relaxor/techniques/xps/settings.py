"""Settings of the XPS analysis."""

from typing import Literal

from pydantic import Field, model_validator

from relaxor.core.section import Section


class XpsLine(Section):
    """A core level: one line, or a spin–orbit doublet whose ratio of areas follows from degeneracy."""

    position: float
    """Expected binding energy of the stronger line, charge-corrected (eV); a start value unless followed."""
    splitting: float = Field(0.0, ge=0)
    """Spin–orbit splitting (eV); 0 for an s level."""
    splitting_tolerance: float | None = Field(0.0, ge=0)
    """Standard uncertainty of the splitting (eV), part of the likelihood; 0 fixes it, null frees it."""
    ratio_freedom: float = Field(0.10, gt=0)
    """Relative standard uncertainty of the ratio of degeneracies, part of the likelihood: twice the 5 % by which
    Scofield's cross-sections deviate from it (Bi 4f 0.786 against 0.75)."""
    lorentzian: tuple[float, float] = (0.1, 0.1)
    """Lifetime widths of the stronger and the weaker line (eV); start values where they are free."""
    free_lorentzian: Literal["none", "shared", "each"] = "none"
    """Whether lifetime widths are fitted: not, one for both lines, or one each (Coster–Kronig broadening)."""
    follows: str | None = None
    """Level to which this one keeps its expected distance."""


class XpsModel(Section):
    """One of the competing models of a window."""

    lines: list[str]
    """Levels of the model."""
    splitting: dict[str, float | None] = {}
    """Level → splitting held fixed in this model (eV); null frees it."""


class XpsWindow(Section):
    """A narrow region of the file, named as the region is."""

    low: float
    """Lowest binding energy used, charge-corrected (eV)."""
    high: float
    """Highest binding energy used, charge-corrected (eV)."""
    polynomial: Literal[0, 1, 2] = 1
    """Degree of the baseline under lines and their background: 2 where a broad Auger line lies beneath."""
    models: dict[str, XpsModel]
    """Competing models, the physical one first."""


class XpsSettings(Section):
    """Settings of the XPS analysis; units and defaults beside each."""

    carbon_window: str = "C1s"
    """Window whose first line is the charge reference."""
    carbon_energy: float = Field(284.8, gt=280, lt=290)
    """Binding energy given to adventitious carbon (eV); the usual practice, IUPAC's nominal value is 285.0."""
    carbon_uncertainty: float = Field(0.25, ge=0)
    """Standard uncertainty of that energy (eV), systematic: 284.91 ± 0.25 found on insulators (xpsfitting.com), range
    284.6–285.2 (IUPAC, doi 10.1351/goldbook.09305)."""
    backgrounds: list[Literal["shirley", "tougaard"]] = ["shirley", "tougaard"]
    """Backgrounds compared by AICc on the first model of each window; the first serves the other models."""
    lines: dict[str, XpsLine] = {}
    """Core levels by name: element, orbital and, if needed, the chemical state."""
    windows: dict[str, XpsWindow] = {}
    """Windows by the name of their region in the file."""
    readings: dict[str, dict[str, float]] = {}
    """Line → name → published binding energy (eV) that ours is compared with."""
    sensitivity: dict[str, float] = {}
    """Level → photoionization cross-section at Al Kα over that of C 1s, both lines of a doublet. Escape depth and the
    analyser's transmission are corrected apart from it."""
    sensitivity_uncertainty: float = Field(0.10, ge=0)
    """Relative standard uncertainty of each factor: cross-section, escape depth, transmission and the angular
    asymmetry, which is not corrected (standardless quantification is good to about 10 %)."""
    escape_exponent: float = Field(0.75, ge=0, le=1)
    """Escape depth ∝ kinetic energy to this power; 0.75 describes TPP-2M between 500 and 1,500 eV."""
    photon_energy: float = Field(1486.6, gt=0)
    """Al Kα (eV), where the file does not give it."""
    survey_region: str = "Su1s"
    """Region of the survey; the name SmartSoft gives it."""
    survey_lines: dict[str, float] = {}
    """Line → binding energy (eV) looked for in the survey."""

    @model_validator(mode="after")
    def _names_exist(self) -> "XpsSettings":
        """Refuse names that point nowhere."""
        if self.windows and self.carbon_window not in self.windows:
            raise ValueError(f"carbon_window '{self.carbon_window}' is not one of {', '.join(self.windows)}")
        for name, window in self.windows.items():
            for model, entry in window.models.items():
                for level in [*entry.lines, *entry.splitting]:
                    if level not in self.lines:
                        raise ValueError(f"windows.{name}.models.{model}: no line '{level}' under lines")
                for level in entry.lines:
                    leader = self.lines[level].follows
                    if leader is not None and leader not in entry.lines:
                        raise ValueError(f"windows.{name}.models.{model}: '{level}' follows '{leader}', not in it")
        return self
