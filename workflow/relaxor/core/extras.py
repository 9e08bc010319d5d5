"""Optional parts of relaxor, and the message if one is missing."""

from importlib.util import find_spec

from relaxor.core.errors import RelaxorError

EXTRAS = {
    "workflow": (
        "IPython", "h5netcdf", "jinja2", "matplotlib", "mistune", "nbconvert", "nbformat", "papermill", "plotly",
        "pooch", "rocrate", "snakemake", "tabulate", "xlsxwriter",
    ),
    "inpainting": ("equinox", "jax", "onnx", "optax", "pooch", "safetensors"),
}  # fmt: skip
"""The packages of each extra, by the names under which they are imported."""


class MissingExtraError(RelaxorError):
    """A required package is only installed with an extra."""


def lacking(extra: str) -> str:
    """Return what to install because a package of an extra is missing, or an empty string if all are there."""
    absent = (package for package in EXTRAS[extra] if find_spec(package) is None)
    return next((_advice(package, extra) for package in absent), "")


def missing_extra(error: ImportError) -> MissingExtraError | None:
    """Return what to install if an import failed because an extra is missing, or None for any other failure."""
    package = (error.name or "").partition(".")[0]
    for extra, packages in EXTRAS.items():
        if package in packages:
            return MissingExtraError(_advice(package, extra))
    return None


def _advice(package: str, extra: str) -> str:
    return f"'{package}' is not installed; it comes with: pip install 'relaxor[{extra}]'"
