"""Spectra of photoelectron spectrometers."""

import numpy as np
from relaxor.readers.photoemission.vamas import MARK
from relaxor.simulation.writers.phi_spe import Region, write

from tests.readers.samples.electrical import workbook
from tests.readers.samples.sample import Sample

SPECS = """# Created by:        SpecsLab Prodigy, Version 4.100
# XY-Serializer Export Settings:
#   Energy Axis:              Binding Energy
#   Count Rate:               Counts per Second
#   Separate Scan Data:       yes
# Group:                        1 as-loaded
# Region:                       C1s
# Values/Curve:                 3
# Dwell Time:                   0.5
# Excitation Energy:            1486.61
# Cycle: 0, Curve: 0, Scan: 0
290  18
289  32
288  50
# Cycle: 0, Curve: 0, Scan: 1
290  20
289  34
288  52
"""
SCIENTA = """[Info]
Number of Regions=1
[Region 1]
Region Name=VB
Dimension 1 name=Binding Energy [eV]
Dimension 1 size=3
[Info 1]
Excitation Energy=520
Date=2023-03-08
Time=15:24:35
[Data 1]
 3.0E+0002  1.5E+0001
 2.9E+0002  1.6E+0001
 2.8E+0002  1.7E+0001
"""
CASA = (
    "Cycle 0:FeO:Fe2p\n\tCharacteristic Energy eV\t1.48661e+003\tAcquisition Time s\t2.0e+000\n"
    "Name\t\tFe 2p\t\nPosition\t\t709.05\t\nFWHM\t\t3.86\t\nArea\t\t63507.37\t\nLineshape\t\tLF(0.54,10)\t\n"
    "K.E.\tCounts\tFe 2p\tBackground\tEnvelope\t\tB.E.\tCPS\n"
    "736.61\t16\t17\t15\t17\t\t750.0\t8\n737.61\t36\t35\t-1.#IND\t36\t\t749.0\t18\n"
)
SPECS_XML = (
    '<?xml version="1.0"?>\n<!-- CORBA XML document created by XMLSerializer2 1.6, from SL 2.81 -->\n'
    "<!DOCTYPE any [\n<!ELEMENT any (sequence)?>\n]>\n"
    '<any version="1.6"><sequence length="1"><struct type_name="RegionGroup"><string name="name">map</string>'
    '<sequence name="regions" length="1"><struct type_name="RegionData"><string name="name">C1s</string>'
    '<struct name="region"><string name="analysis_method">XPS</string><string name="analyzer_lens">Medium</string>'
    '<string name="analyzer_slit">1:0.2x20c</string><struct name="scan_mode">'
    '<string name="name">FixedAnalyzerTransmission</string></struct><ulong name="values_per_curve">4</ulong>'
    '<double name="dwell_time">0.1</double><double name="scan_delta">0.5</double>'
    '<double name="excitation_energy">1253.6</double><double name="kinetic_energy">963.6</double>'
    '<double name="pass_energy">50</double><double name="bias_voltage">90</double>'
    '<double name="detector_voltage">2400</double><double name="effective_workfunction">4.37</double></struct>'
    '<ulong name="mcd_head">1</ulong><ulong name="mcd_tail">1</ulong><struct name="analyzer_info">'
    '<string name="name">PHOIBOS</string><sequence name="detectors" length="2">'
    '<struct type_name="Detector"><double name="shift">-0.01</double></struct>'
    '<struct type_name="Detector"><double name="shift">0.01</double></struct></sequence></struct>'
    '<sequence name="cycles" length="1"><struct type_name="Cycle"><ulong name="time">1643391325</ulong>'
    '<struct type_name="ScanData"><sequence name="counts" length="12"><ulong type_name="Counts">\n'
    "0 1\n0 2\n1 30\n2 4\n30 5\n4 0\n</ulong></sequence></struct></struct></sequence></struct></sequence></struct>"
    "</sequence></any>\n"
)
"""Two channels: what the first sees at a sample, the second has seen two samples before."""


