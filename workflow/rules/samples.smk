# Samples that config/figures.yaml does not show: their figures and tables; and samples beside each other.
rule draw_sample:
    """The measurements of one technique of one sample, each with its fit."""
    input:
        data=f"{DATA}{{technique}}.nc",
        parameters=analysis_of("parameters.csv"),
        curves=analysis_of("curves.nc"),
        code=sources("relaxor.reporting.draw_samples"),
    output:
        figure=pictured("samples/{sample}/{technique}", "sample", {"sample": "{sample}", "figure": "{technique}"}),
    log:
        f"{LOGS}draw_sample/{{sample}}/{{technique}}.log",
    benchmark:
        f"{BENCHMARKS}draw_sample/{{sample}}/{{technique}}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    script:
        "../scripts/draw_sample.py"


rule write_tables_sample:
    """The table of one technique of one sample."""
    input:
        parameters=[f"{ANALYSIS}{{technique}}/parameters.csv"],
        code=sources("relaxor.reporting.tables"),
    output:
        tables=[f"{RESULTS}/tables/samples/{{sample}}/{{technique}}.{suffix}" for suffix in SUFFIXES],
    log:
        f"{LOGS}write_tables_sample/{{sample}}/{{technique}}.log",
    benchmark:
        f"{BENCHMARKS}write_tables_sample/{{sample}}/{{technique}}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    script:
        "../scripts/write_tables.py"


rule draw_comparison:
    """One technique of all samples that have it: spectra over each other, numbers beside each other."""
    input:
        parameters=analyses_of("parameters.csv"),
        curves=analyses_of("curves.nc"),
        code=sources("relaxor.reporting.comparison"),
    output:
        figure=pictured("comparison/{technique}", "comparison", {"sample": "compared", "figure": "{technique}"}),
    log:
        f"{LOGS}draw_comparison/{{technique}}.log",
    benchmark:
        f"{BENCHMARKS}draw_comparison/{{technique}}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        numbers=lambda wildcards: [each for each in PLAIN["comparison"] if each["technique"] == wildcards.technique],
    script:
        "../scripts/draw_comparison.py"


rule samples:
    """Figures and tables of every sample beside the one of the paper, and comparisons."""
    input:
        [f"{RESULTS}/figures/samples/{sample}/{technique}.{suffix}" for sample, technique in OWN for suffix in FORMATS],
        [
            f"{RESULTS}/tables/samples/{sample}/{technique}.{suffix}"
            for sample, technique in OWN
            if technique in MODULES
            for suffix in SUFFIXES
        ],
        [f"{RESULTS}/figures/comparison/{technique}.{suffix}" for technique in SHARED for suffix in FORMATS],
