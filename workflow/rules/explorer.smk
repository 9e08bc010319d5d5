# Everything that was made → one page to look into it, which opens without a server and without a network.
from pathlib import Path
from types import SimpleNamespace

from relaxor.core.checksums import sha256

LOOKED_INTO = [(sample, technique) for sample, held in sorted(SAMPLES.items()) for technique in held]
WITH_NUMBERS = [each for each in LOOKED_INTO if each[1] != OTHER]
# Parts of the work without raw files, and the functions that write their numbers.
SUMMARIES = (
    {"inpainting": "relaxor.inpainting.summary", "crossbar": "relaxor.inpainting.chip_summary"} if ENCODING else {}
)


def numbers_files(file):
    """A file of the analysis of every technique of every sample, and of the parts without raw files."""
    found = [*WITH_NUMBERS, *((SAMPLE, topic) for topic in SUMMARIES)]
    return [f"{ANALYSIS}{technique}/{file}".format(sample=sample) for sample, technique in found]


def steps_of(sample, technique):
    """The rules that made the results of a technique of a sample, each with the hash of its code."""
    row = SimpleNamespace(sample=sample, technique=technique)
    steps = [["ingest_files", code_of("relaxor.project.ingest", *readers_of(row))]]
    if technique == OTHER:
        return steps
    return [*steps, ["analyse_technique", code_of("relaxor.project.analysis", *technique_modules(technique))]]


def made(path):
    """A table that another run makes, with its hash, so that the explorer is made again when it changes."""
    return {path: sha256(Path(path))} if os.path.exists(path) else {}


rule build_explorer:
    """One page with every measurement, its curves, its numbers and where they come from."""
    input:
        data=[f"{DATA}{technique}.nc".format(sample=sample) for sample, technique in LOOKED_INTO],
        parameters=numbers_files("parameters.csv"),
        budget=numbers_files("budget.csv"),
        curves=numbers_files("curves.nc"),
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
            *sorted({module_of(technique) for _, technique in WITH_NUMBERS}),
        ),
        sample=SAMPLE,
        notes={f"{row['sample']}/{row['measurement']}": row["note"] for row in SHEET if row["note"]},
        layers={f"{sample}/{technique}": SETTINGS.layers(technique, sample) for sample, technique in WITH_NUMBERS},
        steps={
            **{f"{sample}/{technique}": steps_of(sample, technique) for sample, technique in LOOKED_INTO},
            **{f"{SAMPLE}/{topic}": [[f"summarize_{topic}", code_of(code)]] for topic, code in SUMMARIES.items()},
        },
        validation=made(f"{RESULTS}/validation.csv"),
    script:
        "../scripts/run.py"
