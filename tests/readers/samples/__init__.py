"""The smallest valid file of every format, made by hand from its layout or by the writers of the simulator."""

import bz2

from tests.readers.samples import (
    cameras,
    diffraction,
    electrical,
    microscopes,
    optics,
    photoemission,
    probes,
    spectra,
    tables,
)
from tests.readers.samples.diffraction import UXD
from tests.readers.samples.sample import Sample

SAMPLES: dict[str, Sample] = {
    name: sample
    for module in (cameras, diffraction, electrical, microscopes, optics, photoemission, probes, spectra, tables)
    for name, sample in module.SAMPLES.items()
}
"""Samples by the name of their format, and of their layout where a format has several."""
CONTENTS: dict[str, bytes] = {name: sample.content for name, sample in SAMPLES.items()}
"""The bytes of the samples."""
VARIANTS: dict[str, bytes] = {
    "microscope_tif packed": microscopes.tif((40, 50), compression="zlib"),
    "bruker_bcf empty": microscopes.bcf(),
    "phenom_elid packed": bz2.compress(CONTENTS["phenom_elid"]),
}
"""More to mutate: other forms of a format, and files that hold nothing but their structure."""

__all__ = ["CONTENTS", "SAMPLES", "UXD", "VARIANTS", "Sample"]
