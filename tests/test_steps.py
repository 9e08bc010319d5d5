import inspect
import re
import subprocess
import sys
from types import SimpleNamespace

import pytest
from relaxor.core.errors import ReadError
from relaxor.project.snakemake_adapter import code_of, function_called, run_step, sources
from relaxor.readers import readers
from relaxor.techniques.registry import module_of, techniques


class Named(list):
    def __init__(self, **named):
        super().__init__(named.values())
        self.named = named

    def items(self):
        return self.named.items()

    def __getattr__(self, name):
        return self.named[name]


CALLED = {}


def remember(**keywords):
    CALLED.update(keywords)


def refuse(**_):
    raise ReadError("x.raw", "is empty")


def fail(**_):
    return 1 / 0


def job(tmp_path, function, **params):
    named = {"function": f"{__name__}:{function.__name__}", "code": "0123456789abcdef"}
    return SimpleNamespace(
        input=Named(data="in.nc"), output=Named(table="out.csv"), params=Named(**named, **params),
        log=[str(tmp_path / "job.log")], threads=1,
    )  # fmt: skip


def test_names_become_keywords_and_function_and_code_do_not(tmp_path):
    run_step(job(tmp_path, remember, window=[1, 2]))
    assert CALLED == {"data": "in.nc", "table": "out.csv", "window": [1, 2]}
    log = (tmp_path / "job.log").read_text()
    assert "in.nc" in log and f"{__name__}:remember" in log


def test_a_user_s_error_is_one_line_and_a_bug_is_a_traceback(tmp_path):
    with pytest.raises(SystemExit) as caught:
        run_step(job(tmp_path, refuse))
    assert caught.value.code == 1
    log = (tmp_path / "job.log").read_text()
    assert log.endswith("error: x.raw: is empty\n")
    assert "Traceback" not in log

    with pytest.raises(ZeroDivisionError):
        run_step(job(tmp_path, fail))
    assert "Traceback" in (tmp_path / "job.log").read_text()


def names(paths):
    return {str(path).split("relaxor/")[-1] for path in paths}


def test_sources_follow_imports_inside_relaxor_only():
    files = names(sources("relaxor.techniques.raman.analysis"))
    assert {"techniques/raman/lines.py", "stats/fit.py", "core/results.py", "core/variables.py"} <= files
    assert not any(name.startswith(("techniques/xrd", "readers", "project", "simulation")) for name in files)
    assert names(sources("relaxor.techniques.raman.analysis:analyse")) == files


def test_sources_hold_the_data_that_lie_beside_a_module():
    files = names(sources("relaxor.inpainting.scoring"))
    assert {"inpainting/classifier.py", "inpainting/classifier.safetensors", "inpainting/classifier.json"} <= files


