# Numbers → tables for print, the comparison with the paper, and the checks that the results must pass.
PARAMETERS = [analysed(technique, "parameters.csv") for technique in ANALYSED]
CURVES = [analysed(technique, "curves.nc") for technique in ANALYSED]


for part, techniques in PARTS.items():
    if not techniques:
        continue

    rule:
        """The tables of one part of the paper, one a technique."""
        name:
            f"write_tables_{part}"
        input:
            parameters=[analysed(technique, "parameters.csv") for technique in techniques],
            code=sources("relaxor.reporting.tables"),
        output:
            tables=[printed(technique, suffix) for technique in techniques for suffix in SUFFIXES],
        log:
            f"{LOGS}write_tables/{part}.log",
        benchmark:
            f"{BENCHMARKS}write_tables/{part}.tsv"
        conda:
            ENVIRONMENT
        threads: 1
        resources:
            mem_mb=500,
            runtime=5,
        script:
            "../scripts/write_tables.py"


rule compare_claims:
    """What the paper reports against what the data say."""
    input:
        parameters=PARAMETERS,
        claims=beside(SETTINGS.claims),
        code=sources("relaxor.reporting.claims"),
    output:
        comparison=report(
            f"{RESULTS}/claims.csv",
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
    script:
        "../scripts/compare_claims.py"


rule compare_devices:
    """Our device beside others of the literature."""
    input:
        literature=beside(SETTINGS.literature),
        parameters=[analysed(technique, "parameters.csv") for technique in COMPARING if technique in TECHNIQUES],
        code=sources("relaxor.reporting.literature"),
    output:
        table=report(
            f"{RESULTS}/devices.csv",
            caption="../report/devices.rst",
            category="Tables",
            labels={"table": "other devices", "data": ORIGIN},
        ),
        printed=[f"{RESULTS}/tables/devices.{suffix}" for suffix in ("md", "tex")],
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
        device=PLAIN["devices"]["device"],
        numbers=PLAIN["devices"]["numbers"],
    script:
        "../scripts/compare_devices.py"


rule check_results:
    """Physics that must hold; a failure fails the build."""
    input:
        parameters=PARAMETERS,
        expectations=beside(SETTINGS.checks),
        code=sources("relaxor.reporting.result_checks"),
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
    script:
        "../scripts/check_results.py"


rule tables:
    """Every table, the claims and the checks."""
    input:
        [table_files(part) for part in PARTS],
        rules.compare_claims.output,
        rules.compare_devices.output if COMPARED else [],
        rules.check_results.output,
