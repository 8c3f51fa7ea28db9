"""The HTML report as a reader meets it: what stands on it, of a run that failed, broke off or is hostile, too."""

from __future__ import annotations

import base64
import hashlib
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from kept_runs import Page, Records, kept

from lab.errors import UsageError
from lab.report.html.advice import what_to_try
from lab.report.html.report import report, write_report
from lab.scenario import CheckResult, Mode, Phase, Result
from lab.stored import FIX, load

FIRST_SCREEN = "<nav"


def page(run: Path) -> Page:
    return Page(report(load(run)))


def first_screen(run: Path) -> str:
    return Page(report(load(run)).partition(FIRST_SCREEN)[0]).text


@pytest.mark.parametrize(
    ("name", "verdict", "failed", "expected", "seen", "advice"),
    [
        (
            "cardinality/noop", "fail", "MetricCardinalityExplosion resolved", "resolved at the receiver",
            "still firing: MetricCardinalityExplosion", "its cause still is",
        ),
        (
            "cardinality/no_rules", "fail", "seen before it hurts", "MetricCardinalityExplosion delivered, before",
            "never against 35.3 s", "No rule was there to see it",
        ),
        (
            "cardinality/always_fires", "fail", "nobody notified", "no alert fires", "AlwaysFires",
            "before anything was broken",
        ),
        (
            "alert_storm/muted_route", "fail", "incident told once", "the incident is told once", "nobody was told",
            "The symptom outlives the fix",
        ),
        (
            "cardinality/no_users", "inconclusive", "guard: traffic flowed", "requests flow", "no requests",
            "The load did not reach its rate",
        ),
        (
            "label_leak/clears", "fail", "still counted", "grows with the traffic", "0/s counted",
            "A fix must keep the metric",
        ),
    ],
)  # fmt: skip
def test_the_first_screen_of_a_run_that_did_not_pass(
    name: str, verdict: str, failed: str, expected: str, seen: str, advice: str, tmp_path: Path
) -> None:
    said = first_screen(kept(tmp_path, name))
    assert said.partition("fail")[0].count("pass") == 0
    assert verdict in said
    for what in (failed, expected, seen, advice):
        assert what in said
    assert "what to try" in said


def test_what_follows_from_a_guard_is_counted_and_not_told(tmp_path: Path) -> None:
    said = first_screen(kept(tmp_path, "cardinality/no_users"))
    assert said.count("what to try") == 1
    assert "and 3 more in the table of checks" in said


def test_what_was_not_settled_is_not_called_a_failure(tmp_path: Path) -> None:
    said = first_screen(kept(tmp_path, "cardinality/pass", lambda records: records[:75]))
    assert "It was not settled when the run ended" in said
    assert "outlives" not in said


def test_a_detector_that_stirs_on_a_healthy_service_is_told_of_its_threshold(tmp_path: Path) -> None:
    stored = load(kept(tmp_path, "cardinality/pass"))
    stirred = CheckResult("detectors inactive", Mode.HOLDS, "inactive", "HighErrorRate pending", Result.FAIL, at=1.0)
    assert "its threshold lies within what is normal" in what_to_try(stored, Phase.STEADY, stirred)
    ill = replace(stirred, name="service healthy")
    assert "the service is not well" in what_to_try(stored, Phase.STEADY, ill)


def test_a_rule_that_fires_without_a_word_is_sent_to_its_route(tmp_path: Path) -> None:
    def silent(records: Records) -> Records:
        return [r for r in records if r.get("kind") not in ("notified", "culprit_found")]

    assert "between it and the channel" in first_screen(kept(tmp_path, "cardinality/pass", silent))


def test_the_first_screen_of_a_pass_has_its_figures(tmp_path: Path) -> None:
    said = first_screen(kept(tmp_path, "cardinality/pass"))
    assert "pass" in said
    assert "time to detect" in said
    assert "min simulated" in said
    assert "rag_queries_total{query_text}" in said
    assert "what to try" not in said


def test_the_parts_of_a_report(tmp_path: Path) -> None:
    found = page(kept(tmp_path, "cardinality/pass"))
    ids = {attrs["id"] for _, attrs in found.elements if "id" in attrs}
    assert ids >= {"timeline", "charts", "delays", "channel", "words", "diff", "checks", "run"}
    assert ids >= {f"chart-{name}" for name in ("series", "disk", "rss", "requests", "p95", "up", "told")}
    words = found.text.partition("In the servers' own words")[2].partition("What broke it")[0]
    assert "logs/prometheus.log:" in words
    assert "no space left on device" in words
    assert "s into the run" in words
    assert "[FIRING] MetricCardinalityExplosion" in found.text
    assert "6 guards held" in found.text
    assert "lab run cardinality --runtime native --seed 1" in found.text
    assert "prometheus 2." in found.text
    assert "lab analyze …/" in found.text
    assert str(tmp_path) not in found.html


