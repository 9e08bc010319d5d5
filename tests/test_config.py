from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

import pytest
import yaml
from pydantic import TypeAdapter
from relaxor.core.errors import SheetError
from relaxor.core.results import Measurement
from relaxor.core.section import fields_of, read_yaml
from relaxor.project.figure_list import load_figures
from relaxor.project.layers import resolve
from relaxor.project.settings import load_settings, schema, validate_settings
from relaxor.techniques import registry
from relaxor.techniques.registry import techniques


def test_the_shipped_settings_are_valid_and_state_no_default(root):
    """A project states what differs; what it leaves out stands in docs/settings.md."""
    path = root / "config/config.yaml"
    assert load_settings(path).sample == "cbps"
    assert list(restated(read_yaml(path), type(load_settings(path)))) == []


def restated(given: Any, kind: Any, place: str = "") -> Iterator[str]:
    """Yield the place of every value, at any depth, that is the default of its setting."""
    if get_origin(kind) in (Union, UnionType):  # an optional section
        kind = next(part for part in get_args(kind) if part is not NoneType)
    if fields := fields_of(kind):
        for name, value in given.items():
            field = fields[name]
            default = field.get_default(call_default_factory=True)
            if TypeAdapter(field.annotation).validate_python(value) == default:
                yield f"{place}{name}"
            else:
                yield from restated(value, field.annotation, f"{place}{name}.")
    elif get_origin(kind) in (dict, list):
        for name, value in given.items() if isinstance(given, dict) else enumerate(given):
            yield from restated(value, get_args(kind)[-1], f"{place}{name}.")


def test_a_restated_default_is_found_at_any_depth():
    text = """
    optical_device: {material: x, adhesion_metal: Cr, adhesion_thickness: 5, electrode_metal: Au,
      electrode_thickness: 45, flake_thickness: 8, oxide_thickness: 285, wavelengths: [650]}
    bands: {metal: Au, metal_work_function: 5.1, electron_affinity: 4.1, band_gap: 1.3, acceptor_density: 1.0e+17,
      relative_permittivity: 10, hole_mass: 1, temperature: 299}
    crossbar: {chip: {rows: 576, writing: {tries: 30, stuck: 0.1}}}
    instruments: {D8: {header: "", xrd: {line_profile: {u: 0.0015, v: 0}}}}
    samples:
      s: {edx: {elements: {Se: {atomic_weight: 79, families: {}, k_uncertainty: 0.1}}, reference: Se}}
      film: {stem: {sites: [{name: Se, label: ""}]}}
    devices: {numbers: {n: {technique: xrd, parameter: p, feature: "*"}}}
    comparison: [{technique: xrd, parameter: p, model: "*"}]
    tables: {t: {columns: {time: {unit: s, header: t, position: 0}}}}
    """
    assert list(restated(yaml.safe_load(text), type(validate_settings({})))) == [
        "bands.hole_mass",
        "crossbar.chip.rows",
        "crossbar.chip.writing.tries",
        "instruments.D8.header",
        "instruments.D8.xrd.line_profile.u",
        "samples.s.edx.elements.Se.k_uncertainty",
        "samples.film.stem.sites.0.label",
        "devices.numbers.n.feature",
        "comparison.0.model",
        "tables.t.columns.time.position",
    ]


