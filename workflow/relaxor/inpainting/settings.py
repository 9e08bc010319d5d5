"""Settings of the inpainting of letters."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from relaxor.core.section import Section, setting

EMNIST = "EMNIST, doi 10.1109/IJCNN.2017.7966217"
ASSUMED = "assumed"
Hole = Annotated[int, Field(ge=2, le=22, multiple_of=2)]
"""Side of a hole in pixels. A hole lies in the centre of the image and leaves at least three pixels on every side."""


class Encoder(Section):
    """Settings of the encoder of images."""

    wavelength: float | None = setting(None, "nm", gt=0)
    """Wavelength at which the codes of four pulses were recorded; null means that there is no encoder."""


class LetterSource(Section):
    """The source of the letters."""

    source: Literal["auto", "emnist", "drawn"] = "auto"
    """Source of the letters: ``emnist``, ``drawn`` (by code), or ``auto``, which uses EMNIST if its files are in the
    folder and drawn letters otherwise."""
    folder: str = "raw_data/emnist"
    """Folder of the four idx files of EMNIST; the environment variable RELAXOR_EMNIST takes precedence."""
    url: str = "https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip"
    """Address of the archive of all EMNIST splits at NIST. The archive has 536 MiB, of which 34 MB are letters."""
    sha256: str = "fb9bb67e33772a9cc0b895e4ecf36d2cf35be8b709693c3564cea2a019fcda8e"
    """SHA-256 of the archive of all EMNIST splits."""
    train: int = setting(124_800, source=f"official split of {EMNIST}", gt=0)
    """Number of drawn letters for training."""
    test: int = setting(20_800, source=f"official split of {EMNIST}", gt=0)
    """Number of drawn letters for testing."""


class Training(Section):
    """Settings of the adversarial training."""

    epochs: int = setting(15, source=ASSUMED, gt=0)
    """Number of epochs, in each of which all letters are used once."""
    batch: int = setting(256, source=ASSUMED, gt=0)
    """Number of letters per step."""
    learning_rate: float = setting(2e-4, source="Radford et al., arXiv 1511.06434", gt=0)
    """Learning rate of the optimizer Adam in the first epochs."""
    step_epochs: int = setting(30, source="He et al., doi 10.1109/CVPR.2016.90, as PyTorch's ImageNet example", gt=0)
    """Number of epochs after which the learning rate is lowered."""
    gamma: float = setting(0.1, source="He et al., doi 10.1109/CVPR.2016.90", gt=0)
    """Factor by which the learning rate is lowered."""
    adversarial: float = setting(
        0.01, source="chosen here: on 12 × 12 holes of EMNIST it brings the drawn pixels nearer to real ones", ge=0
    )
    """Weight of the adversarial loss, relative to the squared error of a pixel."""
    letter: float = setting(0.01, source="chosen here, as the weight of the adversarial loss", ge=0)
    """Weight of the loss by which the discriminator reads the letter in a completed image."""


class FineTuning(Section):
    """Settings of the further training, which includes the levels and the noise of writing them."""

    epochs: int = setting(15, source="assumed: as many as before", gt=0)
    """Number of additional epochs of the training."""
    learning_rate: float = setting(1e-3, source="chosen here: noise moves weights by parts of a level", gt=0)
    """Learning rate of the optimizer Adam in the first epochs."""
    step_epochs: int = setting(3, source=ASSUMED, gt=0)
    """Number of epochs after which the learning rate is lowered."""
    gamma: float = setting(0.5, source=ASSUMED, gt=0)
    """Factor by which the learning rate is lowered."""
    level_size: float = setting(0.7, source="chosen here on test letters of one EMNIST training", gt=0)
    """Value of one level, relative to the value that least squares gives. With smaller levels, the noise of writing is
    smaller relative to the weights, and training compensates for the weights that are clipped."""
    noise: float = setting(
        0.31, source="89.5 % of the cells are read back at their level, doi 10.1038/s41586-022-04992-8", ge=0
    )
    """Standard deviation of a written level, in levels."""
    sum_noise: float = setting(
        0.15, source="a 4-bit converter errs by 0.107, Max, doi 10.1109/TIT.1960.1057548, and reads have noise", ge=0
    )
    """Standard deviation of a sum, relative to the spread of the sums of its column."""


class Inpainting(Section):
    """Settings of the inpainting of letters."""

    letters: LetterSource = LetterSource()
    """Settings of the letters."""
    holes: Annotated[list[Hole], Field(min_length=1), AfterValidator(sorted)] = [8]
    """Sides of the missing central squares in pixels, from small to large."""
    seeds: list[int] = Field([0], min_length=1)
    """Seeds of the trainings for each hole. With several seeds, distances have an error that includes the variation
    between trainings."""
    device_variation: float = setting(0.05, source=ASSUMED, ge=0)
    """Relative standard deviation of the response from device to device."""
    training: Training = Training()
    """Settings of the training in floating point."""
    fine_tuning: FineTuning = FineTuning()
    """Settings of the training for the chip."""
    lowest_level: Literal[-8, -7] = -8
    """Lowest level of a 4-bit weight. With −8, all sixteen levels of a cell are used; with −7, there are as many levels
    below zero as above."""
    feature_network: str | None = None
    """ONNX file of a network, such as Inception, in whose features the distance is determined in addition."""
    checkpoint_epochs: int = setting(5, source=ASSUMED, gt=0)
    """Number of epochs between two checkpoints from which a training can be resumed."""
