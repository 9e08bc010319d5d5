# Samples that config/figures.yaml does not show: their figures and tables; and samples beside each other.
rule draw_sample:
    """The measurements of one technique of one sample, each with its fit."""
    input:
        data=f"{DATA}{{technique}}.nc",
        parameters=analysis_of("parameters.csv"),
        curves=analysis_of("curves.nc"),
    output:
        figure=pictured("samples/{sample}/{technique}", "sample", {"sample": "{sample}", "figure": "{technique}"}),
    log:
        f"{LOGS}draw_sample/{{sample}}/{{technique}}.log",
    benchmark:
        f"{BENCHMARKS}draw_sample/{{sample}}/{{technique}}.tsv"
    priority: 10  # what is cheap to make and can be looked at comes before the long trainings
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        function="relaxor.reporting.draw_samples:draw_sample",
        code=lambda wildcards: code_of("relaxor.reporting.draw_samples", *panel_modules(wildcards.technique)),
        pdf_fonts=SETTINGS.pdf_fonts,
    script:
        "../scripts/run.py"


rule write_tables_sample:
    """The table of one technique of one sample."""
    input:
        parameters=[f"{ANALYSIS}{{technique}}/parameters.csv"],
    output:
        tables=[printed("{technique}", suffix, sample="{sample}") for suffix in SUFFIXES],
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
    params:
        **calls("relaxor.reporting.tables:write_tables"),
        files=lambda wildcards: files_of(wildcards.sample, [wildcards.technique]),
    script:
        "../scripts/run.py"


rule draw_comparison:
    """One technique of all samples that have it: spectra over each other, numbers beside each other."""
    input:
        parameters=analyses_of("parameters.csv"),
        curves=analyses_of("curves.nc"),
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
        **calls("relaxor.reporting.comparison:draw_comparison"),
        numbers=lambda wildcards: [each for each in PLAIN["comparison"] if each["technique"] == wildcards.technique],
        pdf_fonts=SETTINGS.pdf_fonts,
    script:
        "../scripts/run.py"


rule samples:
    """Figures and tables of all that config/figures.yaml does not show, and comparisons."""
    input:
        [f"{RESULTS}/figures/samples/{sample}/{technique}.{suffix}" for sample, technique in OWN for suffix in FORMATS],
        [
            f"{RESULTS}/tables/samples/{sample}/{technique}.{suffix}"
            for sample, technique in OWN
            if technique in techniques() and sample != SAMPLE  # whose tables are those of the paper
            for suffix in SUFFIXES
        ],
        [f"{RESULTS}/figures/comparison/{technique}.{suffix}" for technique in SHARED for suffix in FORMATS],
