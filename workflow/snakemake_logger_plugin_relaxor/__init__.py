"""The console of a run: what is ready to look at, how far the run is, and a summary at its end.

Snakemake finds this plugin by the name of its package; the default profile selects it (``logger: relaxor``). The long
log with every file of every job is kept by Snakemake itself, below ``.snakemake/log``. A dry run prints as always.
"""

import csv
import logging
import re
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

TYPICAL = {
    "train_decoder": 150, "quantize_decoder": 90, "score_decoder": 40, "run_chips": 30, "break_down_chip": 240,
    "run_notebook": 15,
}  # fmt: skip
"""CPU time of long jobs in seconds on an ordinary machine; the speed of this one follows from the jobs that ended."""
SHORT = 6.0
"""The same for all other jobs."""
ANNOUNCED = 60.0
"""Jobs that take at least as long, in seconds, are announced when they begin."""
KEPT = ("Nothing to be done", "Complete log", "Unlocked", "Report created", "Deleting", "Would delete")
"""Messages of Snakemake that the console shows as they are."""
STOPPED = "Terminating processes on user request"
GO_ON = "stopped: nothing is lost. The same command goes on where this run ended."
MARK = re.compile(r" \([a-z, ]+\)$")
"""What Snakemake adds to the name of a file, such as ``(update)``."""
INDEX = "index.html"
"""The page of a folder that a job makes as a whole."""
PICTURE, PAGE, NUMBERS, CLAIMS = ".png", ".html", "parameters.csv", "claims.csv"


class LogHandler(LogHandlerBase):
    """One line for each thing that is ready to look at, and a summary."""

    writes_to_stream = True
    writes_to_file = False
    has_filter = False
    has_formatter = False
    needs_rulegraph = False

    def __post_init__(self) -> None:
        self.begun = time.monotonic()
        self.jobs: dict[int, dict[str, Any]] = {}
        self.left: Counter[str] = Counter()
        self.started: dict[int, float] = {}
        self.spent = self.expected = 0.0
        self.made: list[Path] = []
        self.done = self.total = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Print what a record means to somebody who waits for results."""
        handle = {
            LogEvent.RUN_INFO: self._planned,
            LogEvent.JOB_INFO: self._known,
            LogEvent.JOB_STARTED: self._begins,
            LogEvent.JOB_FINISHED: self._ended,
            LogEvent.PROGRESS: self._progress,
        }.get(getattr(record, "event", None))
        if self.common_settings.dryrun or record.levelno >= logging.WARNING:
            self._print(self.format(record))
        elif handle is not None:
            handle(vars(record))
        elif record.getMessage().startswith(STOPPED):
            self._print(GO_ON)
        elif record.getMessage().startswith(KEPT):
            self._print(record.getMessage())

    def _planned(self, told: Mapping[str, Any]) -> None:
        counts = {rule: number for rule, number in told["stats"].items() if rule != "total"}
        self.left, self.total = Counter(counts), sum(counts.values())
        self._print(f"{self.total} jobs{self._time_left()}; the log of every file is kept below .snakemake/log")

    def _known(self, told: Mapping[str, Any]) -> None:
        """Keep what a job is, which Snakemake says just after it said that the job begins."""
        self.jobs[told["jobid"]] = dict(told)
        if told["jobid"] in self.started and _typical(told["rule_name"]) >= ANNOUNCED:
            self._line(f"{_words(told)} begins")

    def _begins(self, told: Mapping[str, Any]) -> None:
        self.started |= dict.fromkeys(told["jobs"], time.monotonic())

    def _ended(self, told: Mapping[str, Any]) -> None:
        job = self.jobs.get(told["job_id"], {})
        rule = job.get("rule_name", "")
        self.left[rule] -= 1
        self.spent += time.monotonic() - self.started.get(told["job_id"], time.monotonic())
        self.expected += _typical(rule)
        made = [_shown(Path(MARK.sub("", name))) for name in job.get("output") or ()]
        self.made += made
        shown = [path for path in made if path.suffix == PICTURE and path.parent.name != "panels"]
        shown += [path for path in made if path.suffix == PAGE and "tables" not in path.parts]
        if shown:
            name = shown[0].parent.name if shown[0].name == INDEX else shown[0].stem
            self._line(f"{name.replace('_', ' ')} → {shown[0]}")
        elif not self.left[rule] and rule:
            self._line(f"{rule.replace('_', ' ')}: done")

    def _progress(self, told: Mapping[str, Any]) -> None:
        self.done, self.total = told["done"], told["total"]
        if self.done == self.total:
            for line in _summary(self.made, time.monotonic() - self.begun):
                self._print(line)

    def _time_left(self) -> str:
        """Return how long the jobs that are left will take, from the speed of those that ended."""
        speed = self.spent / self.expected if self.expected else 1.0
        seconds = speed * sum(number * _typical(rule) for rule, number in self.left.items() if number > 0)
        seconds /= max(self.spent / max(time.monotonic() - self.begun, 1.0), 1.0)  # jobs that run at a time
        return f", about {max(round(seconds / 60), 1)} min left" if seconds else ""

    def _line(self, text: str) -> None:
        self._print(f"[{min(self.done + 1, self.total)}/{self.total}{self._time_left()}] {text}")

    def _print(self, text: str) -> None:
        if not text.strip():
            return
        print(text, file=sys.stdout if self.common_settings.stdout else sys.stderr, flush=True)


def _typical(rule: str) -> float:
    return next((seconds for name, seconds in TYPICAL.items() if rule.endswith(name)), SHORT)


def _shown(made: Path) -> Path:
    """Return what somebody opens of a file or folder that a job made."""
    return made / INDEX if (made / INDEX).is_file() else made


def _words(job: Mapping[str, Any]) -> str:
    told = ", ".join(f"{name} {value}" for name, value in (job.get("wildcards") or {}).items())
    return f"{job.get('rule_name', 'a job').replace('_', ' ')} ({told})"


def _summary(made: Iterable[Path], seconds: float) -> list[str]:
    """Return what the run made: numbers by their status, claims by their verdict, and where to look."""
    made = [path for path in made if path.is_file()]
    lines = [f"finished in {seconds / 60:.1f} min"]
    statuses = Counter(row["status"] for path in made if path.name == NUMBERS for row in _rows(path))
    verdicts = Counter(row["verdict"] for path in made if path.name == CLAIMS for row in _rows(path))
    for name, counted in (("numbers", statuses), ("claims", verdicts)):
        if counted:
            told = ", ".join(f"{number} {word}" for word, number in counted.most_common())
            lines.append(f"{name}: {told}")
    for name, suffix in (("figures", PICTURE), ("pages", PAGE)):
        folders = sorted({str(path.parent) for path in made if path.suffix == suffix and path.parent.name != "panels"})
        if folders:
            lines.append(f"{name}: {', '.join(folders)}")
    return lines


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
