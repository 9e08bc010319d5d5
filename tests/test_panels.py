"""Panels draw all that was analysed, however many items there are and whatever they are called."""

from collections.abc import Iterable
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer
from relaxor.figures.panel import Panel, PanelData
from relaxor.figures.shown import first_measurement
from relaxor.figures.style import GREY, REMARK, light_color, line_look, mark_flags, new_figure, remark, use_style
from relaxor.inpainting import panels as letters
from relaxor.reporting.overview import own_panels
from relaxor.synapse import panels as pulses
from relaxor.techniques.afm import panels as afm
from relaxor.techniques.afm import quantities as afm_numbers
from relaxor.techniques.hysteresis import panels as hysteresis
from relaxor.techniques.iv_sweeps import panels as sweeps
from relaxor.techniques.raman import panels as raman
from relaxor.techniques.registry import techniques
from relaxor.techniques.stem import panels as stem
from relaxor.techniques.xps import panels as xps
from relaxor.techniques.xrd import panels as xrd
from relaxor.techniques.xrd import quantities as xrd_numbers

COLUMNS = (
    "measurement",
    "model",
    "parameter",
    "feature",
    "at",
    "value",
    "standard_error",
    "systematic_error",
    "status",
)
SHA = "0" * 64


@pytest.fixture
def ax() -> Axes:
    use_style()
    return new_figure(89, 66).add_subplot()


def group(parts: dict[str, xr.Dataset], **attrs: object) -> xr.DataTree:
    tree = xr.DataTree.from_dict(parts)
    tree.attrs = {"origin": "measured", "raw_file": "a", "raw_sha256": SHA, **attrs}
    return tree


def panel_data(groups: dict[str, xr.DataTree], rows: Iterable[tuple[object, ...]] = ()) -> PanelData:
    return PanelData(groups, pd.DataFrame(list(rows), columns=COLUMNS))


def texts(ax: Axes) -> list[str]:
    """Return every text of the axes and of those in it."""
    found = [text.get_text() for text in ax.texts]
    return found + [text for inner in ax.child_axes for text in texts(inner)]


def looks(lines: Iterable[object]) -> set[tuple[object, ...]]:
    return {(line.get_color(), line.get_linestyle(), line.get_linewidth(), line.get_marker()) for line in lines}


def apart(ax: Axes, labels: Iterable[object]) -> bool:
    """Whether no label touches another one."""
    ax.figure.draw_without_rendering()
    boxes = sorted((label.get_window_extent() for label in labels), key=lambda box: box.y0)
    return all(low.y1 < high.y0 + 1.0 for low, high in pairwise(boxes))


def test_the_colour_of_light_follows_its_wavelength() -> None:
    colors = [light_color(wavelength) for wavelength in (850, 650, 590, 520, 450, 365)]
    assert len(set(colors)) == 6
    assert light_color(633) == light_color(650)


def test_every_wavelength_is_drawn(ax) -> None:
    power = xr.DataArray([0.1, 1.0, 10.0], dims="value", attrs={"units": "mW/cm^2"})
    points = xr.Dataset(
        {"response": ("value", [1e-12, 3e-12, 9e-12]), "response_uncertainty": ("value", [1e-13] * 3)}, {"value": power}
    )
    nm = (850.0, 650.0, 520.0, 450.0, 365.0)
    data = panel_data({f"{each:g}": group({"responses": points}, wavelength_nm=each) for each in nm})
    pulses.colours(ax, data)
    drawn = [each for each in ax.containers if isinstance(each, ErrorbarContainer)]
    assert len(drawn) == 5
    assert [each[0].get_color() for each in drawn] == [light_color(each) for each in nm]
    assert len(looks(each[0] for each in drawn)) == 5
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [f"{each:g} nm" for each in nm]


def tail(value: float, unit: str = "V") -> xr.Dataset:
    time = np.geomspace(0.1, 10, 20)
    current = 1e-12 * value * np.exp(-time)
    columns = {"law": ("time", current), "current": ("time", current)}
    return xr.Dataset(columns, {"time": time}, {"value": value, "value_units": unit})


