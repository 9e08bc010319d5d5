"""Settings of the stem analysis."""

from pydantic import Field

from relaxor.core.section import Section


class StemSettings(Section):
    """Settings of the stem analysis; units and defaults beside each."""

    detector: str = "HAADF"
    """Image to take of a file that holds several."""
    a: float | None = Field(None, gt=1, lt=50)
    """Lattice parameter a of the hexagonal structure, angstrom; an image cannot be analysed without."""
    tolerance: float = Field(0.06, gt=0, le=0.2)
    """Relative range around it in which the lattice is sought: calibration and drift are within a few percent."""
    spot_threshold: float = Field(25.0, ge=10)
    """Least power of a spot over the median around it; the highest of 49 pixels of pure noise is near 6."""
    highest_frequency: float = Field(0.75, gt=0)
    """Largest spatial frequency of a spot, 1/angstrom: beyond it a probe of 1 angstrom transfers little."""
    column_sigma: float = Field(0.43, gt=0)
    """Standard deviation of a column's Gaussian at the start of its fit, angstrom: probe and thermal motion."""
    correlated_length: float = Field(6.0, gt=0)
    """Height over which lines of the scan may move together, angstrom; taken up to whole cells: one, 43 lines."""
    calibration_error: float = Field(0.01, ge=0)
    """Relative standard uncertainty of the pixel size: magnification of a microscope not calibrated on the day."""
    z_exponent: float = Field(1.7, ge=1, le=2)
    """Power of Z that gives an atom's intensity on an annular detector; doi 10.1016/0304-3991(91)90004-P."""
    z_exponent_error: float = Field(0.1, ge=0)
    """Its standard uncertainty: 1.6 to 1.9 are found, with the angles of the detector."""
