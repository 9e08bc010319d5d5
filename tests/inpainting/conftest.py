"""Fixtures of the inpainting tests."""

from pathlib import Path

import pytest

from tests.conftest import SHARED


@pytest.fixture(scope="session")
def emnist() -> Path:
    """Real letters: EMNIST, rebuilt split."""
    folder = SHARED / "emnist"
    if not folder.is_dir():
        pytest.skip("the folder ../shared/emnist of real letters is not here")
    return folder
