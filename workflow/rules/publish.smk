# Everything behind the results in one file, to archive and to share.
from relaxor.reporting.ro_crate import packed

# Ingested data and analyses, of every sample of the sheet.
MEASURED = {(sample, technique) for sample, held in SAMPLES.items() for technique in held}
MADE = [f"{RESULTS}/data/{sample}/{technique}.nc" for sample, technique in sorted(MEASURED)] + [
    f"{RESULTS}/analysis/{sample}/{technique}/{file}"
    for sample, technique in sorted({*MEASURED, *((SAMPLE, technique) for technique in ANALYSED)})
    if technique != OTHER
    for file in ("parameters.csv", "curves.nc")
]
# Files that the settings name.
NAMED = [SETTINGS.sheet, SPECIFICATIONS, *map(beside, (SETTINGS.claims, SETTINGS.checks, SETTINGS.literature))]
NAMED += filter(None, [SETTINGS.inpainting.feature_network])


rule bundle:
    """Raw data, workflow, environment and results as an RO-Crate."""
    input:
        results=[rules.figures.input, rules.tables.input, rules.samples.input, rules.notebooks.input, MADE, ENCODER],
        parts=lambda wildcards: packed([*workflow.configfiles, *NAMED], SHEET, HERE),
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
        **calls("relaxor.reporting.ro_crate:bundle"),
        rows=SHEET,
        workflow=HERE,
    script:
        "../scripts/run.py"
