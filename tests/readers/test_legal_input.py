"""Odd files that the grammar of their format allows end in a tree or in one line, in little time and memory."""

import io
import re
import signal
import time
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from relaxor.core.errors import ReadError
from relaxor.readers import read

from tests.readers.samples import CONTENTS
from tests.readers.samples.diffraction import XRDML
from tests.readers.test_fuzz import BYTES, SECONDS, TooSlow

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1252")
ENDS = ("\n", "\r\n", "\r")
WORDS = st.text(st.characters(min_codepoint=32, max_codepoint=0x3C9, exclude_characters="\x7f"), max_size=30)
NAMES = st.one_of(
    st.sampled_from(
        ("Voltage (V)", "I [A]", "t/s", "2Theta", "Raman shift (cm-1)", "Counts", "#", "", '"a, b"', "V_m")
    ),
    WORDS,
    st.integers(100, 3000).map(lambda size: "long (name " * (size // 11)),
)
CELLS = ("0", "1", "-1.5", "1e-9", "1.5E+308", "6.02D23", "NaN", "--", "", "1.1.1", "0.000000000000000000001", "OK",
         "-inf", "1 000", "1'000", "12:30:01", "2024-11-05", "+.5", '"1,5"', "#N/A", "0x10", "9" * 40)  # fmt: skip


@st.composite
def tables(draw: st.DrawFn) -> bytes:
    """A table of any shape: wide or tall, with a deep header, any separator, and cells without a number."""
    columns = draw(st.one_of(st.integers(1, 8), st.integers(1, 2000)))
    rows = draw(st.integers(0, max(1, 40_000 // columns)))
    separator = draw(st.sampled_from(("\t", ",", ";", " ", "  ", " | ", ", ", "\t\t")))
    comma = draw(st.booleans())
    odd = draw(st.lists(st.sampled_from(CELLS), max_size=4))
    numbers = [f"{value:.{draw(st.integers(0, 12))}{form}}" for value, form in ((1.25, "f"), (-3e-9, "e"), (17.0, "g"))]
    names = draw(st.lists(NAMES, min_size=1, max_size=6))
    lines = draw(st.lists(st.one_of(WORDS, WORDS.map("# {}".format), WORDS.map("Key: {}".format)), max_size=8))
    lines = lines * draw(st.sampled_from((1, 1, 60)))
    for row in (names, draw(st.lists(NAMES, max_size=3))):
        lines += [separator.join(row[place % len(row)] for place in range(columns))] if row else []
    every = draw(st.integers(1, 50))
    for row in range(rows):
        cells = [numbers[(row + place) % 3] if place else str(row) for place in range(columns)]
        if odd and row % every == 0:
            cells[-1 - row % min(columns, 3)] = odd[row % len(odd)]
        lines.append(separator.join(cell.replace(".", ",") if comma else cell for cell in cells))
    lines += draw(st.lists(WORDS, max_size=2))
    return draw(st.sampled_from(ENDS)).join(lines).encode(draw(st.sampled_from(ENCODINGS)), "replace")


@st.composite
def diffractograms(draw: st.DrawFn) -> bytes:
    """XML with deep and wide parts of no meaning, in any encoding, with or without its name in the declaration."""
    inner = draw(WORDS).replace("<", "").replace("&", "")
    depth, width = draw(st.integers(0, 400)), draw(st.integers(0, 3000))
    attributes = " ".join(f'a{number}="{number}"' for number in range(draw(st.integers(0, 3000))))
    extra = f"<x {attributes}/>" + "<d>" * depth + inner + "</d>" * depth + "<w/>" * width + f"<!--{'-'.join('ab')}-->"
    extra += draw(st.sampled_from(("", "<![CDATA[<scan>]]>", "<?php echo 1 ?>", "&#x3b8;", "&amp;&lt;")))
    encoding = draw(st.sampled_from(ENCODINGS))
    named = draw(st.sampled_from((f' encoding="{encoding.removesuffix("-sig")}"', "")))
    counts = " ".join(draw(st.lists(st.sampled_from(("0", "9", "1e3", "1E+300", "0.5")), min_size=1, max_size=40)))
    text = XRDML.replace('version="1.0"', f'version="1.0"{named}').replace("9 16 25 36 49", counts)
    text = text.replace("<dataPoints>", f"{extra}<dataPoints>", 1)
    return text.replace("\n", draw(st.sampled_from(ENDS))).encode(encoding, "xmlcharrefreplace")


@st.composite
def jcamp(draw: st.DrawFn) -> bytes:
    """JCAMP-DX of every form of ordinates, with labels of the standard and of users, comments and blanks."""
    squeezed, difference, repeated = (
        st.sampled_from("@ABCDabcd+-"),
        st.sampled_from("%JKLjkl"),
        st.sampled_from("STUVs"),
    )
    token = st.tuples(st.one_of(squeezed, difference, repeated, st.just(" ")), st.integers(0, 10**6)).map(
        lambda pair: f"{pair[0]}{pair[1]}"
    )
    rows = [f"{400 + 10 * row}{''.join(draw(st.lists(token, max_size=12)))}" for row in range(draw(st.integers(0, 12)))]
    labels = draw(st.lists(st.tuples(st.sampled_from(("ORIGIN", "$USER KEY", ".SOLVENT NAME", "x_y-z/1", "")), WORDS)))
    kind = draw(
        st.sampled_from(("XYDATA=(X++(Y..Y))", "XYPOINTS=(XY..XY)", "PEAK TABLE=(XY..XY)", "XYDATA= (X++(R..R))"))
    )
    lines = ["##TITLE=" + draw(WORDS), "##JCAMP-DX=4.24 $$ " + draw(WORDS), "##DATA TYPE=RAMAN SPECTRUM"]
    lines += [f"##{label}={value}" for label, value in labels]
    lines += [
        f"##XUNITS={draw(st.sampled_from(('1/CM', 'NANOMETERS', 'micrometers', '')))}",
        "##YUNITS=ARBITRARY UNITS",
    ]
    lines += ["##FIRSTX=400", f"##LASTX={draw(st.integers(-500, 9000))}", f"##NPOINTS={draw(st.integers(0, 10**7))}"]
    lines += [
        f"##XFACTOR={draw(st.sampled_from(('1', '0', '1E-9', '-1')))}",
        "##YFACTOR=1.0",
        f"##{kind}",
        *rows,
        "##END=",
    ]
    return (
        draw(st.sampled_from(ENDS))
        .join(lines * draw(st.integers(1, 3)))
        .encode(draw(st.sampled_from(ENCODINGS)), "replace")
    )


@st.composite
def vamas(draw: st.DrawFn) -> bytes:
    """VAMAS with other numbers and texts in its lines, more comments, and further blanks."""
    mark, *lines = CONTENTS["vamas"].decode().splitlines()
    for place in draw(st.lists(st.integers(0, len(lines) - 1), max_size=4)):
        is_number = lines[place].strip().lstrip("-").replace(".", "").isdigit()
        texts = st.sampled_from(("0", "1", "2", "-1", "1E+37", "1e3", "000012", " 7 ", "99999999"))
        lines[place] = draw(texts if is_number else WORDS)
    content = draw(st.sampled_from(ENDS)).join([mark, *lines]) + draw(st.sampled_from(("", "\n\n\n", "\x1a")))
    return content.encode(draw(st.sampled_from(ENCODINGS)), "replace")


@st.composite
def hdf5(draw: st.DrawFn) -> bytes:
    """A file of a known layout with further groups, datasets of any type and attributes beside what it holds."""
    stream = io.BytesIO(CONTENTS[draw(st.sampled_from(("delmic_h5", "berkeley_emd")))])
    with h5py.File(stream, "r+") as file:
        places: list[str] = []
        file.visit(places.append)
        for number in range(draw(st.integers(1, 5))):
            at = file[draw(st.sampled_from(places))]
            group = at if isinstance(at, h5py.Group) else at.parent
            kind = draw(st.sampled_from(("f4", ">i2", "c16", "S5", "bool", "u8", h5py.string_dtype(), "O")))
            shape = tuple(draw(st.lists(st.integers(0, 6), max_size=5)))
            name = f"{draw(WORDS).replace('/', '').replace('.', '')}_{number}"
            stored = "i1" if kind == "O" else kind
            options = {"compression": "gzip"} if shape and 0 not in shape else {}
            group.create_dataset(name, shape, stored, **options)
            at.attrs[name] = np.zeros(draw(st.integers(1, 50)))
            for depth in range(draw(st.sampled_from((0, 0, 60)))):
                group = group.create_group(f"{number}_{depth}")
    return stream.getvalue()


@st.composite
def archives(draw: st.DrawFn) -> bytes:
    """A zip of known files and of others, with folders, odd and repeated names, and any method of packing."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.comment = draw(st.binary(max_size=30))
        for _ in range(draw(st.integers(0, 8))):
            name = draw(
                st.one_of(WORDS.filter(bool), st.sampled_from(("a/b.txt", "../x.csv", "__MACOSX/._a", "folder/", "a")))
            )
            content = draw(st.one_of(st.sampled_from(sorted(CONTENTS.values())), st.binary(max_size=40)))
            method = draw(
                st.sampled_from((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
            )
            archive.writestr(zipfile.ZipInfo(name), b"" if name.endswith("/") else content, method)
    return stream.getvalue()


def interrupt(*_: object) -> None:
    raise TooSlow


def peak() -> int:
    """The largest number of bytes of memory that this process has held since it was asked to count anew."""
    (line,) = re.findall(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())
    return 1024 * int(line)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("examples", [20, pytest.param(1000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("files", [tables, diffractograms, jcamp, vamas, hdf5, archives])
def test_a_legal_file_is_read_or_refused_in_one_line(tmp_path, files, examples):
    path = tmp_path / "odd input"
    signal.signal(signal.SIGPROF, interrupt)

    @settings(max_examples=examples, deadline=None, derandomize=examples == 20, database=None,
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(files())
    def is_read_or_refused(content: bytes) -> None:
        path.write_bytes(content)
        Path("/proc/self/clear_refs").write_text("5")  # the peak of memory begins anew
        before = peak()
        started = time.process_time()
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        try:
            assert read(path).children
        except ReadError as error:
            assert str(error).startswith(f"{path}: ") and len(str(error).splitlines()) == 1
        except TooSlow:
            pytest.fail(f"took more than {SECONDS} s")
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
        assert time.process_time() - started < SECONDS
        assert peak() - before < BYTES

    is_read_or_refused()


ENCODED = [
    ("vamas", encoding, "C1s") for encoding in ("utf-8-sig", "utf-16")
] + [("panalytical_xrdml", encoding, "scan_1") for encoding in ("utf-8-sig", "utf-16")]  # fmt: skip


@pytest.mark.parametrize(("name", "encoding", "child"), ENCODED)
def test_a_byte_order_mark_is_no_part_of_a_format(tmp_path, name, encoding, child):
    path = tmp_path / "marked"
    path.write_bytes(CONTENTS[name].decode().encode(encoding))
    tree = read(path)
    assert tree.attrs["format"] == name and list(tree.children) == [child]


def test_xml_within_xml_is_bounded(tmp_path):
    path = tmp_path / "deep.xrdml"
    path.write_text(XRDML.replace("<dataPoints>", "<a>" * 3000 + "</a>" * 3000 + "<dataPoints>"))
    with pytest.raises(ReadError, match=r"deep.xrdml: holds more than 200 elements within each other$"):
        read(path)
