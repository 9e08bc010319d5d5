# Curves and numbers → figures, each with its panels; one rule for each figure of config/figures.yaml.
for name, figure in FIGURES.items():

    rule:
        """A figure of config/figures.yaml and its panels."""
        name:
            f"draw_{name}"
        input:
            parameters=shown(name, "parameters.csv"),
            curves=shown(name, "curves.nc"),
            tables=sorted(
                {f"{RESULTS}/{table}.csv" for panel in figure.panels.values() if (table := PANELS[panel.id].table)}
            ),
        output:
            figure=drawn(name, figure, "all"),
            panels=[file for panel in figure.panels.values() for file in drawn(f"panels/{panel.id}", figure, panel.id)],
        log:
            f"{LOGS}draw_figure/{name}.log",
        benchmark:
            f"{BENCHMARKS}draw_figure/{name}.tsv"
        priority: 10  # what is cheap to make and can be looked at comes before the long trainings
        conda:
            ENVIRONMENT
        threads: 1
        resources:
            mem_mb=1000,
            runtime=10,
        params:
            **calls("relaxor.reporting.draw:draw_figure", *modules_drawing(figure.panels.values())),
            spec=figure.model_dump(mode="json"),
            sample=SAMPLE,
            measurements=fed(figure.panels.values()),
            settings_of=settings_drawn([figure]),
            pdf_fonts=SETTINGS.pdf_fonts,
        script:
            "../scripts/run.py"


rule figures:
    """Every figure."""
    input:
        [f"{RESULTS}/figures/{name}.{suffix}" for name in FIGURES for suffix in FORMATS],
