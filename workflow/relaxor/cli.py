"""The command ``relaxor``."""

import json
import sys
from pathlib import Path
from typing import Annotated

import rich.console
import rich.markup
import rich.table
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


@app.command()
def inspect(
    paths: Annotated[list[Path], typer.Argument(help="Raw files; a folder gives a table of all files in it.")],
    plot: Annotated[bool, typer.Option("--plot", help="Draw each file into <file>.png in this folder.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything, the whole header too, as JSON.")] = False,
) -> None:
    """Say what is in raw files: format, axes, units, header, warnings. Exit code 1 if one cannot be read."""
    from relaxor.inspection import as_row, as_text, describe, draw, files_in

    found = [describe(path) for path in files_in(paths)]
    if as_json:
        typer.echo(json.dumps(found, indent=1, ensure_ascii=False))
    elif len(paths) == 1 and not paths[0].is_dir():
        typer.echo(as_text(found[0]))
    else:
        table = rich.table.Table("file", "format", "parts", "first", "acquired", "remarks")
        for row in map(as_row, found):
            table.add_row(*map(rich.markup.escape, row))
        rich.console.Console(width=None if sys.stdout.isatty() else 200).print(table)
    readable = [Path(entry["file"]) for entry in found if "error" not in entry]
    for path in readable if plot else ():
        target = Path(f"{path.name}.png")
        draw(path, target)
        typer.echo(f"drawn: {target}", err=True)
    if len(readable) < len(found) or not found:
        typer.echo(f"{len(found) - len(readable)} of {len(found)} files cannot be read", err=True)
        raise typer.Exit(1)


def main() -> None:
    """Run the command; an error of the user's data is one line on standard error and exit code 1."""
    try:
        app()
    except RelaxorError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(1)
