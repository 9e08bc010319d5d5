# Raw files → one netCDF file per technique and sample.
rule fetch_file:
    """Fetch a raw file from another host, and again when the host says that it is another one."""
    output:
        file=update(f"{FETCHED}{{scheme}}/{{address}}"),
    log:
        f"{LOGS}fetch_file/{{scheme}}/{{address}}.log",
    benchmark:
        f"{BENCHMARKS}fetch_file/{{scheme}}/{{address}}.tsv"
    wildcard_constraints:
        scheme="https?",
        address=".+",
    priority: 10
    localrule: True  # the nodes of a cluster may have no network
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=500,
        runtime=65,
    params:
        **calls("relaxor.core.remote:fetch"),
        url=lambda wildcards: f"{wildcards.scheme}://{wildcards.address}",
        version=lambda wildcards: version_of(f"{wildcards.scheme}://{wildcards.address}"),
    script:
        "../scripts/run.py"


rule ingest_files:
    """Read all files of one technique of one sample."""
    input:
        raw=lambda wildcards: [raw_file(row) for row in rows_of(wildcards)],
    output:
        data=update(f"{DATA}{{technique}}.nc"),
    log:
        f"{LOGS}ingest_files/{{sample}}/{{technique}}.log",
    benchmark:
        f"{BENCHMARKS}ingest_files/{{sample}}/{{technique}}.tsv"
    priority: 10  # what is cheap to make and can be looked at comes before the long trainings
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=memory(1000, 3),
        runtime=lambda wildcards, attempt: 10 * 12 ** (attempt - 1),  # hours for files of gigabytes
    params:
        function="relaxor.project.ingest:ingest",
        code=lambda wildcards: code_of("relaxor.project.ingest", *readers_of(wildcards)),
        rows=ingested,
        tables=tables_of,
        size_limits=limits_of,
    script:
        "../scripts/run.py"
