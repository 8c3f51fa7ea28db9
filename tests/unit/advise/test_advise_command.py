"""`lab advise` as it is typed: text, card, JSON, and each mistake in one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from lab.advise.advice import advise
from lab.advise.card import card
from lab.advise.case import DAY_MS, MOST, Case, RedFlag, Stage
from lab.advise.footprint import PUBLISHED, Footprint, keep
from lab.advise.reading import count, duration, number
from lab.advise.text import text
from lab.cli import run_cli
from lab.errors import UsageError
from lab.install import BinaryMissingError
from lab.timescale.durations import Duration

MEASURED = Footprint(80_000_000, 3_500, 1.25, 5.5, "measured on this machine on a day")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAB_CACHE_DIR", str(tmp_path / "cache"))


def told(capsys: pytest.CaptureFixture[str], *args: str) -> str:
    assert run_cli(["advise", *args]) == 0
    return capsys.readouterr().out


def complaint(capsys: pytest.CaptureFixture[str], *args: str, code: int = 2) -> str:
    assert run_cli(["advise", *args]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    return err


def test_the_recommendation_comes_first_then_reasons_costs_and_resources(capsys: pytest.CaptureFixture[str]) -> None:
    lines = told(capsys, "-q", "1k", "--operator").splitlines()
    assert lines[0] == "Recommended: Prometheus, run by yourselves"
    assert lines[1].startswith("  - 1,000 queries a day: from 500 to 5,000")
    assert [line.split() for line in lines if line.startswith("* ")] == [
        ["*", "Prometheus,", "run", "by", "yourselves", "100-150", "8-12", "2-4"]
    ]
    assert any(line.startswith("  logs and the provider's console") and "5-20" in line for line in lines)
    assert any(line.startswith("  memory") for line in lines)


def test_what_was_not_told_is_named_with_its_option(capsys: pytest.CaptureFixture[str]) -> None:
    everything = ["--operator", "--stage", "production", "--hosts", "1", "--series", "1k", "--scrape-interval", "15s",
                  "--retention", "15d", "--budget", "1M"]  # fmt: skip
    assert "Assumed" not in told(capsys, "-q", "1k", *everything)
    out = told(capsys, "-q", "1k")
    for option in ("--operator", "--stage", "--hosts", "--series", "--scrape-interval", "--retention", "--budget"):
        assert f"({option}" in out.partition("Assumed")[2]


def test_the_figures_that_were_measured_here_are_used(capsys: pytest.CaptureFixture[str]) -> None:
    assert "published figures" in told(capsys, "-q", "1k")
    keep(MEASURED)
    assert "3,500 bytes a series, 1.25 a sample; measured on this machine" in told(capsys, "-q", "1k")


def test_remote_write_is_shown_where_it_is_advised_and_is_yaml(capsys: pytest.CaptureFixture[str]) -> None:
    assert "remote_write" not in told(capsys, "-q", "1k", "--retention", "15d")
    out = told(capsys, "-q", "1k", "--retention", "90d")
    assert "remote_write:" in out
    found = json.loads(told(capsys, "-q", "1k", "--retention", "90d", "--json"))
    assert yaml.safe_load(found["remote_write"])["remote_write"][0]["url"].endswith("/api/v1/write")


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(told(capsys, "-q", "10k", "--operator", "--budget", "1M", "--red-flag", "promql", "--json"))
    assert found["recommendation"] == "prometheus"
    assert found["case"]["queries_per_day"] == 10_000
    assert found["case"]["retention"] == "15d"
    assert found["cautions"] == ["red flag: nobody on the team reads PromQL"]
    assert {one["option"]: one["usd_a_month"] for one in found["options"]} == {
        "logs": [5, 20], "prometheus": [200, 300], "managed": [200, 500],
    }  # fmt: skip
    assert found["resources"]["samples_per_second"] == 666.7
    assert found["past_one_server"][-1].startswith("two replicas")


def test_the_card_alone_needs_no_case(capsys: pytest.CaptureFixture[str]) -> None:
    out = told(capsys, "--card")
    for part in ("Benefit", "Limitation", "Cost", "Use when", "Avoid when"):
        assert any(line.startswith(part) for line in out.splitlines())
    assert "above 1k queries a day" in out
    assert "Your case" not in out


def test_the_card_with_a_case(capsys: pytest.CaptureFixture[str]) -> None:
    out = told(capsys, "--card", "-q", "2k", "--operator")
    assert "Your case   PROMETHEUS, RUN BY YOURSELVES: 2,000 queries a day" in out
    assert "logs 5-20; prometheus 123-185; managed 40-100" in out


cases = st.builds(
    Case,
    queries_per_day=st.integers(0, MOST),
    operator=st.booleans(),
    budget_usd=st.none() | st.floats(0, MOST),
    stage=st.sampled_from(Stage),
    cloud_suffices=st.booleans(),
    hosts=st.integers(1, MOST),
    series=st.integers(1, MOST),
    scrape_interval=st.integers(1000, DAY_MS).map(Duration),
    retention=st.integers(1, 3650).map(lambda days: Duration(days * DAY_MS)),
    days_unopened=st.integers(0, MOST),
    red_flags=st.lists(st.sampled_from(RedFlag)).map(tuple),
)


@given(cases)
def test_every_case_fits_on_one_screen_and_in_80_columns(case: Case) -> None:
    found = advise(case, PUBLISHED)
    shown = card(found).splitlines()
    assert len(shown) <= 23
    assert max(map(len, [*shown, *text(found).splitlines()])) <= 80
    assert any(line.startswith("Your case") for line in shown)
    assert len(card().splitlines()) <= 23


# Bad input


@pytest.mark.parametrize(("args", "says"), [
    ([], "--queries-per-day: how many?"), (["-q", ""], "--queries-per-day: ''"),
    (["-q", "-5"], "--queries-per-day: -5: must be 0 or more"),
    (["-q", "1", "--days-unopened", "-1"], "--days-unopened: -1: must be 0 or more"),
    (["-q", "1", "--budget", "-1.5k"], "--budget: -1500: must be 0 or more"),
    (["-q", "--5"], "'--5': not a number"), (["-q", "-"], "'-': not a number"),
    (["-q", "1e5"], "'1e5': not a number"), (["-q", "nan"], "not a number"), (["-q", "1.5"], "a whole number"),
    (["-q", "1,00"], "'1,00': not a number"), (["-q", "٣"], "not a number"), (["-q", "2G"], "not a number"),
    (["-q", "1001M"], "--queries-per-day: 1.001e+09: must be 1,000,000,000 or less"),
    (["-q", "1", "--series", "0"], "--series: 0: must be 1 or more"), (["-q", "1", "--hosts", "0"], "--hosts: 0"),
    (["-q", "1", "--budget", "much"], "--budget: 'much'"),
    (["-q", "1", "--retention", "15"], "--retention: '15': not a time"),
    (["-q", "1", "--retention", "11y"], "--retention: 11y: must lie between the scrape interval and 10y"),
    (["-q", "1", "--retention", "10s"], "--retention: 10s"),
    (["-q", "1", "--scrape-interval", "999ms"], "between 1s and 1d"),
    (["-q", "1", "--scrape-interval", "0"], "between 1s and 1d"),
    (["-q", "1", "--scrape-interval", "2d"], "between 1s and 1d"),
    (["-q", "1", "--days-unopened", "a\nb\x1b"], "--days-unopened: 'a b"),
    (["-q", "1", "--card", "--json"], "--card: is for people"), (["--json"], "--queries-per-day: how many?"),
    (["-q", "1", "--retention", "9" * 90 + "y"], "--retention: '999"),
    *(([how, *option], f"{option[0]}: is of a case; add --queries-per-day N") for how in ("--card", "--measure")
      for option in (["--series", "bogus"], ["--operator"], ["--budget", "5"], ["--stage", "mvp"], ["--hosts", "2"],
                     ["--scrape-interval", "15s"], ["--retention", "15d"], ["--days-unopened", "3"],
                     ["--cloud-suffices"], ["--red-flag", "promql"])),
    (["-q", "2000", "--prometheus-bin", "x"], "--prometheus-bin: is the Prometheus to measure; add --measure"),
    (["--card", "--prometheus-bin", "x"], "--prometheus-bin: is the Prometheus to measure; add --measure"),
])  # fmt: skip
def test_a_mistake_is_one_line_that_names_it(args: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert says in complaint(capsys, *args)


def test_variables_and_the_file_of_settings_are_for_other_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LAB_PROMETHEUS_BIN", "x")
    (tmp_path / "lab.toml").write_text("[advise]\nseries = 5000\n")
    assert "Your case" not in told(capsys, "--card")
    assert "5,000 series" in told(capsys, "-q", "2k")


@pytest.mark.parametrize(("text_", "value"), [
    ("0", 0), ("500", 500), ("10k", 10_000), ("1.5M", 1_500_000), ("12,000", 12_000), ("1_000", 1_000), (" 7 ", 7),
    ("0.5K", 500),
])  # fmt: skip
def test_numbers_as_people_write_them(text_: str, value: int) -> None:
    assert count("-q", text_) == value
    assert number("-q", text_) == value


@given(st.text(max_size=12))
def test_any_text_is_read_or_refused(text_: str) -> None:
    for read in (count, number, duration):
        try:
            read("--x", text_)
        except UsageError as error:
            assert str(error).startswith("--x: ")


# --measure


def test_a_measurement_is_kept_and_used(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.install.find", lambda name, explicit: name)
    monkeypatch.setattr("lab.advise.measure.measure", lambda binary, say: MEASURED)
    out = told(capsys, "--measure")
    assert "3,500 bytes of memory" in out
    assert "1.25 bytes in a block, 5.5 in the WAL" in out
    assert "measured on this machine" in told(capsys, "-q", "1k")
    assert json.loads(told(capsys, "--measure", "--json"))["bytes_per_series"] == 3_500
    assert told(capsys, "--measure", "-q", "1k").startswith("Recommended: ")


def test_without_a_prometheus_nothing_is_measured(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str, explicit: Path | None) -> None:
        raise BinaryMissingError("Prometheus was not found", "run `lab install`", name)

    monkeypatch.setattr("lab.install.find", missing)
    assert "run `lab install`" in complaint(capsys, "--measure", code=BinaryMissingError.exit_code)


def test_what_can_be_refused_is_refused_before_anything_is_measured(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> None:
        raise AssertionError("measured")

    monkeypatch.setattr("lab.advise.measure.measure", never)
    assert "--series" in complaint(capsys, "--measure", "-q", "1k", "--series", "x")
