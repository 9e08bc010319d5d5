"""X-ray spectra of Bruker, EDAX and JEOL: the real files, a pair, and damage."""

import struct

import numpy as np
import pytest
from relaxor.core.errors import ReadError
from relaxor.readers import read

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


@pytest.mark.parametrize("name", FILES)
def test_real_files_hold_what_is_known_of_them(rawfiles, name):
    child, channels, largest, total, ends, attrs = FILES[name]
    spectrum = read(rawfiles / "edx" / name)[child]
    counts, energy = spectrum["intensity"], spectrum["energy"]
    assert (counts.size, int(counts.max()), int(counts.sum())) == (channels, largest, total)
    assert (float(energy[0]), float(energy[-1])) == pytest.approx(ends)
    assert (counts.attrs["units"], energy.attrs["units"]) == ("count", "keV")
    np.testing.assert_allclose(spectrum["intensity_uncertainty"], np.sqrt(np.maximum(counts, 1)))
    assert {key: spectrum.attrs[key] for key in attrs} == pytest.approx(attrs, rel=1e-6)


def test_edax_counts_equal_those_of_its_text(rawfiles):
    binary = read(rawfiles / "edx/edax_spc/647_leo_edax_test.spc")["EDS_Spectrum"]
    text = read(rawfiles / "edx/emsa_msa/647_leo_edax_test.msa")["spectrum"]
    np.testing.assert_array_equal(binary["intensity"], text["intensity"])
    np.testing.assert_allclose(1000 * binary["energy"], text["energy"], rtol=1e-6)


def test_the_extension_decides_nothing(rawfiles, tmp_path):
    for name, (child, *_) in FILES.items():
        renamed = tmp_path / "file.raw"
        renamed.write_bytes((rawfiles / "edx" / name).read_bytes())
        original = read(rawfiles / "edx" / name)[child].to_dataset()
        np.testing.assert_array_equal(read(renamed)[child]["intensity"], original["intensity"])


def test_damage_is_named(tmp_path):
    path = tmp_path / "spectrum.spc"
    header = bytearray(3841)
    header[:4] = struct.pack("<f", 0.7)
    struct.pack_into("<H", header, 0x20, 4096)
    path.write_bytes(header)
    with pytest.raises(ReadError, match=r"spectrum\.spc: byte 0x20: announces 4096 channels, file has 3841 bytes"):
        read(path)
    path.write_bytes(b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><TRTSpectrum/>')
    with pytest.raises(ReadError, match="EntitiesForbidden"):
        read(path)
    path.write_bytes(b"\2\0\0\0\2\0\0\0" + bytes(100))
    with pytest.raises(ReadError, match="damaged or unsupported xray_spectra file"):
        read(path)
