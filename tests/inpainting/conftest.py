"""Fixtures of the inpainting tests."""

from pathlib import Path

import pytest

from tests.conftest import shared_folder


@pytest.fixture(scope="session")
def emnist() -> Path:
    """Real letters: EMNIST, rebuilt split."""
    return shared_folder("emnist")
