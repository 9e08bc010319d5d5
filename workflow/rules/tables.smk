# Numbers → tables for print, the comparison with the paper, and the checks that the results must pass.
PARAMETERS = [analysed(topic, "parameters.csv") for topic in ANALYSED]
CURVES = [analysed(topic, "curves.nc") for topic in ANALYSED]


for part in PARTS:
    written = [topic for topic in ANALYSED if topics()[topic].part == part]
    if not written:
        continue

    rule:
        """The tables of one part of the work, one for each topic."""
        name:
            f"write_tables_{part}"
        input:
            parameters=[analysed(topic, "parameters.csv") for topic in written],
        output:
            tables=[printed(topic, suffix) for topic in written for suffix in SUFFIXES],
        log:
            f"{LOGS}write_tables/{part}.log",
        benchmark:
            f"{BENCHMARKS}write_tables/{part}.tsv"
        priority: 10  # what is cheap to make and can be looked at comes before the long trainings
        conda:
            ENVIRONMENT
        threads: 1
        resources:
            mem_mb=500,
            runtime=5,
        params:
            **calls("relaxor.reporting.tables:write_tables"),
            files=files_of(SAMPLE, written),
        script:
            "../scripts/run.py"


rule compare_claims:
    """What the paper reports against what the data say."""
    input:
        parameters=PARAMETERS,
        claims=beside(SETTINGS.claims),
    output:
        comparison=f"{RESULTS}/claims.csv",
        shown=report(
            f"{RESULTS}/claims.html",
            caption="../report/claims.rst",
            category="Claims",
            labels={"table": "claims of the paper", "data": ORIGIN},
        ),
    log:
        f"{LOGS}compare_claims.log",
    benchmark:
        f"{BENCHMARKS}compare_claims.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        **calls("relaxor.reporting.claims:compare_claims"),
    script:
        "../scripts/run.py"


rule compare_devices:
    """Our device beside others of the literature."""
    input:
        literature=beside(SETTINGS.literature),
        parameters=[analysed(technique, "parameters.csv") for technique in COMPARING],
    output:
        table=f"{RESULTS}/devices.csv",
        printed=[printed("devices", suffix, "devices") for suffix in SUFFIXES[1:]],
    log:
        f"{LOGS}compare_devices.log",
    benchmark:
        f"{BENCHMARKS}compare_devices.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        **calls("relaxor.reporting.literature:compare"),
        device=PLAIN["devices"]["device"],
        numbers=PLAIN["devices"]["numbers"],
    script:
        "../scripts/run.py"


rule check_results:
    """Physics that must hold; a failure fails the build."""
    input:
        parameters=PARAMETERS,
        expectations=beside(SETTINGS.checks),
    output:
        checks=f"{RESULTS}/checks.csv",
    log:
        f"{LOGS}check_results.log",
    benchmark:
        f"{BENCHMARKS}check_results.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        **calls("relaxor.reporting.result_checks:check_results"),
    script:
        "../scripts/run.py"


rule tables:
    """Every table, the claims and the checks."""
    input:
        [f"{RESULTS}/tables/{topic}.{suffix}" for topic in ANALYSED for suffix in SUFFIXES],
        rules.compare_claims.output,
        rules.compare_devices.output if COMPARING else [],
        rules.check_results.output,
