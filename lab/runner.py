"""The loop: steady, broken, fixed, unwind. Read this first.

The runner acts (start, deploy, stop) and waits; it judges nothing itself. A sampler writes down what the
servers answer; `lab.judge` turns that into results, live to know when a phase is over and again at the end
for the verdict, by the same pure functions that `lab analyze` uses on a stored journal.
"""

from __future__ import annotations

import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from lab import assembly
from lab.acts import Acts
from lab.dashboard import parse
from lab.deployment import Deployment
from lab.errors import LabError, StartError
from lab.events import (
    DashboardLive,
    Deployed,
    Exited,
    PhaseEnded,
    PhaseStarted,
    RunEnded,
    Unmeasured,
)
from lab.guards import control_users
from lab.interrupts import ignored, put_off
from lab.journal import Journal
from lab.judge import evaluate, judge, onset_after, view_of
from lab.leaving import Leaving
from lab.load import Traffic
from lab.logs import pack
from lab.outcome import Outcome, outcome
from lab.phases import checks_of
from lab.plan import Plan, copy_scenario, make_run_dir
from lab.readback import read_back_signal
from lab.registry import Registration
from lab.scenario import Check, CheckResult, Mode, Phase, Result
from lab.stack import Stack
from lab.stored import FIX
from lab.story import Story
from lab.study import StudyRun

POLL_S = 0.25
"""Seconds after which what is to be done in a phase is looked at again; its checks also with each sample, at once."""
FIGURES_S = 4.0
"""Seconds of figures that a phase is given before a failure ends it."""

STALLED_S = 30.0
"""Seconds without any news after which a run is given up."""


