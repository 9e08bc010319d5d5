# Results → notebooks that tell the story of a figure, executed, and as pages that open offline.
KINDS = ("parameters.csv", "curves.nc")


rule run_notebook:
    """Execute a notebook and print it as a page."""
    input:
        PARAMETERS,
        CURVES,
        lambda wildcards: sorted(
            {file for name in told(wildcards.notebook) for kind in KINDS for file in shown(name, kind)}
            - {*PARAMETERS, *CURVES}
        ),
        SPECIFICATIONS,
        rules.compare_claims.output,
        rules.compare_devices.output if COMPARING else [],
        notebook=lambda wildcards: STORIES[wildcards.notebook],
    output:
        executed=f"{RESULTS}/notebooks/{{notebook}}.ipynb",
        page=report(
            f"{RESULTS}/notebooks/{{notebook}}.html",
            caption="../report/notebook.rst",
            category="Notebooks",
            labels={"notebook": "{notebook}", "data": ORIGIN},
        ),
    log:
        f"{LOGS}run_notebook/{{notebook}}.log",
    benchmark:
        f"{BENCHMARKS}run_notebook/{{notebook}}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        function="relaxor.reporting.notebooks:run_notebook",
        code=lambda wildcards: code_of(
            "relaxor.reporting.notebooks",
            "relaxor.reporting.notebook_api",
            *modules_drawing(told_of(wildcards.notebook)),
        ),
        parameters=lambda wildcards: {
            "sample": SAMPLE,
            "results_dir": RESULTS,
            "config": {"figures": SPECIFICATIONS, **settings_drawn(map(FIGURES.get, told(wildcards.notebook)))},
            "panels": {panel.id: FED.get(panel.id, []) for panel in told_of(wildcards.notebook)},
            **({"figure": wildcards.notebook} if wildcards.notebook in GENERIC else {}),
        },
    script:
        "../scripts/run.py"


rule notebooks:
    """Every notebook, executed."""
    input:
        [f"{RESULTS}/notebooks/{notebook}.html" for notebook in NOTEBOOKS],
