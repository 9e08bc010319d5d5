"""The command ``relaxor``."""

import json
import shlex
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import track
from rich.prompt import Prompt

from relaxor.core.errors import RelaxorError, SheetError
from relaxor.core.extras import missing_extra

if TYPE_CHECKING:
    from relaxor.project.settings import Settings

SETTINGS = "config/config.yaml"
RUN = ("uv run " if Path("uv.lock").is_file() else "") + "snakemake --cores 2"
"""The command that runs the pipeline in this folder: a clone has an environment of its own."""
app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Turn raw instrument files into figures and tables with uncertainties. "
    f"'{RUN}' runs the pipeline itself; 'relaxor add' adds your own files to it.",
    epilog="A first session:  relaxor init project  →  cd project  →  relaxor add mysample ~/measurements  →  "
    f"relaxor check  →  {RUN}  →  results/figures/",
)


def examples(*lines: str) -> str:
    """Return the examples at the end of the help of a command, as paragraphs, because only these keep lines apart."""
    return "\n\n".join(["Examples:", *lines])


@app.command(epilog=examples("relaxor init thesis", "relaxor init paper --example"))
def init(
    folder: Annotated[Path, typer.Argument(help="Folder of the new project, which must be empty or new.")],
    example: Annotated[
        bool, typer.Option("--example", help="Make the example project instead, with the simulated files of its paper.")
    ] = False,
    from_paper: Annotated[
        str, typer.Option(metavar="DOI", help="The same, by the DOI of the paper whose project it is.")
    ] = "",
) -> None:
    """Make a project of your own: workflow, settings, an empty sheet, and lists of figures and claims.

    Nothing is overwritten: the command refuses a folder that is not empty.
    """
    from relaxor.core.extras import lacking
    from relaxor.project.new_project import init_project

    of_paper = example or from_paper != ""
    written = init_project(folder, from_paper if of_paper else None)
    typer.echo(f"{len(written)} files in {folder}")
    for missing in filter(None, map(lacking, ("workflow", "inpainting") if of_paper else ("workflow",))):
        typer.echo(f"warning: {missing}", err=True)
    then = "snakemake --cores 2"
    then = f"{then} characterization" if of_paper else f"relaxor add SAMPLE FOLDER_OF_RAW_FILES && {then}"
    typer.echo(f"Next: cd {shlex.quote(str(folder))} && {then}")


