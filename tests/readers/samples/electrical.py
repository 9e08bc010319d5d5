"""Runs of electrical and ferroelectric testers."""

import io
import zipfile
from collections.abc import Iterable, Mapping

import numpy as np

from tests.readers.samples.sample import Sample


def workbook(sheets: dict[str, list[list[object]]], last: str = "") -> bytes:
    """An ``.xlsx`` with inline texts; ``last`` names one more cell, far away."""

    def cell(row: int, column: int, value: object) -> str:
        place = f"{chr(65 + column)}{row + 1}"
        if value == "":
            return ""
        if isinstance(value, str):
            return f'<c r="{place}" t="inlineStr"><is><t>{value}</t></is></c>'
        return f'<c r="{place}"><v>{value}</v></c>'

    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as container:

        def write(name: str, content: str) -> None:
            container.writestr(zipfile.ZipInfo(name), f'<?xml version="1.0"?>{content}')

        entries = "".join(
            f'<sheet name="{name}" sheetId="{n}" r:id="rId{n}"/>' for n, name in enumerate(sheets, start=1)
        )
        links = "".join(
            f'<Relationship Id="rId{n}" Type="{office}/worksheet" Target="worksheets/sheet{n}.xml"/>'
            for n in range(1, len(sheets) + 1)
        )
        write("[Content_Types].xml", f'<Types xmlns="{package}/content-types"><Default Extension="xml" '
              f'ContentType="application/xml"/><Override PartName="/xl/workbook.xml" '
              f'ContentType="{kind}.sheet.main+xml"/></Types>')  # fmt: skip
        write("_rels/.rels", f'<Relationships xmlns="{package}/relationships"><Relationship Id="r" '
              f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>')  # fmt: skip
        write("xl/workbook.xml", f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>{entries}</sheets></workbook>')
        write("xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{package}/relationships">{links}</Relationships>')
        for number, rows in enumerate(sheets.values(), start=1):
            cells = "".join(
                f'<row r="{r + 1}">{"".join(cell(r, c, value) for c, value in enumerate(row))}</row>'
                for r, row in enumerate(rows)
            )
            far = f'<row r="9"><c r="{last}"><v>1</v></c></row>' if last else ""
            write(f"xl/worksheets/sheet{number}.xml",
                  f'<worksheet xmlns="{main}"><sheetData>{cells}{far}</sheetData></worksheet>')  # fmt: skip
    return out.getvalue()


RUN = [["Time", "DrainI(1)", "DrainI(2)", "VT"], [0.0, 1e-9, 2e-9, 0.7], [1.0, "#REF", 4e-9, ""], [2.0, 5e-9, "", ""]]
SETTINGS = [
    ["=====", "", ""], ["Run7", "", ""], ["=====", "", ""], ["Test Name", "vds-id#1@1", ""],
    ["Last Executed", "12/04/2019 12:33:25", ""], ["Clarius+ Version", "V1.6.1", ""], ["", "", ""],
    ["Device Terminal", "Drain", "Gate"], ["Operation Mode", "Voltage Linear Sweep", "Voltage Step"],
    ["Compliance", "0.1", "N/A"], ["", "", ""], ["Formulas", "", ""], ["VT = 0.7", "", ""],
]  # fmt: skip
KEITHLEY_TEXT = "\ufeffTime\tAI\tNORM\r\n198.8988E-3\t-626.1089E-9\t#REF\r\n298.8988E-3\t-526.1089E-9\t100.0000E-2\r\n"
LABELLED = "\tChannel Current [A]\tGate Voltage [V]\n0\t-3.9e-10\t-15.0\n1\t-4.1e-10\t-14.0\n"
B1500 = """\ufeff
SetupTitle, PUND
ApplicationTest, WGFMU Pattern Editor, Public
TestParameter, Name, OperationMode1, InitMeasRange1, OperationMode2
TestParameter, Value, Fast IV Vmeas, 5V (Vmeas), Fast IV Imeas
MetaData, TestRecord.RecordTime, 07/02/2025 10:36:28
DataName, MeasResult1_value, MeasResult2_value, MeasResult1_time
DataValue, 0.5, 1E-06, 0
DataValue, 1.5, 3E-06, 1E-07
SetupTitle, PUND Child DataDisplay
DataName, MeasResult1_value, MeasResult2_value, MeasResult1_time
DataValue, 0.5, 1E-06, 0
DataValue, 1.5, 3E-06, 1E-07
"""
KICKSTART = """Common Settings,	,,,
.Source/Sweep Points,	3,,,
.NPLC,	1,,,
.Channel,	DRAIN,,,
..Instrument,	Top 2450,,,
...Model,	2450,,,
...Serial Number,	04500494,,,
...Function,	Voltage Bias,,,
...Limit,	0.1,,,
...Sense,	4-Wire,,,
.Channel,	GATE,,,
...Model,	2450,,,
...Serial Number,	01419958,,,
...Function,	Voltage Sweep,,,
,,,,
"Index","DRAIN Time (s)","DRAIN Current (A)","GATE Voltage (V)"
"1","0","6E-08","0.5"
"2","0.4","7E-08","1"
"3","0.9","8E-08","1.5"

"Min","0","6E-08","0.5"
"Max","0.9","8E-08","1.5"
"CV","57.5%","0.1%","9%"
"""
BATTERY = """SourceMeter Model:,2450
SourceMeter S/N:,01419952

TEST_PARAM.discharge_start_time:,10/11/17 08:31:09

BATT_MODEL_RAW:,Index,Timestamp,Voc,Vload,ESR
BATT_MODEL_RAW:,1,0.03,1.29,1.28,0.027
BATT_MODEL_RAW:,2,60.03,1.28,1.27,0.028
BATT_MODEL.capacity:,1.5147
"""
RADIANT = (
    "»»»»»»»»»»» Hysteresis «««««««««««\r\n»»»  Vision Version:\t5.26.4\r\nExecuted:\t07/07/08 07:23:31 PM\r\n"
    "Sample Area (cm2):\t1.0e-4\r\nPoints:\t2\r\n\r\n"
    "Valid DataPoint\tTime (ms)\tDrive Voltage\tMeasured Polarization\r\n"
    "1\t0.02\t0.5\t-28.2\r\n2\t0.04\t0.6\t-28.1\r\n\r\nHysteresis Version: 5.26.1 - Radiant Technologies\r\n"
)

# --- aixACCT ---------------------------------------------------------------------------------------------------------
AREA = 0.01
"""Area of the capacitor, mm²."""


def aixacct_table(title: str, header: Mapping[str, object], names: Iterable[str], rows: np.ndarray) -> str:
    """A table of the tester: its rows, and the row of names above them, end with a tab."""
    lines = [title, *(f"{key}: {value}" for key, value in header.items())]
    lines.append("".join(f"{name}\t" for name in names))
    lines += ["".join(f"{number:.6e}\t" for number in row) for row in rows]
    return "\n".join(lines) + "\n\n"


def aixacct_file(first: str, module: str, summary: str, *tables: str) -> bytes:
    """A file of the tester: the name of the result, the summary, the lines of the file, and the tables."""
    about = f"Program: aixPlorer\nTimeStamp: 11/05/2024 10:12:00\nTfaModule: {module}\n\n"
    parts = (f"{first}\n", about, summary) if module == "FM" else (f"{first}\n\n", summary, about)
    return "".join((*parts, *tables)).encode("cp1252")


def charge(time: np.ndarray, current: np.ndarray) -> np.ndarray:
    """The integral of a current over time by the trapezoidal rule, from 0."""
    return np.append(0, np.cumsum((current[1:] + current[:-1]) / 2 * np.diff(time)))


TIME = np.arange(5) * 2.5e-3
LOOP_CURRENT = np.array([1.0, 2, 3, 2, 1]) * 1e-6
LOOP_POLARIZATION = -20 + charge(TIME, LOOP_CURRENT) / (AREA * 1e-2) * 1e6
LOOP_VOLTAGE = np.array([0.0, 5, 0, -5, 0])
LOOP = np.column_stack(
    [TIME, LOOP_VOLTAGE, -LOOP_VOLTAGE, *(factor * part for factor in (1, 2, 3)
     for part in (LOOP_CURRENT, LOOP_POLARIZATION))]
)  # fmt: skip
CAPACITOR = {
    "Timestamp": "11/05/2024 10:12:10", "SampleName": "µ-film", "Area [mm2]": AREA, "Thickness [nm]": 255,
    "Basic System": "TFAnalyzer 1000",
}  # fmt: skip
LOOP_NAMES = (
    "Time [s]", "V+ [V]", "V- [V]", "I1 [A]", "P1 [uC/cm2]", "I2 [A]", "P2 [uC/cm2]", "I3 [A]", "P3 [uC/cm2]",
)  # fmt: skip
PULSE_NAMES = ("Time [s]", "V [V]", "I [A]", "P [uC/cm2]")
LEAKAGE_NAMES = ("Voltage [V]", "Leakage Current Density [uA/cm2]", "Median Current Density [uA/cm2]")
SUMMARY = aixacct_table("Table 1", {}, ("Index [1]", "Vc+ [V]"), np.array([[1.0, 2.05]]))
LOOP_HEADER = CAPACITOR | {"Hysteresis Frequency [Hz]": 100, "Vc+ [V]": 2.05, "Settings": "PSW MON"}
LOOP_TABLE = aixacct_table("Table 1", LOOP_HEADER, LOOP_NAMES, LOOP)
AIXACCT_LOOPS = aixacct_file("DynamicHysteresisResult", "DHM", SUMMARY, LOOP_TABLE)
AIXACCT_FATIGUE = aixacct_file(
    "Fatigue", "FM",
    aixacct_table("Result Table 1", CAPACITOR, ("Cycles [n]", "1-DHM Vc+ [V]"), np.array([[1.0, 2.05]])),
    LOOP_TABLE.replace("Table 1", "Data Table [1,1]"),
)  # fmt: skip

STARTS = np.arange(5) * 1.2e-2
PULSE_CURRENT = np.array([[2.0], [1], [-2], [-1], [2]]) * LOOP_CURRENT
PULSE_POLARIZATION = np.array([charge(TIME, current) / (AREA * 1e-2) * 1e6 for current in PULSE_CURRENT])
PULSE_VOLTAGE = np.array([[1.0], [1], [-1], [-1], [1]]) * np.array([0, 3, 3, 3, 0])
PUND_HEADER = CAPACITOR | {"Pulse Sequence": "0XUNDP-", "Pulse Points": 5, "Psw [uC/cm2]": 40, "dPsw [uC/cm2]": 20}
AIXACCT_PULSES = aixacct_file(
    "PulseResult", "PM", SUMMARY,
    aixacct_table(
        "Table 1", PUND_HEADER, PULSE_NAMES * 5,
        np.column_stack([column for pulse in range(5) for column in (
            STARTS[pulse] + TIME, PULSE_VOLTAGE[pulse], PULSE_CURRENT[pulse], PULSE_POLARIZATION[pulse])]),
    ),
)  # fmt: skip
LEAKAGE = np.array([[0.5, 2.0, 1.9], [1.0, 4.0, 4.1], [1.5, 8.0, 8.2]])
AIXACCT_LEAKAGE = aixacct_file(
    "LeakageResult", "LM", SUMMARY,
    aixacct_table("Table 1", CAPACITOR | {"Imax+ [A]": 8e-10}, LEAKAGE_NAMES, LEAKAGE),
)  # fmt: skip

WHEN = "2024-11-05T10:12:00"
IN_LOOP = {"area": 0.01, "area_units": "mm^2", "thickness": 255.0, "hysteresis_frequency": 100.0, "vc_plus": 2.05}
LOOPS = {
    "polarization": (np.array([1, 2, 3])[:, None] * LOOP_POLARIZATION, "uC/cm^2"),
    "current": (np.array([1, 2, 3])[:, None] * LOOP_CURRENT, "A"),
    "voltage": ([LOOP_VOLTAGE, LOOP_VOLTAGE, -LOOP_VOLTAGE], "V"),
    "time": (TIME, "s"),
    "loop": ([1, 2, 3], "1"),
}

SAMPLES = {
    "keithley_kickstart": Sample(
        KICKSTART.encode(),
        "table",
        {
            "drain_time": ([0, 0.4, 0.9], "s"),
            "drain_current": ([6e-8, 7e-8, 8e-8], "A"),
            "gate_voltage": ([0.5, 1, 1.5], "V"),
        },
        ("row",),
        attrs={
            "channels": "DRAIN, GATE",
            "nplc": 1.0,
            "drain_function": "Voltage Bias",
            "drain_limit": 0.1,
            "drain_sense": "4-Wire",
            "gate_function": "Voltage Sweep",
        },
        header="57.5%",
    ),
    "keithley_battery": Sample(
        BATTERY.encode(),
        "batt_model_raw",
        {
            "timestamp": ([0.03, 60.03], "s"),
            "voc": ([1.29, 1.28], "V"),
            "vload": ([1.28, 1.27], "V"),
            "esr": ([0.027, 0.028], "ohm"),
        },
        ("row",),
        "2017-10-11T08:31:09",
        header="1.5147",
    ),
    "keithley_4200": Sample(
        workbook({"Run7": RUN, "Calc": [], "Settings": SETTINGS}),
        "Run7",
        {"DrainI": ([[1e-9, np.nan, 5e-9], [2e-9, 4e-9, np.nan]], "A"), "Time": ([0, 1, 2], "s"), "VT": (0.7, "V")},
        ("step", "point"),
        "2019-12-04T12:33:25",
        {"test": "vds-id#1@1", "executed": "2019-12-04T12:33:25"},
        "Voltage Linear Sweep",
    ),
    "keithley_4200_text": Sample(
        KEITHLEY_TEXT.encode(),
        "run",
        {"Time": ([0.1988988, 0.2988988], "s"), "AI": ([-626.1089e-9, -526.1089e-9], "A"), "NORM": ([np.nan, 1], "1")},
        ("point",),
    ),
    "columns labelled": Sample(
        LABELLED.encode(),
        "table",
        {"channel_current": ([-3.9e-10, -4.1e-10], "A"), "gate_voltage": ([-15, -14], "V"), "row": ([0, 1], "1")},
        ("row",),
        header="Channel Current",
    ),
    "keysight_b1500": Sample(
        B1500.encode(),
        "setup_1",
        {
            "MeasResult1_value": ([0.5, 1.5], "V"),
            "MeasResult2_value": ([1e-6, 3e-6], "A"),
            "MeasResult1_time": ([0, 1e-7], "s"),
        },
        ("point",),
        "2025-07-02T10:36:28",
        {"title": "PUND", "application_test": "WGFMU Pattern Editor"},
        "TestParameter",
    ),
    "radiant_vision": Sample(
        RADIANT.encode("cp1252"),
        "measurement",
        {"polarization": ([-28.2, -28.1], "uC/cm^2"), "voltage": ([0.5, 0.6], "V"), "time": ([0.02, 0.04], "ms")},
        ("point",),
        "2008-07-07T19:23:31",
        {"measurement": "Hysteresis", "sample_area_cm2": 1e-4, "points": 2.0},
        "Vision Version",
    ),
    "aixacct hysteresis": Sample(AIXACCT_LOOPS, "table_1", LOOPS, ("loop", "time"), WHEN, IN_LOOP, "µ-film"),
    "aixacct fatigue": Sample(AIXACCT_FATIGUE, "table_1", LOOPS, ("loop", "time"), WHEN, IN_LOOP, "1-DHM"),
    "aixacct pulses": Sample(
        AIXACCT_PULSES,
        "table_1",
        {
            "polarization": (PULSE_POLARIZATION, "uC/cm^2"),
            "current": (PULSE_CURRENT, "A"),
            "voltage": (PULSE_VOLTAGE, "V"),
            "absolute_time": (STARTS[:, None] + TIME, "s"),
            "time": (TIME, "s"),
        },
        ("pulse", "time"),
        WHEN,
        {"area": 0.01, "dpsw": 20.0, "dpsw_units": "uC/cm^2"},
        "0XUNDP-",
    ),
    "aixacct leakage": Sample(
        AIXACCT_LEAKAGE,
        "table_1",
        {
            "leakage_current_density": (LEAKAGE[:, 1], "uA/cm^2"),
            "median_current_density": (LEAKAGE[:, 2], "uA/cm^2"),
            "voltage": (LEAKAGE[:, 0], "V"),
            "step": ([1, 2, 3], "1"),
        },
        ("step",),
        WHEN,
        {"imax_plus": 8e-10, "imax_plus_units": "A"},
        "TFAnalyzer 1000",
    ),
}
