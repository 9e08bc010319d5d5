"""Every real file is read, or refused for the reason that is known."""

import numpy as np
import pytest
from relaxor.core.errors import ReadError
from relaxor.readers import read

ROWS = 224
REFUSED = {
    "xrd/stoe_raw/stoe.raw": "is a STOE powder file",
    "raman_shg/edge_git_lfs_pointer/Witec-Map (Header).txt": "is a git-LFS pointer",
    "raman_shg/edge_git_lfs_pointer/LabRam-1.spc": "is a git-LFS pointer",
    "raman_shg/renishaw_wxd/PST_Reflex532_Z050_010_10000msx2.wxd": "is a WXD container of an old WiRE",
    **{
        f"xps/edge_vamas_comment_fragments/{name}.vms": "format not recognised"
        for name in ("casa_header", "kratos", "phi", "specs_block", "specs_header")
    },
    "electrical/keithley2636_csv/test.xls": "workbook without a table of numbers",
    "electrical/keithley2636_tsp/transfer-charact.tsp": "is a script for a Keithley SourceMeter",
    "electrical/keithley2636_tsp/output-charact.tsp": "is a script for a Keithley SourceMeter",
    "stem_haadf/tia_ser_emi/64x64_TEM_images_acquire.npy": "is a NumPy array",
    "stem_haadf/edge_git_lfs_pointer/005_ADF Image (SI Survey).dm4": "is a git-LFS pointer",
    "edx/fei_quanta_tif/quad1image_001_no_beam_scan_or_system_meta.tar.gz": "is cut off",
    "afm_pfm/igor_ibw_generic/mac-version3Dependent.ibw": "depends on the formula 'K0' and holds no data",
    "afm_pfm/igor_ibw_generic/mac-zeroPointWave.ibw": "holds no points",
    "afm_pfm/gwyddion_gwy/bipm.gwy": "was written by Gwyddion 1",
    **{
        f"afm_pfm/bruker_nanoscope/bruker_data_header.00{number}": "is a header without its data"
        for number in (1, 2, 3)
    },
}
"""Files that are refused, and the reason. Fragments of comments are no files of their own."""


@pytest.fixture(scope="module")
def names(rawfiles) -> list[str]:
    rawfiles.provide(*rawfiles.files())
    return [file.removeprefix("rawfiles/") for file in rawfiles.files()]


@pytest.mark.costly
def test_every_file_is_read_or_refused_for_its_reason(rawfiles, names):
    assert len(names) == ROWS and set(REFUSED) <= set(names)
    wrong = []
    for name in names:
        try:
            tree = read(rawfiles / name)
        except ReadError as error:
            if name not in REFUSED or REFUSED[name] not in str(error):
                wrong.append(str(error))
            continue
        if name in REFUSED:
            wrong.append(f"{name} was read")
        for child in tree.children.values():
            for variable in child.variables.values():
                if variable.dtype.kind in "fiu" and not (
                    variable.attrs.get("units") and variable.attrs.get("long_name")
                ):
                    wrong.append(f"{name}: a variable without unit or name")
                if variable.dtype.kind == "f" and variable.size and not np.isfinite(variable.values).any():
                    wrong.append(f"{name}: a variable without a number")
    assert not wrong


@pytest.mark.slow
def test_the_extension_of_no_file_matters(rawfiles, names, tmp_path):
    # An .emi and WITec's -x.dat and -y.dat belong together by their names; those of pySSPFM name the field of a loop.
    together = (".emi", "-x.dat", "-y.dat")
    unnamed = (name for name in names if not name.endswith(together) and "/pysspfm" not in name)
    for name in (name for name in unnamed if name not in REFUSED):
        renamed = tmp_path / "file.something"
        renamed.write_bytes((rawfiles / name).read_bytes())
        original, again = read(rawfiles / name), read(renamed)
        assert original.attrs["format"] == again.attrs["format"], name
        for first, second in zip(original.children.values(), again.children.values(), strict=True):
            assert first.to_dataset().identical(second.to_dataset()), name


def test_what_a_message_quotes_cannot_break_its_line(tmp_path):
    error = ReadError(tmp_path / "a", "unit 'x\n\x1b[31m' is not known", "line 3\r")
    assert str(error).endswith(r"a: line 3\r: unit 'x\n\x1b[31m' is not known")
