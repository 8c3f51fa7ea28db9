"""Who asks the service: a base class for a locustfile's users, which says only what they ask and who they are."""

from __future__ import annotations

import itertools
import random

from locust import FastHttpUser, task

from lab.loadgen.settings import arrive, generator, pace

POPULAR_SHARE = 0.40
"""Share of questions that many people ask; the cache answers those. The others wait for the model."""
PEOPLE = 10_000
_numbers = itertools.count()


class Reader(FastHttpUser):
    """One connection that carries the questions of many people, at the rate of the run, the same with the same seed."""

    abstract = True
    wait_time = pace
    popular_share = POPULAR_SHARE
    number: int
    random: random.Random

    def on_start(self) -> None:
        """Each asks something else, and begins at a moment of its own."""
        self.number = next(_numbers)
        self.random = generator(self.number)
        arrive(self, self.number)

    def popular(self) -> bool:
        """Whether the next question is one that many people ask."""
        return self.random.random() < self.popular_share

    def question(self) -> str:
        """The next question."""
        raise NotImplementedError

    def person(self) -> str:
        """Who asks it: one of ten thousand; a few ask a lot, most ask seldom."""
        return f"user-{int(PEOPLE * self.random.random() ** 6):05d}"

    @task
    def ask(self) -> None:
        """One question."""
        self.send(self.question(), self.person())

    def send(self, question: str, person: str) -> None:
        """Ask it once, whatever comes of it."""
        self.client.post("/query", json={"query": question, "user_id": person}, name="/query")
