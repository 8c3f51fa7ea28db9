"""Variants: found by name and by folder, each with its own deployment, refused in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.catalog import find
from lab.cli import run_cli
from lab.commands.many import targets, worst
from lab.errors import ScenarioError, UsageError
from lab.lesson import diff_text, variants_text

SCENARIO = """
from dataclasses import replace
from lab.scenario import Load, Scenario
SCENARIO = Scenario("mine", "Mine", Load(), (), (), (), (), alerts=("A",){default})
VARIANTS = {variants}
"""


def make(folder: Path, *broken: str, variants: str = "{}", default: str = "") -> Path:
    """A scenario in `folder`; `broken`: variants with a broken/ of their own."""
    for place in ("", *(f"variants/{name}" for name in broken)):
        (folder / place / "broken").mkdir(parents=True)
        (folder / place / "broken" / "metrics.py").write_text(f"# broken {place}\n")
    (folder / "fixed").mkdir()
    (folder / "fixed" / "metrics.py").write_text("# fixed\n")
    (folder / "scenario.py").write_text(SCENARIO.format(variants=variants, default=default))
    return folder


def test_without_variants_there_is_the_default(tmp_path: Path):
    found = find(str(make(tmp_path / "mine")))
    assert (found.variants, found.scenario.variant, found.scenario.label) == (("default",), "default", "mine")
    assert variants_text(found) == ""


def test_a_folder_is_enough(tmp_path: Path):
    folder = make(tmp_path / "mine", "other")
    found = find(f"{folder}:other")
    assert (found.variants, found.scenario.label) == (("default", "other"), "mine:other")
    assert found.place("broken") == folder.resolve() / "variants" / "other" / "broken"
    assert found.place("fixed") == folder.resolve() / "fixed"
    assert find(str(folder)).place("broken") == folder.resolve() / "broken"


def test_a_variant_with_a_fix_of_its_own(tmp_path: Path):
    folder = make(tmp_path / "mine", "other")
    (folder / "variants/other/fixed").mkdir()
    (folder / "variants/other/fixed/metrics.py").write_text("# its own\n")
    assert find(f"{folder}:other").deployment("fixed").files["metrics.py"].read_text() == "# its own\n"
    assert "--- variants/other/broken/metrics.py\n+++ variants/other/fixed/metrics.py" in diff_text(
        find(f"{folder}:other")
    )


def test_scenario_py_may_change_anything_of_a_variant_and_needs_no_folder_then(tmp_path: Path):
    folder = make(tmp_path / "mine", variants='{"other": replace(SCENARIO, alerts=("B",))}', default=', variant="one"')
    found = find(f"{folder}:other")
    assert (found.variants, found.scenario.alerts) == (("one", "other"), ("B",))
    assert found.place("broken") == folder.resolve() / "broken"
    assert find(f"{folder}:one").scenario.alerts == ("A",)
    assert found.of("one").scenario.label == "mine:one"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("othr", "mine:othr: no such variant; did you mean other?"),
        ("zzz", "mine:zzz: no such variant; known: default, other"),
        ("", "mine:: no such variant; known: default, other"),
    ],
)
def test_an_unknown_variant_is_one_line_with_the_nearest(asked: str, said: str, tmp_path: Path):
    folder = make(tmp_path / "mine", "other")
    with pytest.raises(ScenarioError) as caught:
        find(f"{folder}:{asked}")
    assert str(caught.value) == said
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("variants", ['["other"]', '{"other": 1}', '{"default": SCENARIO}'])
def test_variants_of_another_kind_are_refused(variants: str, tmp_path: Path):
    with pytest.raises(ScenarioError, match="VARIANTS is no dict"):
        find(str(make(tmp_path / "mine", variants=variants)))


def test_two_checks_of_a_phase_under_one_name_are_refused(tmp_path: Path):
    twice = '{"other": replace(SCENARIO, onset=(head_series.above(10),), damage=(head_series.above(10),))}'
    folder = make(tmp_path / "mine", "other", variants=twice)
    scenario = folder / "scenario.py"
    scenario.write_text("from lab.conditions import head_series\n" + scenario.read_text())
    assert find(str(folder)).scenario.label == "mine"
    with pytest.raises(
        ScenarioError, match=r'scenario.py: two checks of broken are called "head series > 10"; name one'
    ):
        find(f"{folder}:other")


def test_a_folder_may_have_a_colon_in_its_name(tmp_path: Path):
    folder = make(tmp_path / "my:own", "other")
    assert find(str(folder)).scenario.variant == "default"
    assert find(f"{folder}:other").scenario.variant == "other"
    assert find(str(folder), "other").scenario.variant == "other"


def test_every_variant_of_one(tmp_path: Path):
    folder = make(tmp_path / "mine", "a", "b")
    assert [f.scenario.label for f in targets(str(folder), all_variants=True)] == ["mine", "mine:a", "mine:b"]
    assert [f.scenario.label for f in targets(f"{folder}:a", all_variants=False)] == ["mine:a"]
    with pytest.raises(UsageError, match="names one of them"):
        targets(f"{folder}:a", all_variants=True)


def test_all_scenarios_take_their_default():
    found = targets("all", all_variants=False)
    assert len({f.scenario.name for f in found}) == len(found) >= 5
    more = targets("all", all_variants=True)
    assert {f.scenario.label for f in found} < {f.scenario.label for f in more}


def test_the_worst_of_several():
    assert [worst(codes) for codes in ([0, 3, 1, 0], [0, 3, 0], [0, 0], [0, 130, 1])] == [1, 3, 0, 130]


def test_every_bundled_variant_has_its_deployments():
    for found in targets("all", all_variants=True):
        assert found.deployment("broken").files.keys() == found.deployment("fixed").files.keys() or found.variants == (
            "default",
        )


def test_list_and_show_tell_of_variants(capsys: pytest.CaptureFixture[str]):
    assert run_cli(["list"]) == 0
    assert "variants: server_not_started, instrumentation_removed, metric_renamed" in capsys.readouterr().out
    assert run_cli(["show", "missing_metrics"]) == 0
    assert "\n    lab run missing_metrics:endpoint_500\n" in capsys.readouterr().out
    assert run_cli(["show", "missing_metrics:metric_renamed", "--diff"]) == 0
    assert "+++ variants/metric_renamed/fixed/metrics.py" in capsys.readouterr().out


def test_the_commands_refuse_an_unknown_variant_in_one_line(capsys: pytest.CaptureFixture[str]):
    for command in (["run", "missing_metrics:metric_rename"], ["show", "missing_metrics:metric_rename"]):
        assert run_cli(command) == 2
        said = capsys.readouterr().err
        assert said == "lab: missing_metrics:metric_rename: no such variant; did you mean metric_renamed?\n"
