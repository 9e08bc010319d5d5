"""The conda environments name every runtime dependency at the version of the lock, and nothing else."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from relaxor.core.extras import EXTRAS

CONDA_NAMES = {"matplotlib": "matplotlib-base", "rosettasciio": "rosettasciio-base", "snakemake": "snakemake-minimal"}
"""Where conda calls the same package by another name."""
TOOLS = {"python", "pip"}


def locked(root: Path) -> dict[str, str]:
    """Packages of ``relaxor[all]``, which the rules need, at their locked versions, by their names on PyPI."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lock = tomllib.loads((root / "uv.lock").read_text(encoding="utf-8"))
    versions = {package["name"]: package.get("version") for package in lock["package"]}
    extras = project["optional-dependencies"]
    entries = [*project["dependencies"], *extras["workflow"], *extras["inpainting"]]
    names = [re.match(r"[A-Za-z0-9._-]+", entry)[0].lower() for entry in entries]
    return {name: versions[name] for name in names}


def test_a_missing_package_names_its_extra(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    brought_along = {"IPython", "nbformat"}  # by ipykernel, which is never imported itself
    for extra, packages in EXTRAS.items():
        entries = project["optional-dependencies"][extra]
        assert {re.match(r"[A-Za-z0-9._-]+", entry)[0] for entry in entries} - {"ipykernel"} == set(
            packages
        ) - brought_along


def pinned(text: str) -> dict[str, str]:
    """Packages of a conda environment file and their versions; conda pins with '=', pip with '=='."""
    packages: dict[str, str] = {}
    for entry in yaml.safe_load(text)["dependencies"]:
        for line in entry["pip"] if isinstance(entry, dict) else [entry]:
            name, separator, version = re.fullmatch(r"([A-Za-z0-9._-]+)(={0,2})(\S*)", line).groups()
            assert separator == ("==" if isinstance(entry, dict) else "=" if version else ""), line
            assert name not in packages, f"{name} twice"
            packages[name] = version
    return packages


def differences(text: str, versions: dict[str, str]) -> dict[str, tuple[str | None, str | None]]:
    """Package → (in the environment, in the lock) wherever the two differ."""
    found = {name: version for name, version in pinned(text).items() if name not in TOOLS}
    expected = {CONDA_NAMES.get(name, name): version for name, version in versions.items()}
    return {
        name: (found.get(name), expected.get(name))
        for name in found.keys() | expected.keys()
        if found.get(name) != expected.get(name)
    }


def environments(root: Path) -> list[Path]:
    files = sorted((root / "envs").glob("*.yaml"))
    assert files, "envs/ holds no environment"
    return files


def test_environments_match_the_lock(root: Path) -> None:
    for path in environments(root):
        assert differences(path.read_text(encoding="utf-8"), locked(root)) == {}, path.name


def test_python_is_the_one_of_the_project(root: Path) -> None:
    wanted = (root / ".python-version").read_text(encoding="utf-8").strip().split(".")[:2]
    for path in environments(root):
        assert pinned(path.read_text(encoding="utf-8"))["python"].split(".")[:2] == wanted


@pytest.mark.parametrize(
    ("old", "new", "package"),
    [("numpy=", "numpy=0", "numpy"), ("  - scipy=", "  - sipcy=", "scipy"), ("witio==", "witio==9", "witio")],
)
def test_a_changed_version_is_found(root: Path, old: str, new: str, package: str) -> None:
    text = (root / "envs/analysis.yaml").read_text(encoding="utf-8")
    assert package in differences(text.replace(old, new), locked(root))


def test_channels_are_the_free_ones(root: Path) -> None:
    for path in environments(root):
        channels = yaml.safe_load(path.read_text(encoding="utf-8"))["channels"]
        assert channels == ["conda-forge", "bioconda", "nodefaults"]
