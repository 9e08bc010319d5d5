"""The settings of a project, from which the JSON schema is generated.

Settings have types, unknown settings are refused, and everything is checked before anything runs. Sections of
techniques may be given at the top of the settings file (for the lab), under an instrument and under a sample; see
`relaxor.project.layers`.
"""

import difflib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args

from pydantic import Field, PositiveInt, PrivateAttr, ValidationError, create_model, field_validator, model_validator

from relaxor.core.errors import AnalysisError, SheetError
from relaxor.core.section import Section, fields_of, read_yaml
from relaxor.crossbar.settings import Crossbar
from relaxor.figures.schematic_settings import Bands, OpticalDevice
from relaxor.inpainting.settings import Encoder, Inpainting
from relaxor.project.layers import LAB, SAMPLE, resolve
from relaxor.project.lists import Devices, Selector
from relaxor.project.sheet import load_sheet, unusable_name
from relaxor.readers import TableDescription
from relaxor.techniques.registry import current_name, techniques

_SECTIONS: dict[str, Any] = {
    name: (technique.settings, Field(default_factory=technique.settings, description=f"{technique.title}."))
    for name, technique in techniques().items()
}
TechniqueSections = create_model("TechniqueSections", __base__=Section, **_SECTIONS)
"""A section for each technique."""


class _Instrument(Section):
    header: str = ""
    """Pattern (``*`` stands for any text) of the name that raw files give the instrument. The column ``instrument`` of
    the sheet takes precedence."""


Instrument = create_model("Instrument", __base__=_Instrument, **_SECTIONS)
"""The settings that belong to an instrument (resolution, calibration, uncertainty, radiation), as sections of
techniques."""


INPUTS = ("config", "notebooks", "raw_data", "workflow")
"""Folders of a project that hold no results."""


class Settings(Section):
    """Everything that can be set, apart from the sections of techniques."""

    sheet: str = "config/measurements.tsv"
    """Path of the measurement sheet."""
    figures: str = "config/figures.yaml"
    """Path of the list of figures, with their panels and captions."""
    claims: str = "config/claims.yaml"
    """Path of the list of numbers that a paper reports."""
    literature: str = "config/literature.csv"
    """Path of the table of values that papers state for other devices."""
    checks: str = "config/checks.yaml"
    """Path of the list of physical constraints that the results must satisfy."""
    validation: str = "config/validation.yaml"
    """Path of the registry of public raw data with published numbers."""
    notebooks: list[str] = ["explore"]
    """Notebooks that are executed, by the names of their files in the folder ``notebooks`` of the project or, if it has
    no such file, of relaxor. Notebooks that show a panel which is not drawn are left out."""
    results: str = "results"
    """Folder of all results, below the folder of the project."""
    sample: str = ""
    """Sample whose figures are drawn and whose numbers are compared with the paper. Without it, this is the first
    sample of the sheet."""
    formats: list[Literal["pdf", "svg", "png"]] = ["pdf", "svg", "png"]
    """File formats of the figures. The report shows the png files."""
    pdf_fonts: Literal[3, 42] = 3
    """Type of the fonts in PDF files. 42 embeds whole TrueType fonts, which some publishers require, and takes half as
    long again to draw."""
    size_limits: dict[str, PositiveInt] = {}
    """Size in MiB up to which files of a format are read, by the name of the format, in place of the limit of the
    format."""
    tables: dict[str, TableDescription] = {}
    """Descriptions of text tables that do not describe themselves, by the name that the sheet uses."""
    instruments: dict[str, Instrument] = {}
    """The settings of techniques that belong to an instrument, such as resolution, calibration, uncertainties and
    radiation, by the name of the instrument."""
    samples: dict[str, TechniqueSections] = {}
    """The settings of techniques that belong to a sample, such as its lines, its cell and its elements, by the name of
    the sample."""
    comparison: list[Selector] = []
    """Numbers that are drawn side by side for samples that share a technique."""
    devices: Devices = Devices()
    """Comparison of our numbers with those of the literature."""
    optical_device: OpticalDevice | None = None
    """Constants of the schematic of the device under light."""
    bands: Bands | None = None
    """Constants of the band diagram of the contact."""
    encoder: Encoder = Encoder()
    """Settings of the fitted device as an encoder of images."""
    inpainting: Inpainting = Inpainting()
    """Settings of the letters, their decoders and the training of the decoders."""
    crossbar: Crossbar = Crossbar()
    """Settings of the memristor chip."""

    _given: Mapping[str, Any] = PrivateAttr(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, values: Any) -> Any:
        """Check each sample and each instrument together with the settings of the lab.

        A value that is not a mapping is left unchanged and refused afterwards.
        """
        if not isinstance(values, Mapping):
            return values
        lab = {name: values[name] for name in techniques() if name in values}
        completed = dict(values)
        for key, instrument in (("samples", False), ("instruments", True)):
            if isinstance(values.get(key), Mapping):
                completed[key] = {
                    name: _merged(own, lab) if instrument else _merged(lab, own)
                    for name, own in values[key].items()
                    if isinstance(own, Mapping)
                } | {name: own for name, own in values[key].items() if not isinstance(own, Mapping)}
        return completed

    @field_validator("results")
    @classmethod
    def _below(cls, folder: str) -> str:
        """Refuse a folder elsewhere, because settings of others must not write there."""
        parts = Path(folder).parts
        if not parts or Path(folder).is_absolute() or ".." in parts or unusable_name(folder) or parts[0] in INPUTS:
            raise ValueError(f"'{folder}' is not a folder for results below that of the project")
        return folder

    @model_validator(mode="after")
    def _read_outs_of_holes(self) -> "Settings":
        if others := sorted(set(self.crossbar.read_outs) - set(self.inpainting.holes)):
            raise AnalysisError(f"read_outs: holes {others} are not among inpainting.holes, {self.inpainting.holes}")
        return self

    @property
    def given(self) -> Mapping[str, Any]:
        """What the settings file states, without defaults."""
        return self._given

    def load_sheet(
        self, root: Path | str = ".", panels: tuple[str, ...] | None = None, sheet: Path | str = ""
    ) -> list[dict[str, Any]]:
        """Load the sheet, or a file in its place, with the tables and instruments that the settings name.

        Parameters and errors are those of `relaxor.project.sheet.load_sheet`.
        """
        return load_sheet(Path(root) / (sheet or self.sheet), root, tuple(self.tables), panels, tuple(self.instruments))

    def layers(self, technique: str, sample: str) -> dict[str, Any]:
        """Return the layers of a technique for one sample, as plain values (see `resolve`)."""
        given = self.given
        instruments = {
            name: {"header": own.get("header", ""), "settings": own[technique]}
            for name, own in given.get("instruments", {}).items()
            if technique in own
        }
        sample_settings = given.get("samples", {}).get(sample, {}).get(technique, {})
        return {"instruments": instruments, LAB: given.get(technique, {}), SAMPLE: sample_settings}

    def plain_tables(self) -> dict[str, Any]:
        """Return the descriptions of text tables as plain values."""
        return self.model_dump(mode="json", include={"tables"})["tables"]


