# Decoders of four bits on the memristor chip, written, read back, and used to restore letters.
READ_OUTS = SETTINGS.crossbar.read_outs


rule run_chips:
    """Write a decoder into chips, read it back, and restore the test letters with each."""
    input:
        letters=LETTERS,
        encoder=f"{ANALYSIS}encoder.json",
        light=f"{ANALYSIS}{LIGHT}/parameters.csv",
        aware=AWARE,
        read_outs=lambda wildcards: READ_OUTS.get(int(wildcards.hole), []),
    output:
        scores=f"{TRAINING}chips.csv",
        costs=f"{TRAINING}costs.csv",
        cells=f"{TRAINING}cells.nc",
    log:
        f"{LOGS}run_chips/{{sample}}/hole{{hole}}_seed{{seed}}.log",
    benchmark:
        f"{BENCHMARKS}run_chips/{{sample}}/hole{{hole}}_seed{{seed}}.tsv"
    priority: 1  # the longest chain of jobs begins first
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        **calls("relaxor.inpainting.chip_experiment:run_chips"),
        reading=reading_of,
        crossbar=chip_settings("chips_made"),
    script:
        "../scripts/run.py"


rule break_down_chip:
    """Restore letters with chips of which one part is ideal, or all parts but one."""
    input:
        letters=LETTERS,
        encoder=f"{ANALYSIS}encoder.json",
        rounded=[*ROUNDED, AWARE],
    output:
        variants=f"{TRAINING}variants.csv",
    log:
        f"{LOGS}break_down_chip/{{sample}}/hole{{hole}}_seed{{seed}}.log",
    benchmark:
        f"{BENCHMARKS}break_down_chip/{{sample}}/hole{{hole}}_seed{{seed}}.tsv"
    priority: 1  # the longest chain of jobs begins first
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        **calls("relaxor.inpainting.chip_breakdown:break_down_chip"),
        reading=reading_of,
        crossbar=chip_settings("compared_chips", "day"),
    script:
        "../scripts/run.py"


rule summarize_crossbar:
    """Write the numbers and curves of the chip for all holes."""
    input:
        inpainting=f"{ANALYSIS}inpainting/parameters.csv",
        trained=trainings("scores.csv"),
        scores=trainings("chips.csv"),
        costs=of_first_seed("costs.csv"),
        cells=of_first_seed("cells.nc"),
        variants=of_first_seed("variants.csv")[-1],
    output:
        parameters=update(f"{ANALYSIS}crossbar/parameters.csv"),
        budget=update(f"{ANALYSIS}crossbar/budget.csv"),
        curves=update(f"{ANALYSIS}crossbar/curves.nc"),
    log:
        f"{LOGS}summarize_crossbar/{{sample}}.log",
    benchmark:
        f"{BENCHMARKS}summarize_crossbar/{{sample}}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        **calls("relaxor.inpainting.chip_summary:summarize"),
        holes=PLAIN["inpainting"]["holes"],
        seeds=PLAIN["inpainting"]["seeds"],
    script:
        "../scripts/run.py"
