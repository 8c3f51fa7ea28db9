"""Where a run's servers come from, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.errors import UsageError
from lab.options import Options
from lab.runtime.place import decide


@pytest.mark.parametrize("name", ["prometheus", "alertmanager"])
def test_a_program_that_containers_would_pass_over_is_refused(name: str) -> None:
    asked = Options(runtime="docker", **{f"{name}_bin": Path("/opt/server")})
    with pytest.raises(UsageError, match=f"--{name}-bin: .* LAB_{name.upper()}_IMAGE"):
        decide(asked)
