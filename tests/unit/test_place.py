"""Where a run's servers come from, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lab.errors import UsageError
from lab.install import Binary
from lab.load_elsewhere import Elsewhere
from lab.options import Options
from lab.runtime import place
from lab.runtime.place import Place, Servers, decide

BINARY = Binary("prometheus", Path("/opt/prometheus"), (2, 42, 0), "2.42.0", "flag")


@pytest.mark.parametrize("name", ["prometheus", "alertmanager"])
def test_a_program_that_containers_would_pass_over_is_refused(name: str) -> None:
    asked = Options(runtime="docker", **{f"{name}_bin": Path("/opt/server")})
    with pytest.raises(UsageError, match=f"--{name}-bin: .* LAB_{name.upper()}_IMAGE"):
        decide(asked)


@pytest.mark.parametrize(
    ("given", "option"),
    [
        ({"scale": "class"}, "scale"),
        ({"workers": 2}, "workers"),
        ({"workers": 2, "elsewhere": Elsewhere(2)}, "expect-workers"),
        ({"prometheus_bin": Path("/opt/server")}, ""),
        ({}, ""),
    ],
)
def test_what_containers_cannot_do_is_done_natively_or_refused(
    given: dict[str, Any], option: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    containers = Place("docker", Servers(BINARY, BINARY, BINARY))
    monkeypatch.setattr(place, "docker", lambda: containers)
    monkeypatch.setattr(place, "find", lambda *_, **__: BINARY)
    assert decide(Options(**given)).name == ("native" if given else "docker")
    if option:
        with pytest.raises(UsageError, match=f"--{option}: is of the native runtime; leave --runtime docker away"):
            decide(Options(runtime="docker", **given))
