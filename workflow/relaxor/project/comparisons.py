"""Settings of the comparison with other devices."""

from relaxor.core.section import Section


class OurNumber(Section):
    """One row of ``parameters.csv``; ``*`` stands for any text."""

    technique: str
    parameter: str
    measurement: str = "*"
    model: str = "*"


NUMBERS = {
    "energy per spike (electrical)": OurNumber(technique="pulses", model="integral", parameter="energy_per_spike"),
    "energy per spike (optical)": OurNumber(technique="light", model="integral", parameter="energy_per_spike"),
    "energy per spike (light on device)": OurNumber(
        technique="light", model="optical_absorbed", parameter="energy_per_spike"
    ),
    "PPF index (electrical)": OurNumber(technique="pulses", model="pairs", parameter="index_shortest"),
    "PPF index (optical)": OurNumber(technique="light", model="pairs", parameter="index_shortest"),
    "on/off ratio": OurNumber(technique="pulses", measurement="ltp_ltd_50", model="cycles", parameter="on_off_ratio"),
    "relaxation time": OurNumber(
        technique="pulses", measurement="retention", model="N50_triple_exponential", parameter="tau_3"
    ),
    "responsivity": OurNumber(
        technique="light",
        measurement="light_power_650nm",
        model="figures_of_merit",
        parameter="responsivity_at_32_mW_per_cm2",
    ),
    "thickness": OurNumber(
        technique="afm", measurement="afm_flake_8nm", model="profile_linear", parameter="step_height"
    ),
}


class Devices(Section):
    """Settings of the comparison with other devices: which of our numbers stand beside those of the literature."""

    device: str = "CuBiP2Se6 (this work)"
    """Our name in the table."""
    numbers: dict[str, OurNumber] = NUMBERS
    """Quantity → the one row of the results that gives it."""
