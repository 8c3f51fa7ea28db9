"""What to try when a check did not hold: where to look, from what kind of check it is and how far the alert got."""

from __future__ import annotations

from lab.conditions.alerts import Delivered, Inactive, Naming, NotFiring, Resolved
from lab.conditions.culprit import Named
from lab.conditions.order import Before
from lab.conditions.workload import StillCounted
from lab.events import SignalSeen
from lab.phases import checks_of
from lab.scenario import Check, CheckResult, Condition, Phase, Result
from lab.stored import Stored

GUARDS = {
    "traffic flowed": "The load did not reach its rate. See the chart of requests and `logs/load.log`; where the "
    "machine is busy, run again at a lower `--speed`.",
    "rules were evaluated": "The observer missed evaluations, so that silence proves nothing. Let the machine do less "
    "beside the run, or run at a lower `--speed`.",
    "targets were scraped": "Scrapes failed that this fault does not explain. See `logs/observer.log` and the log of "
    "the target.",
    "service was scraped": "The service's metrics could not be scraped, so that little is known of it. See "
    "`logs/observer.log` and `logs/rag.log`.",
    "services lived": "A service ended that this scenario does not kill. Its last words are in its log under `logs/`.",
    "measured throughout": "The lab itself could not look. See the reason and the logs under `logs/`, then run again.",
}
"""By the name of the guard in `lab.guards`."""


def what_to_try(stored: Stored, phase: Phase, result: CheckResult) -> str:
    """One or two sentences that lead to the cause without naming it."""
    if stored.outcome.interrupted:
        return "The run was interrupted before it could be judged. Run it again; what it saw until then is below."
    if result.guard:
        return GUARDS.get(result.name, "The phase could not be measured. See the logs under logs/, then run again.")
    if result.result is Result.INCONCLUSIVE:
        return _unsettled(result)
    checks = checks_of(stored.found.scenario, stored.header, phase)
    check = next((check for check in checks if check.name == result.name), None)
    kind = check.condition if check else None
    if phase is Phase.BROKEN:
        return _broken(stored, check, kind)
    if phase is Phase.FIXED:
        return _fixed(stored, kind)
    return _healthy(stored, phase, kind)


def _unsettled(result: CheckResult) -> str:
    if result.at is None or "measured" in result.reason:
        return "Nothing that the servers answered decides it. See the chart of what it asks for, and `logs/`."
    return (
        "It was not settled when the run ended, so it is no failure. Run it again; where it ends here every time, "
        "`--keep` leaves the stack up to be asked."
    )


def _healthy(stored: Stored, phase: Phase, kind: Condition | None) -> str:
    if not isinstance(kind, NotFiring | Inactive):
        return (
            "Nothing is broken yet, and the service is not well. "
            "See `logs/rag.log` and the charts of requests and latency."
        )
    when = "before anything was broken" if phase is Phase.STEADY else "on an ordinary release or on growing traffic"
    control = f"`lab run {stored.found.scenario.label} --control` shows it without any fault"
    return f"An alert fired {when}: its threshold lies within what is normal. See its lane in the timeline; {control}."


def _broken(stored: Stored, check: Check | None, kind: Condition | None) -> str:
    if isinstance(kind, NotFiring):
        return (
            "An alert fired that this fault does not explain. Mend its expression, or, if it is a true consequence, "
            "declare it in `consequences` of scenario.py."
        )
    if isinstance(kind, Delivered | Naming | Before | Named):
        return _unseen(stored)
    if check is not None and check in stored.found.scenario.damage:
        return (
            "The symptom did not become damage in its time. Compare the charts of this phase with the limits of the "
            "scenario (`lab run NAME --dry-run` prints them)."
        )
    return (
        "The symptom did not begin in its time. Was the load at its rate (chart of requests), and does `broken/` "
        "differ from `fixed/` where it should (the diff below)?"
    )


def _unseen(stored: Stored) -> str:
    """How far the alert got decides where to look."""
    own = stored.header.own_alerts
    if any(name in stored.outcome.raised for name in own):
        return (
            "The rule fired, so the trouble lies between it and the channel: the route, the inhibitions and "
            "`group_wait` in `alertmanager.yml`, or a label that the route asks for."
        )
    if any(event.alert in own for event in stored.recording.history.of(SignalSeen)):
        return (
            "The rule's expression had a result, but not for as long as its `for` asks. See the lane in the timeline."
        )
    if not own:
        return "No rule was there to see it: the rules file holds no alert."
    return (
        "The rule never had a result. Ask its expression of the server (`--keep` leaves the stack up) and compare it "
        "with the chart of what it watches."
    )


def _fixed(stored: Stored, kind: Condition | None) -> str:
    if isinstance(kind, StillCounted):
        return (
            "The symptom may be gone only because the measurement is. A fix must keep the metric that people rely on: "
            "see the last phase of the chart of counted queries, and the diff below."
        )
    if isinstance(kind, NotFiring):
        return "Under the fix an alert fires that this fault does not explain. See its lane in the timeline."
    same = " The two deployments do not differ at all." if _same(stored) else ""
    what = (
        "The alert is on because its cause still is" if isinstance(kind, Resolved) else "The symptom outlives the fix"
    )
    return f"{what}.{same} Compare the last phase of the charts with steady; the diff below shows what the fix leaves."


def _same(stored: Stored) -> bool:
    from lab.report.html.sides import diffs

    return not diffs(stored)
