"""What some scenarios ask beside what every run asks: figures of the patient, the service's books and readiness."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import isfinite

import httpx

from lab import signals
from lab.conditions.books import Booked, Spent
from lab.conditions.figures import FigureIs
from lab.conditions.incidents import ReadySays
from lab.errors import ScenarioError
from lab.prom import Prometheus
from lab.scenario import Scenario
from lab.services.prometheus import min_scrapes
from lab.stack import Stack
from lab.timescale import ANNOTATION, TimescaleError, compress_expr

TIMEOUT_S = 0.9
REMEDY = "write it as a ratio, or run it at speed 1"

Values = dict[str, float]


@dataclass
class Asked:
    """`figures`: signal -> PromQL as a run asks it. Nothing is asked that no check of the scenario looks at."""

    stack: Stack
    figures: Mapping[str, str]
    books: bool
    readiness: bool

    def probes(self) -> tuple[Callable[[], Values], ...]:
        """What the sampler calls once a second."""
        wanted = ((self._figures, bool(self.figures)), (self._books, self.books), (self._ready, self.readiness))
        return tuple(probe for probe, asked in wanted if asked)

    @cached_property
    def _patient(self) -> Prometheus:
        return Prometheus(self.stack.address("prometheus:9090"), timeout_s=TIMEOUT_S)

    @cached_property
    def _service(self) -> httpx.Client:
        # Without connections that are kept: a release replaces who is at the other end.
        return httpx.Client(
            base_url=f"http://{self.stack.address('rag:8000')}", timeout=TIMEOUT_S, trust_env=False,
            limits=httpx.Limits(max_keepalive_connections=0),
        )  # fmt: skip

    def close(self) -> None:
        """Close what was opened."""
        for client in (self.__dict__.get("_patient"), self.__dict__.get("_service")):
            if client is not None:
                client.close()

    def _figures(self) -> Values:
        answers = {name: self._patient.number(expr) for name, expr in self.figures.items()}
        return {name: value for name, value in answers.items() if value is not None and isfinite(value)}

    def _get(self, path: str) -> httpx.Response | None:
        try:
            return self._service.get(path)
        except httpx.HTTPError:
            return None

    def _books(self) -> Values:
        answer = self._get("/costs")
        return (
            {signals.SPENT_USD: answer.json()["last_24h"]["nano_usd"] / 1e9}
            if answer is not None and answer.is_success
            else {}
        )

    def _ready(self) -> Values:
        answer = self._get("/ready")
        return {} if answer is None else {signals.ready("rag"): float(answer.status_code)}


def check_figures(scenario: Scenario, speed: float, scrapes: int) -> None:
    """Refuse a figure that means something else at this speed. Raises `ScenarioError`, which names it.

    Its limit stands outside of the expression, where nothing can scale it; so both are judged as one rule would be.
    `scrapes`: what a range must hold, as in `min_scrapes`.
    """
    for figure in scenario.conditions(FigureIs):
        compared = f"(\n{figure.expr}\n) {'>' if figure.op == 'above' else '<'} bool {float(figure.limit)}"
        try:
            compress_expr(compared, speed, min_scrapes=scrapes)
        except TimescaleError as error:
            # A figure has no annotations in which it could be declared.
            remedy = REMEDY if ANNOTATION in error.remedy else error.remedy
            said = f"{' '.join(figure.expr.split())}: {error.reason}; {remedy}".removesuffix("; ")
            raise ScenarioError(f"{scenario.label}: figure {figure.label!r}: {said}") from error


def asked(scenario: Scenario, stack: Stack, speed: float) -> Asked:
    """What the checks of a scenario look at."""
    scrapes = min_scrapes(stack.servers.prometheus)
    return Asked(
        stack,
        {f.signal: compress_expr(f.expr, speed, min_scrapes=scrapes) for f in scenario.conditions(FigureIs)},
        books=bool(scenario.conditions(Booked) or scenario.conditions(Spent)),
        readiness=bool(scenario.conditions(ReadySays)),
    )