@app.command(
    epilog=examples(
        "relaxor add mysample ~/measurements",
        "relaxor add mysample ~/measurements --yes --condition 'power=0.5 mW'",
        "relaxor add mysample scans --technique '*.ibw=pfm' --condition 'scan_2*:cycle=2'",
        "relaxor add mysample ~/measurements --formula CuInP2S6 --cif CuInP2S6.cif --dry-run",
    )
)
def add(
    sample: Annotated[str, typer.Argument(help="Name of the sample, which may be new or already in the sheet.")],
    folder: Annotated[Path, typer.Argument(help="Folder of raw files, or one file. Files are copied, not moved.")],
    technique: Annotated[
        list[str],
        typer.Option("--technique", help="PATTERN=TECHNIQUE, for files that do not state it. May be repeated."),
    ] = [],  # noqa: B006 - typer reads the list, and nothing changes it
    condition: Annotated[
        list[str],
        typer.Option("--condition", help="[PATTERN:]name=value unit, a condition of measurements. May be repeated."),
    ] = [],  # noqa: B006
    table: Annotated[
        list[str],
        typer.Option(
            "--table",
            help="PATTERN=TABLE, for text tables that do not state their columns: a description of the settings, or "
            "names and units, as in '*.xy=two_theta (degree), intensity (count)'. May be repeated.",
        ),
    ] = [],  # noqa: B006
    formula: Annotated[
        str, typer.Option(help="Formula of the material, such as CuInP2S6: core levels and X-ray lines are proposed.")
    ] = "",
    cif: Annotated[
        Path | None, typer.Option(help="Structure file of the material: its cell is proposed as well.")
    ] = None,
    instrument: Annotated[str, typer.Option(help="Instrument of the settings that measured the files.")] = "",
    origin: Annotated[Literal["measured", "simulated"], typer.Option(help="Where the data come from.")] = "measured",
    yes: Annotated[bool, typer.Option("--yes", help="Ask no questions; leave out and report missing items.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show rows and settings, and write nothing.")] = False,
    accept_changes: Annotated[
        bool,
        typer.Option(
            "--accept-changes",
            help="Only record new checksums of those files of the sample that changed.",
        ),
    ] = False,
) -> None:
    """Add a folder of raw files to the sheet: recognise each file, ask for missing information, and try its analysis.

    A file that no analysis accepts gets the technique 'other' and is drawn as it was measured. With a formula or a
    structure file, the settings that the analyses of the material need are proposed from tables and written into the
    settings of the sample. The exit code is 1 if nothing is added.
    """
    from relaxor.cli.terminal import proposals_table, show
    from relaxor.project import add as intake
    from relaxor.project import answers
    from relaxor.project import proposals as recognised
    from relaxor.project import proposed_settings as settings_of
    from relaxor.project.sheet import main_sample
    from relaxor.project.starter import add_starter
    from relaxor.techniques.material import Material

    settings, root = _settings(), Path.cwd()
    sheet = Path(settings.sheet)
    rows = settings.load_sheet() if sheet.exists() else []
    if accept_changes:
        own = [row for row in rows if row["sample"] == sample]
        accepted = intake.accept_changes(folder, own, root, dry_run=dry_run)
        typer.echo("\n".join(f"{path}: the present file is accepted" for path in accepted) or "no file has changed")
        return
    interactive = sys.stdin.isatty() and not yes
    proposed = {}
    if formula or cif:
        material = Material.of(formula, cif)
        proposed = settings_of.proposed_settings(material, sample, settings)
        settings = settings_of.with_proposed(settings, sample, proposed)
    with Console(stderr=True).status("reading files"):
        proposals, refused = recognised.propose(sample, folder, rows, settings, root, table)
    answers.give_techniques(proposals, technique)
    if instrument:
        answers.give_instrument(proposals, instrument, settings)
    if interactive:
        answers.ask_techniques(proposals, _ask)
    answers.give_conditions(proposals, condition)
    if interactive:
        answers.ask_conditions(proposals, _ask)
    present = {row["technique"] for row in rows if row["sample"] == sample} | {each.technique for each in proposals}
    proposed = {name: each for name, each in proposed.items() if name in present}
    with Console(stderr=True).status("trying analyses") as status:
        intake.try_analyses(sample, origin, proposals, rows, settings, lambda name: status.update(f"trying {name}"))
    show(proposals_table(proposals, refused))
    if proposed:
        typer.echo(f"settings for {SETTINGS}, under samples:\n{settings_of.as_text(sample, material, proposed)}")
    if dry_run:
        return
    if not proposals and not proposed:
        raise SheetError(f"{folder}: nothing to add; the table above gives the reason for each file")
    if not interactive and not yes:
        raise SheetError("nothing is written: there is no terminal for questions; add --yes to write these rows")
    if interactive:
        typer.confirm(f"Add {len(proposals)} rows to {sheet}?", default=True, abort=True)
    if proposed:
        settings_of.write(Path(SETTINGS), sample, material, proposed)
        typer.echo(f"settings of {', '.join(proposed)} added to {SETTINGS}")
    with intake.stored(sample, proposals, root):
        intake.add_rows(sheet, [proposal.row(sample, origin) for proposal in proposals], settings, root)
    rows, figures = settings.load_sheet(), f"{settings.results}/figures"
    main = sample == main_sample(settings.sample, rows)
    composed = add_starter(settings.figures, rows, sample) if main else ""
    typer.echo(f"{len(proposals)} rows added to {sheet}. Next: {RUN}{'' if main else ' samples'}")
    typer.echo(f"figures will be in {figures}/samples/{sample}/")
    if composed:
        typer.echo(f"and {figures}/{composed}, which {settings.figures} composes: change it as you like")


