# Settings and sheet, checked before any job is planned, and the names of things.
import os

from snakemake.exceptions import WorkflowError

from relaxor.config import validate_settings
from relaxor.config.figures import load_figures
from relaxor.errors import RelaxorError
from relaxor.inpainting.idx import NAMES, letter_files
from relaxor.sheet import load_sheet
from relaxor.steps import sources

# Scripts find the library also in the environments of --sdm conda, and linear algebra rounds alike on any number of cores.
os.environ.update(
    PYTHONPATH=os.path.join(workflow.basedir, "workflow"),
    NPROC="1",  # of JAX
    OMP_NUM_THREADS="1",
    OPENBLAS_NUM_THREADS="1",
    MKL_NUM_THREADS="1",
)

try:
    SETTINGS = validate_settings(config)
    FIGURES = load_figures(SETTINGS.figures)
    PANELS = tuple(panel.id for figure in FIGURES.values() for panel in figure.panels.values())
    SHEET = load_sheet(SETTINGS.sheet, tables=tuple(SETTINGS.tables), panels=PANELS)
    LETTER_FILES = letter_files(SETTINGS.inpainting.letters.source, SETTINGS.inpainting.letters.folder)
except RelaxorError as error:
    raise WorkflowError(str(error)) from None

PLAIN = SETTINGS.model_dump(mode="json")
RESULTS, SAMPLE = SETTINGS.results, SETTINGS.sample
SAMPLES = {
    sample: sorted({row["technique"] for row in SHEET if row["sample"] == sample})
    for sample in sorted({row["sample"] for row in SHEET})
}
if SAMPLE not in SAMPLES:
    raise WorkflowError(f"{SETTINGS.sheet}: has no rows of sample '{SAMPLE}'; samples: {', '.join(SAMPLES)}")
TECHNIQUES = SAMPLES[SAMPLE]
PARTS = {"characterization": [], "synapse": []}
for technique in TECHNIQUES:
    PARTS["synapse" if technique in ("sweeps", "pulses", "light") else "characterization"].append(technique)
if "light" in TECHNIQUES and PLAIN["encoder"]["wavelength"]:
    PARTS |= {"inpainting": ["inpainting"], "crossbar": ["crossbar"]}
ENCODER = f"{RESULTS}/analysis/{SAMPLE}/encoder.json" if "inpainting" in PARTS else []
EMNIST = sorted(NAMES.values())
NOTEBOOKS = sorted(os.path.splitext(name)[0] for name in os.listdir("notebooks") if name.endswith(".ipynb"))
DATA = f"{RESULTS}/data/{{sample}}/"
ANALYSIS = f"{RESULTS}/analysis/{{sample}}/"
LOGS = f"{RESULTS}/logs/"
FORMATS = SETTINGS.formats
SUFFIXES = ("csv", "md", "tex")
BENCHMARKS = ".snakemake/benchmarks/"
ENVIRONMENT = "../../envs/analysis.yaml"
ORIGIN = "simulated" if any(row["origin"] == "simulated" for row in SHEET) else "measured"


def rows_of(wildcards):
    """The rows of the sheet of one technique of one sample."""
    return [row for row in SHEET if (row["sample"], row["technique"]) == (wildcards.sample, wildcards.technique)]


def module_of(technique):
    """The module that analyses a technique."""
    return f"relaxor.{'microscopy.' * (technique in ('edx', 'afm', 'pfm', 'stem'))}{technique}"


def analysed(technique, file):
    """A file that the analysis of a technique writes for the sample of the figures."""
    return f"{ANALYSIS}{technique}/{file}".format(sample=SAMPLE)


def shown(figure, file):
    """The files of the techniques that a figure shows."""
    techniques = {panel.technique: None for panel in FIGURES[figure].panels.values() if panel.technique}
    return [analysed(technique, file) for technique in techniques]


def figure_files(*numbers):
    """The files of figures, by their numbers."""
    return [f"{RESULTS}/figures/figure{number}.{suffix}" for number in numbers for suffix in FORMATS]


def drawn(stem, figure, panel):
    """A figure or panel in every format; the report shows the png."""
    labels = {"figure": figure.title, "panel": panel, "data": ORIGIN}
    shown_in = dict(caption="../report/figure.rst", category=figure.category, labels=labels)
    files = [f"{RESULTS}/figures/{stem}.{suffix}" for suffix in FORMATS]
    return [report(file, **shown_in) if file.endswith(".png") else file for file in files]


def trainings(file):
    """A file of every training of the decoders, the seeds of a hole one after the other."""
    holes, seeds = PLAIN["inpainting"]["holes"], PLAIN["inpainting"]["seeds"]
    return [f"{RESULTS}/inpainting/{{sample}}/hole{hole}_seed{seed}/{file}" for hole in holes for seed in seeds]


def of_first_seed(file):
    """A file of the first training of every hole, the largest hole last."""
    return trainings(file)[:: len(PLAIN["inpainting"]["seeds"])]


def printed(technique, suffix):
    """The table of a technique in one format; the report shows the csv."""
    file = f"{RESULTS}/tables/{technique}.{suffix}"
    labels = {"table": technique, "data": ORIGIN}
    shown_in = dict(caption="../report/table.rst", category="Tables", labels=labels)
    return report(file, **shown_in) if suffix == "csv" else file


def table_files(part):
    """The tables of one part of the paper."""
    return [f"{RESULTS}/tables/{technique}.{suffix}" for technique in PARTS[part] for suffix in SUFFIXES]


wildcard_constraints:
    sample="[A-Za-z0-9_.-]+",
    technique="|".join(sorted({row["technique"] for row in SHEET})),
    hole="[0-9]+",
    seed="[0-9]+",