def test_the_hash_of_the_code_is_that_of_its_content(tmp_path, monkeypatch):
    package = tmp_path / "plugin_of_a_test"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "one.py").write_text("from plugin_of_a_test.two import number\n")
    (package / "two.py").write_text("number = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert [path.name for path in sources("plugin_of_a_test.one")] == ["one.py", "two.py"]
    assert [path.name for path in sources("plugin_of_a_test")] == ["__init__.py", "one.py", "two.py"]
    assert len({code_of("plugin_of_a_test.one"), code_of("plugin_of_a_test.two"), code_of("plugin_of_a_test")}) == 3


IMPORTS = {
    "from .two import number": {"two.py"},
    "from . import two": {"__init__.py", "two.py"},
    "from ..other import four": {"other.py"},
    "from .. import other": {"__init__.py", "other.py"},
    "import {package}.inner.two": {"two.py"},
    "def late():\n    import {package}.other as there": {"other.py"},
    "try:\n    from .two import number\nexcept ImportError:\n    from ..other import four": {"two.py", "other.py"},
    "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from .two import number": set(),
    "import typing as t\nif t.TYPE_CHECKING:\n    from . import two\nelse:\n    import {package}.other": {"other.py"},
    "import json\nfrom pathlib import Path": set(),
}
"""Imports of a module of a plug-in, and the files that they bring."""


@pytest.mark.parametrize("number", range(len(IMPORTS)))
def test_every_form_of_import_is_followed(tmp_path, monkeypatch, number):
    package = f"imports_of_a_test_{number}"
    statement, brought = list(IMPORTS.items())[number]
    inner = tmp_path / package / "inner"
    inner.mkdir(parents=True)
    for path in (inner.parent / "__init__.py", inner / "__init__.py", inner / "two.py", inner.parent / "other.py"):
        path.write_text("")
    (inner / "one.py").write_text(statement.format(package=package))
    monkeypatch.syspath_prepend(tmp_path)
    assert {path.name for path in sources(f"{package}.inner.one")} == {"one.py", *brought}


def test_a_plug_in_of_one_file_is_hashed_and_what_is_missing_is_an_error(tmp_path, monkeypatch):
    (tmp_path / "single_of_a_test.py").write_text("from relaxor.core.lazy import lazy\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert {path.name for path in sources("single_of_a_test:analyse")} == {"single_of_a_test.py", "lazy.py"}
    for missing in ("no_such_package", "relaxor.no_such_module", "single_of_a_test.part"):
        with pytest.raises(ModuleNotFoundError, match=missing):
            code_of(missing)


@pytest.mark.parametrize("technique", techniques())
def test_numbers_depend_on_neither_drawing_nor_recognition(technique):
    own = techniques()[technique]
    files = names(sources("relaxor.project.analysis", own.analyse.__module__, own.settings.__module__))
    assert {f"techniques/{technique}/{name}.py" for name in ("analysis", "settings")} <= files
    others = ("figures/", "readers/", "techniques/contents", "techniques/recognition")
    assert not [name for name in files if name.startswith(others) or name.endswith(("/technique.py", "/panels.py"))]
    entry = names(sources(module_of(technique)))
    assert {f"techniques/{technique}/technique.py", "figures/panel.py"} <= entry


def test_the_reader_of_described_tables_concerns_files_with_a_description_alone():
    text_table = "relaxor.readers.tables.text_table"
    own = {reader.extract.__module__ for reader in readers().values()}
    assert "readers/tables/text_table.py" not in names(sources("relaxor.project.ingest", *own))
    assert "readers/tables/text_table.py" in names(sources("relaxor.project.ingest", text_table))


def planned_rules(root):
    from snakemake.api import ConfigSettings, OutputSettings, ResourceSettings, SnakemakeApi

    with SnakemakeApi(OutputSettings(dryrun=True)) as api:
        plan = api.workflow(ResourceSettings(cores=1), ConfigSettings(), snakefile=root / "Snakefile", workdir=root)
        plan.list_rules()
        return [rule for rule in plan._workflow.rules if rule.script]


def test_every_rule_fits_its_function(root):
    """Rule, log and benchmark carry one name; named inputs, outputs and params are the function's keywords."""
    rules = planned_rules(root)
    assert {"ingest_files", "analyse_technique", "compare_claims", "check_results"} <= {rule.name for rule in rules}
    for rule in rules:
        looped = [stem for stem in ("draw_figure", "write_tables") if rule.name.startswith(stem)]
        stem = looped[0] if looped else rule.name
        assert stem in str(rule.log[0])
        assert stem in str(rule.benchmark)
        assert rule.docstring
        assert rule.script == "../scripts/run.py"
        named = {key: rule.params[place[0]] for key, place in rule.params._get_names()}
        assert {"function", "code"} <= named.keys(), rule.name
        given = {key for part in (rule.input, rule.output, rule.params) for key, _ in part._get_names()}
        function = inspect.signature(function_called(named["function"]))
        assert given - {"function", "code"} == set(function.parameters), rule.name


def test_the_library_never_imports_snakemake(root):
    for path in (root / "workflow/relaxor").rglob("*.py"):
        assert not re.search(r"^\s*(import|from) snakemake", path.read_text(encoding="utf-8"), re.M), path


@pytest.mark.costly
def test_the_picture_of_the_workflow_is_that_of_snakemake(root):
    def edges(text: str) -> set[tuple[str, ...]]:
        names = dict(re.findall(r"(id\d+)\[(\w+)\]", text))
        return {tuple(names[end] for end in edge) for edge in re.findall(r"(id\d+) --> (id\d+)", text)}

    command = [sys.executable, "-m", "snakemake", "tables", "crossbar", "--rulegraph", "mermaid-js"]
    drawn = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    assert edges((root / "docs/workflow.md").read_text(encoding="utf-8")) == edges(drawn) != set()
