"""Which image a service gets: the one that is named, the one that is pinned, the one that was made here."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from lab import doctor
from lab.cli import lab
from lab.images import choose, engine, startable
from lab.images.build import SERVERS
from lab.images.choose import MADE

PINNED = "prom/prometheus:v3.5.0"
GRAFANA = "grafana/grafana:12.0.0"
ALL_MADE = ("lab-tools:local", "lab-prometheus:local", "lab-alertmanager:local")


def an_engine(*tags: str) -> Any:
    images = [SimpleNamespace(id=f"sha256:{tag}", tags=[tag], attrs={"RepoDigests": None}) for tag in tags]
    return SimpleNamespace(images=SimpleNamespace(list=lambda: images), close=lambda: None)


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PROMETHEUS", "ALERTMANAGER", "REDIS", "GRAFANA", "TOOLS"):
        monkeypatch.delenv(f"LAB_{name}_IMAGE", raising=False)


def test_the_pinned_image_goes_before_one_that_was_made_here() -> None:
    chosen = choose(an_engine(PINNED, *ALL_MADE))
    assert chosen["prometheus"].image == chosen["observer"].image == PINNED
    assert chosen["prometheus"].why == "as compose.yaml pins it"
    assert chosen["alertmanager"].image == "lab-alertmanager:local"
    assert "made here" in chosen["alertmanager"].why
    assert startable(chosen) == []


def test_a_variable_goes_before_everything_and_is_not_replaced_in_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_PROMETHEUS_IMAGE", "mine:1")
    chosen = choose(an_engine(PINNED, *ALL_MADE))
    assert chosen["prometheus"].image == "mine:1"
    assert not chosen["prometheus"].present
    assert startable(chosen) == ["mine:1"]


def test_what_a_run_lacks_is_named_and_what_it_does_not_need_is_not() -> None:
    assert startable(choose(an_engine(*ALL_MADE))) == []
    assert startable(choose(an_engine())) == ["lab-tools:local", "prom/alertmanager:v0.28.1", PINNED]


def test_lab_images_list_says_why_and_exits_3_when_a_run_would_be_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.commands.images.connect", lambda: an_engine(PINNED))
    told = CliRunner().invoke(lab, ["images", "list"], standalone_mode=False)
    assert f"ok  prometheus    {PINNED}: as compose.yaml pins it" in told.output
    assert "--  rag           lab-tools:local: not there; `lab install --images` fetches it" in told.output
    assert told.return_value == 3
    monkeypatch.setattr("lab.commands.images.connect", lambda: an_engine(*ALL_MADE))
    assert CliRunner().invoke(lab, ["images", "list"], standalone_mode=False).return_value == 0


def test_lab_images_env_names_only_what_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.commands.images.connect", lambda: an_engine("lab-redis:local"))
    assert CliRunner().invoke(lab, ["images", "env"]).output == "export LAB_REDIS_IMAGE=lab-redis:local\n"


def test_doctor_says_which_images_and_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.images.connect", lambda: an_engine(*ALL_MADE, "lab-redis:local", GRAFANA))
    item = doctor.look_at_images()
    assert (item.status, item.remedy) == ("ok", "")
    assert "lab-tools:local (as compose.yaml pins it)" in item.found
    monkeypatch.setattr("lab.images.connect", lambda: an_engine("lab-tools:local"))
    item = doctor.look_at_images()
    assert item.status == "optional"
    assert item.found.endswith(f"missing: prom/alertmanager:v0.28.1, {PINNED}")
    assert "lab images build" in item.remedy


def test_doctor_says_what_does_not_work_without_the_images_that_no_run_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.images.connect", lambda: an_engine(*ALL_MADE))
    item = doctor.look_at_images()
    assert item.status == "optional"
    redis = "no redis:7.4-alpine: without it no stack of `docker compose`, whose service waits for it"
    assert item.found.endswith(f"; {redis}; no {GRAFANA}: without it no dashboards, all else works")
    assert item.remedy.startswith("`lab install --images` fetches")
    assert "images build" not in item.remedy, "which makes no Grafana"


def test_an_image_that_is_never_made_here_has_its_own_remedy() -> None:
    chosen = choose(an_engine())
    assert chosen["grafana"].why == "not there; `lab install --images` fetches it; all else works without it"
    assert not chosen["grafana"].made_here
    assert chosen["observer"].why.endswith("`lab images build` makes one")
    assert chosen["observer"].made_here
    assert set(MADE) == {"tools", *SERVERS}


def test_a_name_is_found_however_it_is_spelled(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = an_engine("prom/prometheus:latest", "localhost:5000/mine:latest", PINNED)
    (pinned,) = (image for image in engine.images.list() if image.tags == [PINNED])
    pinned.attrs["RepoDigests"] = ["prom/prometheus@sha256:ab12"]
    for named, meant in (
        ("prom/prometheus", "prom/prometheus:latest"), ("docker.io/prom/prometheus", "prom/prometheus:latest"),
        ("localhost:5000/mine", "localhost:5000/mine:latest"), ("prom/prometheus@sha256:ab12", PINNED),
        ("prom/prometheus:v3.5.0@sha256:ab12", PINNED), (f"sha256:{PINNED}", PINNED), ("prom/prometheus:v2", ""),
        ("localhost:5000/other", ""), ("prom/prometheus@sha256:cd34", ""),
    ):  # fmt: skip
        monkeypatch.setenv("LAB_PROMETHEUS_IMAGE", named)
        chosen = choose(engine)["prometheus"]
        assert (chosen.image, chosen.id) == (named, f"sha256:{meant}" if meant else ""), named


def test_an_engine_that_is_not_there_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    with pytest.raises(engine.EngineError) as refused:
        engine.connect()
    said = f"no Docker engine answers at unix://{tmp_path}/none.sock"
    assert str(refused.value) == f"{said}; start it, or use --runtime native"
    assert doctor.look_at_docker() == doctor.Item("docker", "optional", said, "start it, or use --runtime native")
    assert doctor.look_at_images().found == "no engine to ask"
