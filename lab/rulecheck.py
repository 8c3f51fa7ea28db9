"""Let the real servers' own tools check rules and configurations before anything is started."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from lab import dashboard
from lab.client_file import check_client
from lab.deployment import Deployment
from lab.errors import RulesError
from lab.install import Binary
from lab.metrics_file import check_metrics
from lab.timescale import TimescaleError, compress_alertmanager_config, compress_prometheus_config, compress_rules


def check_rules(promtool: Binary, rules: Mapping[str, str], sources: Mapping[str, Path]) -> None:
    """`promtool check rules` on each file as written. Raises `RulesError` with its message, file and line."""
    for name, text in rules.items():
        with tempfile.TemporaryDirectory(prefix="lab-check-") as folder:
            path = Path(folder) / "rules.yml"
            path.write_text(text, encoding="utf-8")
            done = subprocess.run(
                [str(promtool.path), "check", "rules", str(path)],
                capture_output=True,
                text=True,
                timeout=30,
                check=False,
            )
            if done.returncode != 0:
                raise RulesError(_refusal(done.stdout + done.stderr, str(path), str(sources.get(name, name))))


def _refusal(said: str, checked: str, source: str) -> str:
    """promtool's complaint on one line, with the user's file in place of the copy that was checked."""
    lines = [line.strip() for line in said.partition("FAILED:")[2].splitlines()] or [said.strip()]
    distinct = dict.fromkeys(line for line in lines if line)
    message = " ".join(distinct).replace(checked, source) or "it gave no reason"
    return f"{message.removesuffix(':')} (promtool check rules)"


def check_speed(rules: Mapping[str, str], sources: Mapping[str, Path], speed: float, min_scrapes: int) -> None:
    """Refuse, by name, a rule whose meaning would change at this speed. Raises `RulesError`."""
    for name, text in rules.items():
        try:
            compress_rules(text, speed, filename=str(sources.get(name, name)), min_scrapes=min_scrapes)
        except TimescaleError as error:
            raise RulesError(str(error)) from error


def check_deployment(
    promtool: Binary, deployment: Deployment, speed: float, min_scrapes: int, *, rules_speed: float
) -> None:
    """Refuse a deployment that the servers, the service or its clients would not take. Raises `LabError`.

    A server that is asked to reload what it can't read goes on with what it had: a fix would look like none.
    """
    files = deployment.files
    deployment.settings()
    if "metrics.py" in files:
        check_metrics(files["metrics.py"])
    if "client.py" in files:
        check_client(files["client.py"])
    if "dashboard.json" in files:
        try:
            dashboard.parse(files["dashboard.json"].read_text(encoding="utf-8"))
        except ValueError as error:
            raise RulesError(f"{files['dashboard.json']}: {error}") from error
    if "rules.yml" in files:
        rules = {"rules.yml": files["rules.yml"].read_text(encoding="utf-8")}
        check_rules(promtool, rules, {"rules.yml": files["rules.yml"]})
        check_speed(rules, {"rules.yml": files["rules.yml"]}, rules_speed, min_scrapes)
    for name, compress in (
        ("prometheus.yml", compress_prometheus_config),
        ("alertmanager.yml", compress_alertmanager_config),
    ):
        try:
            if name in files:
                compress(files[name].read_text(encoding="utf-8"), speed, filename=str(files[name]))
        except TimescaleError as error:
            raise RulesError(str(error)) from error
