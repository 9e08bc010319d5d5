import importlib
import inspect
import re
import subprocess
import sys
from types import SimpleNamespace

import pytest
from relaxor.core.errors import ReadError
from relaxor.project.settings import load_settings
from relaxor.project.snakemake_adapter import run_step, sources
from relaxor.techniques.registry import TECHNIQUES


class Named(list):
    def __init__(self, **named):
        super().__init__(named.values())
        self.named = named

    def items(self):
        return self.named.items()


def job(tmp_path, **params):
    return SimpleNamespace(
        input=Named(data="in.nc", code=["a.py"]), output=Named(table="out.csv"), params=Named(**params),
        log=[str(tmp_path / "job.log")], threads=1,
    )  # fmt: skip


def test_names_become_keywords_and_code_does_not(tmp_path):
    seen = {}
    run_step(lambda **keywords: seen.update(keywords), job(tmp_path, window=[1, 2]))
    assert seen == {"data": "in.nc", "table": "out.csv", "window": [1, 2]}
    assert "in.nc" in (tmp_path / "job.log").read_text()


def test_a_user_s_error_is_one_line_and_a_bug_is_a_traceback(tmp_path):
    def refuse(**_):
        raise ReadError("x.raw", "is empty")

    with pytest.raises(SystemExit) as caught:
        run_step(refuse, job(tmp_path))
    assert caught.value.code == 1
    log = (tmp_path / "job.log").read_text()
    assert log.endswith("error: x.raw: is empty\n")
    assert "Traceback" not in log

    with pytest.raises(ZeroDivisionError):
        run_step(lambda **_: 1 / 0, job(tmp_path))
    assert "Traceback" in (tmp_path / "job.log").read_text()


def test_sources_follow_imports_inside_relaxor_only():
    files = {path.split("relaxor/")[-1] for path in sources("relaxor.techniques.raman.analysis")}
    assert {"raman/__init__.py", "raman/lines.py", "fitting.py", "data.py", "readers/schema.py"} <= files
    assert not any(name.startswith(("xrd", "figures", "twin")) for name in files)


def test_sources_hold_the_data_that_lie_beside_a_module():
    files = {path.split("relaxor/")[-1] for path in sources("relaxor.inpainting.scoring")}
    assert {"inpainting/classifier.py", "inpainting/classifier.safetensors", "inpainting/classifier.json"} <= files


def planned_rules(root):
    from snakemake.api import ConfigSettings, OutputSettings, ResourceSettings, SnakemakeApi

    with SnakemakeApi(OutputSettings(dryrun=True)) as api:
        plan = api.workflow(ResourceSettings(cores=1), ConfigSettings(), snakefile=root / "Snakefile", workdir=root)
        plan.list_rules()
        return [rule for rule in plan._workflow.rules if rule.script]


def function_of(script):
    text = script.read_text(encoding="utf-8")
    module, name = re.search(r"from (relaxor\.(?!steps)\S+) import (\w+)", text).groups()
    assert len(text.splitlines()) == 4, f"{script.name}: two imports, an empty line, one call"
    return set(inspect.signature(getattr(importlib.import_module(module), name)).parameters)


def test_every_rule_fits_its_function(root):
    """Rule, script, log and benchmark carry one name; named inputs, outputs and params are the function's keywords."""
    scripts, plain = root / "workflow/scripts", load_settings(root / "config/config.yaml").model_dump()
    rules = planned_rules(root)
    assert {"ingest_files", "analyse_technique", "compare_claims", "check_results"} <= {rule.name for rule in rules}
    used = set()
    for rule in rules:
        looped = [stem for stem in ("draw_figure", "write_tables") if rule.name.startswith(stem)]
        stem = looped[0] if looped else rule.name
        assert stem in str(rule.log[0])
        assert stem in str(rule.benchmark)
        assert rule.docstring
        given = {key for part in (rule.input, rule.output, rule.params) for key, _ in part._get_names()} - {"code"}
        if stem == "analyse_technique":
            for technique in TECHNIQUES:
                wanted = given - {"settings"} | set(plain[technique])
                assert wanted == function_of(scripts / f"analyse_{technique}.py"), technique
                used.add(f"analyse_{technique}.py")
        else:
            assert given == function_of(scripts / f"{stem}.py"), stem
            used.add(f"{stem}.py")
    assert used == {path.name for path in scripts.glob("*.py")}


def test_the_library_never_imports_snakemake(root):
    for path in (root / "workflow/relaxor").rglob("*.py"):
        assert not re.search(r"^\s*(import|from) snakemake", path.read_text(encoding="utf-8"), re.M), path


def test_the_picture_of_the_workflow_is_that_of_snakemake(root):
    def edges(text: str) -> set[tuple[str, ...]]:
        names = dict(re.findall(r"(id\d+)\[(\w+)\]", text))
        return {tuple(names[end] for end in edge) for edge in re.findall(r"(id\d+) --> (id\d+)", text)}

    command = [sys.executable, "-m", "snakemake", "tables", "crossbar", "--rulegraph", "mermaid-js"]
    drawn = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    assert edges((root / "docs/workflow.md").read_text(encoding="utf-8")) == edges(drawn) != set()
