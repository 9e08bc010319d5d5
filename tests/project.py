"""Copies of the project in which tests run the workflow, damage files and edit code."""

import csv
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import yaml
from relaxor.project.layers import resolve
from relaxor.project.settings import load_settings
from relaxor.project.sheet import COLUMNS
from relaxor.techniques.registry import techniques

ROOT = Path(__file__).parents[1]
PARTS = ("Snakefile", "config", "workflow", "profiles", "envs", "raw_data", "notebooks")
SETTINGS = load_settings(ROOT / "config/config.yaml")
CBPS = {
    name: resolve(technique, SETTINGS.layers(name, "cbps")).settings.model_dump(mode="json")
    for name, technique in techniques().items()
}
"""Technique → the keywords of its analysis, for the sample data."""


def sheet_rows() -> list[dict]:
    """The rows of the project's sheet."""
    return SETTINGS.load_sheet(ROOT)


def empty_project(root: Path, settings: str) -> Path:
    """Make a project with settings and a sheet without rows, as a lab begins."""
    (root / "config").mkdir(parents=True)
    (root / "config/config.yaml").write_text(settings)
    (root / "config/measurements.tsv").write_text("\t".join(COLUMNS) + "\n")
    return root


def commit_of_this(folder: Path) -> Path:
    """A repository that holds the working tree as it is."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    for name in subprocess.run(listed, cwd=ROOT, capture_output=True, check=True, text=True).stdout.split("\0"):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    who = ["-c", "user.name=test", "-c", "user.email=test@localhost"]
    for arguments in (["init", "-q"], ["add", "-A"], [*who, "commit", "-qm", "this"]):
        subprocess.run(["git", *arguments], cwd=folder, check=True)
    return folder


@dataclass(frozen=True)
class Project:
    """A copy of the project, or a project that uses the library of another folder."""

    folder: Path
    library: Path | None = None

    @classmethod
    def of_this(cls, folder: Path, technique: str | None = None) -> "Project":
        """Copy the project, or as much of it as one technique needs; letters are as few as in the smoke run."""
        folder.mkdir(parents=True, exist_ok=True)
        leave_out = shutil.ignore_patterns("__pycache__", ".snakemake")
        for part in PARTS:
            if (ROOT / part).is_dir():
                shutil.copytree(ROOT / part, folder / part, ignore=leave_out)
            elif (ROOT / part).exists():
                shutil.copy2(ROOT / part, folder / part)
        project = cls(folder)
        settings, smoke = (
            yaml.safe_load((folder / "config" / name).read_text(encoding="utf-8"))
            for name in ("config.yaml", "smoke.yaml")
        )
        few = {part: settings[part] | smoke[part] for part in ("inpainting", "crossbar")}
        for plan in ("training", "fine_tuning"):
            few["inpainting"][plan] = settings["inpainting"][plan] | smoke["inpainting"][plan]
        (folder / "config/config.yaml").write_text(
            yaml.safe_dump(few | settings | few, sort_keys=False), encoding="utf-8"
        )
        if technique:
            project._reduce(technique)
        return project

    def copy(self, folder: Path) -> "Project":
        """Copy everything with its times, results and Snakemake's memory of them included."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return Project(folder)

    def _reduce(self, technique: str) -> None:
        header, *rows = self.read_sheet()
        kept = [row for row in rows if row[header.index("technique")] == technique]
        self.write_sheet([header, *kept])
        figures = yaml.safe_load((self.folder / SETTINGS.figures).read_text(encoding="utf-8"))
        shown = {}
        for name, figure in figures.items():
            panels = {
                key: panel for key, panel in figure["panels"].items() if panel["draw"].partition(".")[0] == technique
            }
            if panels:
                shown[name] = figure | {"panels": panels, "layout": [list(panels)]}
        (self.folder / SETTINGS.figures).write_text(yaml.safe_dump(shown), encoding="utf-8")
        settings = yaml.safe_load((self.folder / "config/config.yaml").read_text(encoding="utf-8"))
        settings["notebooks"] = []  # they show every panel of their figure
        (self.folder / "config/config.yaml").write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
        for part in (SETTINGS.claims, SETTINGS.checks):
            (self.folder / part).write_text("[]\n", encoding="utf-8")

    def read_sheet(self) -> list[list[str]]:
        """Lines of the sheet as cells, the header first."""
        with (self.folder / SETTINGS.sheet).open(encoding="utf-8", newline="") as stream:
            return list(csv.reader(stream, delimiter="\t"))

    def write_sheet(self, lines: list[list[str]]) -> None:
        with (self.folder / SETTINGS.sheet).open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream, delimiter="\t", lineterminator="\n").writerows(lines)

    def environment(self) -> dict[str, str]:
        """The environment in which this copy's library, and no other, is found."""
        library = (self.library or self.folder) / "workflow"
        return os.environ | {"PYTHONPATH": str(library), "OMP_NUM_THREADS": "1"}

    def start(self, *arguments: str, cores: int = 2, within: tuple[str, ...] = ()) -> subprocess.Popen:
        """Start Snakemake as the leader of its own process group, by another command if one is given."""
        return subprocess.Popen(
            [*within, sys.executable, "-m", "snakemake", "--cores", str(cores), "--nocolor", *arguments],
            cwd=self.folder,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str, cores: int = 2, code: int = 0, within: tuple[str, ...] = ()) -> str:
        """Run Snakemake to its end and return what it prints."""
        with self.start(*arguments, cores=cores, within=within) as process:
            output = process.communicate()[0]
        assert process.returncode == code, output
        return output

    def kill_after(self, seconds: float) -> bool:
        """Start a run and SIGKILL all its processes after some time; say whether it was still running."""
        with self.start() as process:
            time.sleep(seconds)
            running = process.poll() is None
            os.killpg(process.pid, signal.SIGKILL) if running else None
            process.communicate()
        return running

    def planned(self, *arguments: str) -> set[str]:
        """Rules that a run would execute now; a rule with a technique is ``rule:technique``."""
        output = self.run("--dry-run", *arguments)
        jobs = re.findall(r"^(?:local)?rule (\S+):\n((?: {4}.*\n)*)", output, re.M)
        found = set()
        for rule, details in jobs:
            technique = re.search(r"technique=(\w+)", details)
            found.add(f"{rule}:{technique[1]}" if technique else rule)
        return found - {"all", "figures", "tables", "samples", "notebooks"}

    def results(self) -> dict[str, str]:
        """Every file of the results: its path and SHA-256."""
        base = self.folder / SETTINGS.results
        return {
            str(path.relative_to(base)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(base.rglob("*"))
            if path.is_file()
        }
