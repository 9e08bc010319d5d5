# relaxor: from raw instrument files to every figure and table of the paper.
#   snakemake --cores 2                full rebuild           snakemake --cores 2 PART               a part of config/figures.yaml
#   snakemake --cores 2 samples        what it does not show  snakemake --report report.html         report of the last run
#   snakemake --cores 2 validation     public raw data with published numbers
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
include: "workflow/rules/validation.smk"
include: "workflow/rules/explorer.smk"


rule all:
    """Everything: figures, tables, claims, checks, notebooks, results of other samples of the sheet, and the explorer."""
    default_target: True
    input:
        rules.figures.input,
        rules.tables.input,
        rules.samples.input,
        rules.notebooks.input,
        rules.build_explorer.output,


for part in PARTS:

    rule:
        """The figures and tables of one part of the work, as config/figures.yaml and the techniques name it."""
        name:
            part
        input:
            of_part(part),


include: "workflow/rules/publish.smk"
