"""The command ``relaxor``."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from relaxor.errors import RelaxorError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="From raw instrument files to figures and tables with uncertainties. "
    "The pipeline itself runs with 'snakemake --cores 2'.",
)


@app.command()
def simulate(
    folder: Annotated[Path, typer.Argument(help="Where the sample data go.")] = Path("raw_data"),
) -> None:
    """Make the sample data (simulated instrument files, their truth and checksums); the same bytes every time."""
    from relaxor.twin.simulate import simulate as make

    written = make(folder)
    size = sum(path.stat().st_size for path in written)
    typer.echo(f"{len(written)} files, {size / 1e6:.1f} MB, in {folder}")


@app.command()
def schema() -> None:
    """Print the JSON schema of the settings; editors use it to complete and check config.yaml."""
    from relaxor.config import schema as settings_schema

    typer.echo(settings_schema(), nl=False)


def main() -> None:
    """Run the command; an error of the user's data is one line on standard error and exit code 1."""
    try:
        app()
    except RelaxorError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(1)
