# From letters and the fitted device to trained decoders, four bits, restored letters and their scores.
TRAINING = f"{RESULTS}/inpainting/{{sample}}/hole{{hole}}_seed{{seed}}/"
LETTERS = f"{RESULTS}/inpainting/letters.nc"
ROUNDED = [f"{TRAINING}{name}.safetensors" for name in ("plain", "clipped", "per_column")]
AWARE = f"{TRAINING}aware.safetensors"


rule fetch_emnist:
    """Download the EMNIST letters; an interrupted download continues where it stopped."""
    output:
        [f"{PLAIN['inpainting']['letters']['folder']}/{name}" for name in EMNIST],
    log:
        f"{LOGS}fetch_emnist.log",
    benchmark:
        f"{BENCHMARKS}fetch_emnist.tsv"
    retries: 4
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=500,
        runtime=120,
    params:
        **calls("relaxor.inpainting.download:fetch_emnist"),
        folder=lambda wildcards, output: os.path.dirname(output[0]),
        url=PLAIN["inpainting"]["letters"]["url"],
        sha256=PLAIN["inpainting"]["letters"]["sha256"],
    script:
        "../scripts/run.py"


rule prepare_letters:
    """Read the EMNIST letters where they are present; otherwise draw letters."""
    input:
        files=LETTER_FILES,
    output:
        letters=LETTERS,
    log:
        f"{LOGS}prepare_letters.log",
    benchmark:
        f"{BENCHMARKS}prepare_letters.tsv"
    priority: 1  # the longest chain of jobs begins first
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        **calls("relaxor.inpainting.letters:prepare_letters"),
        train=PLAIN["inpainting"]["letters"]["train"],
        test=PLAIN["inpainting"]["letters"]["test"],
    script:
        "../scripts/run.py"


rule make_classifier:
    """Train the letter classifier whose features measure distances; its weights are part of the library."""
    input:
        letters=LETTERS,
    output:
        f"{RESULTS}/inpainting/classifier.json",
        weights=f"{RESULTS}/inpainting/classifier.safetensors",
    log:
        f"{LOGS}make_classifier.log",
    benchmark:
        f"{BENCHMARKS}make_classifier.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=3000,
        runtime=60,
    params:
        **calls("relaxor.inpainting.classifier:make_classifier"),
    script:
        "../scripts/run.py"


rule train_decoder:
    """Train the decoder of a hole as the generator of a GAN; an interrupted run continues from its last checkpoint."""
    input:
        letters=LETTERS,
        encoder=f"{ANALYSIS}encoder.json",
    output:
        networks=f"{TRAINING}networks.safetensors",
        onnx=f"{TRAINING}decoder.onnx",
        history=f"{TRAINING}training.csv",
    log:
        f"{LOGS}train_decoder/{{sample}}/hole{{hole}}_seed{{seed}}.log",
    benchmark:
        f"{BENCHMARKS}train_decoder/{{sample}}/hole{{hole}}_seed{{seed}}.tsv"
    priority: 2  # all trainings before what follows the first, or the last one would run alone at the end
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=2000,
        runtime=120,
    params:
        **calls("relaxor.inpainting.learning:train_decoder"),
        reading=reading_of,
        training=PLAIN["inpainting"]["training"],
        checkpoint_epochs=PLAIN["inpainting"]["checkpoint_epochs"],
    script:
        "../scripts/run.py"


rule quantize_decoder:
    """Train a decoder on in float and for the chip, and round the one in float to four bits in every way."""
    input:
        letters=LETTERS,
        encoder=f"{ANALYSIS}encoder.json",
        networks=f"{TRAINING}networks.safetensors",
    output:
        rounded=ROUNDED,
        aware=AWARE,
        float_longer=f"{TRAINING}float_longer.safetensors",
        history=f"{TRAINING}fine_tuning.csv",
    log:
        f"{LOGS}quantize_decoder/{{sample}}/hole{{hole}}_seed{{seed}}.log",
    benchmark:
        f"{BENCHMARKS}quantize_decoder/{{sample}}/hole{{hole}}_seed{{seed}}.tsv"
    priority: 1  # the longest chain of jobs begins first
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=2000,
        runtime=120,
    params:
        **calls("relaxor.inpainting.learning:quantize_decoder"),
        reading=reading_of,
        training=PLAIN["inpainting"]["training"],
        fine_tuning=PLAIN["inpainting"]["fine_tuning"],
        lowest_level=PLAIN["inpainting"]["lowest_level"],
        checkpoint_epochs=PLAIN["inpainting"]["checkpoint_epochs"],
    script:
        "../scripts/run.py"


rule score_decoder:
    """Restore the test letters with every decoder of a training, and compare them with the originals."""
    input:
        letters=LETTERS,
        encoder=f"{ANALYSIS}encoder.json",
        networks=f"{TRAINING}networks.safetensors",
        rounded=[*ROUNDED, AWARE],
        float_longer=f"{TRAINING}float_longer.safetensors",
        feature_network=PLAIN["inpainting"]["feature_network"] or [],
    output:
        scores=f"{TRAINING}scores.csv",
        examples=f"{TRAINING}examples.nc",
    log:
        f"{LOGS}score_decoder/{{sample}}/hole{{hole}}_seed{{seed}}.log",
    benchmark:
        f"{BENCHMARKS}score_decoder/{{sample}}/hole{{hole}}_seed{{seed}}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        **calls("relaxor.inpainting.scoring:score_decoder"),
        reading=reading_of,
    script:
        "../scripts/run.py"


rule summarize_inpainting:
    """Write the numbers and curves of all holes and trainings."""
    input:
        letters=LETTERS,
        encoder=f"{ANALYSIS}encoder.json",
        scores=trainings("scores.csv"),
        examples=trainings("examples.nc"),
        histories=trainings("training.csv"),
        fine_tunings=trainings("fine_tuning.csv"),
    output:
        parameters=update(f"{ANALYSIS}inpainting/parameters.csv"),
        budget=update(f"{ANALYSIS}inpainting/budget.csv"),
        curves=update(f"{ANALYSIS}inpainting/curves.nc"),
    log:
        f"{LOGS}summarize_inpainting/{{sample}}.log",
    benchmark:
        f"{BENCHMARKS}summarize_inpainting/{{sample}}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        **calls("relaxor.inpainting.summary:summarize"),
        holes=PLAIN["inpainting"]["holes"],
        seeds=PLAIN["inpainting"]["seeds"],
    script:
        "../scripts/run.py"
