"""Settings that the techniques propose for a material, and their place in the settings file of a project.

They are written as text into the section of the sample, so that all else in the file, with comments, stays as it is.
"""

from collections.abc import Mapping
from pathlib import Path

import yaml

from relaxor.core.errors import SheetError
from relaxor.core.files import atomic
from relaxor.project.settings import Settings, load_settings, validate_settings
from relaxor.techniques.material import Material, Proposed
from relaxor.techniques.registry import techniques

WIDTH = 118
"""Longest line of YAML that is written."""
STEP = "  "


def proposed_settings(material: Material, sample: str, settings: Settings) -> dict[str, Proposed]:
    """Return what the techniques propose for a material, without those for which the sample has settings already."""
    given = settings.given.get("samples", {}).get(sample, {})
    found = {}
    for name, technique in techniques().items():
        if technique.propose is not None and name not in given and (proposed := technique.propose(material)):
            found[name] = proposed
    return found


def with_proposed(settings: Settings, sample: str, proposed: Mapping[str, Proposed]) -> Settings:
    """Return settings as they would be with what is proposed for a sample."""
    samples = dict(settings.given.get("samples", {}))
    samples[sample] = {**samples.get(sample, {}), **{name: dict(each.settings) for name, each in proposed.items()}}
    return validate_settings({**settings.given, "samples": samples})


def as_text(sample: str, material: Material, proposed: Mapping[str, Proposed]) -> str:
    """Return sections of a sample as YAML, each with its sources in comments."""
    key = sample if yaml.safe_load(sample) == sample else f'"{sample}"'  # a sample may be called 12 or on
    return f"{key}:\n" + _indented(_sections(material, proposed))


def _sections(material: Material, proposed: Mapping[str, Proposed]) -> str:
    parts = []
    for name, each in proposed.items():
        comments = [f"proposed for {material.name}; change what you know better", *each.sources]
        body = yaml.safe_dump(
            dict(each.settings), sort_keys=False, default_flow_style=None, width=WIDTH, allow_unicode=True
        )
        parts.append(f"{name}:\n" + _indented("".join(f"# {line}\n" for line in comments) + body))
    return "".join(parts)


def _indented(text: str) -> str:
    return "".join(f"{STEP}{line}\n" for line in text.splitlines())


def write(path: Path, sample: str, material: Material, proposed: Mapping[str, Proposed]) -> None:
    """Write sections of a sample into a settings file.

    Raises
    ------
    SheetError
        If the file would not be valid afterwards; it is then left unchanged.
    """
    text = path.read_bytes().decode()  # with the line ends that it has
    text += "\n" * (not text.endswith("\n"))
    with atomic(path) as temporary:
        temporary.write_bytes(_inserted(text, path, sample, material, proposed).encode())
        load_settings(temporary)


def _inserted(text: str, path: Path, sample: str, material: Material, proposed: Mapping[str, Proposed]) -> str:
    """Return the text of a settings file with sections of a sample."""
    samples = _value(yaml.compose(text, yaml.SafeLoader), "samples")
    if samples is None:
        return text + "samples:\n" + _indented(as_text(sample, material, proposed))
    own = _value(samples, sample)
    place, new = (samples, as_text(sample, material, proposed)) if own is None else (own, _sections(material, proposed))
    if not isinstance(place, yaml.MappingNode) or place.flow_style:
        raise SheetError(
            f"{path}: line {place.start_mark.line + 1}: the settings of samples stand in braces or are empty, so that "
            "nothing can be added; write them in lines of their own, or take over what --dry-run prints"
        )
    lines = text.splitlines(keepends=True)
    column = place.start_mark.column
    end = 1 + _last_line(place)
    added = "".join(f"{' ' * column}{line}\n" for line in new.splitlines())
    return "".join([*lines[:end], added, *lines[end:]])


def _value(node: yaml.Node | None, key: str) -> yaml.Node | None:
    """Return the value of a key of a mapping."""
    if not isinstance(node, yaml.MappingNode):
        return None
    return next((value for name, value in node.value if name.value == key), None)


def _last_line(node: yaml.Node) -> int:
    """Return the line on which a value ends, before the comments of what follows."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _last_line(last[1] if isinstance(last, tuple) else last)
    return int(node.end_mark.line)
