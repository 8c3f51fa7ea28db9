"""Each command that a page prints is one: known subcommand, options, values, files. Nothing is run."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest
from printed import LESSONS, PAGES, ROOT, printed

from lab.catalog import find
from lab.cli import lab
from lab.commands.many import SERIES
from lab.errors import ScenarioError

STANDS_FOR = {
    "NAME": "cardinality", "VARIANT": "crash", "N": "2", "FILE": "README.md", "DIR": "my-folder", "URL": "http://127.0.0.1:8001/metrics",
    "RUN": "runs/x", "SECONDS": "3", "QUERIES_A_DAY": "2000", "ADDR": "127.0.0.1", "PORT": "5557",
}  # fmt: skip
THEIRS = ("my-", "./my-", "our-", "./query-ids")
"""Names of what the reader makes."""


def wrong(command: str) -> str:
    """Why a command can't be typed as it is printed; nothing where it can."""
    words = shlex.split(_filled(re.split(r" \|\|? | && ", command)[0]))
    program = words[0] if words else ""
    if program == "lab":
        return _wrong_lab(words[1:])
    if program == "make":
        targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        return "" if words[1] in targets else f"make has no {words[1]}"
    if program in ("python", "cp", ".", "docker"):
        return next((f"{w}: no such file" for w in words[1:] if "/" in w and not _there(w)), "")
    return ""


def _filled(command: str) -> str:
    """A usage with something in place of each placeholder; what may be left out is there, of choices the first."""
    command = re.sub(r"(?<=\w)\.\.\.", "", command.replace("[", "").replace("]", ""))
    command = re.sub(r"(\S+?)\|\S+", r"\1", command) if "$" not in command else command
    return re.sub(r"[A-Z_]{1,}(?![\w=])", lambda m: STANDS_FOR.get(m[0], m[0]), command)


def _there(word: str) -> bool:
    return word.startswith((*THEIRS, "<", "http", "runs/", "-")) or (ROOT / word).exists() or ".venv" in word


def _wrong_lab(words: list[str]) -> str:
    command: click.Command = lab
    words = [word for word in words if word != "--help"]
    while isinstance(command, click.Group):
        if not words:
            return ""
        name, *words = words
        if name not in command.commands:
            return f"no command {name}"
        command = command.commands[name]
    if not any(not word.startswith("-") for word in words):  # `lab run --stage`: a way of saying it in a sentence
        needed = [p for p in command.params if isinstance(p, click.Argument) and p.required]
        words = [*(_stands_for(p) for p in needed), *words]
    try:
        parsed = command.make_context(command.name, list(words))
    except click.exceptions.NoArgsIsHelpError:
        return ""
    except click.ClickException as error:
        return error.format_message()
    given = parsed.params.get("name")
    for one in given if isinstance(given, tuple) else [given]:
        if (
            command.name in ("run", "show", "fault", "bench")
            and one not in (None, *SERIES)
            and not one.startswith(THEIRS)
        ):
            try:
                find(one)
            except ScenarioError as error:
                return str(error)
    files = [w for w in words if "/" in w and not w.startswith("http") and not w.startswith("-")]
    return next((f"{word}: no such file" for word in files if not _there(word)), "")


def _stands_for(argument: click.Argument) -> str:
    if isinstance(argument.type, click.Choice):
        return str(argument.type.choices[0])
    return STANDS_FOR.get(str(argument.name).upper(), "cardinality")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_can_be_typed(page: Path) -> None:
    assert printed(page) or page.name == "time.md", "a page whose commands are not found proves nothing"
    faults = [(one.where, c, why) for one in printed(page) for c in one.commands if (why := wrong(c))]
    assert not faults


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda page: page.parent.name)
def test_a_lesson_begins_with_its_run_and_its_diff(lesson: Path) -> None:
    first = printed(lesson)[0].commands
    name = lesson.parent.name
    assert first[0] == f"lab run {name}"
    assert f"lab show {name} --diff" in first


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("lab rum cardinality", "no command rum"),
        ("lab run cardinalty", "no such scenario"),
        ("lab run cardinality --fx my-fix", "No such option"),
        ("lab run cardinality:crush", "no such variant"),
        ("lab fault cardinality sideways", "sideways"),
        ("lab run cardinality --workers many", "many"),
        ("lab run cardinality --fix scenarios/cardinality/repaired", "no such file"),
        ("lab list cardinality", "unexpected extra argument"),
        ("lab advise --card        the decision card", "unexpected extra argument"),
        ("make demonstration", "make has no"),
        ("cp -r scenarios/cardinality/mended my-fix", "no such file"),
    ],
)
def test_what_can_not_be_typed_is_found(command: str, why: str) -> None:
    assert why in wrong(command)


def test_commands_are_found_wherever_they_stand(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "Try `lab list`:\n\n    lab run x \\\n        --keep  # a while; exit code 1\n    # a word\n    lab clean\n\n"
        "It says:\n\n    PASS 1 of 1\n\n```\nmake demo\n```\n\n"
        "1. Then\n\n       P=http://127.0.0.1:...\n       curl -s $P/x\n"
    )
    assert [(one.line, one.commands, one.codes) for one in printed(page)] == [
        (1, ["lab list"], [0]), (3, ["lab run x  --keep", "lab clean"], [1, 0]), (13, ["make demo"], [0]),
        (18, ["P=http://127.0.0.1:...", "curl -s $P/x"], [0, 0]),
    ]  # fmt: skip


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_compose_is_told_which_file(page: Path) -> None:
    """The root of the repository has none of the names that it looks for."""
    text = page.read_text(encoding="utf-8")
    typed = re.findall(r"(?:^    |`)((?:[A-Z_]+=\S+ )*docker compose -[^`\n]*)", text, re.MULTILINE)
    assert [command for command in typed if "-f compose/compose.yaml" not in command] == []
