"""Users of the service: two of five ask what everybody asks, the others something of their own."""

import itertools

from locust import FastHttpUser, task

from lab.loadgen.settings import arrive, generator, pace

POPULAR_SHARE = 0.40
"""Share of questions that many people ask; the cache answers those. The others wait for the model."""

POPULAR = (
    "How do I rotate a database password?", "Where is the runbook for a failed deployment?",
    "How long are backups kept?", "Who is on call this week?", "How do I get access to staging?",
)  # fmt: skip

_numbers = itertools.count()


class Reader(FastHttpUser):
    """One connection that carries the questions of many people."""

    wait_time = pace

    def on_start(self) -> None:
        self.number = next(_numbers)
        self.random = generator(self.number)
        arrive(self, self.number)

    def question(self) -> str:
        """A popular question, or one with a ticket number that nobody has asked about before."""
        if self.random.random() < POPULAR_SHARE:
            return self.random.choice(POPULAR)
        return f"What happened in ticket {self.random.getrandbits(48):012x}, and is it safe to deploy?"

    @task
    def ask(self) -> None:
        self.client.post("/query", json={"query": self.question(), "user_id": f"user-{self.number:03d}"}, name="/query")