@pytest.mark.parametrize("numbers", [(2,), range(1, 10)])
def test_every_relaxation_is_drawn(ax, numbers) -> None:
    data = panel_data({"m": group({f"tail_{number}": tail(1 + number / 100, "Hz") for number in numbers})})
    pulses.relaxation(ax, data)
    labels = [text for text in ax.texts if text.get_text().endswith(" Hz")]
    assert len(ax.containers) == len(labels) == len(numbers)
    assert apart(ax, labels)


def test_the_figures_of_a_sample_show_each_analysed_part() -> None:
    part = xr.Dataset({"current": ("time", [0.0])})
    for name in ("electrical_pulses", "optical_pulses"):
        shown = own_panels(
            techniques()[name], "m", group({"responses": part, "law": part, "trace_2": part, "tail_2": part})
        )
        assert [title for title, _ in shown] == ["m", "m: traces", "m: relaxation"]
    assert not Panel(print, needs="trace").can_show(group({"traces": part}))


def test_joined_pairs_of_many_devices_differ(ax) -> None:
    index = xr.Dataset(
        {"index": ("interval", [180.0, 120.0]), "index_uncertainty": ("interval", [1.0, 1.0])},
        {"interval": [0.01, 0.1]},
    )
    pulses.joined_pairs(ax, panel_data({f"d{number}": group({"joined_pairs": index}) for number in range(12)}))
    assert len(looks(each[0] for each in ax.containers)) == 12


def test_every_law_of_pairs_is_drawn(ax) -> None:
    interval = {"interval": [0.01, 0.1, 1.0]}
    points = xr.Dataset(
        {"index": ("interval", [180.0, 140.0, 110.0]), "index_uncertainty": ("interval", [1.0] * 3)}, interval
    )
    laws = xr.Dataset(
        {name: ("interval", [180.0, 140.0, 110.0], {"terms": terms}) for name, terms in (("single", 1), ("three", 3))},
        interval,
    )
    pulses.pairs(ax, panel_data({"m": group({"pairs": points, "laws": laws})}))
    assert {"one exponential", "three"} < {text.get_text() for text in ax.get_legend().get_texts()}


def test_every_flake_has_a_profile_and_a_label(ax) -> None:
    distance = np.linspace(-500, 500, 40)
    rows, groups = [], {}
    for number in range(6):
        name, height = f"flake{number}", 60.0 + number / 2
        profile = xr.Dataset(
            {
                "data": ("distance", np.where(distance > 0, height, 0.0)),
                "data_uncertainty": ("distance", np.full(40, 0.2)),
            },
            {"distance": distance},
        )
        place = {"y": np.linspace(0, 1e3, 8), "x": np.linspace(0, 1e3, 8)}
        image = xr.Dataset({"height": (("y", "x"), np.linspace(0, height, 64).reshape(8, 8))}, place)
        groups[name] = group({"map": image, "profile": profile})
        rows.append(
            (name, afm_numbers.PROFILE_LINEAR, afm_numbers.STEP_HEIGHT.name, "", np.nan, height, 0.1, 0.1, "ok")
        )
    afm.step(ax, panel_data(groups, rows))
    profiles = ax.child_axes[-1]
    lines = [line for line in profiles.lines if len(line.get_xdata()) == 40]
    assert len(lines) == 6 == len(looks(lines))
    labels = [text for text in profiles.texts if "±" in text.get_text()]
    assert len(labels) == 6
    assert apart(ax, labels)
    assert "image: flake0" in " ".join(texts(ax))


def test_nine_loops_look_different(ax) -> None:
    field = np.concatenate([np.linspace(-1, 1, 20), np.linspace(1, -1, 20)])
    loop = xr.Dataset(
        {
            "field": ("sample", field),
            "polarization": ("sample", np.tanh(field)),
            "polarization_uncertainty": ("sample", np.full(40, 0.01)),
        }
    )
    groups = {f"f{nm}": group({"loop": loop.assign_attrs(thickness_nm=nm, turn=20)}) for nm in range(10, 100, 10)}
    hysteresis.thin_flakes(ax, panel_data(groups))
    lines = [line for line in ax.lines if len(line.get_xdata()) == 40]
    assert len(lines) == 9 == len(looks(lines)) == len(ax.get_legend().get_texts())