def _settings() -> "Settings":
    """Load the settings of the project in this folder, which also say how large files may be."""
    from relaxor.project.settings import load_settings
    from relaxor.readers import readers
    from relaxor.readers.common.sizes import allow_sizes

    if not Path(SETTINGS).is_file():
        raise SheetError(
            f"{SETTINGS}: this file does not exist here; run the command in the folder of the project, "
            "or make a project with 'relaxor init'"
        )
    settings = load_settings(SETTINGS)
    if settings.size_limits:  # otherwise, no reader need be imported
        allow_sizes(settings.size_limits, readers())
    return settings


def _ask(question: str, choices: Sequence[str]) -> str:
    """Ask a question on the terminal."""
    default = choices[-1] if choices else ""
    return Prompt.ask(escape(question), choices=list(choices) or None, default=default, show_default=bool(choices))


@app.command(epilog=examples("relaxor check", "relaxor check --explain flake_532nm", f"relaxor check && {RUN}"))
def check(
    explain: Annotated[
        str,
        typer.Option(
            metavar="MEASUREMENT",
            help="Show instead where each setting of one measurement comes from. Give SAMPLE/MEASUREMENT if two "
            "samples share the name.",
        ),
    ] = "",
) -> None:
    """Check settings, sheet, files, checksums and conditions before a run, and try the analyses.

    Only what has changed since the last check is read and tried again. The exit code is 1 if anything is wrong.
    """
    from relaxor.cli.terminal import checked_table, settings_table, show
    from relaxor.project.preflight import (
        STORE,
        check_files,
        check_lists,
        explained,
        left_out,
        misspelt_conditions,
        try_analyses,
    )
    from relaxor.project.remembered import remembered
    from relaxor.reporting.names import misnamed

    settings = _settings()
    if explain:
        row, resolved = explained(explain, settings)
        show(settings_table(row["technique"], resolved))
        return
    rows, problems = check_lists(settings)
    screen = Console(stderr=True)
    with remembered(STORE) as answer:
        files = check_files(rows, settings, answer)
        found = list(
            track(files, "reading files", len(rows), console=screen, transient=True, disable=not screen.is_terminal)
        )
        with screen.status("trying analyses"):
            found = try_analyses(found, settings, answer)
    if found:
        show(checked_table(found))
    doubts = misspelt_conditions(rows, settings.sheet) + left_out(rows, settings)
    for doubt in doubts:
        typer.echo(f"warning: {doubt}", err=True)
    problems += [*misnamed(settings), *(problem for each in found for problem in each.problems)]
    for problem in problems:
        typer.echo(problem, err=True)
    if problems:
        typer.echo(f"{len(problems)} problems", err=True)
        raise typer.Exit(1)
    warned = f", but see the {len(doubts)} warning{'s' * (len(doubts) > 1)}" if doubts else ""
    then = RUN if rows else "relaxor add SAMPLE FOLDER"
    typer.echo(f"nothing is wrong with {len(rows)} files{warned}. Next: {then}")


@app.command(epilog=examples("relaxor claims", "relaxor claims --results results/smoke", "relaxor claims | grep ✗"))
def claims(
    results: Annotated[Path | None, typer.Option(help="Folder of results; by default that of the settings.")] = None,
) -> None:
    """Show each reported number next to ours: ✓ agrees, ✗ differs, ↺ returned (simulated), ? flagged, – no data."""
    from relaxor.cli.terminal import claims_summary, claims_table, show
    from relaxor.reporting.claims import load_comparison

    path = (results or Path(_settings().results)) / "claims.csv"
    if not path.is_file():
        raise SheetError(f"{path}: there are no results yet; make them with '{RUN}'")
    table = load_comparison(path)
    show(claims_table(table))
    typer.echo(claims_summary(table))


