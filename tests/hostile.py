"""Files that attack a reader: they unpack to too much, announce data that they lack, or link to other files.

Run as a program, this module reads every file named on its standard input under a limit on memory, and prints one
line of JSON for each file. Time and memory that a reader takes are thereby measured from outside the tests.
"""

import io
import json
import re
import struct
import zipfile
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from zlib import compress

BILLION = 10**9
LAUGHS = (
    '<!DOCTYPE lolz [<!ENTITY a "' + "lol" * 100 + '">'
    + "".join(f'<!ENTITY {chr(98 + i)} "{("&" + chr(97 + i) + ";") * 50}">' for i in range(8))
    + "]><RawData>&i;</RawData>"
)  # fmt: skip
OUTSIDE = '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><RawData>&x;</RawData>'
MEMBER = "Experiment0/RawData0.xml"


def _zip(members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as container:
        for name, content in members.items():
            container.writestr(zipfile.ZipInfo(name), content, compression, compresslevel=1)
    return buffer.getvalue()


def _announcing(content: bytes, size: int) -> bytes:
    """A zip archive that announces ``size`` bytes for its first member."""
    directory = content.index(b"PK\x01\x02")
    return (
        content[:22] + struct.pack("<I", size) + content[26:directory + 24]
        + struct.pack("<I", size) + content[directory + 28 :]
    )  # fmt: skip


def _igor(points: int, shape: tuple[int, int, int, int], wave_size: int) -> bytes:
    """An Igor wave of version 5 whose header announces any number of points; its checksum is correct."""
    head = bytearray(384)
    struct.pack_into("<hHi", head, 0, 5, 0, wave_size)
    struct.pack_into("<i", head, 64 + 12, points)
    struct.pack_into("<h", head, 64 + 16, 4)
    head[64 + 28 : 64 + 32] = b"wave"
    struct.pack_into("<4i", head, 64 + 68, *shape)
    struct.pack_into("<H", head, 2, -sum(struct.unpack("<192h", head)) % 65536)
    return bytes(head) + b"\0" * 64


def _hdf5(path: Path, announce: Callable) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        file.create_dataset("Version", data=['{"format": "Velox", "version": "1.0"}'], dtype=h5py.string_dtype())
        announce(file.create_group("Data/Image/0123"))


def _huge_chunks(group: object) -> None:
    group.create_dataset("Data", shape=(1 << 20, 1 << 20, 16), chunks=(1024, 1024, 1), dtype="u2", compression="gzip")


def _outward(group: object) -> None:
    import h5py

    group["Data"] = h5py.ExternalLink("/etc/passwd", "/x")


def _loop(path: Path) -> None:
    """A Velox file whose global heap, which holds the text of ``Version``, has free space of no size."""
    _hdf5(path, lambda group: group.create_dataset("Data", data=[1]))
    content = bytearray(path.read_bytes())
    heap = content.index(b"GCOL")
    at = heap + 16
    while content[at : at + 2] != b"\0\0":
        at += 16 + (int.from_bytes(content[at + 8 : at + 16], "little") + 7) // 8 * 8
    content[at + 8 : at + 16] = bytes(8)
    path.write_bytes(content)


def _emsa(points: str, body: str) -> bytes:
    head = "#FORMAT      : EMSA/MAS Spectral Data File\n#VERSION     : 1.0\n#TITLE : t\n"
    head += f"#NPOINTS     : {points}\n#NCOLUMNS    : 1\n#XUNITS      : eV\n#DATATYPE    : Y\n#XPERCHAN    : 10\n"
    return f"{head}#OFFSET      : 0\n#SPECTRUM    :\n{body}#ENDOFDATA   :\n".encode()


def _phi(records: int) -> bytes:
    text = b"SOFH\nPlatform: x\nSpectralRegDef: 1 1 C1s 6 1000000000 -0.1 300 280 300 280 1.0 23.5 XPS\nEOFH\n"
    record = [0] * 24
    record[3], record[5], record[6], record[19], record[20] = 1, BILLION, 1, 4 * BILLION % 2**32, 1000
    record[14] = int.from_bytes(b"c/s\0", "little")
    record[18] = int.from_bytes(b"f4\0\0", "little")
    return text + struct.pack("<4I", 1, records, 96 * records % 2**32, 16) + struct.pack("<24I", *record)


def _bruker4() -> bytes:
    head = b"RAW4.00\0".ljust(61, b"\0")
    block = bytearray(160)
    struct.pack_into("<ddI", block, 72, 10.0, 0.01, BILLION)
    struct.pack_into("<II", block, 136, 4, 0)
    return head + bytes(block) + b"\0" * 400


def _dm3() -> bytes:
    """A DigitalMicrograph file whose tag ``Data`` announces 10^9 float64 values."""
    label = b"Data"
    tag = struct.pack(">bh", 21, len(label)) + label + b"%%%%" + struct.pack(">iiii", 3, 20, 7, BILLION)
    return struct.pack(">iii", 3, 1000, 1) + struct.pack(">bbi", 1, 0, 1) + tag + b"\0" * 200


def write_all(folder: Path) -> Iterator[tuple[str, str]]:
    """Write the files; yield the name of each and a pattern that its error message must match."""
    from tests.readers.samples.microscopes import jeol, spx

    zeros = bytes(1 << 20)
    nodes = b"<RawData>" + b"<a/>" * 7_000_000 + b"</RawData>"
    depth = 100_000
    bomb, stream = _zip({MEMBER: zeros * 400}), b64encode(compress(zeros * 400, level=1))
    contents: dict[str, tuple[bytes, str]] = {
        "bomb.brml": (bomb, "MiB"),
        "bomb_lying.brml": (_announcing(bomb, 1000), "damaged|XML"),
        "terabytes.brml": (_announcing(_zip({MEMBER: b"<RawData/>"}), 0xFFFFFFFE), "MiB"),
        "many_bombs.brml": (_zip({f"Experiment0/RawData{i}.xml": zeros * 40 for i in range(10)}), "MiB"),
        "laughs.brml": (_zip({MEMBER: LAUGHS.encode()}), "EntitiesForbidden"),
        "outside.brml": (_zip({MEMBER: OUTSIDE.encode()}), "EntitiesForbidden|External"),
        "nested.brml": (_zip({MEMBER: _zip({MEMBER: zeros})}), "XML"),
        "layers.spx": (
            re.sub(rb"(<DetLayers>).*(</DetLayers>)", rb"\g<1>" + stream + rb"\2", spx()),
            "unpacks to more than",
        ),
        "open.brml": (_zip({MEMBER: b"<a>" * 400_000}), "XML"),
        "deep.brml": (_zip({MEMBER: b"<a>" * depth + b"</a>" * depth}), "200 elements within"),
        "nodes.brml": (_zip({MEMBER: nodes}), "elements"),
        "nested.zip": (_zip({"a.zip": _zip({"b.zip": _zip({MEMBER: b"<RawData/>"})})}), "packed twice"),
        "billion.raw": (_bruker4(), str(BILLION)),
        "billion_version_1.raw": (b"RAW " + struct.pack("<IffI", BILLION, 1, 0.01, 0) + bytes(200), str(BILLION)),
        "billion.spe": (_phi(1), "announces"),
        "records.spe": (_phi(BILLION), "announces"),
        "endless_line.msa": (_emsa("3", "1 " * 4_000_000 + "\n"), ""),
        "billion.eds": (jeol(channels=BILLION), "announces 1000000000 channels"),
        "larger.msa": (_emsa("3", "1 " * 5_000_000 + "\n"), "MiB"),
        "not_a_number.msa": (_emsa("3", "1\nnan\n3\n"), "line 12"),
        "infinite.msa": (_emsa("2", "1\n1e999\n"), "line 12"),
        "points.ibw": (_igor(BILLION, (BILLION, 0, 0, 0), 320), "announces|fill"),
        "overflow.ibw": (_igor(0, (65536, 65536, 65536, 65536), 320), "announces"),
        "negative.ibw": (_igor(-1, (-1, 1, 1, 1), 320), ""),
        "billion.dm3": (_dm3(), "announces"),
        "deep.dm3": (
            struct.pack(">iii", 3, 1000, 1) + struct.pack(">bbi", 1, 0, 1)
            + (struct.pack(">bh", 20, 0) + struct.pack(">bbi", 1, 0, 1)) * 100_000,
            "nested deeper",
        ),
        "not_a_number.txt": (b"rel. 1/cm\tCCD cts\r\n1.0\t5\r\n2.0\tnan\r\n3.0\t5\r\n", "not finite.*|row 2"),
        "twice.txt": (b"rel. 1/cm\tCCD cts\r\n1.0\t5\r\n2.0\t6\r\n2.0\t7\r\n", "row 3.*unsorted|unsorted.*twice"),
        "unsorted.txt": (b"rel. 1/cm\tCCD cts\r\n1.0\t5\r\n3.0\t6\r\n2.0\t7\r\n", "unsorted"),
        "wrong_unit.txt": (b"X-Axis\ts\r\nfurlong\tCCD cts\r\n1.0\t5\r\n2.0\t6\r\n", "unit 'furlong' is not known"),
        "no_rows.txt": (b"rel. 1/cm\tCCD cts\r\n", "no numbers"),
        "wide.txt": (b"rel. 1/cm\tCCD cts\r\n" + (b"1.0" + b"\t5" * 2_000_000 + b"\r\n") * 2, "unsorted|not divide"),
        "tall.txt": (b"rel. 1/cm\tCCD cts\r\n" + b"1.0\t5\r\n" * 4_000_000, "unsorted"),
        "zeros.raw": (b"RAW1.01\0" + bytes(2000), "no scan|bytes"),
        "cell.cif": (b"data_x\n_cell_length_a 1e400\nloop_\n_atom_site_label\n_atom_site_fract_x\nA\n", ""),
        "vamas.vms": (
            b"VAMAS Surface Chemical Analysis Standard Data Transfer Format 1988 May 4\n"
            + b"x\n" * 4 + b"1000000000\n" + b"y\n" * 5,
            "",
        ),
        "git_lfs.raw": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n", "git lfs pull"),
        "empty.raw": (b"", "is empty"),
    }  # fmt: skip
    for name, (content, message) in contents.items():
        (folder / name).write_bytes(content)
        yield name, message
    for name, announce, message in (
        ("huge.emd", _huge_chunks, "MiB"),
        ("outward.emd", _outward, "not followed"),
    ):
        _hdf5(folder / name, announce)
        yield name, message
    _loop(folder / "loop.emd")
    yield "loop.emd", "global heap"
    with (folder / "sparse.raw").open("wb") as stream:
        stream.write(b"RAW4.00\0")
        stream.truncate(3 << 30)
    yield "sparse.raw", "MiB"


def main() -> None:
    """Read the files named on standard input under a limit of 2 GiB of address space."""
    import resource
    import sys
    import time

    from relaxor.core.errors import ReadError
    from relaxor.readers import read

    resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
    for line in sys.stdin:
        start = time.process_time()
        try:
            tree = read(line.strip())
            outcome, message = "tree", ", ".join(tree.children)
        except ReadError as error:
            outcome, message = "ReadError", str(error)
        seconds = time.process_time() - start
        peak = int(re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024
        print(json.dumps([line.strip(), outcome, message, seconds, peak]), flush=True)


if __name__ == "__main__":
    main()
