"""Users of the service, and three people with its dashboard open."""

import itertools

import gevent
from locust import FastHttpUser, task

from lab.loadgen.settings import generator, per_user
from lab.loadgen.viewers import Viewer

POPULAR_SHARE = 0.40
"""Share of questions that many people ask; the cache answers those."""

POPULAR = (
    "How do I rotate a database password?", "Where is the runbook for a failed deployment?",
    "How long are backups kept?", "Who is on call this week?", "How do I get access to staging?",
)  # fmt: skip

_numbers = itertools.count()


class Reader(FastHttpUser):
    """One connection that carries the questions of many people."""

    def on_start(self) -> None:
        self.number = next(_numbers)
        self.random = generator(self.number)
        gevent.sleep(self.random.random() / per_user())

    def wait_time(self) -> float:
        """Irregular: at a fixed pace all would go on asking in the same second in which they began."""
        return self.random.uniform(0.5, 1.5) / per_user()

    def question(self) -> str:
        """A popular question, or one that nobody has asked before."""
        if self.random.random() < POPULAR_SHARE:
            return self.random.choice(POPULAR)
        return f"What happened in ticket {self.random.getrandbits(48):012x}, and is it safe to deploy?"

    @task
    def ask(self) -> None:
        self.client.post("/query", json={"query": self.question(), "user_id": f"user-{self.number:03d}"}, name="/query")


class OnCall(Viewer):
    """Somebody who watches the dashboard; it refreshes by itself."""

    fixed_count = 3
