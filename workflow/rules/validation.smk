# Public raw data with published numbers, config/validation.yaml: fetched, analysed as samples of a sheet of their own, compared.
checkpoint provide_public_files:
    """Find or fetch the public files; what cannot be had is listed, with the reason."""
    input:
        registry=VALIDATION,
    output:
        files=f"{RESULTS}/validation/files.csv",
        raw=directory(f"{RESULTS}/validation/raw"),
    log:
        f"{LOGS}provide_public_files.log",
    benchmark:
        f"{BENCHMARKS}provide_public_files.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=500,
        runtime=30,
    params:
        **calls("relaxor.project.published:provide_files"),
        folders=public_folders(),
    script:
        "../scripts/run.py"


rule compare_published:
    """Our numbers beside those that others publish of the same raw data."""
    input:
        registry=VALIDATION,
        files=f"{RESULTS}/validation/files.csv",
        raw=f"{RESULTS}/validation/raw",
        parameters=analyses_of_sets,
    output:
        comparison=f"{RESULTS}/validation.csv",
    log:
        f"{LOGS}compare_published.log",
    benchmark:
        f"{BENCHMARKS}compare_published.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        **calls("relaxor.reporting.validation:compare_published", *FUNCTIONS_OF_SETS),
    script:
        "../scripts/run.py"


rule write_validation_page:
    """The comparison as a page."""
    input:
        comparison=f"{RESULTS}/validation.csv",
        registry=VALIDATION,
    output:
        page=f"{RESULTS}/validation.md",
        shown=report(
            f"{RESULTS}/validation.html",
            caption="../report/validation.rst",
            category="Validation",
            labels={"table": "published numbers, ours, and why they differ", "data": "measured"},
        ),
    log:
        f"{LOGS}write_validation_page.log",
    benchmark:
        f"{BENCHMARKS}write_validation_page.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        **calls("relaxor.reporting.validation:write_page"),
    script:
        "../scripts/run.py"


rule draw_validation:
    """Every published number with both errors, grouped by technique."""
    input:
        comparison=f"{RESULTS}/validation.csv",
    output:
        figure=pictured("validation", "validation", {"figure": "published numbers", "data": "measured"}, "Validation"),
    log:
        f"{LOGS}draw_validation.log",
    benchmark:
        f"{BENCHMARKS}draw_validation.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        **calls("relaxor.reporting.validation_figure:draw_validation"),
    script:
        "../scripts/run.py"


rule validation:
    """Our numbers against those that others publish of public raw data."""
    input:
        rules.compare_published.output,
        rules.write_validation_page.output,
        rules.draw_validation.output,
