"""The tutorial, run command by command in a fresh clone; what it says that they print is what they print."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.project import ROOT

pytestmark = pytest.mark.slow

TUTORIAL = ROOT / "docs/tutorial.md"
FILES = {
    "calcite.wdf": "raman_shg/renishaw_wdf/nCal_Qontor785_z005H12_100_1x3s.wdf",
    "powder.xrdml": "xrd/panalytical_xrdml/examples.xrdml",
    "transistor.xls": "electrical/keithley4200_xls/vds-id#1.xls",
}
KEPT = (
    "PATH",
    "LANG",
    "LC_ALL",
    "PYENV_ROOT",
    "SSL_CERT_FILE",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "PIP_INDEX_URL",
)
"""Of the environment of the test; the rest is that of a new user."""


def steps() -> list[tuple[str, list[str]]]:
    """Each command with the lines that stand below it."""
    blocks = re.findall(r"^```(sh|text)\n(.*?)^```$", TUTORIAL.read_text(encoding="utf-8"), re.M | re.S)
    found: list[tuple[str, list[str]]] = []
    for kind, text in blocks:
        if kind == "sh":
            found.append((text, []))
        else:
            found[-1][1].extend(text.splitlines())
    return found


def plain(text: str) -> str:
    return " ".join(text.split())


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


def environment(home: Path, repository: Path) -> dict[str, str]:
    """That of a user whose home this is; packages come from the cache of the one who runs the test."""
    cache = subprocess.run(["uv", "cache", "dir"], capture_output=True, check=True, text=True).stdout.strip()
    pythons = subprocess.run(["uv", "python", "dir"], capture_output=True, check=True, text=True).stdout.strip()
    pyenv = os.environ.get("PYENV_ROOT", str(Path.home() / ".pyenv"))
    return {name: os.environ[name] for name in KEPT if name in os.environ} | {
        "HOME": str(home),
        "UV_CACHE_DIR": cache,
        "UV_PYTHON_INSTALL_DIR": pythons,
        "PYENV_ROOT": pyenv,
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{repository}.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://ADDRESS",
    }


def test_a_new_lab_comes_from_a_folder_of_files_to_figures(rawfiles, tmp_path):
    home = tmp_path / "home"
    (home / "measurements").mkdir(parents=True)
    for name, source in FILES.items():
        shutil.copyfile(rawfiles / source, home / "measurements" / name)
    repository = commit_of_this(tmp_path / "repository")
    expected = steps()
    script = "set -e\n" + "".join(f"echo '@@@ {number}'\n{text}" for number, (text, _) in enumerate(expected))
    done = subprocess.run(
        ["bash", "-c", script], cwd=home, env=environment(home, repository), stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    printed = re.split(r"^@@@ \d+\n", done.stdout, flags=re.M)[1:]
    for (command, lines), output in zip(expected, printed, strict=True):
        said = [plain(line) for line in output.splitlines()]
        for line in lines:
            if plain(line) not in ("", "…"):
                assert plain(line) in said, f"{command}\ndoes not print\n{line}\nbut\n{output}"
                said = said[said.index(plain(line)) + 1 :]
    for technique in ("raman", "xrd", "sweeps"):
        figure = home / f"relaxor/results/figures/samples/trial/{technique}.png"
        assert figure.read_bytes().startswith(b"\x89PNG")
