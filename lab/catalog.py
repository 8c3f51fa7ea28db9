"""Find and load scenarios: by name among those that come with the lab, or by the path of a folder."""

from __future__ import annotations

import difflib
import importlib.util
import os
import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType

import yaml

from lab import serveryaml
from lab.deployment import Deployment, load
from lab.errors import RulesError, ScenarioError
from lab.paths import scenarios_dir
from lab.scale import QUICK
from lab.scenario import Phase, Scenario

FILE = "scenario.py"
RULES = "detect.rules.yml"
RULES_OF = {"observer": "observer-rules", "prometheus": "rules"}
"""Where each server finds its rules, as its configuration in compose/ says."""
INCIDENTS = "service"
"""The folder, among the scenarios that come with the lab, of those in which the service fails, not its monitoring."""
ALIKE = 0.6
"""How alike a name must be to what was typed, from 0 to 1, to be the one that was meant."""
VARIANTS = "variants"
"""The folder of a scenario's other deployments: `variants/NAME/broken/`, and `fixed/` where it differs."""


@dataclass(frozen=True)
class Found:
    """A scenario with its folder; of several variants the one that `scenario.variant` names."""

    scenario: Scenario
    folder: Path
    bundled: bool
    known: Mapping[str, Scenario] = field(default_factory=dict)
    """All its variants by name, the one in `broken/` first."""
    scales: Mapping[str, Scenario] = field(default_factory=dict)
    """The scenario at the scales that it has beside the one it is written at."""

    @property
    def variants(self) -> tuple[str, ...]:
        """Names of all its variants."""
        return tuple(self.known)

    def of(self, variant: str) -> Found:
        """Another variant of the same scenario."""
        return replace(self, scenario=self.known[variant])

    def at(self, scale: str) -> Found:
        """The scenario at a scale. Raises `ScenarioError` where it has no such one."""
        if scale == QUICK:
            return self
        found = self.scales.get(scale)
        if found is None or self.scenario.variant != found.variant:
            has = ", ".join((QUICK, *self.scales) if self.scenario.variant == "default" else (QUICK,))
            name = self.scenario.label if self.scales else self.scenario.name
            raise ScenarioError(f"{name} has no scale {scale}; it has: {has}")
        return replace(self, scenario=found)

    def rules(self) -> dict[str, Path]:
        """Detection rules of a run by their name in a server's configuration; of the lab's, of all of its kind."""
        folders = [self.folder]
        if self.bundled:
            folders = sorted(path.parent for path in self.folder.parent.glob(f"*/{RULES}"))
        return {
            f"{RULES_OF[self._watcher(folder)]}/detect-{folder.name}.yml": folder / RULES
            for folder in folders
            if (folder / RULES).is_file()
        }

    def _watcher(self, folder: Path) -> str:
        watcher: str = self.scenario.watcher if folder == self.folder else _load(folder).SCENARIO.watcher
        return watcher

    def deployment(self, what: str) -> Deployment:
        """`broken/` or `fixed/` of the variant; the scenario's where the variant has none."""
        return load("broken" if what == "broken" else "fixed", self.place(what))

    def place(self, what: str) -> Path:
        """The folder of `broken/` or `fixed/`."""
        own = self.folder / VARIANTS / self.scenario.variant / what
        return own if own.is_dir() else self.folder / what


def names() -> list[str]:
    """Names of the failures of monitoring that come with the lab, without loading them."""
    return sorted(path.parent.name for path in scenarios_dir().glob(f"*/{FILE}"))


def incident_names() -> list[str]:
    """Names of the incidents of the service itself that come with the lab: a list of their own."""
    return sorted(path.parent.name for path in scenarios_dir().glob(f"{INCIDENTS}/*/{FILE}"))


def all_names() -> list[str]:
    """Every name that stands for a scenario of the lab."""
    return [*names(), *incident_names()]


def find(target: str, variant: str | None = None) -> Found:
    """The scenario of `NAME`, of a folder, or of either with `:VARIANT`.

    Raises `ScenarioError` in one line, with the nearest name.
    """
    if variant is None:
        target, variant = _split(target)
    for place, known in ((scenarios_dir(), names()), (scenarios_dir() / INCIDENTS, incident_names())):
        if target in known:
            return _found(place / target, variant, bundled=True)
    folder = Path(target)
    if folder.name == FILE:
        folder = folder.parent
    try:
        looks_like_path = "/" in target or target.startswith(".") or folder.is_dir()
        missing = looks_like_path and not (folder / FILE).is_file()
    except OSError as error:  # a name that is too long, a folder that is closed to us
        raise ScenarioError(f"{target[:80]}: {error.strerror}; give a name (`lab list`) or a folder") from error
    if missing:
        raise ScenarioError(f"{target}: no {FILE} in it; give a name (`lab list`) or a folder that holds {FILE}")
    if not looks_like_path:
        near = difflib.get_close_matches(target, all_names(), 1, ALIKE)
        hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(all_names())}"
        raise ScenarioError(f"{target}: no such scenario; {hint}")
    bundled = folder.resolve().parent in (scenarios_dir().resolve(), (scenarios_dir() / INCIDENTS).resolve())
    return _found(folder.resolve(), variant, bundled=bundled)


