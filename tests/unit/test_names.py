"""Names of a learner's own metrics and jobs: what is theirs is read under ours, and a wrong pair is refused."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from histories import header
from kept_runs import kept

from lab.catalog import find
from lab.cli import run_cli
from lab.conditions.alerts import Naming
from lab.deployment import load
from lab.errors import UsageError
from lab.events import Deployed, Notified
from lab.history import History
from lab.journal import Journal, read
from lab.mapped import names_for
from lab.names import Names, mentions
from lab.options import Options
from lab.paths import compose_dir
from lab.scenario import Phase
from lab.smoketest import SmokeTests
from lab.timescale import InputError, TimescaleError
from lab.translation import translate_dashboard, translate_expr, translate_rules, translate_scrapes
from lab.view import View

THEIRS = Path(__file__).resolve().parents[1] / "answers" / "missing_metrics" / "other_names"
RULES, FIX = THEIRS / "rules.yml", THEIRS / "fix"
NAMES = Names({"rag_queries_total": "my_q_total", "rag_query_duration_seconds": "my_s"}, {"rag": "shop"})


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("sum(rate(my_q_total[5m]))", "sum(rate(rag_queries_total[5m]))"),
        ("my_q_total_by_user + 1", "my_q_total_by_user + 1"),
        ('up{job="shop"} == 1', 'up{job="rag"} == 1'),
        ('up{job!="shop", instance="shop"}', 'up{job!="rag", instance="shop"}'),
        ('up{job=~"shop|prometheus"}', 'up{job=~"rag|prometheus"}'),
        ('up{job=~"prom.*"}', 'up{job=~"prom.*"}'),
        ('{__name__="my_q_total"}', '{__name__="rag_queries_total"}'),
        (
            "histogram_quantile(0.95, sum by (le) (rate(my_s_bucket[5m])))",
            "histogram_quantile(0.95, sum by (le) (rate(rag_query_duration_seconds_bucket[5m])))",
        ),
        ("max_over_time((-(my_s_sum) / my_s_count)[1h:] offset 5m)",
         "max_over_time((-(rag_query_duration_seconds_sum) / rag_query_duration_seconds_count)[1h:] offset 5m)"),
        ("topk(scalar(my_q_total), my_q_total)", "topk(scalar(rag_queries_total), rag_queries_total)"),
        ("label_replace(up, 'a', 'my_q_total', 'job', 'shop')", "label_replace(up, 'a', 'my_q_total', 'job', 'shop')"),
    ],
)  # fmt: skip
def test_an_expression_gets_our_names(theirs: str, ours: str) -> None:
    assert translate_expr(theirs, NAMES) == ours


def test_a_pattern_that_meets_a_mapped_name_is_refused_by_name() -> None:
    with pytest.raises(TimescaleError, match=r'job=~"sh\.\*".*shop'):
        translate_expr('up{job=~"sh.*"}', NAMES)
    with pytest.raises(InputError, match="does not parse"):
        translate_expr("sum(", NAMES)


def test_rules_keep_all_but_expressions_and_recorded_names() -> None:
    text = (
        "groups:\n- name: my_q_total  # my_q_total\n  rules:\n  - record: my_q_total\n    expr: sum(my_q_total)\n"
        "  - alert: A\n    expr: my_q_total > 1\n    annotations: {summary: my_q_total}\n"
    )
    found = translate_rules(text, NAMES)
    assert found == (
        "groups:\n- name: my_q_total  # my_q_total\n  rules:\n  - record: rag_queries_total\n"
        "    expr: 'sum(rag_queries_total)'\n"
        "  - alert: A\n    expr: 'rag_queries_total > 1'\n    annotations: {summary: my_q_total}\n"
    )
    assert translate_rules(text, Names()) is text
    with pytest.raises(TimescaleError, match=r"mine\.yml:6: rule A"):
        translate_rules(text.replace("my_q_total > 1", 'up{job=~"sh.*"}'), NAMES, filename="mine.yml")


def test_a_dashboard_asks_for_ours() -> None:
    text = json.dumps({"panels": [{"title": "my_q_total", "targets": [{"expr": "rate(my_q_total[5m])"}, {"x": 1}]}]})
    panel = json.loads(translate_dashboard(text, NAMES))["panels"][0]
    assert panel == {"title": "my_q_total", "targets": [{"expr": "rate(rag_queries_total[5m])"}, {"x": 1}]}
    with pytest.raises(ValueError, match="does not parse"):
        translate_dashboard('{"expr": "rate(my_q_total["}', NAMES)


def test_their_series_are_scraped_under_ours() -> None:
    text = (FIX / "prometheus.yml").read_text()
    jobs = yaml.safe_load(translate_scrapes(text, NAMES, first=False))["scrape_configs"]
    assert [job["job_name"] for job in jobs] == ["rag", "prometheus"]
    assert jobs[0]["metric_relabel_configs"][1] == {
        "source_labels": ["__name__"], "regex": "my_s(_bucket|_sum|_count)?", "target_label": "__name__",
        "replacement": "rag_query_duration_seconds$1",
    }  # fmt: skip


def test_their_own_relabelling_sees_their_names() -> None:
    text = "scrape_configs:\n- job_name: shop\n  metric_relabel_configs: [{action: drop, regex: x}]\n"
    (job,) = yaml.safe_load(translate_scrapes(text, NAMES, first=False))["scrape_configs"]
    actions = [c.get("action", "replace") for c in job["metric_relabel_configs"]]
    assert (actions[0], set(actions[1:])) == ("drop", {"replace"})


def test_the_observer_asks_for_theirs_and_renames_before_it_drops() -> None:
    names = Names({"rag_documents_retrieved": "my_docs"})
    text = (compose_dir() / "prometheus" / "observer.yml").read_text()
    jobs = {
        job["job_name"]: job for job in yaml.safe_load(translate_scrapes(text, names, first=True))["scrape_configs"]
    }
    assert jobs["rag"]["params"]["name[]"][-1] == "my_docs_count"
    assert [c.get("action", "replace") for c in jobs["rag"]["metric_relabel_configs"]] == ["replace", "keep"]


def test_a_name_is_met_as_a_word() -> None:
    assert mentions('Counter("my_q", ...)', "my_q_total")
    assert mentions("my_s_bucket", "my_s")
    assert not mentions("my_queue my_q_totals amy_q", "my_q_total")


# What an answer is refused for


def options(*names: str, detect: Path | None = RULES, fix: Path | None = None) -> Options:
    return Options(names=names, detect=detect, fix=fix)


def mapped(given: Options) -> Names:
    found = find("missing_metrics:instrumentation_removed")
    return names_for(found, given, load("fixed", given.fix) if given.fix else found.deployment("fixed"))


def test_what_can_be_mapped() -> None:
    found = mapped(options("rag_queries_total=shop_questions_total", "rag=shop", fix=FIX))
    assert found == Names({"rag_queries_total": "shop_questions_total"}, {"rag": "shop"})
    assert mapped(options()) == Names()


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["rag_queries_total"], "give OURS=YOURS"),
        (["rag_queries_total="], "give OURS=YOURS"),
        (["rag_querys_total=shop_questions_total"], "no metric or job.*there is rag_queries_total"),
        (["nothing_like_it=shop"], "jobs are"),
        (["rag_queries_total=shop_question_total"], r"is in none of .*rules\.yml; there is shop_questions_total"),
        (["rag_queries_total=shop questions_total"], "can not be the name of a metric"),
        (["rag=a b"], "can not be the name of a job"),
        (["rag_queue_depth=shop_questions_total"], "shop_questions_total is a counter and the other is none"),
        (["rag_queries_total=rag_errors_total"], "rag_errors_total is a name of the lab's own"),
        (["rag_queue_depth=up"], "is one that .* of the lab's asks for"),
        (["rag=shop", "rag=shop2"], "already given as shop"),
        (["rag_queries_total=shop_questions_total", "rag_errors_total=shop_questions_total"], "already stands for"),
    ],
)
def test_a_pair_that_can_not_be_is_refused_in_one_line(names: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        mapped(options(*names))
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_without_an_answer_there_is_nothing_to_map() -> None:
    with pytest.raises(UsageError, match="give --fix or --detect"):
        mapped(options("rag=shop", detect=None))


def test_a_pattern_in_an_answer_is_refused_with_its_file(tmp_path: Path) -> None:
    rules = tmp_path / "mine.yml"
    rules.write_text(RULES.read_text().replace('job="shop"', 'job=~"sho.*|shop"'))
    with pytest.raises(UsageError, match=r"mine\.yml:5: rule ShopNotCounting"):
        mapped(options("rag=shop", detect=rules))


def test_a_name_recorded_by_the_fix_can_be_mapped(tmp_path: Path) -> None:
    fix = shutil.copytree(find("slow_queries").folder / "fixed", tmp_path / "fix")
    for file in fix.iterdir():
        file.write_text(file.read_text().replace("rag:query_rate:5m", "my:rate"))
    given = options("rag:query_rate:5m=my:rate", detect=None, fix=fix)
    names = names_for(find("slow_queries"), given, load("fixed", fix))
    live = replace(load("fixed", fix), names=names)
    assert "record: rag:query_rate:5m" in live.prometheus_rules()["rules/deployed.yml"]
    assert "my:rate" not in live.dashboard_text()


# What is judged


def test_a_fix_is_deployed_under_our_names() -> None:
    names = mapped(options("rag_queries_total=shop_questions_total", "rag=shop", fix=FIX))
    live = replace(load("fixed", FIX), names=names)
    assert "job_name: rag\n" in live.prometheus_config()
    assert live.exposed == Names({"rag_queries_total": "shop_questions_total"})
    assert live.differs(load("fixed", FIX))
    assert find("missing_metrics").deployment("fixed").exposed == Names()


@pytest.mark.parametrize(("names", "seen"), [({"rag_queries_total": "shop_questions_total"}, True), ({}, False)])
def test_an_alert_may_say_their_name(names: dict[str, str], seen: bool) -> None:
    told = Notified(5.0, "Mine", "firing", "console", {}, {"summary": "shop_questions_total is gone"})
    judged_by = header(own_alerts=("Mine",), foreign_rules=True, names=names)
    view = View(History([], [told]), judged_by, Phase.BROKEN, 0.0, 10.0, closed=True)
    assert Naming("QueriesNotCounted", "rag_queries_total").at(view, 10.0) is seen


def test_the_journal_keeps_the_names(tmp_path: Path) -> None:
    Journal(tmp_path / "journal.jsonl", header(names={"rag": "shop"})).close()
    kept_header = read(tmp_path / "journal.jsonl").header
    assert kept_header is not None
    assert kept_header.names == {"rag": "shop"}


def test_a_wrong_answer_is_told_how_its_names_were_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = kept(
        tmp_path, "missing_metrics/no_rules", lambda r: [{**r[0], "names": {"rag_errors_total": "b_total"}}, *r[1:]]
    )
    shutil.copytree(find("missing_metrics").folder, run / "scenario")
    shutil.copyfile(RULES, run / "your.rules.yml")
    assert run_cli(["analyze", str(run), "--no-color"]) == 1
    assert "your names were read (--map): b_total as rag_errors_total" in capsys.readouterr().err


def test_a_repeated_option_is_not_for_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lab.toml").write_text('[run]\nmap = "rag=shop"\n')
    assert run_cli(["list"]) == 2
    assert "only on the command line" in capsys.readouterr().err


def test_the_smoke_test_of_their_fix_asks_for_their_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stack:
        def address(self, _: str) -> str:
            return "127.0.0.1:1"

    class Passed:
        exit_code = 0

        def to_text(self) -> str:
            return "fine"

    asked: list[tuple[str, ...]] = []

    def smoke(_: str, *, require: tuple[str, ...], timeout_s: float) -> Passed:
        asked.append(require)
        return Passed()

    monkeypatch.setattr("lab.lint.smoke.smoke", smoke)
    journal = Journal(tmp_path / "journal.jsonl", header())
    names = Names({"rag_queries_total": "shop_questions_total"})
    tests = SmokeTests(("rag_queries_total",), Stack(), journal, names)  # type: ignore[arg-type]
    for what in ("broken", "fixed"):
        journal.record(Deployed(1.0, what))  # type: ignore[arg-type]
        tests.step(journal.snapshot())
        tests.stop()
    assert asked == [("rag_queries_total",), ("shop_questions_total",)]
