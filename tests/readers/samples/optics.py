"""Text and binary files of optical spectrometers and cameras."""

from tests.readers.samples.sample import COUNTS, Sample

WHEN = "2024-11-12T14:03:00"
SHIFT = [100.0, 101.0, 102.0, 103.0, 104.0]


# --- Horiba text -----------------------------------------------------------------------------------------------------
def labspec(places: tuple[tuple[float, ...], ...] = (), axes: tuple[str, ...] = (), unit: str = "µm") -> bytes:
    """A LabSpec text: one spectrum, or one row for each of the places on further axes, as in ``("Y", "X")``."""
    header = {
        "Acq. time (s)": "1.5", "Accumulations": "2", "Instrument": "LabRAM", "Laser (nm)": "532 ", "DeNoise": "Off",
        "Title": "film", "Acquired": "27.06.2022 16:26:24", "AxisType[0]": "Intens", "AxisUnit[0]": "Cnt",
        "AxisType[1]": "Spectr", "AxisUnit[1]": "1/cm",
    }  # fmt: skip
    for number, name in enumerate(reversed(axes), start=2):
        header |= {f"AxisType[{number}]": name, f"AxisUnit[{number}]": unit}
    lines = [f"#{key}=\t{value}" if "Axis" not in key else f"#{key}={value}" for key, value in header.items()]
    if places:
        lines.append("\t" * len(axes) + "\t".join(map(str, SHIFT)))
        for index, place in enumerate(places):
            lines.append("\t".join(map(str, [*place, *(count + index for count in COUNTS)])))
    else:
        lines += [f"{shift}\t{count}" for shift, count in zip(SHIFT, COUNTS, strict=True)]
    return "\r\n".join([*lines, ""]).encode("cp1252")


# --- JCAMP-DX --------------------------------------------------------------------------------------------------------
def jcamp(data: str, label: str = "XYDATA=(X++(Y..Y))", **records: str) -> str:
    """A block of five points from 100 to 104, in 1/cm of Raman shift unless the records say otherwise."""
    header = {
        "TITLE": "film", "JCAMP-DX": "4.24 $$ made by hand", "DATA TYPE": "RAMAN SPECTRUM", "ORIGIN": "laboratory",
        "LONGDATE": "2024/11/12 14:03:00", "XUNITS": "1/CM", "YUNITS": "COUNTS", "XFACTOR": "1", "YFACTOR": "0.5",
        "FIRSTX": "100", "LASTX": "104", "FIRSTY": "4.5", "NPOINTS": "5",
    }  # fmt: skip
    lines = [f"##{key}= {value}" for key, value in (header | records).items() if value]
    return "\r\n".join([*lines, f"##{label}", data, "##END=", ""])


def jcamp_link(*blocks: str) -> str:
    """A file of several blocks."""
    return f"##TITLE= all\r\n##DATA TYPE= LINK\r\n##BLOCKS= {len(blocks)}\r\n{''.join(blocks)}##END=\r\n"


PAIRS = "100, 9\r\n101, 16; 102, 25\r\n103 36 104 49"
JCAMP = {"intensity": ([4.5, 8.0, 12.5, 18.0, 24.5], "count"), "raman_shift": (SHIFT, "1/cm")}
JCAMP_FORMS = {
    "plain": "100 9 16 25\r\n103 36 49",
    "packed": "100+9+16+25\r\n103+36+49",
    "squeezed": "100IA6B5\r\n103C6D9",
    "differences": "100IPR $$ 9, 16, 25\r\n102B5J1J3\r\n104D9 $$ checkpoint",
}
"""The same five numbers in the forms of the standard."""


GRID = ((0.0, 1.0), (0.0, 2.0), (3.0, 1.0), (3.0, 2.0))
LABSPEC = {"raman_shift": (SHIFT, "1/cm")}
LABSPEC_ATTRS = {"integration_time": 3.0, "laser_wavelength": 532.0, "title": "film"}

SAMPLES = {
    "horiba_txt": Sample(
        labspec(), "spectrum", {"intensity": (COUNTS, "count")} | LABSPEC, ("raman_shift",), "2022-06-27T16:26:24",
        LABSPEC_ATTRS, "LabRAM",
    ),
    "horiba_txt series": Sample(
        labspec(((0.0,), (2.5,)), ("Time",), "s"),
        "spectra",
        {"intensity": ([COUNTS, [count + 1 for count in COUNTS]], "count"), "time": ([0.0, 2.5], "s")} | LABSPEC,
        ("time", "raman_shift"),
        "2022-06-27T16:26:24",
    ),
    "horiba_txt map": Sample(
        labspec(GRID, ("Y", "X")),
        "spectra",
        {"intensity": ([[[count + 2 * y + x for count in COUNTS] for x in (0, 1)] for y in (0, 1)], "count"),
         "y": ([0.0, 3e-6], "m"), "x": ([1e-6, 2e-6], "m")} | LABSPEC,
        ("y", "x", "raman_shift"),
        "2022-06-27T16:26:24",
    ),
    **{
        f"jcamp_dx {form}": Sample(
            jcamp(data).encode(), "spectrum", JCAMP, ("raman_shift",), WHEN, {"title": "film"}, "laboratory"
        )
        for form, data in JCAMP_FORMS.items()
    },
    "jcamp_dx": Sample(
        jcamp_link(
            jcamp(PAIRS, "XYPOINTS=(XY..XY)", TITLE="all: sample", XUNITS="NANOMETERS", YFACTOR="1", FIRSTY="9"),
            jcamp("100IUJT", TITLE="all: dark spectrum", XUNITS="NANOMETERS", YFACTOR="2", FIRSTY="18"),
        ).encode(),
        "dark_spectrum",
        {"intensity": ([18, 18, 18, 20, 22], "count"), "wavelength": (SHIFT, "nm")},
        ("wavelength",),
        WHEN,
        {"title": "all: dark spectrum"},
    ),
}  # fmt: skip