def _merged(lower: Mapping[str, Any], upper: Mapping[str, Any]) -> dict[str, Any]:
    """Merge two layers of sections; the settings of the upper one replace those of the lower one."""
    found = dict(lower)
    for name, section in upper.items():
        both = isinstance(section, Mapping) and isinstance(lower.get(name), Mapping)
        found[name] = {**lower[name], **section} if both else section
    return found


_Settings = create_model("Settings", __base__=Settings, **_SECTIONS)


def lacking_setting(technique: str, sample: str, settings: Settings) -> str:
    """Return a sentence about the setting of a sample that a technique lacks, or an empty string if none is missing."""
    found = techniques().get(technique)
    if found is None or not found.needed_setting:
        return ""
    resolved = resolve(found, settings.layers(technique, sample)).settings
    if getattr(resolved, found.needed_setting):
        return ""
    return f"needs the setting samples.{sample}.{technique}.{found.needed_setting} in config/config.yaml"


# --- loading --------------------------------------------------------------------------------------------------------
def validate_settings(values: Mapping[str, Any], source: Path | str = "config/config.yaml") -> Settings:
    """Check settings.

    Raises
    ------
    SheetError
        One line per mistake, with the file, the key, the value that was found, the allowed values, and the most similar
        valid name.
    """
    values = _with_current_names(values, source)
    try:
        settings = _Settings.model_validate(values, context={"file": source})
    except ValidationError as error:
        found = error.errors()
        places = {detail["loc"] for detail in found}
        # A mistake that concerns all samples is not reported again for each of them.
        nested = ("samples", "instruments")
        first = [each for each in found if each["loc"][:1][0] not in nested or each["loc"][2:] not in places]
        raise SheetError("\n".join(_explain(detail, source) for detail in first)) from None
    except AnalysisError as error:  # an impossible chip, or read-outs without a decoder
        raise SheetError(f"{source}: crossbar.{error}") from None
    settings._given = values
    return settings


def _with_current_names(values: Mapping[str, Any], source: Path | str) -> dict[str, Any]:
    """Give sections under former names of techniques their present names.

    Raises
    ------
    SheetError
        If one technique has two sections in one place.
    """

    def renamed(sections: Any, place: str) -> Any:
        if not isinstance(sections, Mapping):
            return sections
        names: dict[str, Any] = {}
        for name in sections:
            present = current_name(str(name), f"{place}{name}")
            if present in names:
                raise SheetError(
                    f"{place}{name}: '{names[present]}' and '{name}' are one technique; keep '{present}' only"
                )
            names[present] = name
        return {present: sections[name] for present, name in names.items()}

    found: dict[str, Any] = renamed(values, f"{source}: ")
    for key in ("samples", "instruments"):
        if isinstance(found.get(key), Mapping):
            found[key] = {name: renamed(own, f"{source}: {key}.{name}.") for name, own in found[key].items()}
    return found


def load_settings(path: Path | str) -> Settings:
    """Load and check a settings file."""
    values = read_yaml(path) or {}
    if not isinstance(values, dict):
        raise SheetError(f"{path}: expected 'name: value' lines, found {type(values).__name__}")
    return validate_settings(values, path)


def schema() -> str:
    """Return the JSON schema of the settings as text."""
    return json.dumps(_Settings.model_json_schema(), indent=1, ensure_ascii=False) + "\n"


def _explain(detail: Any, source: Path | str) -> str:
    key = ".".join(str(part) for part in detail["loc"])
    if detail["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        allowed = _names(detail["loc"][:-1])
        near = difflib.get_close_matches(str(detail["loc"][-1]), allowed, 1)
        hint = f"did you mean '{near[0]}'?" if near else f"allowed: {', '.join(allowed)}"
        return f"{source}: {key}: unknown setting; {hint}"
    problem = detail["msg"].removeprefix("Value error, ")
    found = "" if isinstance(detail["input"], Mapping) else f" (found {detail['input']!r})"
    return f"{source}: {key}: {problem}{found}"


def _names(location: Sequence[Any]) -> list[str]:
    """List the settings that exist at a place."""
    model: Any = _Settings
    for part in location:
        field = fields_of(model).get(part)
        inner = [kind for kind in get_args(model) if kind is not NoneType]
        model = field.annotation if field else inner[-1] if inner else model
    return list(fields_of(model))