def _split(target: str) -> tuple[str, str | None]:
    """`NAME:VARIANT`; a folder may have a colon in its name."""
    name, colon, variant = target.rpartition(":")
    is_folder = os.path.isdir(target)  # noqa: PTH112  (a Path raises where the name is too long)
    return (target, None) if not colon or "/" in variant or is_folder else (name, variant)


def _found(folder: Path, variant: str | None, *, bundled: bool) -> Found:
    module = _load(folder)
    scenario: Scenario = module.SCENARIO
    known = _variants(folder, module)
    chosen = known.get(scenario.variant if variant is None else variant)
    if chosen is None:
        near = difflib.get_close_matches(str(variant), known, 1, ALIKE)
        hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
        raise ScenarioError(f"{scenario.name}:{variant}: no such variant; {hint}")
    _refuse_twins(chosen, folder)
    return Found(chosen, folder, bundled, known, _scales(folder, module))


def _refuse_twins(scenario: Scenario, folder: Path) -> None:
    """Two checks of one phase under one name: the second would count as settled with the first."""
    for phase in Phase:
        called = [check.name for check in scenario.phase_checks(phase)]
        for name in (name for name in called if called.count(name) > 1):
            remedy = 'name one of them anew: dataclasses.replace(check, name="...")'
            raise ScenarioError(f'{folder / FILE}: two checks of {phase.value} are called "{name}"; {remedy}')


def _scales(folder: Path, module: ModuleType) -> Mapping[str, Scenario]:
    told = getattr(module, "SCALES", {})
    if not isinstance(told, dict) or not all(isinstance(s, Scenario) and s.replicas for s in told.values()):
        raise ScenarioError(f"{folder / FILE}: SCALES is no dict of scales' names and Scenarios with replicas")
    return told


def _variants(folder: Path, module: ModuleType) -> dict[str, Scenario]:
    """What `broken/` holds first, then those of VARIANTS, then folders that need no more than their deployment."""
    default: Scenario = module.SCENARIO
    told = getattr(module, "VARIANTS", {})
    if not isinstance(told, dict) or not all(isinstance(s, Scenario) for s in told.values()) or default.variant in told:
        raise ScenarioError(f"{folder / FILE}: VARIANTS is no dict of the other variants' names and Scenarios")
    more = sorted(p.parent.name for p in (folder / VARIANTS).glob("*/broken"))
    known = {default.variant: default, **told, **{name: default for name in more if name not in told}}
    return {name: replace(scenario, variant=name) for name, scenario in known.items()}


def _load(folder: Path) -> ModuleType:
    path = (folder / FILE).resolve()
    spec = importlib.util.spec_from_file_location(f"lab_scenario_{folder.name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses of a scenario's own look for their annotations
    written, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # a scenario that leaves with 0 would look like a pass
        raise ScenarioError(f"{path}:{_line_in(path, error)}: {type(error).__name__}: {error}") from error
    finally:
        sys.dont_write_bytecode = written
    scenario = getattr(module, "SCENARIO", None)
    if not isinstance(scenario, Scenario):
        raise ScenarioError(f"{path}: defines no SCENARIO of type lab.scenario.Scenario; see CONTRIBUTING.md")
    return module


def _line_in(path: Path, error: BaseException) -> int:
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return error.lineno or 1
    inside = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(path)]
    return (inside or [1])[-1] or 1


def alerts_in(rules: Mapping[str, str]) -> tuple[str, ...]:
    """Names of the alerting rules in rule files. Raises `RulesError` on a file that is no rule file."""
    found: list[str] = []
    for name, text in rules.items():
        try:
            groups = (serveryaml.load(text) or {}).get("groups") or []
            found += [str(rule["alert"]) for group in groups for rule in group.get("rules") or [] if "alert" in rule]
        except (yaml.YAMLError, AttributeError, TypeError, ValueError) as error:
            raise RulesError(f"{name}: not a Prometheus rules file: {str(error).splitlines()[0]}") from error
    return tuple(dict.fromkeys(found))
