"""The voltage and the current of a device are told from the names of their terminals, or the file is refused."""

import numpy as np
import pytest
import xarray as xr
from relaxor.core.errors import AnalysisError
from relaxor.core.results import Measurement
from relaxor.core.variables import variable
from relaxor.techniques.iv_sweeps.terminals import device_pair, with_currents

SWEEP = np.concatenate([np.linspace(0, 1, 30), np.linspace(1, 0, 30)])
CONSTANT = np.full(SWEEP.size, 0.1)


def region(**columns: np.ndarray) -> xr.Dataset:
    units = {name: "V" if "v" in name.lower() else "A" for name in columns}
    return xr.Dataset({name: variable("row", values, units[name], name) for name, values in columns.items()})


@pytest.mark.parametrize(
    ("names", "pair"),
    [
        (("Ig", "Vg", "Id", "Vd"), ("Vd", "Id")),
        (("Vgs", "Igs", "Vds", "Ids"), ("Vds", "Ids")),
        (("GateV", "GateI", "DrainI", "DrainV"), ("DrainV", "DrainI")),
        (("AV", "AI"), ("AV", "AI")),
        (("gate_voltage", "channel_current", "channel_voltage"), ("channel_voltage", "channel_current")),
        (("V_bg", "Isd", "Vsd", "I_leakage_gate"), ("Vsd", "Isd")),
        (("smu_1_Voltage", "smu_1_Current"), ("smu_1_Voltage", "smu_1_Current")),
        (("Vforce", "Imeas", "v1_rise", "i1_fall"), ("Vforce", "Imeas")),
    ],
)
def test_columns_of_one_terminal_belong_together(names: tuple[str, ...], pair: tuple[str, str]) -> None:
    data = region(**{name: CONSTANT if "g" in name.lower().replace("voltage", "") else SWEEP for name in names})
    assert tuple(str(each.name) for each in device_pair(data, "file")) == pair


def test_names_that_do_not_decide_are_refused_with_the_way_out() -> None:
    with pytest.raises(AnalysisError, match=r"voltages Va1, Vb1 and currents Ic1, Ie1.*column 'table'"):
        device_pair(region(Va1=SWEEP, Vb1=SWEEP, Ic1=SWEEP, Ie1=SWEEP), "file")


def test_curves_at_several_gate_voltages_are_no_cycles() -> None:
    gate = np.repeat([0.0, 1.0], SWEEP.size // 2)
    with pytest.raises(AnalysisError, match="Vg changes from 0 to 1 V: curves of a transistor"):
        device_pair(region(Vg=gate, Vd=SWEEP, Id=SWEEP), "file")


def test_a_gate_alone_is_no_device() -> None:
    with pytest.raises(AnalysisError, match="Ig is that of its gate"):
        device_pair(region(Vg=SWEEP, Ig=SWEEP), "file")


def test_a_current_density_needs_the_area_of_the_sheet() -> None:
    columns = {
        "voltage": variable("row", SWEEP, "V", "voltage"),
        "j": variable("row", SWEEP, "mA/cm^2", "current density"),
    }
    regions = {"table": xr.Dataset(columns)}
    with pytest.raises(AnalysisError, match=r"needs the condition 'area' \(add 'area=… cm\^2'\)"):
        with_currents(Measurement("jv", {}, {}, regions))
    found = with_currents(Measurement("jv", {}, {"area": (1e-4, "cm^2")}, regions)).regions["table"]["j"]
    assert found.attrs["units"] == "A" and found.values[29] == pytest.approx(1e-7)
