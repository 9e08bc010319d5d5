import pytest
from relaxor.core.errors import SheetError
from relaxor.project.figure_list import load_figures
from relaxor.project.settings import load_settings, schema


def test_the_shipped_settings_are_valid_and_state_every_setting(root):
    settings = load_settings(root / "config/config.yaml")
    for name in type(settings).model_fields:
        section = getattr(settings, name)
        if hasattr(section, "model_fields_set"):
            unstated = set(type(section).model_fields) - section.model_fields_set
            assert not unstated, f"config.yaml does not state {name}: {unstated}"


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


def test_a_sample_has_its_own_settings_and_those_of_all(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(
        "raman: {baseline_degree: 3, spike_width: 5}\n"
        "samples:\n  film: {raman: {baseline_degree: 1}, xrd: {instrument: {u: 0.1}}}\n"
    )
    settings = load_settings(path)
    assert (settings.of("film").raman.baseline_degree, settings.of("film").raman.spike_width) == (1, 5)
    assert settings.of("film").xrd.instrument.u == 0.1
    assert settings.of("film").sweeps == settings.sweeps
    assert settings.of("another").raman == settings.raman


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
        "f:\n  title: t\n  category: c\n  height: 50\n  layout: [[a, b]]\n"
        "  panels: {a: {id: 1a, draw: x.y, caption: c}}\n"
    )
    with pytest.raises(SheetError, match=r"f: layout shows \['a', 'b'\], panels are \['a'\]"):
        load_figures(path)
