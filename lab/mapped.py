"""What `--map` means for one run: which names there are, and whether an answer can be read under them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml

from lab import serveryaml
from lab.catalog import RULES, Found
from lab.deployment import HEALTHY, Deployment, rule_files
from lab.errors import RulesError, UsageError
from lab.names import NO_NAMES, OPTION, Names, check_used, names_of
from lab.options import Options
from lab.paths import compose_dir
from lab.timescale import TimescaleError
from lab.translation import translate_dashboard, translate_rules, translate_scrapes


def names_for(found: Found, options: Options, fixed: Deployment) -> Names:
    """The names of an answer, checked against it and against ours. Raises `UsageError` in one line."""
    if not options.names:
        return NO_NAMES
    answer = _answer(options, fixed)
    if not answer:
        raise UsageError(f"{OPTION}: names what is in an answer of yours; give --fix or --detect")
    ours = _our_rules(found)
    names = names_of(options.names, (*_service_metrics(), *_recorded(ours.values())), _jobs())
    for file, text in ours.items():
        if translate_rules(text, names) != text:
            raise UsageError(f"{OPTION} {_pairs(names)}: a name of yours is one that {file} of the lab's asks for")
    check_used(names, answer)
    for file, text in answer.items():
        _check_readable(file, text, names)
    return names


def _pairs(names: Names) -> str:
    return " ".join(f"{ours}={yours}" for ours, yours in names.every.items())


def _answer(options: Options, fixed: Deployment) -> dict[str, str]:
    """The files of an answer: name as the user gave it -> text."""
    files: Mapping[str, Path] = {str(p): p for p in fixed.files.values()} if options.fix else {}
    given = {**files, **({str(options.detect): options.detect} if options.detect else {})}
    return {name: path.read_text(encoding="utf-8", errors="replace") for name, path in given.items()}


def _check_readable(file: str, text: str, names: Names) -> None:
    """Raises `RulesError` where a file of PromQL can't be translated."""
    try:
        if Path(file).name == "dashboard.json":
            translate_dashboard(text, names)
        elif Path(file).name == "prometheus.yml":
            translate_scrapes(text, names, first=False)
        elif Path(file).suffix in (".yml", ".yaml") and Path(file).name != "alertmanager.yml":
            translate_rules(text, names, filename=file)
    except TimescaleError as error:
        raise RulesError(str(error)) from error
    except (ValueError, AttributeError, TypeError, yaml.YAMLError) as error:
        raise RulesError(f"{file}: {str(error).splitlines()[0]}") from error


def _our_rules(found: Found) -> dict[str, str]:
    folder = compose_dir() / "prometheus"
    own = {f"rules/{RULES}": found.folder / RULES, "fixed/rules.yml": found.deployment("fixed").files.get("rules.yml")}
    return {
        **rule_files(folder / "rules", "rules"),
        **rule_files(folder / "observer-rules", "observer-rules"),
        **{name: path.read_text(encoding="utf-8") for name, path in own.items() if path and path.is_file()},
    }


def _recorded(rules: Iterable[str]) -> list[str]:
    """Names that rules files record under."""
    found = [serveryaml.load(text) or {} for text in rules]
    every = [rule for file in found for group in file.get("groups") or [] for rule in group.get("rules") or []]
    return [str(rule["record"]) for rule in every if "record" in rule]


def _service_metrics() -> list[str]:
    """Names of the service's metrics as PromQL knows them; of a histogram its own."""
    from prometheus_client import CollectorRegistry

    from lab.rag.metrics import Metrics

    registry = CollectorRegistry()
    Metrics(registry)
    ends = {"counter": "_total", "info": "_info"}
    return [f"{family.name}{ends.get(family.type, '')}" for family in registry.collect()]


def _jobs() -> list[str]:
    """Names of the jobs of the healthy stack's two servers."""
    observer = (compose_dir() / "prometheus" / "observer.yml").read_text(encoding="utf-8")
    configs = [yaml.safe_load(text) for text in (HEALTHY.prometheus_config(), observer)]
    return list(dict.fromkeys(str(job["job_name"]) for config in configs for job in config["scrape_configs"]))
