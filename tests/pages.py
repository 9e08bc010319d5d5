"""Pages of the documentation that a test runs: what they say that a command prints is what it prints."""

import os
import re
import subprocess
from pathlib import Path

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


def steps(page: Path) -> list[tuple[str, list[str]]]:
    """Each command with the lines that stand below it."""
    blocks = re.findall(r"^```(sh|text)\n(.*?)^```$", page.read_text(encoding="utf-8"), re.M | re.S)
    found: list[tuple[str, list[str]]] = []
    for kind, text in blocks:
        if kind == "sh":
            found.append((text, []))
        else:
            found[-1][1].extend(text.splitlines())
    return found


def plain(text: str) -> str:
    return " ".join(text.split())


def new_user(home: Path) -> dict[str, str]:
    """The environment of a user whose home this is; packages come from the cache of the one who runs the test."""
    cache = subprocess.run(["uv", "cache", "dir"], capture_output=True, check=True, text=True).stdout.strip()
    pythons = subprocess.run(["uv", "python", "dir"], capture_output=True, check=True, text=True).stdout.strip()
    pyenv = os.environ.get("PYENV_ROOT", str(Path.home() / ".pyenv"))
    return {name: os.environ[name] for name in KEPT if name in os.environ} | {
        "HOME": str(home),
        "UV_CACHE_DIR": cache,
        "UV_PYTHON_INSTALL_DIR": pythons,
        "PYENV_ROOT": pyenv,
    }


def follow(page: Path, home: Path, environment: dict[str, str]) -> None:
    """Run every command of a page in the home of a user, and compare what they print with the page."""
    expected = steps(page)
    script = "set -e\n" + "".join(f"echo '@@@ {number}'\n{text}" for number, (text, _) in enumerate(expected))
    done = subprocess.run(
        ["bash", "-c", script], cwd=home, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert done.returncode == 0, done.stdout
    printed = re.split(r"^@@@ \d+\n", done.stdout, flags=re.M)[1:]
    for (command, lines), output in zip(expected, printed, strict=True):
        said = [plain(line) for line in output.splitlines()]
        for line in lines:
            if plain(line) not in ("", "…"):
                assert plain(line) in said, f"{command}\ndoes not print\n{line}\nbut\n{output}"
                said = said[said.index(plain(line)) + 1 :]
