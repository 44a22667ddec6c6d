"""What the tests of the package build it from."""

from pathlib import Path

import pytest

from tests.package.installs import Install


@pytest.fixture
def install(tmp_path: Path) -> Install:
    return Install(tmp_path)