def test_the_command_has_the_scale_and_the_shape(tmp_path: Path) -> None:
    def larger(records: Records) -> Records:
        return [{**records[0], "scale": "class", "shape": "ramp"}, *records[1:]]

    told = page(kept(tmp_path, "cardinality/pass", larger)).text
    assert "lab run cardinality --runtime native --seed 1 --scale class --shape ramp" in told


def test_the_command_has_the_runtime_and_can_be_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run = kept(tmp_path / "a b", "cardinality/pass", lambda r: [{**r[0], "runtime": "docker"}, *r[1:]])
    (run / "fix").mkdir()
    told = page(run).text
    assert f"lab run cardinality --runtime docker --seed 1 --fix '{run.relative_to(tmp_path)}/fix'" in told
    assert f"lab analyze '{run.relative_to(tmp_path)}'" in told


def test_the_command_has_the_names_of_an_answer(tmp_path: Path) -> None:
    names = {"rag_queries_total": "shop_questions_total", "rag": "a;b"}
    run = kept(tmp_path, "missing_metrics/rate_is_zero", lambda r: [{**r[0], "names": names}, *r[1:]])
    told = "--detect YOUR-RULES.yml --map rag_queries_total=shop_questions_total --map 'rag=a;b'"
    assert told in page(run).text


def test_every_link_in_the_contents_leads_somewhere(tmp_path: Path) -> None:
    found = page(kept(tmp_path, "alert_storm/pass"))
    ids = {attrs["id"] for _, attrs in found.elements if "id" in attrs}
    targets = {attrs["href"][1:] for tag, attrs in found.elements if tag == "a"}
    assert targets <= ids
    assert "checks" in targets


def test_events_are_numbered_in_their_order(tmp_path: Path) -> None:
    found = page(kept(tmp_path, "cardinality/pass"))
    kinds = [mark["kind"] for mark in found.data["marks"]]
    assert kinds[:2] == ["broken", "signal"]
    assert kinds.index("pending") < kinds.index("firing") < kinds.index("delivered") < kinds.index("damage")
    assert kinds.index("fixed") < kinds.index("resolved")
    assert [mark["n"] for mark in found.data["marks"]] == list(range(1, len(kinds) + 1))
    assert [phase["name"] for phase in found.data["phases"]] == ["steady", "broken", "fixed"]


def test_what_is_charted(tmp_path: Path) -> None:
    charts = {chart["id"]: chart for chart in page(kept(tmp_path, "cardinality/pass")).data["charts"]}
    assert charts["series"]["limits"] == [10_000]
    assert max(v for v in charts["series"]["data"][1] if v is not None) > 10_000
    assert 90 < max(v for v in charts["disk"]["data"][1] if v is not None) <= 100
    assert "rag" in charts["rss"]["labels"]
    assert charts["told"]["data"][1][-1] == 2
    assert "panels" not in charts  # nobody looked at a dashboard
    for chart in charts.values():
        assert {len(line) for line in chart["data"]} == {len(chart["data"][0])}


def test_the_diff_marks_what_differs(tmp_path: Path) -> None:
    html = report(load(kept(tmp_path, "cardinality/pass")))
    diff = html.partition('id="diff"')[2].partition("</section>")[0]
    assert "<b>, &#34;user_id&#34;, &#34;query_text&#34;</b>" in diff
    assert "no copy of its scenario" in Page(html).text


def test_a_fix_that_was_given_is_the_one_that_is_shown(tmp_path: Path) -> None:
    run = kept(tmp_path, "cardinality/noop")
    (run / FIX).mkdir()
    (run / FIX / "metrics.py").write_text("my_own_attempt = 1\n")
    found = page(run)
    assert "my_own_attempt" in found.text
    assert "your fix" in found.text
    assert "--fix " in found.text


