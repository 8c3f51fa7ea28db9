"""`lab up`, `lab down`, `lab status`, `lab fault`: the stack that stays up."""

from __future__ import annotations

import json
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import click

from lab.catalog import find
from lab.classroom.client import Client, require_up, stack_up
from lab.classroom.faults import Switch
from lab.classroom.status import Status
from lab.classroom.wanted import Wanted
from lab.errors import LabError, StartError, UsageError
from lab.options import Options
from lab.sweep import sweep
from lab.text import clean, one_line

START_S = 180.0
"""Seconds in which a stack must be up; one with a past needs the longest."""
STOP_S = 60.0
SUMMARY_CHARS = 80
"""Of a notification's text, in a line of the channel."""


def up_command(target: str, given: dict[str, Any]) -> int:
    """Start a stack for a scenario, or (`target` empty) for any; returns when it is ready."""
    sweep()
    if (there := stack_up()) is not None:
        raise UsageError(f"a stack is up already ({there.run_dir}); `lab down` stops it")
    wanted = Wanted(target, Options(**given))
    if target:
        find(target)  # at once; everything else is refused by the owner
    click.echo("starting the stack ...", err=True)
    owner = subprocess.Popen(
        [sys.executable, "-m", "lab.classroom", wanted.to_json()],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        _await(owner)
        there = require_up()
        said = up_text(there.status(), there.page)
    except BaseException:
        _end(owner)
        raise
    click.echo(said)
    return 0


def _await(owner: subprocess.Popen[bytes]) -> None:
    """Wait for the owner's word. Raises what it tells: `UsageError` or `LabError`."""
    assert owner.stdout is not None
    if not select.select([owner.stdout], [], [], START_S)[0]:
        raise StartError(f"the stack is not up after {START_S:.0f} s")
    line = owner.stdout.readline()
    if not line:
        raise StartError(f"the stack's owner ended with code {owner.wait()} before the stack was up")
    said = json.loads(line)
    if "error" in said:
        raise (UsageError if said["exit_code"] == 2 else LabError)(said["error"])


def _end(owner: subprocess.Popen[bytes]) -> None:
    """Stop an owner that did not come up, or is not waited for any more."""
    owner.terminate()
    try:
        owner.wait(STOP_S)
    except subprocess.TimeoutExpired:
        owner.kill()  # the next command removes what it leaves


def down_command() -> int:
    """Stop the stack; a no-op when none is up."""
    swept = sweep()
    there = stack_up()
    if there is None:
        left = sum(one.processes for one in swept)
        click.echo(f"no stack is up; {left} processes of a dead one ended" if left else "no stack is up")
        return 0
    click.echo("stopping the stack ...", err=True)
    there.down()
    click.echo(f"the stack is down; what it wrote is in {_short(there.run_dir)}")
    return 0


def status_command(*, as_json: bool) -> int:
    """Tell what the stack is doing; 3 when none is up."""
    sweep()
    there = stack_up()
    if there is None:
        click.echo(json.dumps({"up": False}) if as_json else "no stack is up; `lab up` starts one")
        return 3
    found = there.status()
    click.echo(json.dumps(found.to_json(), indent=2) if as_json else status_text(found, there.page))
    return 0


def fault_command(target: str, switch: Switch) -> int:
    """Switch a fault of the stack that is up."""
    sweep()
    found = find(target)
    there: Client = require_up()
    named = target.endswith(f":{found.scenario.variant}")
    click.echo(one_line(there.fault(found.folder, found.scenario.variant if named else "", switch)))
    return 0


def up_text(status: Status, page: str) -> str:
    """What is up, every URL, and what comes next."""
    return "\n".join((
        _head(status), *_services(status), _page(page), f"{'evidence':13} {_short(status.run_dir)}", "",
        "lab fault NAME on|fix|off   deploys what is broken, what is fixed, the healthy stack; lab list has the names",
        "lab status                  tells what is seen of it; lab down stops the stack",
    ))  # fmt: skip


def status_text(status: Status, page: str) -> str:
    """The whole status, for a terminal."""
    return "\n".join((
        _head(status), *_services(status), _page(page), _fault(status),
        *_alerts(status), *_channel(status), *_happened(status),
    ))  # fmt: skip


def _head(status: Status) -> str:
    for_whom = f"for {status.made_for}" if status.made_for else "for any fault that needs nothing special"
    return (
        f"up since {_clock(status.since)}, {for_whom}; {status.runtime}, speed {status.speed:g}, "
        f"seed {status.seed}, {status.users} users"
    )


def _services(status: Status) -> list[str]:
    lines = [f"{s.name:13} {s.url}{'' if s.up else '  DOWN'}".rstrip() for s in status.services]
    served = "no figures" if status.requests_per_s is None else f"{status.requests_per_s:g} requests/s"
    return [*lines, f"{'metrics':13} {status.metrics_url}", f"{'traffic':13} {served}"]


def _page(page: str) -> str:
    return f"{'live page':13} {page}"


def _fault(status: Status) -> str:
    if status.fault is None:
        return f"{'fault':13} none"
    files = ", ".join(f"{status.fault.what}/{name}" for name in status.fault.files)
    return f"{'fault':13} {clean(status.fault.name)} {status.fault.what} since {_clock(status.fault.since)}: {files}"


def _alerts(status: Status) -> list[str]:
    lines = [f"{'alert':13} {clean(a.name)} {a.state.upper()} at {a.server}" for a in status.alerts]
    lines += [f"{'alert':13} {server} does not answer" for server in status.silent]
    return lines or [f"{'alert':13} none"]


def _channel(status: Status) -> list[str]:
    return [
        f"{'channel':13} {_clock(n.at)} #{clean(n.route)} {n.status.upper()} {clean(n.alert)}: {_clip(n.summary)}"
        for n in status.notifications
    ] or [f"{'channel':13} quiet"]


def _happened(status: Status) -> list[str]:
    return [f"{'happened':13} {_clock(h.at)} {one_line(h.what)}" for h in status.happened]


def _clip(text: str) -> str:
    line = one_line(text)
    return line if len(line) <= SUMMARY_CHARS else f"{line[: SUMMARY_CHARS - 1]}…"


def _clock(unix_s: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(unix_s))


def _short(path: str) -> str:
    found, here = Path(path), Path.cwd()
    return str(found.relative_to(here)) if found.is_relative_to(here) else path
