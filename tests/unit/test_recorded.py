"""Recorded runs on real servers, judged again: the sabotage table without servers.

Each file is the journal of a run of `make sabotage` or of a plain run; its name says what was done to it.
A journal is recorded anew with `lab run NAME [options]` and copied from the run's folder.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lab.catalog import find
from lab.events import CulpritFound, Exited, Notified, PhaseEnded, Restarted, ScrapeFailed
from lab.history import History, Sample
from lab.journal import Recording, read
from lab.judge import Judgement, judge
from lab.scenario import Result, Verdict
from lab.signals import rss

RECORDED = Path(__file__).resolve().parent.parent / "recorded"
EXPECTED: dict[str, tuple[Verdict, str]] = {
    "cardinality/pass": (Verdict.PASS, ""),
    "cardinality/control": (Verdict.PASS, ""),
    "cardinality/noop": (Verdict.FAIL, "resolved"),
    "cardinality/drops_only_user_id": (Verdict.FAIL, "resolved"),
    "cardinality/drops_only_query_text": (Verdict.FAIL, "resolved"),
    "cardinality/no_rules": (Verdict.FAIL, "seen before it hurts"),
    "cardinality/always_fires": (Verdict.FAIL, "nobody notified"),
    "cardinality/no_users": (Verdict.INCONCLUSIVE, "traffic flowed"),
    "cardinality/held_a_minute": (Verdict.INCONCLUSIVE, "traffic flowed"),
    "cardinality/crash_pass": (Verdict.PASS, ""),
    "cardinality/crash_control": (Verdict.PASS, ""),
    "alert_storm/pass": (Verdict.PASS, ""),
    "alert_storm/control": (Verdict.PASS, ""),
    "alert_storm/noop": (Verdict.FAIL, "silent on noise"),
    "alert_storm/muted_route": (Verdict.FAIL, "incident told once"),
    "alert_storm/threshold_5s": (Verdict.FAIL, "quiet days"),
    "alert_storm/healthy": (Verdict.FAIL, "1 fire/resolve pair"),
    "alert_storm/removed_rule": (Verdict.FAIL, "quiet days"),
    "alert_storm/no_rules": (Verdict.FAIL, "AlertFlapping delivered"),
    "alert_storm/busy_machine": (Verdict.INCONCLUSIVE, "answers as slow as meant"),
    "alert_storm/no_users": (Verdict.INCONCLUSIVE, "traffic flowed"),
    "label_leak/pass": (Verdict.PASS, ""),
    "label_leak/control": (Verdict.PASS, ""),
    "label_leak/noop": (Verdict.FAIL, "series of rag constant"),
    "label_leak/request_id": (Verdict.FAIL, "series of rag constant"),
    "label_leak/clears": (Verdict.FAIL, "series of rag constant"),
    "label_leak/restarts": (Verdict.FAIL, "rag lives on"),
    "label_leak/no_rules": (Verdict.FAIL, "seen before it hurts"),
    "label_leak/no_users": (Verdict.INCONCLUSIVE, "traffic flowed"),
    "slow_queries/pass": (Verdict.PASS, ""),
    "slow_queries/control": (Verdict.PASS, ""),
    "slow_queries/emptied_dashboard": (Verdict.FAIL, "same panels answer"),
    "slow_queries/constant_panels": (Verdict.FAIL, "panels tell the same"),
    "slow_queries/wrong_record": (Verdict.FAIL, "same numbers"),
    "slow_queries/healthy": (Verdict.FAIL, "viewers wait for panels"),
    "slow_queries/no_users": (Verdict.INCONCLUSIVE, "traffic flowed"),
    "slow_queries/no_rules": (Verdict.FAIL, "PrometheusQueriesSlow delivered"),
    "slow_queries/always_fires": (Verdict.FAIL, "nobody notified"),
    "missing_metrics/pass": (Verdict.PASS, ""),
    "missing_metrics/metric_renamed": (Verdict.PASS, ""),
    "missing_metrics/constant": (Verdict.FAIL, "queries still counted"),
    "missing_metrics/frozen": (Verdict.FAIL, "only declared alerts"),
    "missing_metrics/rate_is_zero": (Verdict.FAIL, "QueriesNotCounted delivered"),
    "missing_metrics/noop": (Verdict.FAIL, "rag_queries_total back"),
    "missing_metrics/no_rules": (Verdict.FAIL, "TargetDown delivered"),
    "missing_metrics/healthy": (Verdict.FAIL, "rag down"),
    "missing_metrics/control": (Verdict.PASS, ""),
    "missing_metrics/no_users": (Verdict.INCONCLUSIVE, "traffic flowed"),
    "rate_limit/pass": (Verdict.PASS, ""),
    "rate_limit/no_users": (Verdict.INCONCLUSIVE, "traffic flowed"),
    "rate_limit/only_polite": (Verdict.FAIL, "cache hit ratio > 0.8"),
    "rate_limit/noop": (Verdict.FAIL, "cache hit ratio > 0.8"),
    "rate_limit/no_rules": (Verdict.FAIL, "seen before it hurts"),
    "rate_limit/control": (Verdict.PASS, ""),
    "rate_limit/blind": (Verdict.PASS, ""),
    "rate_limit/blind_noop": (Verdict.FAIL, "RateLimitClose delivered"),
    "error_burst/pass": (Verdict.PASS, ""),
    "error_burst/no_users": (Verdict.INCONCLUSIVE, "traffic flowed"),
    "error_burst/counts_success": (Verdict.FAIL, "queries served"),
    "error_burst/noop": (Verdict.FAIL, "rag says that it is ready"),
    "error_burst/no_rules": (Verdict.FAIL, "HighErrorRate delivered"),
    "error_burst/control": (Verdict.PASS, ""),
    "cost_spike/pass": (Verdict.PASS, ""),
    "cost_spike/control": (Verdict.PASS, ""),
    "cost_spike/hides_costs": (Verdict.FAIL, "costs still counted"),
    "cost_spike/noop": (Verdict.FAIL, "tokens in a prompt < 1,000"),
    "cost_spike/no_rules": (Verdict.FAIL, "PromptsTooLong delivered"),
    "quality_drop/pass": (Verdict.PASS, ""),
    "quality_drop/control": (Verdict.PASS, ""),
    "quality_drop/clamps": (Verdict.FAIL, "queries served"),
    "quality_drop/noop": (Verdict.FAIL, "quality of answers > 0.8"),
    "quality_drop/no_rules": (Verdict.FAIL, "AnswersUseless delivered"),
}
"""Journal -> verdict, and a part of the name of the check that decides it."""


def judged(name: str, *, lines: int | None = None, tmp: Path | None = None) -> tuple[Judgement, Recording]:
    """A recorded run, judged; with `lines`, only so much of its journal."""
    path = RECORDED / f"{name}.jsonl"
    if lines is not None and tmp is not None:
        cut = tmp / "journal.jsonl"
        cut.write_text("".join(path.read_text().splitlines(keepends=True)[:lines]))
        path = cut
    recording = read(path)
    assert recording.header is not None
    scenario = find(name.split("/")[0], recording.header.variant).scenario
    return judge(scenario, recording.header, recording.history, damaged=recording.damaged), recording


@pytest.mark.parametrize("name", EXPECTED)
def test_recorded_run(name: str) -> None:
    verdict, decisive = EXPECTED[name]
    judgement, _ = judged(name)
    assert judgement.verdict is verdict, judgement.reason
    wanted = {Verdict.FAIL: Result.FAIL, Verdict.INCONCLUSIVE: Result.INCONCLUSIVE}.get(verdict)
    names = [r.name for r in judgement.results() if r.result is wanted]
    assert not decisive or any(decisive in name for name in names), names


@pytest.mark.parametrize("name", [name for name in EXPECTED if name.endswith("/healthy")])
def test_a_fault_that_is_none_is_told_as_that(name: str) -> None:
    """`broken/` was as `fixed/`."""
    assert judged(name)[0].reason.startswith("onset not observed: ")


def test_a_leak_that_never_shows_is_told_as_that() -> None:
    """The passing run of label_leak, with a constant memory and nothing that follows from its growth."""
    recording = judged("label_leak/pass")[1]
    assert recording.header is not None
    history = recording.history
    end = next(e.t for e in history.of(PhaseEnded) if e.name == "broken")
    told = (Notified, CulpritFound, Exited, Restarted, ScrapeFailed)
    events = [e for e in history.events if e.t < end and not isinstance(e, told)]
    samples = [Sample(s.t, {**s.values, rss("rag"): 70e6}) for s in history.samples if s.t < end]
    judgement = judge(find("label_leak").scenario, recording.header, History(samples, events))
    assert (judgement.verdict, judgement.reason) == (
        Verdict.FAIL,
        "onset not observed: memory of rag grows: not within its time",
    )


def test_every_recording_is_expected() -> None:
    found = {str(p.relative_to(RECORDED).with_suffix("")) for p in RECORDED.rglob("*.jsonl")}
    assert found == set(EXPECTED)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.8])
def test_a_run_that_breaks_off_is_never_a_pass(share: float, tmp_path: Path) -> None:
    total = len((RECORDED / "cardinality/pass.jsonl").read_text().splitlines())
    judgement, _ = judged("cardinality/pass", lines=int(share * total), tmp=tmp_path)
    assert judgement.verdict is Verdict.INCONCLUSIVE


EVIDENCE = {
    "cardinality/pass": ("notified", "log_seen", "culprit_found"),
    "missing_metrics/pass": ("notified", "scrape_failed", "smoke_tested", "gap_measured"),
    "alert_storm/pass": ("notified", "switched", "studied"),
    "label_leak/pass": ("notified", "culprit_found", "scrape_failed", "exited", "restarted"),
    "slow_queries/pass": ("notified", "log_seen", "dashboard_live", "answered"),
}


@pytest.mark.parametrize(("name", "kind"), [(name, kind) for name, kinds in EVIDENCE.items() for kind in kinds])
def test_without_its_evidence_a_passing_run_does_not_pass(name: str, kind: str, tmp_path: Path) -> None:
    lines = (RECORDED / f"{name}.jsonl").read_text().splitlines(keepends=True)
    kept = tmp_path / "journal.jsonl"
    kept.write_text("".join(line for line in lines if json.loads(line).get("kind") != kind))
    recording = read(kept)
    assert recording.header is not None
    scenario = find(name.split("/")[0], recording.header.variant).scenario
    assert judge(scenario, recording.header, recording.history).verdict is not Verdict.PASS
