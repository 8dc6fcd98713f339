"""Where a run reads and writes."""

from pathlib import Path

import pytest

from orchestration.errors import UnusableInput
from orchestration.settings import Settings


def test_a_home_that_engines_would_read_as_two_folders_is_refused() -> None:
    with pytest.raises(UnusableInput, match="has a comma in its path"):
        Settings(home=Path("/data/segments, old"))