def avantage_sheet(
    values: list[list[object]], names: tuple[str, ...] = ("", ""), levels: tuple[object, ...] = (), row: int = 15
) -> list[list[object]]:
    """A sheet of Avantage: the energies in column A, B empty, ``values`` behind it; ``levels`` above the numbers."""
    cells: list[list[object]] = [[""] * 9 for _ in range(row + 1)]
    cells[0][0], cells[0][7] = "Experiment Descriptions :", "Acquisition Parameters :"
    cells[1][0], cells[2][7] = "C1s Scan.VGD", "Parameter"
    for number, (key, value) in enumerate(
        (("Number of Scans", 5), ("Source Gun Type", "Al K Alpha"), ("Analyser Mode", "CAE : Pass Energy 20.0 eV"))
    ):
        cells[3 + number][7:] = [key, value]
    cells[6][:4] = ["Energy", "E", "eV", len(values)]
    cells[7][:4] = ["Etch Time", "T", "s", len(values[0])]
    cells[row - 1][0], cells[row][0], cells[row][2] = "Binding Energy (E)", "eV", "Counts / s"
    cells[row - 1][2 : 2 + len(names)] = names
    above = [["", "", *levels]] if levels else []
    return [*cells, *above, *([298.0 - number, "", *each] for number, each in enumerate(values))]


def avantage(**sheets: list[list[object]]) -> bytes:
    """A workbook of Avantage with its two sheets of texts."""
    peaks = [["Peak Table :"], ["", "Name", "Peak BE", "FWHM eV"], ["", "C1s", 284.8, 1.2]]
    named = {name.replace("_", " "): cells for name, cells in sheets.items()}
    return workbook({"Titles": [["film 7"]], **named, "Peak Table": peaks})


BLOCK = """{identifier}
sample
2024
11
14
12
0
0
0
1
SIMULATED
XPS
Al mono
1486.6
25
100
100
45
0
FAT
55
1
4.5
0
0
0
45
0
C
1s
-1
Kinetic Energy
eV
1190.6
0.5
1
Counts
d
pulse counting
0.5
2
0
0
0
0
0
4
1
9
1
4
9
4
"""


def vamas(blocks: int = 1) -> str:
    """A REGULAR file of spectra of 4 points, in counts."""
    head = [MARK, "lab", "PHI VersaProbe III", "nobody", "simulated", "0", "NORM", "REGULAR", "1"]
    text = "\n".join([*head, "0", "0", "0", "0", "0", str(blocks)]) + "\n"
    return (
        text + "".join(BLOCK.format(identifier=f"block {number}") for number in range(blocks)) + "end of experiment\n"
    )


PHI_HEADER = {
    "InstrumentModel": "VersaProbe III",
    "AcqFileDate": "2024 11 14",
    "XraySource": "Al 1486.6 mono",
    "AnalyserWorkFcn": "4.506 eV",
    "IntensityCalCoeff": "40.000 0.200",
}


def phi() -> bytes:
    """Two regions of one name, as the simulator writes them."""
    counts = np.arange(20) ** 2
    regions = [Region("C1s", 6, 296.0, -0.1, counts, 0.8, 55.0), Region("C1s", 6, 296.0, -0.1, counts + 1, 0.8, 55.0)]
    return write(regions, PHI_HEADER)


