"""Bands at the contact against Poisson's equation, and the schematics."""

import math
from dataclasses import replace

import numpy as np
import pytest
from relaxor.core.errors import SheetError
from relaxor.figures import band_diagram as bands
from relaxor.figures import schematics
from relaxor.figures.band_bending import Contact
from relaxor.figures.style import new_figure, use_style
from relaxor.reporting.draw import draw_figure
from scipy import constants

from tests.project import SETTINGS as PROJECT

SETTINGS = PROJECT.bands.model_dump()
CONTACT = Contact(**{name: value for name, value in SETTINGS.items() if name != "metal"})


def test_levels_of_the_bulk():
    assert CONTACT.valence_states == pytest.approx(2.509e19, rel=1e-3)  # free holes at 300 K, textbook
    assert CONTACT.fermi_level == pytest.approx(0.02585 * math.log(250.9), rel=1e-3)
    assert CONTACT.work_function == pytest.approx(4.1 + 1.3 - CONTACT.fermi_level)
    assert CONTACT.bending == pytest.approx(CONTACT.work_function - 5.1)


@pytest.mark.parametrize("metal_work_function", [4.6, 5.1, 5.35])
def test_the_profile_solves_poisson_s_equation(metal_work_function):
    contact = replace(CONTACT, metal_work_function=metal_work_function)
    distance, bending = contact.profile()
    assert distance[0] == 0
    assert bending[0] == pytest.approx(contact.bending)
    near = slice(20, 800)
    curvature = np.gradient(np.gradient(bending, distance * 1e-9), distance * 1e-9)[near]
    permittivity = contact.relative_permittivity * constants.epsilon_0
    charge = constants.e * 1e6 * contact.acceptor_density * -np.expm1(-bending / contact.thermal_energy)
    np.testing.assert_allclose(curvature, (charge / permittivity)[near], rtol=1e-3)


def test_far_away_the_bands_relax_over_the_debye_length():
    distance, bending = CONTACT.profile()
    permittivity = CONTACT.relative_permittivity * constants.epsilon_0
    debye = math.sqrt(permittivity * CONTACT.thermal_energy / (constants.e * 1e6 * CONTACT.acceptor_density)) * 1e9
    decay = -1 / np.gradient(np.log(bending), distance)[-50:]
    np.testing.assert_allclose(decay, debye, rtol=0.01)


def test_width_is_the_textbook_s_where_bands_bend_far():
    contact = replace(CONTACT, metal_work_function=4.5)
    permittivity = contact.relative_permittivity * constants.epsilon_0
    potential = contact.bending - contact.thermal_energy
    textbook = math.sqrt(2 * permittivity * potential / (constants.e * 1e6 * contact.acceptor_density)) * 1e9
    assert contact.width == pytest.approx(textbook, rel=0.2)
    wider = replace(contact, acceptor_density=contact.acceptor_density / 4)
    assert wider.width / contact.width == pytest.approx(2, rel=0.05)


def test_holes_gather_where_bands_bend_up():
    contact = replace(CONTACT, metal_work_function=CONTACT.work_function + 0.1)
    assert contact.bending == pytest.approx(-0.1)
    assert 0 < contact.width < CONTACT.width
    level = replace(CONTACT, metal_work_function=CONTACT.work_function + 0.5 * CONTACT.thermal_energy)
    assert level.width == 0


@pytest.mark.parametrize(
    "change", [{"metal_work_function": 4.0}, {"metal_work_function": 5.5}, {"acceptor_density": 1e20}]
)
def test_what_holes_alone_do_not_describe_is_refused(change):
    with pytest.raises(SheetError, match=r"bands: the Fermi level lies .* above the valence band"):
        replace(CONTACT, **change)


def texts_of(figure):
    """Texts that are drawn: titles, labels, notes, and labels of ticks inside the axes."""
    (panel,) = figure.axes
    found = []
    for axes in (panel, *panel.child_axes):
        found += [axes.title, *axes.texts]
        if axes.axison:
            found += [axes.xaxis.label, axes.yaxis.label]
            for axis, limits in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
                ticks = [tick for tick in axis.get_major_ticks() if limits[0] <= tick.get_loc() <= limits[1]]
                found += [tick.label1 for tick in ticks if tick.label1.get_visible()]
    return [(text.get_text(), text.get_window_extent()) for text in found if text.get_text()]


