"""The settings: typed, closed, checked before anything runs; the JSON schema is generated from them."""

import difflib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import ValidationError

from relaxor.config.afm import Afm
from relaxor.config.base import Section
from relaxor.config.crossbar import Crossbar
from relaxor.config.devices import Devices
from relaxor.config.edx import Edx
from relaxor.config.growth import Growth
from relaxor.config.hysteresis import Hysteresis
from relaxor.config.inpainting import Inpainting
from relaxor.config.light import Encoder, Light
from relaxor.config.pfm import Pfm
from relaxor.config.pulses import Pulses
from relaxor.config.raman import Raman
from relaxor.config.schematics import Bands, OpticalDevice
from relaxor.config.shg import Shg
from relaxor.config.stem import Stem
from relaxor.config.structure import Structure
from relaxor.config.sweeps import Sweeps
from relaxor.config.xps import Xps
from relaxor.config.xrd import Xrd
from relaxor.errors import AnalysisError, SheetError
from relaxor.readers.text_table import TableDescription


class Settings(Section):
    """Everything that can be set."""

    sheet: str = "config/measurements.tsv"
    """The measurement sheet."""
    figures: str = "config/figures.yaml"
    """Figures, their panels and captions."""
    claims: str = "config/claims.yaml"
    """Numbers that the paper reports."""
    literature: str = "config/literature.csv"
    """What papers state of other devices."""
    results: str = "results"
    """Folder of all results."""
    sample: str = "cbps"
    """Sample whose figures are drawn and whose numbers are compared with the paper."""
    formats: list[Literal["pdf", "svg", "png"]] = ["pdf", "svg", "png"]
    """File formats of the figures; the report shows png."""
    checks: str = "config/checks.yaml"
    """Physics that results must obey."""
    tables: dict[str, TableDescription] = {}
    """How to read text tables that do not describe themselves; the sheet names them."""
    structure: Structure = Structure()
    growth: Growth = Growth()
    xrd: Xrd = Xrd()
    raman: Raman = Raman()
    xps: Xps = Xps()
    shg: Shg = Shg()
    hysteresis: Hysteresis = Hysteresis()
    edx: Edx = Edx()
    afm: Afm = Afm()
    pfm: Pfm = Pfm()
    stem: Stem = Stem()
    sweeps: Sweeps = Sweeps()
    devices: Devices = Devices()
    optical_device: OpticalDevice = OpticalDevice()
    bands: Bands = Bands()
    pulses: Pulses = Pulses()
    light: Light = Light()
    encoder: Encoder = Encoder()
    inpainting: Inpainting = Inpainting()
    crossbar: Crossbar = Crossbar()


def validate_settings(values: Mapping[str, Any], source: Path | str = "config/config.yaml") -> Settings:
    """Check settings.

    Raises
    ------
    SheetError
        One line a mistake: file, key, what was found, what is allowed, the nearest valid name.
    """
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise SheetError("\n".join(_explain(detail, source) for detail in error.errors())) from None
    except AnalysisError as error:  # a chip that cannot exist
        raise SheetError(f"{source}: crossbar.{error}") from None


def load_settings(path: Path | str) -> Settings:
    """Load and check a settings file."""
    try:
        values = yaml.safe_load(Path(path).read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SheetError(f"{path}: cannot be read: {' '.join(str(error).split())}") from error
    if not isinstance(values, dict):
        raise SheetError(f"{path}: expected 'name: value' lines, found {type(values).__name__}")
    return validate_settings(values, path)


def schema() -> str:
    """Return the JSON schema of the settings as text."""
    return json.dumps(Settings.model_json_schema(), indent=1, ensure_ascii=False) + "\n"


def _explain(detail: Any, source: Path | str) -> str:
    key = ".".join(str(part) for part in detail["loc"])
    if detail["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        allowed = _names(detail["loc"][:-1])
        near = difflib.get_close_matches(str(detail["loc"][-1]), allowed, 1)
        hint = f"did you mean '{near[0]}'?" if near else f"allowed: {', '.join(allowed)}"
        return f"{source}: {key}: unknown setting; {hint}"
    return f"{source}: {key}: {detail['msg']} (found {detail['input']!r})"


def _names(location: tuple[Any, ...]) -> list[str]:
    model: Any = Settings
    for part in location:
        field = getattr(model, "model_fields", {}).get(part)
        model = field.annotation if field else TableDescription
    return list(getattr(model, "model_fields", None) or model.__dataclass_fields__)
