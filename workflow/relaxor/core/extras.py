"""Parts of relaxor that are installed only on request, and what is said where one is missing."""

from relaxor.core.errors import RelaxorError

EXTRAS = {
    "workflow": (
        "IPython", "h5netcdf", "imagecodecs", "jinja2", "matplotlib", "nbconvert", "nbformat", "papermill", "rocrate",
        "snakemake", "tabulate", "xlsxwriter",
    ),
    "inpainting": ("equinox", "jax", "onnx", "optax", "pooch", "safetensors"),
}  # fmt: skip
"""Extra → the packages that come with it, by the names under which they are imported."""


class MissingExtraError(RelaxorError):
    """A package is needed that only comes with an extra."""


def missing_extra(error: ImportError) -> MissingExtraError | None:
    """Return what to install where an import failed because an extra is missing; nothing for any other failure."""
    package = (error.name or "").partition(".")[0]
    for extra, packages in EXTRAS.items():
        if package in packages:
            return MissingExtraError(f"'{package}' is not installed; it comes with: pip install 'relaxor[{extra}]'")
    return None