def draw_bands(ax, **changes):
    bands.bands(ax, **(SETTINGS | changes))


def draw_device(ax, **changes):
    schematics.optical_device(ax, **(PROJECT.optical_device.model_dump() | changes))


@pytest.mark.parametrize("size", [(60, 45), (89, 66)])
@pytest.mark.parametrize(
    ("draw", "changes", "shown"),
    [
        (draw_device, {}, {"Au 45 nm", "Cr 5 nm", "SiO$_2$ 285 nm", "CuBiP$_{2}$Se$_{6}$ 8 nm", "650", "450"}),
        (draw_device, {"flake_thickness": 6.0}, {"CuBiP$_{2}$Se$_{6}$ 6 nm"}),
        (draw_bands, {}, {"Au", "Φ 5.10 eV", "Φ 5.26 eV", "χ 4.10 eV", "$E_g$ 1.30 eV"}),
        (draw_bands, {"metal_work_function": 5.35}, {"Φ 5.35 eV"}),
        (draw_bands, {"band_gap": 1.6, "electron_affinity": 3.8}, {"$E_g$ 1.60 eV"}),
    ],
)
def test_no_text_is_clipped_or_overlaps(size, draw, changes, shown):
    use_style()
    figure = new_figure(*size)
    draw(figure.add_subplot(), **changes)
    figure.draw_without_rendering()
    texts = texts_of(figure)
    assert shown <= {name for name, _ in texts}
    for index, (name, box) in enumerate(texts):
        overlaps = [other for other, place in texts[:index] if box.overlaps(place)]
        assert not overlaps, (name, overlaps)
        assert figure.bbox.contains(box.x0, box.y0) and figure.bbox.contains(box.x1, box.y1), name


def test_thicknesses_and_bands_are_to_scale():
    use_style()
    axes = new_figure(60, 45).add_subplot()
    draw_device(axes)
    heights = [patch.get_height() for patch in axes.patches if hasattr(patch, "get_height")]
    assert {8.0, 285.0} <= set(heights)
    axes = new_figure(60, 45).add_subplot()
    draw_bands(axes)
    before, after = axes.child_axes
    assert before.get_ylim() == after.get_ylim()
    conduction, valence = (line.get_ydata() for line in after.lines[1:3])
    np.testing.assert_allclose(conduction - valence, 1.3)
    assert conduction[0] == pytest.approx(-4.1)  # the vacuum level is continuous at the contact
    assert conduction[-1] - conduction[0] == pytest.approx(CONTACT.bending)


def test_a_figure_draws_panels_from_settings_and_tables(tmp_path):
    (tmp_path / "devices.csv").write_text(
        "device,doi,quantity,value,value_high,standard_error,systematic_error,unit,limit,origin,source,measurement,model,"
        "parameter,raw_sha256\n"
        "A,,energy per spike,1,,,,pJ,,reported,text,,,,\n"
        "B,,energy per spike,3,,0.1,0,pJ,,simulated,text,b,m,p,abc\n"
    )
    panels = {
        "a": {"id": "3b", "draw": "schematics.bands", "caption": ""},
        "b": {"id": "S12", "draw": "literature.benchmark", "caption": ""},
    }
    spec = {"title": "T", "category": "C", "part": "p", "panels": panels, "height": 60, "layout": [["a", "b"]]}
    files = [str(tmp_path / f"{name}.svg") for name in ("whole", "3b", "S12")]
    draw_figure(
        [],
        [],
        [str(tmp_path / "devices.csv")],
        files[:1],
        files[1:],
        spec=spec,
        sample="",
        measurements={"3b": None, "S12": None},
        settings_of={"bands": SETTINGS},
    )
    whole, schematic, table = ((tmp_path / f"{name}.svg").read_text() for name in ("whole", "3b", "S12"))
    assert "simulated data" in whole and "simulated data" in table
    assert "simulated data" not in schematic
