"""Settings of the inpainting of letters."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, NonNegativeFloat, PositiveFloat, PositiveInt

from relaxor.core.section import Section


class Encoder(Section):
    """Settings of the encoder of images."""

    wavelength: float | None = None
    """Wavelength (nm) at which the codes of four pulses were recorded; null: there is no encoder."""


class LetterSource(Section):
    """Where the letters come from."""

    source: Literal["auto", "emnist", "drawn"] = "auto"
    """``auto``: EMNIST where its files are in the folder, else letters drawn by code; or one of the two."""
    folder: str = "raw_data/emnist"
    """Folder of EMNIST's four idx files; the environment variable RELAXOR_EMNIST goes first."""
    url: str = "https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip"
    """NIST's archive of all EMNIST splits, 536 MiB; of it 34 MB are letters."""
    sha256: str = "fb9bb67e33772a9cc0b895e4ecf36d2cf35be8b709693c3564cea2a019fcda8e"
    """Of the archive."""
    train: PositiveInt = 124_800
    """Letters drawn to train with, as many as the official split has."""
    test: PositiveInt = 20_800
    """Letters drawn to test with."""


class Training(Section):
    """The adversarial training."""

    epochs: PositiveInt = 15
    """Times that all letters are seen. The paper gives none."""
    batch: PositiveInt = 256
    """Letters a step. The paper gives none."""
    learning_rate: PositiveFloat = 5e-4
    """Adam's rate (paper)."""
    step_epochs: PositiveInt = 20
    """Epochs after which the rate is lowered (paper)."""
    gamma: PositiveFloat = 0.8
    """Factor that lowers it (paper)."""
    adversarial: NonNegativeFloat = 0.01
    """Weight of the adversarial loss; 1 is that of the squared error of a pixel. The paper gives none."""
    letter: NonNegativeFloat = 0.01
    """Weight of the letter that the discriminator reads in a completed image. The paper gives none."""


class FineTuning(Section):
    """The training that goes on with levels and the noise of writing them."""

    epochs: PositiveInt = 15
    """As many more as it was trained for."""
    learning_rate: PositiveFloat = 1e-3
    """At its begin: noise moves weights by parts of a level, twice as fast a start makes them robust."""
    step_epochs: PositiveInt = 3
    """Epochs after which the rate is lowered."""
    gamma: PositiveFloat = 0.5
    """Factor that lowers it."""
    level_size: PositiveFloat = 0.7
    """What a level stands for, over that of least squares: the noise of writing is a smaller part of a smaller level's
    weights, and training makes up for those that it clips."""
    noise: NonNegativeFloat = 0.36
    """Standard deviation of a written level: 84.56 % of the cells are then read back at their level."""
    sum_noise: NonNegativeFloat = 0.15
    """Standard deviation of a sum over the spread of its column: a 4-bit converter and the noise of reads."""


class Inpainting(Section):
    """Settings of the inpainting of letters."""

    letters: LetterSource = LetterSource()
    holes: Annotated[list[Literal[4, 8, 12]], Field(min_length=1), AfterValidator(sorted)] = [4, 8, 12]
    """Sides of the square that is missing, pixels (paper); from small to large."""
    seeds: list[int] = Field([0], min_length=1)
    """One training a seed and hole; several give the distances an error from training to training."""
    device_variation: NonNegativeFloat = 0.05
    """Relative standard deviation of the response from device to device; assumed, one device was measured."""
    training: Training = Training()
    fine_tuning: FineTuning = FineTuning()
    lowest_level: Literal[-8, -7] = -7
    """Of a 4-bit weight; −7 makes as many levels below zero as above."""
    feature_network: str | None = None
    """ONNX file of a network, such as Inception, in whose features the distance is taken as well."""
    checkpoint_epochs: PositiveInt = 5
    """Epochs after which a training can be resumed."""
