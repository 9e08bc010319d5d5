# Raw files → one netCDF file a technique and sample.
rule ingest_files:
    """Read all files of one technique of one sample."""
    input:
        raw=lambda wildcards: [raw_file(row) for row in rows_of(wildcards)],
        code=sources("relaxor.project.ingest", "relaxor.readers.reading"),
    output:
        data=update(f"{DATA}{{technique}}.nc"),
    log:
        f"{LOGS}ingest_files/{{sample}}/{{technique}}.log",
    benchmark:
        f"{BENCHMARKS}ingest_files/{{sample}}/{{technique}}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        rows=lambda wildcards: rows_of(wildcards),
        tables=PLAIN["tables"],
    script:
        "../scripts/ingest_files.py"