def test_a_fix_that_changes_nothing_is_called_that(tmp_path: Path) -> None:
    run = kept(tmp_path, "cardinality/noop")
    (run / FIX).mkdir()
    broken = load(run).found.place("broken") / "metrics.py"
    (run / FIX / "metrics.py").write_text(broken.read_text())
    assert "do not differ at all" in first_screen(run)
    assert "The two deployments do not differ." in page(run).text


def test_a_control_run_has_no_diff(tmp_path: Path) -> None:
    found = page(kept(tmp_path, "cardinality/control"))
    assert "diff" not in {attrs.get("id") for _, attrs in found.elements}
    assert "nobody was disturbed" in found.text
    assert "Nobody was told of anything" in found.text
    assert "--control" in found.text


def test_a_channel_shows_some_folds_more_and_counts_the_rest(tmp_path: Path) -> None:
    def storm(records: Records) -> Records:
        one = next(r for r in records if r.get("kind") == "notified")
        return [*records, *({**one, "route": "very-busy", "t": one["t"] + n / 100} for n in range(300))]

    found = page(kept(tmp_path, "cardinality/pass", storm))
    assert found.text.index("# very-busy 300 messages") < found.text.index("# console")
    assert "188 more" in found.text
    assert "and 100 more in the journal" in found.text


def test_only_what_people_were_told_is_counted(tmp_path: Path) -> None:
    run = kept(tmp_path, "alert_storm/pass")
    told = [n for n in load(run).outcome.notifications if not n.dry_run]
    charts = {chart["id"]: chart for chart in page(run).data["charts"]}
    assert charts["told"]["data"][1][-1] == len(told)


def test_an_end_is_marked(tmp_path: Path) -> None:
    found = page(kept(tmp_path, "label_leak/pass"))
    assert {"ended", "restarted"} <= {mark["kind"] for mark in found.data["marks"]}
    assert "rag ended: killed by the lab at its memory limit" in found.text


def test_what_was_on_trial_comes_last_and_is_called_that(tmp_path: Path) -> None:
    text = page(kept(tmp_path, "alert_storm/pass")).text
    assert text.index("# console") < text.index("# dry-run")
    assert "on trial, nobody was told" in text


def test_a_truncated_journal_is_a_partial_report_that_says_so(tmp_path: Path) -> None:
    run = kept(tmp_path, "cardinality/pass", lambda records: records[:60])
    journal = run / "journal.jsonl"
    journal.write_text(journal.read_text() + '{"type":"sample","t":17')
    said = first_screen(run)
    assert "A partial report." in said
    assert "line 61 of 61" in said
    assert "inconclusive" in said
    assert "chart-series" in {attrs.get("id") for _, attrs in page(run).elements}


def test_a_journal_without_its_end_says_so(tmp_path: Path) -> None:
    run = kept(tmp_path, "cardinality/pass", lambda records: records[:-1])
    assert "A partial report." in first_screen(run)
    assert "A partial report." not in first_screen(kept(tmp_path / "whole", "cardinality/pass"))


def test_an_interrupted_run_is_called_that(tmp_path: Path) -> None:
    def cut(records: Records) -> Records:
        t = records[50]["t"]
        return [*records[:51], {"type": "event", "kind": "unmeasured", "t": t, "reason": "interrupted"}]

    said = first_screen(kept(tmp_path, "cardinality/pass", cut))
    assert said.startswith("Skip to the report interrupted") or " interrupted " in said[:200]
    assert "Run it again" in said


def test_an_empty_journal_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "journal.jsonl").touch()
    with pytest.raises(UsageError, match=r"journal\.jsonl: empty; nothing was recorded"):
        write_report(tmp_path)


def test_a_run_that_never_began_has_a_report(tmp_path: Path) -> None:
    found = page(kept(tmp_path, "cardinality/pass", lambda records: records[:1]))
    assert "No phase began." in found.text
    assert "inconclusive" in found.text


HOSTILE = [
    '"><script>alert(1)</script>',
    "</script><img src=x onerror=alert(1)>",
    "\u202egnp.exe\u202c\u200f",
    "\x1b[31mred\x1b]0;title\x07",
    "'-alert(1)-'",
    "\ud800",
]


