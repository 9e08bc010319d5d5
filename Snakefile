# relaxor: from raw instrument files to every figure and table of the paper.
#   snakemake --cores 2                full rebuild            snakemake --cores 2 characterization   Fig. 1 and S1–S5, S7
#   snakemake --cores 2 synapse        Fig. 2, 3 and S6, S8–S12, the comparison with other devices, the encoder
#   snakemake --cores 2 samples        the other samples       snakemake --report report.html         report of the last run
from snakemake.utils import min_version

min_version("9.27")


configfile: "config/config.yaml"


include: "workflow/rules/common.smk"


report: f"workflow/report/{ORIGIN}.rst"


include: "workflow/rules/ingest.smk"
include: "workflow/rules/analyse.smk"
include: "workflow/rules/inpainting.smk"
include: "workflow/rules/crossbar.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/samples.smk"
include: "workflow/rules/notebooks.smk"


rule all:
    """Everything: figures, tables, claims, checks, the notebooks, and what belongs to other samples of the sheet."""
    default_target: True
    input:
        rules.figures.input,
        rules.tables.input,
        rules.samples.input,
        rules.notebooks.input,


rule characterization:
    """The material: Fig. 1, S1–S5, S7 and its tables."""
    input:
        figure_files("1", "S1", "S2", "S3", "S4", "S5", "S7"),
        table_files("characterization"),


rule synapse:
    """The device: Fig. 2, 3, S6, S8–S12, its tables, and the encoder of images."""
    input:
        figure_files("2", "3", "S6", "S8", "S9", "S10", "S11", "S12"),
        table_files("synapse"),
        rules.compare_devices.output if COMPARED else [],
        ENCODER,


rule inpainting:
    """The device as encoder of letters: Fig. 4, S13 and its table."""
    input:
        figure_files("4", "S13"),
        table_files("inpainting"),


rule crossbar:
    """The chip that restores letters: Fig. 5, S14 and its table."""
    input:
        figure_files("5", "S14"),
        table_files("crossbar"),


include: "workflow/rules/publish.smk"
