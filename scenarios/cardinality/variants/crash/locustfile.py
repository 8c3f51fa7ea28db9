"""Users of a small service: some ask what everybody asks, most ask something of their own, at length."""

import itertools

from locust import FastHttpUser, task

from lab.loadgen.settings import arrive, generator, pace

POPULAR_SHARE = 0.40
"""Share of questions that many people ask. They are few, so that the cache is soon warm with little traffic."""

SUBJECTS = ("the billing export", "our staging cluster", "the login page", "the nightly backup", "the search index")
WORDS = (
    "since the upgrade we see that the dashboard for region keeps asking whether retries are safe when customers in "
    "another time zone upload files larger than the limit and nobody here knows which team owns the quota or how "
    "long the grace period lasts before access is revoked please explain what changed and how to roll it back"
).split()

_numbers = itertools.count()


class Reader(FastHttpUser):
    """One connection that carries the questions of many people."""

    wait_time = pace

    def on_start(self) -> None:
        number = next(_numbers)
        self.random = generator(number)
        arrive(self, number)

    def question(self) -> str:
        """A popular question, or about 220 characters that nobody has written before."""
        subject = self.random.choice(SUBJECTS)
        if self.random.random() < POPULAR_SHARE:
            return f"Why does {subject} stop after a few minutes?"
        words = " ".join(self.random.choices(WORDS, k=32))
        return f"Ticket {self.random.getrandbits(64):016x}: {subject}; {words}?"

    def person(self) -> str:
        """A user id; a few people ask a lot, most ask seldom."""
        return f"user-{int(10_000 * self.random.random() ** 6):05d}"

    @task
    def ask(self) -> None:
        self.client.post("/query", json={"query": self.question(), "user_id": self.person()}, name="/query")