def hostile(records: Records) -> Records:
    """Every place of a journal that comes from outside, with every hostile text in it."""
    zero = records[2]["t"]
    found: list[dict[str, Any]] = []
    for number, text in enumerate(HOSTILE):
        told = {"alert": text, "status": "firing", "route": text, "labels": {text: text, "severity": text}}
        said = {"annotations": {"summary": text, "description": text, "runbook_url": text}}
        event = {"type": "event", "t": zero + number}
        found += [
            {**event, "kind": "notified", **told, **said},
            {**event, "kind": "log_seen", "service": text, "file": text, "line": 1, "text": text},
            {**event, "kind": "scrape_failed", "job": text, "error": text},
            {**event, "kind": "exited", "service": text, "code": 1, "how": text},
            {**event, "kind": "smoke_tested", "code": 1, "said": text},
            {**event, "kind": "culprit_found", "metric": text, "label": text, "values": 5},
            {**event, "kind": "unmeasured", "reason": text},
        ]
    values = {f"{prefix}{text}": 1.0 for text in HOSTILE for prefix in ("rss_bytes:", "scrape_s:", "up:")}
    samples = [{**r, "values": {**r["values"], **values}} if r["type"] == "sample" else r for r in records[1:]]
    header = {**records[0], "versions": {**records[0]["versions"], **{text: text for text in HOSTILE}}}
    header["own_alerts"] = [*header["own_alerts"], *HOSTILE]
    return [header, *found, *samples]


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    run = kept(tmp_path, "cardinality/pass", hostile)
    target = write_report(run)
    html = target.read_text(encoding="utf-8")
    found, plain = Page(html), page(kept(tmp_path / "plain", "cardinality/pass"))
    assert len(found.scripts) == len(plain.scripts) == 3
    assert "img" not in {tag for tag, _ in found.elements}
    assert not [name for _, attrs in found.elements for name in attrs if name.startswith("on")]
    assert '"><script>alert(1)</script>' in found.text
    for character in "\u202e\u202c\u200f\x1b\x07":
        assert character not in html
        assert character not in "".join(found.scripts)
    labels = [label for chart in found.data["charts"] for label in chart["labels"]]
    assert "</script><img src=x onerror=alert(1)>" in labels
    assert not [label for label in labels if not label.isprintable()]


def test_data_can_not_end_its_script(tmp_path: Path) -> None:
    html = report(load(kept(tmp_path, "cardinality/pass", hostile)))
    data = html.partition('id="data">')[2].partition("</script>")[0]
    assert not set("<>&'") & set(data)


def test_infinite_and_missing_figures_leave_gaps(tmp_path: Path) -> None:
    def odd(records: Records) -> Records:
        for record, value in zip(
            [r for r in records if r["type"] == "sample"][:3], (float("inf"), float("nan"), 7.0), strict=True
        ):
            record["values"]["head_series"] = value
        return records

    series = page(kept(tmp_path, "cardinality/pass", odd)).data["charts"][0]["data"][1]
    assert series[:3] == [None, None, 7]


def test_a_report_needs_no_network(tmp_path: Path) -> None:
    html = report(load(kept(tmp_path, "alert_storm/pass")))
    found = Page(html)
    for tag, attrs in found.elements:
        for name in ("src", "href", "data", "action", "poster", "srcset"):
            assert attrs.get(name, "#").startswith(("#", "data:")), (tag, attrs)
    assert "@import" not in html
    assert "Copyright (c) 2022 Leon Sorokin" in html  # what a report carries along, it carries with its licence
    assert "url(" not in html
    assert len(html.encode()) < 1_000_000


def test_only_the_page_s_own_scripts_may_run(tmp_path: Path) -> None:
    found = page(kept(tmp_path, "cardinality/pass"))
    policy = next(a["content"] for _, a in found.elements if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'")
    asked = policy.partition("script-src ")[2].split()
    code = [s.encode() for s in found.scripts[1:]]
    assert asked == [f"'sha256-{base64.b64encode(hashlib.sha256(s).digest()).decode()}'" for s in code]


def test_a_long_journal_is_drawn_in_seconds_and_small(tmp_path: Path) -> None:
    """20,001 samples are judged no more; ten of them are drawn in the time of a tenth."""

    def long(records: Records) -> Records:
        samples = [r for r in records if r["type"] == "sample"]
        events = [r for r in records if r["type"] == "event"]
        zero, length = records[0]["started_at"], 20_001
        many = [{**samples[n % len(samples)], "t": zero + 100 + n} for n in range(length)]
        return [records[0], *many, *events]

    run = kept(tmp_path, "cardinality/pass", long)
    begun = time.process_time()
    html = write_report(run).read_text()
    assert time.process_time() - begun < 5
    assert len(html) < 1_000_000
    assert "not judged: more than 20,000 samples" in Page(html).text
