"""The settings: typed, closed, checked before anything runs; the JSON schema is generated from them."""

import difflib
import json
from collections.abc import Mapping
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args

import yaml
from pydantic import ValidationError, model_validator

from relaxor.core.errors import AnalysisError, SheetError
from relaxor.core.section import Section
from relaxor.crossbar.settings import Crossbar
from relaxor.figures.schematic_settings import Bands, OpticalDevice
from relaxor.inpainting.settings import Inpainting
from relaxor.project.comparisons import Devices, OurNumber
from relaxor.readers.tables.text_table import TableDescription
from relaxor.techniques.afm.settings import Afm
from relaxor.techniques.edx.settings import Edx
from relaxor.techniques.electrical_pulses.settings import Pulses
from relaxor.techniques.growth.settings import Growth
from relaxor.techniques.hysteresis.settings import Hysteresis
from relaxor.techniques.iv_sweeps.settings import Sweeps
from relaxor.techniques.optical_pulses.settings import Encoder, Light
from relaxor.techniques.pfm.settings import Pfm
from relaxor.techniques.raman.settings import Raman
from relaxor.techniques.shg.settings import Shg
from relaxor.techniques.stem.settings import Stem
from relaxor.techniques.structure.settings import Structure
from relaxor.techniques.xps.settings import Xps
from relaxor.techniques.xrd.settings import Xrd


class Techniques(Section):
    """How each technique is analysed."""

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
    pulses: Pulses = Pulses()
    light: Light = Light()


class Settings(Techniques):
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
    samples: dict[str, Techniques] = {}
    """Sample → what is set otherwise for it: its lines, its cell, its elements. A setting that is left out is that of
    all samples; one that is given stands in its place as a whole."""
    comparison: list[OurNumber] = []
    """Numbers that are drawn beside each other where samples share a technique."""
    devices: Devices = Devices()
    optical_device: OpticalDevice = OpticalDevice()
    bands: Bands = Bands()
    encoder: Encoder = Encoder()
    inpainting: Inpainting = Inpainting()
    crossbar: Crossbar = Crossbar()

    @model_validator(mode="before")
    @classmethod
    def _inherit(cls, values: Any) -> Any:
        """Complete the settings of each sample by those of all samples; what is no mapping is refused afterwards."""
        samples = values.get("samples")
        if not isinstance(samples, Mapping):
            return values
        common = {name: values.get(name, {}) for name in Techniques.model_fields}
        return {**values, "samples": {sample: _merged(common, own, 2) for sample, own in samples.items()}}

    @model_validator(mode="after")
    def _read_outs_of_holes(self) -> "Settings":
        if others := sorted(set(self.crossbar.read_outs) - set(self.inpainting.holes)):
            raise AnalysisError(f"read_outs: holes {others} are not among inpainting.holes, {self.inpainting.holes}")
        return self

    def of(self, sample: str) -> Techniques:
        """Return the settings of the techniques for one sample."""
        return self.samples.get(sample, self)


def _merged(common: Any, own: Any, depth: int) -> Any:
    """Return ``common`` with the entries of ``own`` in their place, down to a depth."""
    if not depth or not isinstance(common, Mapping) or not isinstance(own, Mapping):
        return own
    return {**common, **{name: _merged(common.get(name), value, depth - 1) for name, value in own.items()}}


MATERIAL = {"xps": "windows", "edx": "elements", "stem": "a"}
"""Technique → the setting of the material without which it cannot be analysed."""


def lacking_setting(technique: str, sample: str, settings: Settings) -> str:
    """Say which setting of a sample is missing for a technique; nothing if none is."""
    name = MATERIAL.get(technique)
    if name is None or getattr(getattr(settings.of(sample), technique), name):
        return ""
    return f"needs the setting samples.{sample}.{technique}.{name} in config/config.yaml"


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
        found = error.errors()
        places = {detail["loc"] for detail in found}
        # What is wrong for all samples is not said again for each.
        first = [detail for detail in found if detail["loc"][:1] != ("samples",) or detail["loc"][2:] not in places]
        raise SheetError("\n".join(_explain(detail, source) for detail in first)) from None
    except AnalysisError as error:  # a chip that cannot exist, read-outs of no decoder
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
    """List the settings that there are at a place."""
    model: Any = Settings
    for part in location:
        field = getattr(model, "model_fields", {}).get(part)
        inner = [kind for kind in get_args(model) if kind is not NoneType]
        model = field.annotation if field else inner[-1] if inner else model
    fields: Mapping[str, Any] = getattr(model, "model_fields", None) or getattr(model, "__dataclass_fields__", {})
    return list(fields)
