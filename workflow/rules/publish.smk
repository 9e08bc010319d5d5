# Everything behind the results in one file, to archive and to share.
rule bundle:
    """Raw data, workflow, environment and results as an RO-Crate."""
    input:
        results=[rules.all.input, PARAMETERS, CURVES],
        code=sources("relaxor.publish"),
    output:
        crate=f"{RESULTS}/{SAMPLE}.crate.zip",
    log:
        f"{LOGS}bundle.log",
    benchmark:
        f"{BENCHMARKS}bundle.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        rows=SHEET,
        workflow=HERE,
    script:
        "../scripts/bundle.py"
