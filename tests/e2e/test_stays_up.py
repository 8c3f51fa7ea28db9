"""The stack that stays up, on real servers: a fault goes in, is seen, is fixed; and nothing of it is left."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess

import httpx
import pytest
from lab_run import LAB, hears_ctrl_c, of_run
from stays import DOWN, Stays
from waiting import until

from lab.identity import identity

pytestmark = pytest.mark.e2e


@pytest.mark.whole
def test_a_fault_is_switched_on_seen_fixed_and_off(stays: Stays) -> None:
    out = stays.up()
    urls = re.findall(r"^(\w+) +(http://127\.0\.0\.1:\d+(?:/\S+)?)$", out, re.MULTILINE)
    names = {"rag", "metrics", "prometheus", "observer", "alertmanager", "receiver", "host"}
    assert {name for name, _ in urls} == names
    for name, url in urls:  # whether a page is there is the server's affair: some builds have no web interface
        assert httpx.get(url, trust_env=False).status_code, name

    calm = stays.status()
    assert all(service["up"] for service in calm["services"])
    assert (calm["fault"], calm["alerts"], calm["silent"]) == (None, [], [])
    assert calm["requests_per_s"] > 50
    code, _, err = stays.lab("up")
    assert (code, len(err.splitlines())) == (2, 1), err

    code, out, err = stays.lab("fault", "missing_metrics", "on")
    assert (code, "live is broken/metrics.py" in out) == (0, True), err
    until(lambda: stays.told("firing"), 30, "the alert is delivered")
    ill = stays.status()
    assert (ill["fault"]["what"], ill["fault"]["files"]) == ("broken", ["metrics.py"])
    assert {"name": DOWN, "state": "firing", "server": "observer"} in ill["alerts"]
    assert not stays.told("resolved")

    assert stays.lab("fault", "missing_metrics", "fix")[0] == 0
    until(lambda: stays.told("resolved"), 30, "it is resolved")
    assert [a for a in stays.status()["alerts"] if a["state"] == "firing"] == []
    assert stays.lab("fault", "missing_metrics", "off")[0] == 0
    assert stays.status()["fault"] is None

    assert stays.lab("down")[0] == 0
    stays.gone()
    assert stays.lab("status")[0] == 3
    assert list(stays.tmp.glob("runs/up/*/logs/prometheus.log"))


def test_kill_9_of_the_owner_then_any_command(stays: Stays) -> None:
    stays.up("--users", "5")
    assert len(of_run(stays.run_id)) >= 7
    os.kill(stays.owner, signal.SIGKILL)
    until(lambda: identity(stays.owner) is None, 30, "the owner is dead")
    assert len(of_run(stays.run_id)) >= 7, "its children do not go by themselves"
    code, out, _ = stays.lab("status")
    assert (code, out) == (3, "no stack is up; `lab up` starts one\n")
    stays.gone()


def test_a_start_that_is_interrupted_leaves_nothing(stays: Stays) -> None:
    process = subprocess.Popen(
        [*LAB, "up", "--runtime", "native"],
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        cwd=stays.tmp,
        env={**os.environ, "LAB_STATE_DIR": str(stays.tmp / "state")},
        preexec_fn=hears_ctrl_c,
    )
    until(lambda: list((stays.tmp / "state").glob("*.json")), 90, "it has begun")
    (entry,) = (stays.tmp / "state").glob("*.json")
    found = json.loads(entry.read_text())
    stays.run_id, stays.owner = str(found["run_id"]), int(found["owner"]["pid"])
    process.send_signal(signal.SIGINT)
    assert process.wait(90) == 130
    stays.gone()