def test_the_schema_is_in_step(root):
    assert (root / "workflow/schemas/config.schema.json").read_text(encoding="utf-8") == schema(), (
        "write it again: uv run relaxor schema > workflow/schemas/config.schema.json"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("raman:\n  baseline_degre: 3\n", "raman.baseline_degre: unknown setting; did you mean 'baseline_degree'?"),
        ("ramann: {}\n", "ramann: unknown setting; did you mean 'raman'?"),
        ("raman:\n  baseline_degree: many\n", r"raman.baseline_degree: .*integer.*\(found 'many'\)"),
        (
            "crossbar: {chip: {writing: {accurracy: 1}}}\n",
            "crossbar.chip.writing.accurracy: unknown setting; did you mean 'accuracy'?",
        ),
        ("- a\n", "expected 'name: value' lines, found list"),
        ("a: [", "cannot be read"),
        (f"raman: {'[' * 5000}\n", "lists or mappings stand too deeply within each other"),
        ("results: ../../x\n", "results: '../../x' is not a folder for results below that of the project"),
        ("results: /etc/x\n", "results: '/etc/x' is not a folder for results below that of the project"),
        ("results: raw_data/x\n", "results: 'raw_data/x' is not a folder for results below that of the project"),
        ("results: .\n", "results: '.' is not a folder for results below that of the project"),
        ("results: 'r{a}'\n", "results: 'r{a}' is not a folder for results below that of the project"),
        ("raman: {}\nxrd: {}\nraman: {significance: 9.0}\n", "'raman' stands twice in .*line 3"),
        (
            "crossbar: {read_outs: {9: [a.csv]}}\n",
            r"crossbar.read_outs: holes \[9\] are not among inpainting",
        ),
        (
            "xps: {lines: {C 1s: {position: 284.8}}, carbon_window: C2s, windows: {C1s: {low: 280, high: 290, "
            "models: {c: {lines: [C 1s]}}}}}\n",
            r"config.yaml: xps: reference_window 'C2s' \(formerly carbon_window\) is not one of C1s$",
        ),
    ],
)
def test_a_mistake_is_one_line_with_its_place(tmp_path, text, message):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(SheetError, match=message) as caught:
        load_settings(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def settings_of(settings, technique, sample, measurement=None):
    return resolve(techniques()[technique], settings.layers(technique, sample), measurement)


def test_a_sample_has_its_own_settings_and_those_of_all(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(
        "raman: {baseline_degree: 3, spike_width: 5}\n"
        "samples:\n  film: {raman: {baseline_degree: 1}, xrd: {line_profile: {u: 0.1}}}\n"
    )
    settings = load_settings(path)
    film = settings_of(settings, "raman", "film").settings
    assert (film.baseline_degree, film.spike_width) == (1, 5)
    assert settings_of(settings, "xrd", "film").settings.line_profile.u == 0.1
    assert settings_of(settings, "iv_sweeps", "film").settings == settings.iv_sweeps
    assert settings_of(settings, "raman", "another").settings == settings.raman


LAYERS = """
instruments:
  old: {iv_sweeps: {read_voltage: 0.1, smallest_voltage: 0.1, peak_window: 0.2, current_uncertainty: 0.05}}
  new: {header: "Keithley 4200*", iv_sweeps: {current_uncertainty: 0.002}}
iv_sweeps: {smallest_voltage: 0.2, peak_window: 0.3}
samples: {film: {iv_sweeps: {peak_window: 0.4}}}
"""


def taken(conditions=None, **attrs):
    return Measurement("sweep", attrs, conditions or {}, {})


def test_layers_stand_over_each_other_and_say_where_a_value_is_from(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(LAYERS)
    settings = load_settings(path)
    found = settings_of(settings, "iv_sweeps", "film", taken({"read_voltage": (50, "mV")}, instrument_named="old"))
    assert found.settings.read_voltage == pytest.approx(0.05)  # of the row, in volts
    assert (found.settings.smallest_voltage, found.settings.peak_window) == (0.2, 0.4)
    assert found.settings.current_uncertainty == 0.05
    assert found.layer_of == {
        "read_voltage": "row",
        "smallest_voltage": "lab",
        "peak_window": "sample",
        "compliance_tolerance": "library",
        "current_uncertainty": "instrument old",
        "gap_uncertainty": "library",
        "least_ratio": "library",
        "switching_voltage": "library",
    }


@pytest.mark.parametrize(
    ("attrs", "uncertainty"),
    [
        ({"instrument": "Keithley 4200A-SCS"}, 0.002),
        ({"instrument": "Keithley 4200A-SCS", "instrument_named": "old"}, 0.05),
        ({"instrument": "Keithley 2636B"}, 0.01),
    ],
)
def test_the_header_tells_the_instrument_where_the_sheet_does_not(tmp_path, attrs, uncertainty):
    path = tmp_path / "config.yaml"
    path.write_text(LAYERS)
    found = settings_of(load_settings(path), "iv_sweeps", "film", taken(**attrs))
    assert found.settings.current_uncertainty == uncertainty


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("instruments: {D8: {xrdd: {}}}\n", "instruments.D8.xrdd: unknown setting; did you mean 'xrd'?"),
        ("instruments: {D8: {xrd: {windw: 1}}}\n", "instruments.D8.xrd.windw: unknown setting; did you mean 'window'"),
        ("instruments: {D8: 3}\n", r"instruments.D8: .*found 3"),
    ],
)
def test_a_mistake_in_the_settings_of_an_instrument_is_one_line(tmp_path, text, message):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(SheetError, match=message) as caught:
        load_settings(path)
    assert "\n" not in str(caught.value)


def test_former_names_of_techniques_work_in_every_layer(tmp_path, caplog, monkeypatch):
    monkeypatch.setattr(registry, "NOTICED", set())
    path = tmp_path / "config.yaml"
    path.write_text(
        "sweeps: {read_voltage: 0.4}\nsamples: {film: {light: {read_time: 0.2}}}\n"
        "instruments: {old: {pulses: {read_time: 0.3}}}\n"
    )
    settings = load_settings(path)
    assert settings.iv_sweeps.read_voltage == 0.4
    assert settings_of(settings, "optical_pulses", "film").settings.read_time == 0.2
    named = settings_of(settings, "electrical_pulses", "film", taken(instrument_named="old"))
    assert named.settings.read_time == 0.3
    messages = {record.getMessage() for record in caplog.records}
    assert (
        f"{path}: samples.film.light: technique 'light' is called 'optical_pulses' now; the old name still works"
        in messages
    )
    assert len(messages) == 3


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("pulses: {read_time: 1}\nelectrical_pulses: {width: 2}\n", "electrical_pulses"),
        ("samples: {film: {electrical_pulses: {}, pulses: {}}}\n", "samples.film.pulses"),
        (
            "instruments: {old: {pulses: {}, electrical_pulses: {}}}\n",
            "instruments.old.electrical_pulses",
        ),
    ],
)
def test_two_sections_of_one_technique_are_refused_and_none_is_lost(tmp_path, text, place):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(
        SheetError, match=rf"{place}: '\w+' and '\w+' are one technique; keep 'electrical_pulses'"
    ) as caught:
        load_settings(path)
    assert str(path) in str(caught.value)


