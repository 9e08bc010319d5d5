"""X-ray spectra of Bruker, EDAX and JEOL: the real files, a pair, and damage."""

import re
from base64 import b64encode
from zlib import compress

import numpy as np
import pytest
from relaxor.core.errors import ReadError
from relaxor.readers import read

from tests.public_files import present
from tests.readers.samples.microscopes import edax, jeol, spx

# file → (name, channels, largest, sum, ends of the axis in keV, attributes)
FILES = {
    "bruker_spx/extracted_from_bcf.spx": ("EDX", 1548, 178, 4413, (-0.47225, 14.99775), {}),
    "bruker_spx/bruker_m6_jetstream_file_example.spx": (
        "EDX", 4096, 34826, 1090697, (-0.95550444, 39.99040056), {"live_time_s": 28.046, "beam_energy_keV": 50},
    ),
    "edax_spc/647_leo_edax_test.spc": (
        "EDS_Spectrum", 4096, 497, 17211, (0.0, 20.475),
        {"live_time_s": 30.000002, "azimuth_angle_deg": 0, "elevation_angle_deg": 35,
         "energy_resolution_MnKa_eV": 125.16211},
    ),
    "jeol_eds/met03.EDS": ("EDX", 2048, 4539, 296519, (-0.00176612, 20.46905268), {"beam_energy_keV": 200}),
}  # fmt: skip


def test_real_files_hold_what_is_known_of_them(rawfiles, tmp_path, subtests):
    for path, (child, channels, largest, total, ends, attrs) in present(rawfiles / "edx", FILES):
        with subtests.test(path.name):
            spectrum = read(path)[child]
            counts, energy = spectrum["intensity"], spectrum["energy"]
            assert (counts.size, int(counts.max()), int(counts.sum())) == (channels, largest, total)
            assert (float(energy[0]), float(energy[-1])) == pytest.approx(ends)
            assert (counts.attrs["units"], energy.attrs["units"]) == ("count", "keV")
            np.testing.assert_allclose(spectrum["intensity_uncertainty"], np.sqrt(np.maximum(counts, 1)))
            assert {key: spectrum.attrs[key] for key in attrs} == pytest.approx(attrs, rel=1e-6)
            renamed = tmp_path / "file.raw"
            renamed.write_bytes(path.read_bytes())
            np.testing.assert_array_equal(read(renamed)[child]["intensity"], counts)


def test_edax_counts_equal_those_of_its_text(rawfiles):
    binary = read(rawfiles / "edx/edax_spc/647_leo_edax_test.spc")["EDS_Spectrum"]
    text = read(rawfiles / "edx/emsa_msa/647_leo_edax_test.msa")["spectrum"]
    np.testing.assert_array_equal(binary["intensity"], text["intensity"])
    np.testing.assert_allclose(1000 * binary["energy"], text["energy"], rtol=1e-6)


BOMB = b64encode(compress(bytes(40 << 20))).decode()
LAUGHS = b64encode(compress(b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>')).decode()


def layers(text: str) -> bytes:
    """A Bruker spectrum with another packed description of its detector."""
    return re.sub(rb"(<DetLayers>).*(</DetLayers>)", rf"\g<1>{text}\2".encode(), spx())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (edax(channels=9000), "byte 0x20: announces 9000 channels, file has 20740 bytes"),
        (b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><TRTSpectrum/>', "EntitiesForbidden"),
        (spx().replace(b"TRTESMAHeader", b"TRTOther").replace(b"CalibLin", b"Other"), "no axis of energy"),
        (layers(BOMB), "unpacks to more than"),
        (layers(LAUGHS), "EntitiesForbidden"),
        (layers("AAAA"), "is damaged: "),
        (jeol()[:400], "byte 0x1c6: ends early"),
        (jeol()[:-30], "damaged or unsupported xray_spectra file"),
        (jeol(channels=2**30), "announces 1073741824 channels"),
        (b"\2\0\0\0\2\0\0\0" + bytes(100), "ends early"),
    ],
)
def test_damage_is_named(tmp_path, content, message):
    path = tmp_path / "spectrum.spc"
    path.write_bytes(content)
    with pytest.raises(ReadError, match=f"spectrum.spc: .*({message})"):
        read(path)


def test_settings_that_are_missing_do_not_hide_the_counts(tmp_path):
    path = tmp_path / "spectrum.spx"
    path.write_bytes(spx().replace(b"ElevationAngle", b"OtherAngle").replace(b"TRTESMAHeader", b"TRTOther"))
    whole = tmp_path / "whole.spx"
    whole.write_bytes(spx())
    bare, full = read(path), read(whole)
    assert list(bare.children) == list(full.children)
    for name in ("intensity", "energy", "intensity_uncertainty"):
        np.testing.assert_array_equal(bare["EDX"][name], full["EDX"][name])
    assert "settings are missing or not understood" in bare.attrs["warnings"]
