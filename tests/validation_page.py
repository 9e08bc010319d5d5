"""Write docs/validation.md and the README's score: ``uv run python -m tests.validation_page``.

They come from the results of the last run of the target ``validation``.
"""

import datetime
import re
from pathlib import Path

from relaxor.core.files import write_whole

from tests.project import ROOT

PAGE, RESULT, README = ROOT / "docs/validation.md", ROOT / "results/validation.md", ROOT / "README.md"
SCORE = re.compile(r"^\d+ published numbers of .*$", re.MULTILINE)
COMMANDS = "`uv run snakemake --cores 2 validation`, and this page by `uv run python -m tests.validation_page`"


def score_of(path: Path) -> str:
    """The sentence that counts the numbers of a page."""
    found = SCORE.search(path.read_text(encoding="utf-8"))
    assert found, path
    return found.group()


if __name__ == "__main__":
    score, day = score_of(RESULT), datetime.datetime.now(datetime.UTC).date().isoformat()
    page = RESULT.read_text(encoding="utf-8").replace(score, f"{score}\n\nRun of {day}: {COMMANDS}.", 1)
    write_whole(PAGE, page)
    linked = f"{score} [docs/validation.md](docs/validation.md) says which, and why."
    write_whole(README, SCORE.sub(lambda _: linked, README.read_text(encoding="utf-8"), count=1))
