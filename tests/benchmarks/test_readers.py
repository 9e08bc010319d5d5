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
import tracemalloc
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from relaxor.core.checksums import sha256
from relaxor.readers import read
from relaxor.readers.common.schema import tree

from tests.readers.samples.electrical import workbook
from tests.readers.samples.photoemission import avantage, avantage_sheet

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


# --- texts and workbooks, written here -------------------------------------------------------------------------------
AXIS, VALUES = np.linspace(100.0, 3000.0, 20_000).tolist(), (np.arange(20_000) % 997).tolist()
MAP = np.arange(200 * 1000).reshape(200, 1000) % 997


def labspec() -> str:
    head = "#AxisType[0]=\tIntens\n#AxisType[1]=\tSpectr\n#AxisUnit[1]=\t1/cm\n#AxisType[2]=\tTime\n#AxisUnit[2]=\ts\n"
    rows = "".join(f"{n}\t" + "\t".join(map(str, row)) + "\n" for n, row in enumerate(MAP.tolist()))
    return head + "#Acq. time (s)=\t1\n\t" + "\t".join(f"{100 + n / 4:.2f}" for n in range(1000)) + "\n" + rows


def jcamp() -> str:
    head = "##TITLE=a\n##JCAMP-DX=4.24\n##DATA TYPE=RAMAN SPECTRUM\n##XUNITS=1/CM\n##YUNITS=ARBITRARY UNITS\n"
    step = (AXIS[-1] - AXIS[0]) / (len(AXIS) - 1)
    ends = f"##FIRSTX={AXIS[0]}\n##LASTX={AXIS[-1]}\n##DELTAX={step!r}\n##NPOINTS={len(AXIS)}\n##FIRSTY=0\n"
    rows = [f"{AXIS[at]!r} " + " ".join(map(str, VALUES[at : at + 10])) for at in range(0, len(AXIS), 10)]
    return head + ends + "##XFACTOR=1\n##YFACTOR=1\n##XYDATA=(X++(Y..Y))\n" + "\n".join(rows) + "\n##END=\n"


def rows(separator: str, words: str = "") -> str:
    return "".join(f"{x:.4f}{separator}{y}{words}\n" for x, y in zip(AXIS, VALUES, strict=True))


def cells(number: int) -> list[list[object]]:
    return avantage_sheet([[float(value)] for value in VALUES[:number]])


@pytest.mark.parametrize("count", [1_000_000, 10_000_000])
def test_reading_a_large_table(benchmark, tmp_path, count):
    """Time over that of pandas (target: 3), and peak of memory over the bytes of the numbers (target: 3)."""
    path = tmp_path / "a.csv"
    path.write_text("Voltage (V),Current (A)\n" + "".join(f"{n / 8},{n % 997}\n" for n in range(count)))
    seconds: dict[str, list[float]] = {"read": [], "pandas": []}
    for _ in range(5):
        for what, call in (("read", read), ("pandas", pd.read_csv)):
            start = time.process_time()
            call(path)
            seconds[what].append(time.process_time() - start)
    tracemalloc.start()
    read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    ratio = statistics.median(seconds["read"]) / statistics.median(seconds["pandas"])
    benchmark.extra_info |= {"ratio": round(ratio, 2), "peak_times_values": round(peak / (16 * count), 2)}
    print(f"\n{count} rows: {ratio:.2f} times pandas, peak {peak / (16 * count):.2f} times the numbers")
    benchmark.pedantic(read, (path,), rounds=1)


TEXTS: dict[str, tuple[Callable[[], bytes], int]] = {
    "LabSpec text": (lambda: labspec().encode(), MAP.size),
    "JCAMP-DX": (lambda: jcamp().encode(), len(AXIS)),
    "text table": (lambda: ("Voltage (V)\tCurrent (A)\n" + rows("\t")).encode(), len(AXIS)),
    "text table with words": (lambda: ("Voltage (V),Current (A),State\n" + rows(",", ",OK")).encode(), len(AXIS)),
    "workbook": (
        lambda: workbook({"a": [["V", "A"], *map(list, zip(AXIS, VALUES, strict=True))]}),
        len(AXIS),
    ),
    "Avantage": (lambda: avantage(Survey_Scan=cells(2700), C1s_Scan=cells(200)), 2900),
}
"""What it is → how it is written, and the number of its values."""


@pytest.mark.parametrize("name", TEXTS)
def test_reading_texts(benchmark, tmp_path, name):
    """Time, and peak of memory in bytes and over the bytes of the values (``peak_times_values``)."""
    write, values = TEXTS[name]
    path = tmp_path / "a.txt"
    path.write_bytes(write())
    read(path)
    tracemalloc.start()
    tree_read = read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sum(child.to_dataset().nbytes for child in tree_read.children.values()) >= 8 * values
    benchmark.extra_info |= {"bytes": path.stat().st_size, "peak_MB": round(peak / 1e6, 1),
                             "peak_times_values": round(peak / (8 * values), 1)}  # fmt: skip
    benchmark.pedantic(read, (path,), rounds=5)
    print(f"\n{name}: {path.stat().st_size / 1e6:.2f} MB, peak {peak / 1e6:.1f} MB")
