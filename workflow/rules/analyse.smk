# Ingested data → numbers with uncertainties and the curves behind them; one job per technique and sample.
rule analyse_technique:
    """Fit the measurements of a technique, with the settings of library, instrument, lab, sample and row."""
    input:
        data=f"{DATA}{{technique}}.nc",
    output:
        # update(): a job that fails leaves the results of the last successful run unchanged.
        parameters=update(f"{ANALYSIS}{{technique}}/parameters.csv"),
        budget=update(f"{ANALYSIS}{{technique}}/budget.csv"),
        curves=update(f"{ANALYSIS}{{technique}}/curves.nc"),
    log:
        f"{LOGS}analyse_technique/{{sample}}/{{technique}}.log",
    benchmark:
        f"{BENCHMARKS}analyse_technique/{{sample}}/{{technique}}.tsv"
    priority: 10  # what is cheap to make and can be looked at comes before the long trainings
    conda:
        ENVIRONMENT
    threads: processors
    resources:
        mem_mb=memory(1500, 4),
        runtime=lambda wildcards, attempt: 20 * 12 ** (attempt - 1),  # hours for maps of thousands of spectra
    params:
        function="relaxor.project.analysis:analyse_files",
        code=lambda wildcards: code_of("relaxor.project.analysis", *technique_modules(wildcards.technique)),
        technique=lambda wildcards: wildcards.technique,
        layers=layers_of,
    script:
        "../scripts/run.py"


rule write_encoder:
    """The optical response that the analysis fitted and the table of its codes, as the encoder of images."""
    input:
        curves=f"{ANALYSIS}{LIGHT}/curves.nc",
    output:
        encoder=f"{ANALYSIS}encoder.json",
    log:
        f"{LOGS}write_encoder/{{sample}}.log",
    benchmark:
        f"{BENCHMARKS}write_encoder/{{sample}}.tsv"
    priority: 1  # the longest chain of jobs begins first
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        **calls("relaxor.synapse.photoresponse.encoder:write_encoder"),
        wavelength=PLAIN["encoder"]["wavelength"],
    script:
        "../scripts/run.py"