@dataclass
class Run:
    """One run of a plan. `execute` always unwinds and always leaves a judged journal."""

    plan: Plan
    story: Story
    leaving: Leaving | None = None
    """Of a series: who stops the services once the run is over. Else that is a part of the run."""
    run_dir: Path = field(init=False)
    journal: Journal = field(init=False)
    _onset_after: float | None = None
    _closing: ExitStack = field(default_factory=ExitStack, init=False)
    _built: bool = False

    def execute(self) -> Outcome:
        """Run, unwind, judge. Ctrl-C keeps the partial run: `Outcome.interrupted`."""
        self.run_dir = make_run_dir(self.plan.options.out, self.plan.scenario.name)
        copy_scenario(self.plan.found.folder, self.run_dir)
        if self.plan.options.fix is not None:
            self.plan.fixed.copy_to(self.run_dir / FIX)
        self.journal = Journal(self.run_dir / "journal.jsonl", self.plan.header)
        self.story.begin(self.plan, self.run_dir)
        # The time alone is no name: of two runs of one second, a sweep of one would end the other.
        run_id = f"{self.plan.scenario.name}-{self.run_dir.name}-{secrets.token_hex(3)}"
        registration = Registration(run_id, self.run_dir)
        interrupted = False
        try:
            with put_off():  # a holder of a volume that nobody knows yet would stay
                self._build(registration)
            self._phases()
        except KeyboardInterrupt:
            interrupted = True
            self.journal.record(Unmeasured(time.time(), "interrupted"))
        except (LabError, OSError) as error:
            self.journal.record(Unmeasured(time.time(), str(error)))
        finally:
            came_late = self._unwind(registration, keep=self.plan.options.keep and not interrupted)
        return self._judged(interrupted or came_late)

    def _build(self, registration: Registration) -> None:
        plan = self.plan
        self.runtime = plan.place.runtime(registration.entry.run_id, self.run_dir, registration)
        self._closing.callback(self.runtime.close)
        self.stack = Stack(
            self.runtime, plan.servers, assembly.bounded(plan.scenario, self.runtime, self.journal), plan.rules_as_ours,
            plan.header.speed, plan.header.seed, self.run_dir,
            also_host=plan.options.also_host, names=plan.names,
        )  # fmt: skip
        self.traffic = Traffic(
            self.runtime, self.run_dir, self.stack.target, plan.header.seed, self.stack.outside(),
            reads=(self.stack.dashboard.parent,), private=plan.place.name == "docker",
            workers=plan.options.workers, elsewhere=plan.options.elsewhere, tell=self.story.workers_wanted,
        )  # fmt: skip
        self.acts = Acts(plan.scenario, self.stack, self.journal)
        self.questions = assembly.questions(plan.scenario, self.stack, self.journal)
        self.smoke_tests = assembly.smoke_tests(plan, self.stack, self.journal)
        self.gaps = assembly.gaps(plan.scenario, self.stack, self.journal)
        self.study = StudyRun(plan, self.runtime, self.journal, self.run_dir)
        self.sampler = assembly.sampler(
            plan, self.stack, self.traffic, self.journal, self.run_dir, self._closing
        )  # fmt: skip
        self._built = True

    # The phases

    def _phases(self) -> None:
        if self.leaving is not None and self.plan.scenario.replicas is not None:
            self.leaving.settled()  # the bill has room for one
        self.stack.start()
        self.story.ready(self.stack.urls())
        if self.leaving is not None:
            self.leaving.settled()
        self._load()
        self.sampler.start()
        self.journal.record(PhaseStarted(time.time(), Phase.STEADY.value))
        self.journal.record(Deployed(time.time(), "healthy"))
        if not self._watch(Phase.STEADY):
            return
        if self.plan.header.control:
            self._control()
            return
        self._begin(Phase.BROKEN, self.plan.broken)
        passed = self._watch(Phase.BROKEN)
        read_back_signal(self.stack, self.journal)
        if passed and self._fix():
            self.study.start()
            self._watch(Phase.FIXED)

    def _load(self) -> None:
        load = self.plan.scenario.load
        if self.plan.header.control:
            load = replace(load, users=control_users(load.users))
        self.traffic.start(load, self._locustfile(), self.plan.header.speed)

    def _locustfile(self) -> Path:
        return self.plan.found.folder / self.plan.scenario.load.locustfile

    def _control(self) -> None:
        """The same run without broken/: an ordinary release goes live, and the traffic grows fivefold."""
        self.journal.record(PhaseStarted(time.time(), Phase.CONTROL.value))
        self.stack.deploy(self.plan.fixed)
        load = self.plan.scenario.load
        more = load.users - control_users(load.users)
        self.traffic.start(replace(load, users=more), self._locustfile(), self.plan.header.speed, name="more-load")
        self.journal.record(Deployed(time.time(), "healthy", tuple(self.plan.fixed.files)))
        self._watch(Phase.CONTROL)

    def _fix(self) -> bool:
        """Deploy `fixed/`; whether it came up. One that ends its service by itself is a failed fix, and no doubt."""
        try:
            self._begin(Phase.FIXED, self.plan.fixed)
        except StartError as error:
            self.sampler.stop()  # whatever has ended is written down
            for service, code, how in self.stack.ended():
                self.journal.record(Exited(time.time(), service, code, how))
            history = self.journal.snapshot()
            begun = history.first(PhaseStarted, name=Phase.FIXED.value)
            if begun is None or not any(e.by_itself for e in history.of(Exited, begun.t) if e.service == "rag"):
                raise
            self.journal.record(PhaseEnded(time.time(), Phase.FIXED.value, str(error)))
            return False
        return True

    def _begin(self, phase: Phase, deployment: Deployment) -> None:
        self.story.phase(phase)  # before the phase is: who tells it may take a while, and nothing is judged meanwhile
        self.journal.record(PhaseStarted(time.time(), phase.value))
        self._deploy(deployment, renew=phase is Phase.FIXED and self.plan.scenario.wipe_on_fix)
        self.journal.record(Deployed(time.time(), deployment.what, tuple(deployment.files)))
        if "dashboard.json" in deployment.files:
            shown = parse(deployment.dashboard().read_text(encoding="utf-8"))
            titles = tuple(panel.title for panel in shown.panels)
            self.journal.record(DashboardLive(time.time(), deployment.what, titles))
        self.story.deployed(deployment)

    def _deploy(self, deployment: Deployment, *, renew: bool) -> None:
        """Put it live; with `renew` beside a patient that comes back with an empty storage of another size."""
        with ThreadPoolExecutor(2) as pool:
            try:
                doing = [pool.submit(self.stack.deploy, deployment, patient=not renew)]
                if renew:
                    healed_mib = self.plan.scenario.storage.healed_mib
                    doing.append(pool.submit(self.stack.renew_patient, healed_mib, deployment))
                for done in doing:
                    done.result()
            except BaseException:
                self.stack.give_up()  # else an interrupt would wait for what it has ended
                raise

    def _watch(self, phase: Phase) -> bool:
        """Wait until every check of a phase is settled or the phase can't pass any more; whether all passed."""
        if phase in (Phase.STEADY, Phase.CONTROL):
            self.story.phase(phase)
        checks = checks_of(self.plan.scenario, self.plan.header, phase)
        settled: dict[str, CheckResult] = {}
        why = ""
        while not why:
            self.journal.await_sample(POLL_S)
            why = self._look(phase, checks, settled)
        self.journal.record(PhaseEnded(time.time(), phase.value, "" if why == "settled" else why))
        return why == "settled" and all(r.result in (Result.PASS, Result.SKIPPED) for r in settled.values())

    def _look(self, phase: Phase, checks: tuple[Check, ...], settled: dict[str, CheckResult]) -> str:
        """Evaluate what is open. Why the phase is over, or nothing while it goes on."""
        self.acts.step(phase, self.journal.snapshot())
        self.questions.step(phase, self.journal.snapshot())
        history = self.journal.snapshot()
        self.smoke_tests.step(history)
        self.gaps.step(phase, history)
        if phase is Phase.BROKEN and self._onset_after is None:
            self._onset_after = onset_after(self.plan.scenario, self.plan.header, history)
        view = view_of(self.plan.header, history, phase, self._onset_after)
        assert view is not None
        self.story.live(history, self.plan)
        for check in checks:
            result = evaluate(check, view) if check.name not in settled else None
            if result is not None:
                settled[check.name] = result
                self.story.settled(check, result)
        if trouble := next(history.of(Unmeasured), None):
            return trouble.reason
        if time.time() - history.end > STALLED_S:  # time stands still in the journal: no deadline would ever pass
            self.journal.record(Unmeasured(time.time(), f"the lab has not looked for {STALLED_S:.0f} s"))
        kills = self.plan.scenario.kills
        if dead := next((e for e in history.of(Exited) if not kills(e)), None):
            return f"{dead.service} ended: {dead.how}"
        # A phase is not cut short before it could be measured: a failure without figures would say nothing.
        if any(r.result is Result.FAIL for r in settled.values()) and view.now > view.settled + FIGURES_S:
            return "a check failed"
        open_ = [c for c in checks if c.mode is not Mode.ALWAYS and c.name not in settled]
        return "" if open_ or self.acts.pending(phase) else "settled"

    # The end

    def _unwind(self, registration: Registration, *, keep: bool) -> bool:
        """Stop everything; whether an interrupt came meanwhile, which must not cut it short: it takes seconds."""
        with ignored() as came:
            try:
                self.story.unwinding()
            finally:
                self._stop(registration, keep=keep)
        return bool(came)

    def _stop(self, registration: Registration, *, keep: bool) -> None:
        try:
            try:
                if self._built:
                    self.sampler.stop()
                    self.study.stop()
                    self.smoke_tests.stop()
            finally:
                if keep and self._built:
                    registration.keep(self.stack.urls())
                elif self.leaving is not None:
                    self.leaving.begin(partial(self._leave_nothing, registration))
                else:
                    self._leave_nothing(registration)
        finally:
            self.journal.record(RunEnded(time.time()))
            self.journal.close()

    def _leave_nothing(self, registration: Registration) -> None:
        try:
            if self._built:
                with ThreadPoolExecutor(2) as pool:
                    for done in (pool.submit(self.traffic.stop), pool.submit(self.stack.stop_services)):
                        done.result()
        finally:
            self._closing.close()
        registration.remove()  # not where something failed: the next command's sweep has it then
        pack(self.run_dir / "logs" / "rag.jsonl")

    def _judged(self, interrupted: bool) -> Outcome:
        judgement = judge(self.plan.scenario, self.plan.header, self.journal.history)
        found = outcome(self.plan.header, self.journal.history, judgement)
        return replace(found, interrupted=interrupted, run_dir=str(self.run_dir))
