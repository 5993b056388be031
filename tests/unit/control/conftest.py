from collections.abc import Iterator
from pathlib import Path

import pytest

from trivet.testing.homes import Home, open_home


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = open_home(tmp_path)
    yield home
    home.close()
