# Numbers → tables for print, the comparison with the paper, and the checks that the results must pass.
PARAMETERS = [analysed(technique, "parameters.csv") for technique in TECHNIQUES]
SYNAPSE = ("pulses", "light")


rule write_tables:
    """One table a technique."""
    input:
        parameters=PARAMETERS,
        code=sources("relaxor.tables"),
    output:
        tables=[
            (
                report(
                    f"{RESULTS}/tables/{technique}.csv",
                    caption="../report/table.rst",
                    category="Tables",
                    labels={"table": technique, "data": ORIGIN},
                )
                if suffix == "csv"
                else f"{RESULTS}/tables/{technique}.{suffix}"
            )
            for technique in TECHNIQUES
            for suffix in ("csv", "md", "tex")
        ],
    log:
        f"{LOGS}write_tables.log",
    benchmark:
        f"{BENCHMARKS}write_tables.tsv"
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
        claims=SETTINGS.claims,
        code=sources("relaxor.claims"),
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
    """Our device beside others of the literature; needs pulses and light."""
    input:
        literature=SETTINGS.literature,
        parameters=[analysed(technique, "parameters.csv") for technique in SYNAPSE],
        code=sources("relaxor.devices"),
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
        expectations=SETTINGS.checks,
        code=sources("relaxor.checks"),
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
        [f"{RESULTS}/tables/{technique}.{suffix}" for technique in TECHNIQUES for suffix in ("csv", "md", "tex")],
        rules.compare_claims.output,
        rules.compare_devices.output if set(SYNAPSE) <= set(TECHNIQUES) else [],
        rules.check_results.output,