def test_a_former_name_in_a_list_is_said_with_its_file(tmp_path, caplog, monkeypatch):
    monkeypatch.setattr(registry, "NOTICED", set())
    path = tmp_path / "config.yaml"
    path.write_text("comparison:\n" + 7 * "  - {technique: sweeps, parameter: p}\n")
    assert {each.technique for each in load_settings(path).comparison} == {"iv_sweeps"}
    (record,) = caplog.records
    assert record.getMessage().startswith(f"{path}: technique 'sweeps' is called 'iv_sweeps' now")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("samples: {film: {ramann: {}}}\n", "samples.film.ramann: unknown setting; did you mean 'raman'?"),
        ("samples: {film: {raman: {mode: {}}}}\n", "samples.film.raman.mode: unknown setting; did you mean 'modes'?"),
        ("samples: {film: {edx: {elements: {}, reference: 3}}}\n", r"samples.film.edx.reference: .*string.*found 3"),
        ("samples: {film: 3}\n", r"samples.film: .*found 3"),
        ("samples: 3\n", r"samples: .*found 3"),
        ("raman: {baseline_degree: many}\nsamples: {film: {xrd: {}}}\n", "raman.baseline_degree: "),
        ("raman: 3\nsamples: {film: {raman: {}}}\n", r"raman: .*found 3"),
    ],
)
def test_a_mistake_in_the_settings_of_a_sample_is_one_line(tmp_path, text, message):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(SheetError, match=message) as caught:
        load_settings(path)
    assert "\n" not in str(caught.value)


def test_figures_show_every_panel_once(root):
    figures = load_figures(root / "config/figures.yaml")
    assert {*(f"figure{number}" for number in range(1, 5)), *(f"figureS{number}" for number in range(1, 14))} <= set(
        figures
    )
    ids = [panel.id for figure in figures.values() for panel in figure.panels.values()]
    assert len(ids) == len(set(ids))
    assert {*(f"1{letter}" for letter in "abcdefg"), *(f"2{letter}" for letter in "abcdefg")} <= set(ids)
    assert {*(f"3{letter}" for letter in "abcdefgh"), *(f"4{letter}" for letter in "abcde")} <= set(ids)


def test_a_layout_must_show_its_panels(tmp_path):
    path = tmp_path / "figures.yaml"
    path.write_text(
        "f:\n  title: t\n  category: c\n  part: p\n  height: 50\n  layout: [[a, b]]\n"
        "  panels: {a: {id: 1a, draw: x.y, caption: c}}\n"
    )
    with pytest.raises(SheetError, match=r"f: layout shows \['a', 'b'\], panels are \['a'\]"):
        load_figures(path)
