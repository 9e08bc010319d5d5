"""Settings of the XPS analysis."""

from typing import Literal

from pydantic import Field, model_validator

from relaxor.config.base import Section


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


LINES = {
    "Cu 2p": XpsLine(
        position=932.6,
        splitting=19.8,
        lorentzian=(0.6, 1.0),
        free_lorentzian="each",
    ),
    "Bi 4s": XpsLine(position=939.0, lorentzian=(8.5, 8.5), follows="Cu 2p"),
    "Bi 4f": XpsLine(
        position=158.1, splitting=5.31, splitting_tolerance=0.02, lorentzian=(0.3, 0.3), free_lorentzian="shared"
    ),
    "Se 3p": XpsLine(
        position=160.7, splitting=5.75, splitting_tolerance=0.2, lorentzian=(2.0, 2.0), free_lorentzian="shared"
    ),
    "P 2p": XpsLine(position=131.2, splitting=0.87, splitting_tolerance=0.03),
    "Se 3d": XpsLine(position=54.1, splitting=0.86, splitting_tolerance=0.02),
    "C 1s": XpsLine(position=284.8),
    "C 1s C-O": XpsLine(position=286.3, follows="C 1s"),
    "C 1s O-C=O": XpsLine(position=288.6, follows="C 1s"),
}
WINDOWS = {
    "Cu2p": XpsWindow(
        low=926.0,
        high=964.0,
        models={
            "accepted_splitting": XpsModel(lines=["Cu 2p", "Bi 4s"], splitting={"Cu 2p": 19.8}),
            "printed_splitting": XpsModel(lines=["Cu 2p", "Bi 4s"], splitting={"Cu 2p": 16.9}),
            "free_splitting": XpsModel(lines=["Cu 2p", "Bi 4s"], splitting={"Cu 2p": None}),
        },
    ),
    "Bi4f": XpsWindow(
        low=152.5,
        high=171.5,
        models={
            "bi_4f_and_se_3p": XpsModel(lines=["Bi 4f", "Se 3p"]),
            "bi_4f_alone": XpsModel(lines=["Bi 4f"]),
        },
    ),
    "P2p": XpsWindow(low=125.5, high=139.5, models={"p_2p": XpsModel(lines=["P 2p"])}),
    "Se3d": XpsWindow(low=48.5, high=62.5, models={"se_3d": XpsModel(lines=["Se 3d"])}),
    "C1s": XpsWindow(
        low=279.0,
        high=295.0,
        polynomial=2,
        models={"adventitious_carbon": XpsModel(lines=["C 1s", "C 1s C-O", "C 1s O-C=O"])},
    ),
}


class Xps(Section):
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
    lines: dict[str, XpsLine] = LINES
    """Core levels by name: element, orbital and, if needed, the chemical state."""
    windows: dict[str, XpsWindow] = WINDOWS
    """Windows by the name of their region in the file."""
    readings: dict[str, dict[str, float]] = {
        "Cu 2p3/2": {"printed": 935.58, "presumed": 932.58},
        "Cu 2p1/2": {"printed": 952.48},
        "Bi 4f7/2": {"printed": 158.15},
        "Bi 4f5/2": {"printed": 163.45},
        "P 2p3/2": {"printed": 131.2},
        "P 2p1/2": {"printed": 132.1},
        "Se 3d5/2": {"printed": 54.1},
        "Se 3d3/2": {"printed": 54.95},
    }
    """Line → name → published binding energy (eV). Cu 2p3/2 is printed as 935.58, 16.90 eV from its partner; 932.58 is
    what a misprint of one digit would make of the accepted splitting."""
    sensitivity: dict[str, float] = {"Cu 2p": 25.39, "Bi 4f": 24.83, "P 2p": 1.192, "Se 3d": 2.294}
    """Level → photoionization cross-section at Al Kα over that of C 1s, both lines of a doublet: J. H. Scofield,
    J. Electron Spectrosc. Relat. Phenom. 8, 129 (1976), doi 10.1016/0368-2048(76)80015-1. Escape depth and the
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
    survey_lines: dict[str, float] = {
        "Cu 2p3/2": 932.6,
        "Cu 2p1/2": 952.4,
        "O 1s": 532.0,
        "Bi 4d5/2": 440.1,
        "Bi 4d3/2": 464.0,
        "C 1s": 284.8,
        "Se 3s": 229.6,
        "Bi 4f7/2": 158.1,
        "P 2p": 131.5,
        "Se 3d": 54.3,
        "Bi 5d": 25.0,
    }
    """Line → binding energy (eV) looked for in the survey (X-ray Data Booklet, section 1.1)."""

    @model_validator(mode="after")
    def _names_exist(self) -> "Xps":
        """Refuse names that point nowhere."""
        if self.carbon_window not in self.windows:
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
