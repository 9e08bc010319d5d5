import pytest
from relaxor.core.errors import SheetError
from relaxor.core.results import Measurement
from relaxor.project.figure_list import load_figures
from relaxor.project.layers import resolve
from relaxor.project.settings import load_settings, schema
from relaxor.techniques.registry import techniques


def test_the_shipped_settings_are_valid_and_state_no_default(root):
    """A project states what differs; what it leaves out stands in docs/settings.md."""
    settings = load_settings(root / "config/config.yaml")
    assert settings.sample == "cbps"
    for name in settings.model_fields_set:
        section = getattr(settings, name)
        if hasattr(section, "model_fields_set") and name != "bands":
            default = type(section).model_construct()
            for key in section.model_fields_set:
                assert getattr(section, key) != getattr(default, key, None), f"{name}.{key} is the default"


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
        ("- a\n", "expected 'name: value' lines, found list"),
        ("a: [", "cannot be read"),
        (
            "crossbar: {read_outs: {9: [a.csv]}}\n",
            r"crossbar.read_outs: holes \[9\] are not among inpainting",
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


def test_former_names_of_techniques_work_in_every_layer(tmp_path, caplog):
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
