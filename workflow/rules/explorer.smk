# Everything that was made → one page to look into it, which opens without a server and without a network.
LOOKED_INTO = [(sample, technique) for sample, held in sorted(SAMPLES.items()) for technique in held]
ANALYSED_TOO = [each for each in LOOKED_INTO if each[1] != OTHER]
# Parts of the work without raw files, and the modules that write their numbers.
SUMMARIES = (
    {"inpainting": "relaxor.inpainting.summary", "crossbar": "relaxor.inpainting.chip_summary"} if ENCODING else {}
)
WITH_NUMBERS = [*ANALYSED_TOO, *((SAMPLE, topic) for topic in SUMMARIES)]


rule build_explorer:
    """One page with every measurement, its curves, its numbers and where they come from."""
    input:
        data=[f"{DATA}{technique}.nc".format(sample=sample) for sample, technique in LOOKED_INTO],
        parameters=[analysed(topic, "parameters.csv", sample) for sample, topic in WITH_NUMBERS],
        budget=[analysed(topic, "budget.csv", sample) for sample, topic in WITH_NUMBERS],
        curves=[analysed(topic, "curves.nc", sample) for sample, topic in WITH_NUMBERS],
        claims=rules.compare_claims.output.comparison,
        checks=rules.check_results.output.checks,
    output:
        explorer=directory(f"{RESULTS}/explorer"),
    log:
        f"{LOGS}build_explorer.log",
    benchmark:
        f"{BENCHMARKS}build_explorer.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        **calls(
            "relaxor.reporting.explorer.page:build_explorer",
            *sorted({module_of(technique) for _, technique in ANALYSED_TOO}),
        ),
        sample=SAMPLE,
        notes={f"{row['sample']}/{row['measurement']}": row["note"] for row in SHEET if row["note"]},
        layers={f"{sample}/{technique}": SETTINGS.layers(technique, sample) for sample, technique in ANALYSED_TOO},
        steps={
            **{f"{sample}/{technique}": steps_of(sample, technique) for sample, technique in LOOKED_INTO},
            **{f"{SAMPLE}/{topic}": [[f"summarize_{topic}", code_of(code)]] for topic, code in SUMMARIES.items()},
        },
        validation=made_before(f"{RESULTS}/validation.csv"),
    script:
        "../scripts/run.py"