SAMPLES = {
    "specs_xy": Sample(
        SPECS.encode(),
        "C1s",
        {
            "intensity": ([[18, 32, 50], [20, 34, 52]], "count/s"),
            "intensity_uncertainty": (np.sqrt([[36, 64, 100], [40, 68, 104]]), "count/s"),
            "binding_energy": ([290, 289, 288], "eV"),
            "kinetic_energy": ([1196.61, 1197.61, 1198.61], "eV"),
        },
        ("scan", "binding_energy"),
        "",
        {"counting_time": 0.5, "excitation_energy": 1486.61, "group": "1 as-loaded"},
        "Energy Axis",
    ),
    "specs_xml": Sample(
        SPECS_XML.encode(),
        "C1s",
        {
            "counts": ([2, 4, 60, 8], "count"),
            "intensity": ([20, 40, 600, 80], "count/s"),
            "binding_energy": ([290, 289.5, 289, 288.5], "eV"),
            "channel_counts": ([[0, 0, 1, 2, 30, 4], [1, 2, 30, 4, 5, 0]], "count"),
        },
        ("binding_energy",),
        "2022-01-28T17:35:25+00:00",
        {"counting_time": 0.1, "pass_energy": 50.0, "work_function": 4.37, "analyzer": "PHOIBOS"},
        "analyzer_lens",
    ),
    "scienta_txt": Sample(
        SCIENTA.encode(),
        "VB",
        {"intensity": ([15, 16, 17], "1"), "binding_energy": ([300, 290, 280], "eV"),
         "kinetic_energy": ([220, 230, 240], "eV")},
        ("binding_energy",),
        "2023-03-08T15:24:35",
        {"excitation_energy": 520.0},
        "Region Name",
    ),
    "thermo_avantage": Sample(
        avantage(
            C1s_Scan=avantage_sheet(
                [[900.5, "", 800, 100, 900], [1000.5, "", 880, 110, 990], [950.5, "", 850, 105, 955]],
                ("", "", "C1s Scan A", "Backgnd.", "Envelope"),
            )
        ),
        "C1s",
        {
            "intensity": ([900.5, 1000.5, 950.5], "count/s"),
            "binding_energy": ([298, 297, 296], "eV"),
            "peaks": ([[800, 880, 850]], "count/s"),
            "background": ([100, 110, 105], "count/s"),
            "envelope": ([900, 990, 955], "count/s"),
        },
        ("binding_energy",),
        attrs={"region": "C1s", "sample": "film 7", "pass_energy": 20.0, "scans": 5, "source": "Al K Alpha"},
        header="Peak BE",
    ),
    "casaxps_txt": Sample(
        CASA.encode(),
        "Fe2p",
        {
            "counts": ([16, 36], "count"),
            "intensity": ([8, 18], "count/s"),
            "counts_uncertainty": ([4, 6], "count"),
            "binding_energy": ([750, 749], "eV"),
            "kinetic_energy": ([736.61, 737.61], "eV"),
            "background": ([15, np.nan], "count"),
            "peaks": ([[17, 35]], "count"),
            "peak_position": ([709.05], "eV"),
            "peak_area": ([63507.37], "count*eV/s"),
        },
        ("binding_energy",),
        "",
        {"counting_time": 2.0, "excitation_energy": 1486.61, "sample": "FeO", "cycle": 0},
        "Lineshape",
    ),
    "vamas": Sample(
        vamas().encode(),
        "C1s",
        {
            "counts": ([1, 4, 9, 4], "count"),
            "intensity": ([1, 4, 9, 4], "count/s"),
            "kinetic_energy": ([1190.6, 1191.1, 1191.6, 1192.1], "eV"),
            "binding_energy": ([296, 295.5, 295, 294.5], "eV"),
        },
        ("binding_energy",),
        "2024-11-14T12:00:00",
        {"counting_time": 1.0, "pass_energy": 55.0, "excitation_energy": 1486.6, "work_function": 4.5},
        "pulse counting",
    ),
    "phi_spe": Sample(
        phi(),
        "C1s",
        {
            "intensity": (np.arange(20) ** 2 / 0.8, "count/s"),
            "intensity_uncertainty": (np.maximum(np.arange(20), 1) / 0.8, "count/s"),
            "binding_energy": (296 - 0.1 * np.arange(20), "eV"),
        },
        ("binding_energy",),
        "2024-11-14",
        {"counting_time": 0.8, "pass_energy": 55.0, "work_function": 4.506, "excitation_energy": 1486.6},
        "IntensityCalCoeff",
    ),
}  # fmt: skip
