# Results → notebooks that tell the story of a figure, executed, and as pages that open offline.
rule run_notebook:
    """Execute a notebook and print it as a page."""
    input:
        PARAMETERS,
        CURVES,
        SPECIFICATIONS,
        rules.compare_claims.output,
        rules.compare_devices.output if COMPARED else [],
        notebook=f"{STORIES}/{{notebook}}.ipynb",
        code=sources("relaxor.reporting.notebook_api", "relaxor.reporting.notebooks", "relaxor.figures"),
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
        parameters=lambda wildcards: {
            "sample": SAMPLE,
            "results_dir": RESULTS,
            "config": settings_drawn(wildcards.notebook),
        },
    script:
        "../scripts/run_notebook.py"


rule notebooks:
    """Every notebook, executed."""
    input:
        [f"{RESULTS}/notebooks/{notebook}.html" for notebook in NOTEBOOKS],
