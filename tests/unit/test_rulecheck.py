"""A deployment that the servers would not take is refused before anything is started."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from lab.deployment import load
from lab.errors import RulesError
from lab.install import Binary, BinaryError, find
from lab.rulecheck import check_deployment

FIXED = Path(__file__).resolve().parents[2] / "scenarios" / "alert_storm" / "fixed"


@pytest.fixture(scope="module")
def promtool() -> Binary:
    try:
        return find("promtool")
    except BinaryError as error:
        pytest.skip(str(error))


@pytest.fixture
def changed(tmp_path: Path, promtool: Binary) -> Callable[[str, str, str], None]:
    """Check fixed/ with one text of one file replaced."""

    def check(name: str, old: str, new: str) -> None:
        folder = shutil.copytree(FIXED, tmp_path / "fix")
        text = (folder / name).read_text()
        assert old in text
        (folder / name).write_text(text.replace(old, new))
        check_deployment(promtool, load("fixed", folder), 15, 3, rules_speed=15)

    return check


def test_as_it_is_it_is_taken(changed: Callable[[str, str, str], None]):
    changed("rules.yml", "", "")


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("rules.yml", "> 0.5", "> > 0.5", "could not parse expression"),
        ("rules.yml", "for: 2m", "for: 20s", "shorter than the gap of an ordinary redeploy"),
        ("alertmanager.yml", "group_wait: 30s", "group_wait: soon", "group_wait"),
        ("alertmanager.yml", "route:", "route: [", "not valid YAML"),
    ],
)
def test_what_is_wrong_is_named_with_its_file(
    changed: Callable[[str, str, str], None], name: str, old: str, new: str, said: str
):
    with pytest.raises(RulesError, match=f"{name}.*{said}"):
        changed(name, old, new)