@app.command(epilog=examples("relaxor view", "relaxor view --results results/smoke --port 8080"))
def view(
    results: Annotated[Path | None, typer.Option(help="Folder of results; by default that of the settings.")] = None,
    port: Annotated[int, typer.Option(help="Port on this computer; 0 takes a free one.")] = 8321,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in the browser.")] = True,
) -> None:
    """Show the explorer of all results in the browser, and load it again whenever the results change."""
    import webbrowser

    from relaxor.reporting.explorer.view import HOST, server

    with server((results or Path(_settings().results)) / "explorer", port) as serving:
        address = f"http://{HOST}:{serving.server_port}/"
        typer.echo(f"{address} shows the results to this computer alone; end with Ctrl-C")
        if browser:
            webbrowser.open(address)
        with suppress(KeyboardInterrupt):
            serving.serve_forever()


@app.command(
    epilog=examples("relaxor inspect scan.xrdml", "relaxor inspect --plot scan.xrdml", "relaxor inspect ~/measurements")
)
def inspect(
    paths: Annotated[list[Path], typer.Argument(help="Raw files. A folder gives a table of all files in it.")],
    plot: Annotated[
        bool,
        typer.Option("--plot", help="Draw each file to <file>.png, and all of a folder to <folder>.png."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON, with the whole header.")] = False,
) -> None:
    """Describe raw files: format, axes, units, header, warnings. The exit code is 1 if a file cannot be read."""
    from relaxor.cli.terminal import files_table, show
    from relaxor.project import inspection

    if Path(SETTINGS).is_file():
        _settings()
    found = [inspection.describe(path) for path in inspection.files_in(paths)]
    if as_json:
        typer.echo(json.dumps(found, indent=1, ensure_ascii=False))
    elif len(paths) == 1 and not paths[0].is_dir():
        typer.echo(inspection.as_text(found[0]))
    else:
        show(files_table(map(inspection.as_row, found)))
    readable = {Path(entry["file"]) for entry in found if "format" in entry}
    for path in paths if plot else ():
        files, target = [file for file in inspection.files_in([path]) if file in readable], f"{path.resolve().name}.png"
        if files:
            if path.is_dir():
                inspection.draw_overview(files, Path(target))
            else:
                inspection.draw(path, Path(target))
            typer.echo(f"drawn: {target}", err=True)
    failed = sum("error" in entry for entry in found)
    if failed or not found:
        typer.echo(f"{failed} of {len(found)} files cannot be read", err=True)
        raise typer.Exit(1)


@app.command(epilog=examples("relaxor simulate", "relaxor simulate /somewhere/else"))
def simulate(
    folder: Annotated[Path, typer.Argument(help="Folder to which the sample data are written.")] = Path("raw_data"),
) -> None:
    """Write the sample data (simulated instrument files, true values and checksums), with the same bytes every time."""
    from relaxor.project.simulate import simulate_sample

    written = simulate_sample(folder)
    size = sum(path.stat().st_size for path in written)
    typer.echo(f"{len(written)} files, {size / 1e6:.1f} MB, in {folder}")


@app.command(epilog=examples("relaxor schema > workflow/schemas/config.schema.json"))
def schema() -> None:
    """Print the JSON schema of the settings; editors use it to complete and check config.yaml."""
    from relaxor.project.settings import schema as settings_schema

    typer.echo(settings_schema(), nl=False)


@app.command(epilog=examples("relaxor reference settings > docs/settings.md"))
def reference(
    page: Annotated[Literal["settings", "numbers"], typer.Argument(help="The page to print.")],
) -> None:
    """Print a reference page: every setting with its unit and source, or every number that a technique can give."""
    from relaxor.reporting.reference import numbers_reference, settings_reference

    typer.echo(settings_reference() if page == "settings" else numbers_reference(), nl=False)


def main() -> None:
    """Run the command.

    An error of the data or of the disk is reported in one line on standard error, with exit code 1.
    """
    try:
        app()
    except ImportError as error:
        if (missing := missing_extra(error)) is None:
            raise
        typer.echo(f"error: {missing}", err=True)
        sys.exit(1)
    except RelaxorError as error:
        typer.echo(f"error: {error}", err=True)
        if error.advice:
            typer.echo(f"what to do: {error.advice}", err=True)
        sys.exit(1)
    except OSError as error:
        typer.echo(f"error: {error.filename or 'disk'}: {error.strerror or error}", err=True)
        sys.exit(1)
