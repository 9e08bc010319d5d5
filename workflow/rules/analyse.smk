# Ingested data → numbers with uncertainties and the curves behind them; one job a technique and sample.
rule analyse_technique:
    """Fit what a technique measured; its settings are the function's keywords."""
    input:
        data=f"{DATA}{{technique}}.nc",
        code=lambda wildcards: sources(MODULES[wildcards.technique]),
    output:
        # update(): a job that fails leaves the results of the last good run where they were.
        parameters=update(f"{ANALYSIS}{{technique}}/parameters.csv"),
        curves=update(f"{ANALYSIS}{{technique}}/curves.nc"),
    log:
        f"{LOGS}analyse_technique/{{sample}}/{{technique}}.log",
    benchmark:
        f"{BENCHMARKS}analyse_technique/{{sample}}/{{technique}}.tsv"
    conda:
        ENVIRONMENT
    threads: lambda wildcards: 1 + len(rows_of(wildcards)) // 50  # for a few files, processes cost more than they save
    resources:
        mem_mb=1500,
        runtime=20,
    params:
        settings=lambda wildcards: settings_of(wildcards.sample, wildcards.technique),
    script:
        "../scripts/analyse_{wildcards.technique}.py"


rule fit_encoder:
    """The fitted optical response and the table of its codes, as the encoder of images."""
    input:
        data=f"{DATA}light.nc",
        code=sources("relaxor.synapse.photoresponse.response"),
    output:
        encoder=f"{ANALYSIS}encoder.json",
    log:
        f"{LOGS}fit_encoder/{{sample}}.log",
    benchmark:
        f"{BENCHMARKS}fit_encoder/{{sample}}.tsv"
    priority: 1  # the longest chain: it begins first
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        wavelength=PLAIN["encoder"]["wavelength"],
        read_window=settings_of(SAMPLE, "light")["read_window"],
        code_window=settings_of(SAMPLE, "light")["code_window"],
    script:
        "../scripts/fit_encoder.py"