def test_pulses_that_share_a_letter_are_all_drawn(ax) -> None:
    pulse = xr.Dataset({"field": ("time", [0.0, 1.0, 0.0]), "polarization": ("time", [0.0, 1.0, 0.5])})
    train = {f"pulse_{at}": pulse.assign_attrs(letter=letter, run="") for at, letter in enumerate("XPPUU")}
    hysteresis.pulses(ax, panel_data({"m": group(train)}))
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["X", "P", "P 2", "U", "U 2"]
    tested = xr.Dataset(
        {name: (("pulse", "time"), np.random.default_rng(0).random((4, 9))) for name in ("voltage", "polarization")},
        {"pulse": list("PPNN")},
    )
    hysteresis.tester_pulses(ax, panel_data({"m": group({"train": tested})}), region="train")
    assert {"P 2", "N 2"} < {text.get_text() for text in ax.get_legend().get_texts()}


def test_sweeps_of_twelve_amplitudes_are_drawn(ax) -> None:
    groups = {}
    for number in range(1, 13):
        voltage = np.linspace(-number, number, 30)
        cycle = xr.Dataset({"voltage": ("p", voltage), "current": ("p", 1e-9 * voltage)}, attrs={"region": "cycle"})
        groups[f"s{number}"] = group({"cycle_1": cycle})
    sweeps.amplitudes(ax, panel_data(groups))
    assert len(ax.lines) == 12 == len(ax.get_legend().get_texts())


def test_modes_of_any_name_are_labelled_and_only_the_analysis_says_what_is_substrate(ax) -> None:
    shift = np.linspace(100, 700, 600)
    names = ["Eg1", "A1g", "2D", "Si–O", "line_1"]
    centers = [150.0, 250.0, 350.0, 450.0, 550.0]
    lines = np.stack([1000 / (1 + ((shift - center) / 4) ** 2) for center in centers])
    curves = xr.Dataset(
        {
            "data": ("raman_shift", lines.sum(axis=0)),
            "fit": ("raman_shift", lines.sum(axis=0)),
            "baseline": ("raman_shift", np.zeros(600)),
            "components": (("line", "raman_shift"), lines),
            "center": ("line", centers),
            "substrate": ("line", [False] * 5),
        },
        {"raman_shift": shift, "line": names, "calibrated_shift": ("raman_shift", shift)},
    )
    rows = [
        ("m", "voigt", "raman_shift", name, np.nan, center, 0.1, 0.1, "ok")
        for name, center in zip(names, centers, strict=True)
    ]
    raman.spectrum(ax, panel_data({"m": group({"spectrum": curves})}, rows))
    written = [text for text in texts(ax) if text]
    assert written == ["E$_{g}^{1}$  150.0", "A$_{1g}^{}$  250.0", "2D  350.0", "Si–O  450.0", "550.0"]
    assert all(tuple(each.get_facecolor()[0][:3]) != _rgb(GREY) for each in ax.collections)


def _rgb(color: str) -> tuple[float, ...]:
    return tuple(int(color[at : at + 2], 16) / 255 for at in (1, 3, 5))


def test_seven_sites_have_a_colour_and_a_name_each(ax) -> None:
    stem._legend(ax, [f"site_{number}" for number in range(1, 8)])
    assert len({text.get_color() for text in ax.texts}) == 7
    ax.figure.draw_without_rendering()
    frame = ax.get_window_extent()
    assert all(text.get_window_extent().x1 < frame.x1 for text in ax.texts)


