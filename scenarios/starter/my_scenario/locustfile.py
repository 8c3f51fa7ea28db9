"""Users of the service: two of five questions are popular ones, which the cache answers."""

import itertools

from locust import FastHttpUser, task

from lab.loadgen.settings import arrive, generator, pace

POPULAR_SHARE = 0.40
PRODUCTS = ("billing", "search", "login", "webhooks", "backups", "invoices", "the mobile app", "the audit log")
POPULAR = tuple(f"How do I set up {product}?" for product in PRODUCTS)

_numbers = itertools.count()


class Reader(FastHttpUser):
    """One connection that carries the questions of many people."""

    wait_time = pace

    def on_start(self) -> None:
        number = next(_numbers)
        self.random = generator(number)
        arrive(self, number)

    def question(self) -> str:
        """A popular question, or one about a ticket that nobody has asked about before."""
        if self.random.random() < POPULAR_SHARE:
            return self.random.choice(POPULAR)
        return f"What is the state of ticket {self.random.getrandbits(48):x} about {self.random.choice(PRODUCTS)}?"

    @task
    def ask(self) -> None:
        person = f"user-{self.random.randrange(10_000):05d}"
        self.client.post("/query", json={"query": self.question(), "user_id": person}, name="/query")
