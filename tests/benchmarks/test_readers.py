"""Reading a file against the library, or the NumPy call, that decodes its numbers; target: at most 1.2 times as long.

Run with ``uv run pytest tests/benchmarks/test_readers.py --benchmark-enable --benchmark-only -o addopts=``, and with
``uv run --with-requirements tests/benchmarks/requirements.txt pytest …`` for the peers named there.
The ratio of the medians stands in ``extra_info``; both are measured in turns in the same process, so that a busy
machine slows both alike. ``contract`` is what `read` owes besides the numbers, of data that lie in memory: the hash of
the file and the labelled tree. Where the library takes a few milliseconds, that alone is more than a fifth of it.
"""

import re
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from relaxor.core.checksums import sha256
from relaxor.readers import read
from relaxor.readers.common.schema import tree

ROUNDS = 15


def emsa(path: Path) -> object:
    from rsciio.msa import file_reader

    return file_reader(str(path))


def velox(path: Path) -> object:
    from rsciio.emd import file_reader

    return file_reader(str(path))


def gatan(path: Path) -> object:
    from rsciio.digitalmicrograph import file_reader

    return file_reader(str(path))


def igor(path: Path) -> object:
    from igor2 import binarywave

    return binarywave.load(str(path))


def vamas(path: Path) -> object:
    from vamas import Vamas

    return Vamas(str(path))


def renishaw(path: Path) -> object:
    from rsciio.renishaw import file_reader

    return file_reader(str(path))


def galactic(path: Path) -> object:
    from spc_io import SPC

    with path.open("rb") as stream:
        return SPC.from_bytes_io(stream)


def counts(path: Path) -> object:
    return np.array(path.read_text(encoding="latin-1").partition("_COUNTS")[2].split(), float)


def witec(path: Path) -> object:
    text = path.read_text(encoding="latin-1").splitlines()
    first = next(number for number, line in enumerate(text) if re.match(r"\s*[-+]?\d", line))
    return np.loadtxt(path, skiprows=first, delimiter="\t", encoding="latin-1")


def described(path: Path) -> object:
    return np.loadtxt(path, skiprows=40, usecols=(0, 1, 2), encoding="latin-1")


def binary(path: Path) -> object:
    return np.frombuffer(path.read_bytes()[: path.stat().st_size // 4 * 4], "<f4").astype(float)


def xylib(path: Path) -> object:
    peer = pytest.importorskip("xylib", reason="see tests/benchmarks/requirements.txt")
    data = peer.load_file(str(path))
    blocks = [data.get_block(number) for number in range(data.get_block_count())]
    return [[column.get_value(i) for i in range(block.get_point_count())] for block in blocks
            for column in map(block.get_column, (1, 2))]  # fmt: skip


def pynxtools(path: Path) -> object:
    peer = pytest.importorskip("pynxtools_xps.parsers", reason="see tests/benchmarks/requirements.txt")
    parser = peer.PHIParser()
    parser.parse(path)
    return parser


CASES: dict[str, tuple[str, Callable[[Path], object]]] = {
    "emsa": ("edx/emsa_msa/647_leo_edax_test.msa", emsa),
    "velox_emd": ("stem_haadf/velox_emd/fei_emd_image.emd", velox),
    "gatan_dm": ("stem_haadf/gatan_dm3/EELS_STO.dm3", gatan),
    "igor_ibw": ("afm_pfm/asylum_ibw/P0089OP0027.ibw", igor),
    "vamas": ("xps/vamas_vms/regular.vms", vamas),
    "witec_ascii": ("raman_shg/witec_txt/Witec-timeseries_full.txt", witec),
    "renishaw_wdf": ("raman_shg/renishaw_wdf/interrupted_acquisition.wdf", renishaw),
    "galactic_spc": ("raman_shg/galactic_spc/NMR_FID.SPC", galactic),
    "bruker_uxd": ("xrd/bruker_uxd/synchro.uxd", counts),
    "bruker_raw": ("xrd/bruker_raw/bruker.raw", binary),
    "phi_spe": ("xps/phi_spe/test0.spe", binary),
    "xylib bruker_raw": ("xrd/bruker_raw/BT86.raw", xylib),
    "xylib bruker_uxd": ("xrd/bruker_uxd/synchro.uxd", xylib),
    "xylib vamas": ("xps/vamas_vms/regular.vms", xylib),
    "pynxtools phi_spe": ("xps/phi_spe/SnO2_10nm.spe", pynxtools),
}


def contract(path: Path, found: xr.DataTree) -> None:
    sha256(path)
    children = {}
    for name, child in found.children.items():
        made = {key: xr.Variable(data.dims, data.values, data.attrs) for key, data in child.variables.items()}
        coords = {key: made.pop(key) for key in child.coords}
        children[name] = xr.Dataset(made, coords)
    tree(children, header={}, instrument="")


@pytest.mark.parametrize("name", CASES)
def test_reading(benchmark, rawfiles, name):
    file, library = CASES[name]
    path = rawfiles / file
    calls = {"read": read, "library": library, "contract": partial(contract, found=read(path))}
    seconds = {what: [] for what in calls}
    library(path)
    for _ in range(ROUNDS):
        for what, call in calls.items():
            start = time.perf_counter()
            call(path)
            seconds[what].append(time.perf_counter() - start)
    took = {what: 1e3 * statistics.median(each) for what, each in seconds.items()}
    ratio, owed = took["read"] / took["library"], took["read"] / (took["library"] + took["contract"])
    benchmark.extra_info |= {
        "library": library.__name__,
        **{f"{what}_ms": round(each, 2) for what, each in took.items()},
        "ratio": round(ratio, 2),
        "ratio_with_contract": round(owed, 2),
        "bytes": path.stat().st_size,
    }
    print(f"\n{name}: {took['read']:.2f} ms, {library.__name__} {took['library']:.2f} ms, contract "
          f"{took['contract']:.2f} ms, ratio {ratio:.2f}, of both {owed:.2f}")  # fmt: skip
    benchmark.pedantic(read, (path,), rounds=5)