def test_nine_levels_of_a_profile_differ(ax) -> None:
    at = xr.DataArray([0.0, 10.0, 20.0], dims="at", attrs={"units": "s", "long_name": "etch time"})
    names = [f"level {number}" for number in range(9)]
    values = np.outer(np.arange(1, 10), [1.0, 0.8, 0.6])
    part = xr.Dataset(
        {
            "area": (("area_of", "at"), values, {"units": "count*eV/s"}),
            "area_uncertainty": (("area_of", "at"), 0.1 * values),
        },
        {"at": at, "area_of": names},
    )
    xps.depth_profile(ax, panel_data({"m": group({xps.PROFILE: part})}))
    own = ax.child_axes[0]
    assert len(looks(each[0] for each in own.containers)) == 9


def test_a_layered_crystal_shows_its_other_lines(ax) -> None:
    angle = np.linspace(10, 60, 500)
    curves = xr.Dataset(
        {name: ("two_theta", np.full(500, 50.0)) for name in ("intensity", "fit")}, {"two_theta": angle}
    )
    curves["residual"] = "two_theta", np.zeros(500)
    places = {"001": 15.0, "002": 30.5, "kbeta_of_002": 27.0}
    rows = [("m", xrd_numbers.VOIGT_DOUBLET, xrd_numbers.TWO_THETA.name, name, np.nan, place, 0.01, 0.0, "ok")
            for name, place in places.items()]  # fmt: skip
    rows += [("m", xrd_numbers.VOIGT_DOUBLET, xrd_numbers.INDEX_L.name, f"00{order}", np.nan, order, 0.0, 0.0, "ok")
             for order in (1, 2)]  # fmt: skip
    xrd.pattern(ax, panel_data({"m": group({"pattern": curves})}, rows))
    assert {"001", "002", "Kβ of 002"} <= set(texts(ax))


def test_seven_holes_have_seven_curves(ax) -> None:
    losses = xr.Dataset({"reconstruction": ("epoch", [0.3, 0.2])}, {"epoch": [1, 2]})
    groups = {
        f"hole_{size}": group({"training": losses, "fine_tuning": losses}, hole=size, letters="EMNIST (x)")
        for size in (14, 4, 6, 8, 10, 12, 2)
    }
    letters.reconstruction(ax, panel_data(groups))
    lines = [line for line in ax.lines if len(line.get_xdata()) == 2 and line.get_xdata()[0] != line.get_xdata()[1]]
    assert len(lines) == 14 == len(looks(lines))
    assert letters.hole_of(letters.largest(panel_data(groups))) == "hole of 14×14 pixels"


def test_measurements_that_a_panel_leaves_out_are_named(ax) -> None:
    part = xr.Dataset({"a": ("x", [1.0])})
    data = panel_data({name: group({"part": part}) for name in "ABCDEF"} | {"other": group({"else": part})})
    name, _ = first_measurement(ax, data, "part")
    assert name == "A"
    assert texts(ax) == ["A; not drawn: B, C, D and 2 more"]
    assert first_measurement(ax, panel_data({"one": group({"part": part})}))[0] == "one"
    assert len(ax.texts) == 1


def test_a_loop_points_out_what_is_wrong_of_it_but_no_coefficient_of_a_form_that_another_replaces() -> None:
    names = (("square", "conductance_square"), ("corrected", "coercive_field_positive"), ("ohmic", "conductance"))
    rows = [("device", model, name, "", np.nan, 1.0, 0.1, 0.0, "misfit") for model, name in names]
    data, shown = panel_data({}, rows), techniques()["hysteresis"].panels["loop"].shows
    assert data.flags() == {"misfit": 3} and data.flags(shown) == {"misfit": 2}


def test_remarks_stand_above_each_other(ax) -> None:
    ax.set_title("cycles 1 to 9", loc="right", fontsize=5, pad=2)
    remark(ax, "image: first")
    mark_flags(ax, {"misfit": 2})
    ax.figure.draw_without_rendering()
    title = next(text for text in (ax._right_title,))
    boxes = [each.get_window_extent() for each in (title, *(text for text in ax.texts if text.get_gid() == REMARK))]
    assert all(low.y1 <= high.y0 + 0.5 for low, high in pairwise(boxes))


def test_curves_of_28_items_differ() -> None:
    assert len({tuple(line_look(number).values()) for number in range(28)}) == 28
