"""The command line in this process: exit codes, lab.toml, errors as one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest

from lab import cli
from lab.catalog import all_names, find
from lab.cli import run_cli
from lab.commands.defaults import defaults
from lab.deployment import HEALTHY
from lab.errors import LabError, LoadError, RulesError, ScenarioError, StartError, UsageError
from lab.options import MAX_SPEED, Options
from lab.timescale import max_speed


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("LAB_SPEED", "LAB_SEED", "LAB_OUT", "LAB_JSON", "LAB_STRICT", "LAB_USERS", "LAB_RUNTIME"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What `lab run` was given; nothing is run."""
    import lab.commands.run

    found: dict[str, Any] = {}

    def remember(name: str, options: dict[str, Any]) -> int:
        found.update(options, name=name)
        return 0

    monkeypatch.setattr(lab.commands.run, "run_command", remember)
    return found


def raising(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("lab.catalog.find", fail)


@pytest.mark.parametrize(("error", "code"), [
    (LabError("x"), 3), (StartError("x"), 3), (LoadError("x"), 3), (UsageError("x"), 2), (ScenarioError("x"), 2),
    (RulesError("x"), 2), (KeyboardInterrupt(), 130), (click.Abort(), 130), (click.UsageError("x"), 2),
    (ValueError("x"), 3), (OSError(28, "full"), 3),
])  # fmt: skip
def test_exit_codes(
    error: BaseException, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    raising(error, monkeypatch)
    assert run_cli(["show", "cardinality"]) == code
    assert capsys.readouterr().out == ""


def test_a_crash_is_told_as_one(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    raising(ValueError("boom"), monkeypatch)
    run_cli(["show", "cardinality"])
    err = capsys.readouterr().err
    assert "ValueError: boom" in err
    assert err.splitlines()[-1].startswith("lab: this is an error of the lab itself")


def test_an_error_is_one_line_without_control_characters(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    raising(UsageError("a\nb\x1b[31m\u202e"), monkeypatch)
    run_cli(["show", "cardinality"])
    assert capsys.readouterr().err == "lab: a b\ufffd[31m\ufffd\n"


@pytest.mark.parametrize(
    "argv",
    [
        ["nonsense"],
        ["run"],
        ["run", "x", "--nonsense"],
        ["schema", "x"],
    ],
)
def test_bad_usage(argv: list[str]) -> None:
    assert run_cli(argv) == 2


@pytest.mark.parametrize("argv", [["run", "x", "--users", "-1"], ["run", "x", "--seed", "-1"], ["up", "--seed", "-1"]])
def test_a_value_out_of_range_is_refused_where_it_is_read(argv: list[str]) -> None:
    with pytest.raises(click.BadParameter, match="not in the range"):
        cli.lab.commands[argv[0]].make_context(argv[0], argv[1:])


def test_a_speed_out_of_range_is_refused_by_every_command() -> None:
    for speed in (0.9, 21.0):
        with pytest.raises(UsageError, match=r"--speed \S+: not between 1 \(real time\) and 20"):
            Options(speed=speed)


def test_the_codes_are_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli(["--help"]) == 0
    assert "0 pass, 1 a check failed, 2 bad usage or input, 3 inconclusive" in " ".join(capsys.readouterr().out.split())


def test_the_schema_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli(["schema", "run"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "Outcome of a run of the lab"


# lab.toml


@pytest.mark.parametrize(("text", "name", "expected"), [
    ("speed = 10", "speed", 10.0), ("speed = 2.5", "speed", 2.5), ("strict = true", "strict", True),
    ("strict = false", "strict", False), ('out = "x/y"', "out", Path("x/y")), ("out = 5", "out", Path("5")),
    ("no-color = true", "no_color", True), ("no_color = true", "no_color", True), ('json = "-"', "json_to", "-"),
    ('prometheus-bin = "p"', "prometheus_bin", Path("p")), ("users = 0", "users", 0), ("quiet = true", "quiet", True),
])  # fmt: skip
def test_options_by_their_long_names(text: str, name: str, expected: object, given: dict[str, Any]) -> None:
    Path("lab.toml").write_text(f"[run]\n{text}\n")
    assert run_cli(["run", "x"]) == 0
    assert given[name] == expected
    assert type(given[name]) is type(expected)


@pytest.mark.parametrize(("text", "said"), [
    ("[run]\nspead = 1", r"\[run\] spead: no such option"), ("[run]\njson_to = '-'", "json_to: no such option"),
    ("[run]\nname = 'x'", "name: no such option"), ("[run]\nhelp = true", "help: no such option"),
    ("[rum]", r"\[rum\]: no such command"), ("speed = 1", r"\[speed\]: no such command"),
    ("[run]\nspeed = [1]", "speed: neither text nor"), ("[run.out]\nx = 1", "out: neither text nor"),
    ("[run]\nout = 2026-01-01", "out: neither text nor"), ("[run", "lab.toml"),
    ("[run]\nspeed = 1\nspeed = 2", "lab.toml"), ("[run]\nmap = 'a=b'", "map: may be given again"),
])  # fmt: skip
def test_what_is_wrong_in_it_is_named(
    text: str, said: str, given: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    Path("lab.toml").write_text(text)
    with pytest.raises(UsageError, match=said):
        defaults(cli.lab.commands)
    assert run_cli(["run", "x"]) == 2
    assert given == {}
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize("text", ['speed = "fast"', "seed = 1.5", "users = 5000", 'quiet = "maybe"', 'runtime = "vm"'])
def test_a_value_of_another_kind_is_bad_usage(text: str, given: dict[str, Any]) -> None:
    Path("lab.toml").write_text(f"[run]\n{text}\n")
    assert run_cli(["run", "x"]) == 2
    assert given == {}


@pytest.mark.parametrize(("text", "variable", "flags", "said"), [
    ("", "foo", (), "Invalid value for the variable LAB_SPEED: 'foo' is not a valid float."),
    ('speed = "fast"', None, (), "Invalid value for speed in [run] of lab.toml: 'fast' is not a valid float."),
    ('speed = "fast"', "foo", (), "Invalid value for the variable LAB_SPEED: 'foo'"),
    ('speed = "fast"', "foo", ("--speed", "x"), "Invalid value for '--speed': 'x' is not a valid float."),
])  # fmt: skip
def test_a_value_is_named_after_where_it_comes_from(
    text: str,
    variable: str | None,
    flags: tuple[str, ...],
    said: str,
    given: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("lab.toml").write_text(f"[run]\n{text}\n")
    if variable:
        monkeypatch.setenv("LAB_SPEED", variable)
    assert run_cli(["run", "x", *flags]) == 2
    assert said in capsys.readouterr().err
    assert given == {}


def test_bytes_that_are_no_text(given: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    Path("lab.toml").write_bytes(b"[run]\n# \xff\n")
    assert run_cli(["run", "x"]) == 2
    assert "lab.toml" in capsys.readouterr().err


@pytest.mark.parametrize(("flags", "variable", "expected"), [
    ((), None, 11.0), ((), "12", 12.0), (("--speed", "13"), "12", 13.0), (("--speed", "13"), None, 13.0),
])  # fmt: skip
def test_flag_over_variable_over_file(
    flags: tuple[str, ...],
    variable: str | None,
    expected: float,
    given: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Path("lab.toml").write_text("[run]\nspeed = 11\n")
    if variable:
        monkeypatch.setenv("LAB_SPEED", variable)
    run_cli(["run", "x", *flags])
    assert given["speed"] == expected


def test_without_a_file_the_defaults(given: dict[str, Any]) -> None:
    run_cli(["run", "x"])
    assert (given["name"], given["speed"], given["seed"], given["out"], given["strict"]) == (
        "x",
        15.0,
        1,
        Path("runs"),
        False,
    )


# Speed


def test_the_highest_speed_is_that_of_the_labs_own_rules() -> None:
    rules = list(HEALTHY.prometheus_rules().values())
    for name in all_names():
        rules += [path.read_text(encoding="utf-8") for path in find(name).rules().values()]
    assert min(max_speed(text) for text in rules) == MAX_SPEED


@pytest.mark.parametrize("command", [["run", "cardinality", "--dry-run"], ["up"], ["rehearse", "--look"]])
def test_a_speed_beyond_it_is_refused(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli([*command, "--speed", "21"]) == 2
    assert capsys.readouterr().err == "lab: --speed 21: not between 1 (real time) and 20\n"
