"""A bar on the terminal that shows the progress of a training, its losses, and the remaining time."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from relaxor.inpainting.training import Progress as Told

SHOWN = {"reconstruction": "squared error", "adversarial": "adversarial", "letter_generated": "letter"}
"""Losses that are shown beside the bar."""


@contextmanager
def training_bar(name: str, epochs: int) -> Iterator[Told]:
    """Give what `relaxor.inpainting.training.train` is to call after each epoch.

    The bar is drawn on the terminal even where standard error goes to a log, which must be the same from run to run.
    Without a terminal there is no bar.
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
