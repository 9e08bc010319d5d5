"""A bar on the terminal that shows how far a training is, its losses, and how long the rest will take."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from relaxor.inpainting.training import Progress as Told

SHOWN = {"reconstruction": "squared error", "adversarial": "adversarial", "letter_generated": "letter"}
"""Losses beside the bar."""


@contextmanager
def training_bar(name: str, epochs: int) -> Iterator[Told]:
    """Give what `relaxor.inpainting.training.train` is to call after each epoch.

    The bar goes to the terminal even where standard error goes to a log, which is to be the same from run to run;
    without a terminal there is none.
    """
    terminal = Console(file=sys.__stderr__)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(20),
        MofNCompleteColumn(),
        TextColumn("{task.fields[losses]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=terminal, refresh_per_second=1, disable=not terminal.is_terminal) as bar:
        task = bar.add_task(name, total=epochs, losses="")

        def told(epoch: int, losses: Mapping[str, float]) -> None:
            shown = ", ".join(f"{text} {losses[loss]:.3f}" for loss, text in SHOWN.items())
            bar.update(task, completed=epoch, losses=shown)

        yield told
