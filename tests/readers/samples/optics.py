"""Text and binary files of optical spectrometers and cameras."""

from tests.readers.samples.sample import COUNTS, Sample

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
}  # fmt: skip
