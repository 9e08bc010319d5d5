"""The console of a run: what is ready, how far it is, and a summary at its end."""

import csv
import logging
from pathlib import Path
from types import SimpleNamespace

import pytest
from snakemake.logging import DefaultFormatter
from snakemake_interface_logger_plugins.common import LogEvent
from snakemake_logger_plugin_relaxor import GO_ON, LogHandler

from tests.project import Project


def console(dryrun: bool = False) -> LogHandler:
    handler = LogHandler(SimpleNamespace(dryrun=dryrun, stdout=True), None)
    handler.setFormatter(DefaultFormatter())
    return handler


def told(handler: LogHandler, message: str = "", level: int = logging.INFO, **more: object) -> None:
    record = logging.LogRecord("snakemake", level, "", 0, message, (), None)
    vars(record).update(more)
    handler.emit(record)


def job(number: int, rule: str, *output: str, **wildcards: str) -> dict[str, object]:
    return {"event": LogEvent.JOB_INFO, "jobid": number, "rule_name": rule, "output": output, "wildcards": wildcards}


def test_each_figure_and_the_end_of_each_stage_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    numbers = tmp_path / "parameters.csv"
    with numbers.open("w", newline="") as file:
        csv.writer(file).writerows([["parameter", "status"], ["a", "ok"], ["b", "misfit"], ["c", "ok"]])
    (tmp_path / "figure1.png").write_bytes(b"png")
    (tmp_path / "explorer").mkdir()
    (tmp_path / "explorer/index.html").write_bytes(b"html")
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables/raman.html").write_bytes(b"html")
    handler = console()
    told(
        handler,
        event=LogEvent.RUN_INFO,
        stats={
            "analyse_technique": 1,
            "draw_figure1": 1,
            "train_decoder": 1,
            "write_tables": 1,
            "build_explorer": 1,
            "total": 5,
        },
    )
    told(handler, "Select jobs to execute...")
    for number, rule, files, words in (
        (1, "analyse_technique", [f"{numbers} (update)"], {}),
        (2, "draw_figure1", [str(tmp_path / "figure1.pdf"), str(tmp_path / "figure1.png")], {}),
        (3, "train_decoder", [], {"hole": "4"}),
        (4, "write_tables", [str(tmp_path / "tables/raman.html")], {}),
        (5, "build_explorer", [str(tmp_path / "explorer")], {}),
    ):
        told(handler, event=LogEvent.JOB_STARTED, jobs=[number])
        told(handler, **job(number, rule, *files, **words))
        told(handler, event=LogEvent.JOB_FINISHED, job_id=number)
        told(handler, event=LogEvent.PROGRESS, done=number, total=5)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("5 jobs, about ") and ".snakemake/log" in lines[0]
    shown = [line.partition("] ")[2] for line in lines[1:7]]
    assert shown == [
        "analyse technique: done", f"figure1 → {tmp_path / 'figure1.png'}", "train decoder (hole 4) begins",
        "train decoder: done", "write tables: done",
        f"explorer → {tmp_path / 'explorer/index.html'}",
    ]  # fmt: skip
    assert lines[1].startswith("[1/5, about") and lines[7].startswith("finished in")
    assert lines[8:] == [
        "numbers: 2 ok, 1 misfit",
        f"figures: {tmp_path}",
        f"pages: {tmp_path / 'explorer'}, {tmp_path / 'tables'}",
    ]


def test_a_stopped_run_says_how_to_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    told(console(), "Terminating processes on user request, this might take some time.")
    assert capsys.readouterr().out.strip() == GO_ON


def test_errors_and_dry_runs_are_printed_as_always(capsys: pytest.CaptureFixture[str]) -> None:
    told(console(), "WorkflowError: no such file", logging.ERROR)
    told(console(dryrun=True), "Building DAG of jobs...")
    assert capsys.readouterr().out == "WorkflowError: no such file\nBuilding DAG of jobs...\n"


@pytest.mark.slow
def test_a_run_names_what_is_ready(tmp_path: Path) -> None:
    project = Project.of_this(tmp_path / "project", "raman")
    said = project.run("results/figures/figure1.png")
    assert "figure1 → results/figures/figure1.png" in said and "finished in" in said
