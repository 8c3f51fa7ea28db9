"""Users of the teaching stack: some ask what everybody asks, most ask something of their own, at length."""

import itertools

from locust import FastHttpUser, task

from lab.loadgen.settings import arrive, generator, pace

POPULAR_SHARE = 0.40
"""Share of questions that many people ask; the cache answers those."""
TOPICS = (
    "the nightly backup", "our staging cluster", "the login page", "a webhook", "the billing export", "an API token",
    "the audit log", "a read replica", "the message queue", "the mobile app", "the search index", "an invoice",
)  # fmt: skip
POPULAR = tuple(f"How do I set up {topic}?" for topic in TOPICS)
WORDS = (
    "it", "stopped", "after", "the", "upgrade", "and", "nobody", "here", "knows", "which", "team", "owns", "please",
    "explain", "what", "changed", "how", "long", "grace", "period", "lasts", "whether", "retries", "are", "safe", "to",
    "roll", "back", "without", "losing", "messages", "that", "customers", "sent", "last", "night",
)  # fmt: skip

_numbers = itertools.count()


class Reader(FastHttpUser):
    """One connection that carries the questions of many people."""

    wait_time = pace

    def on_start(self) -> None:
        """Each user asks something else, the same with the same seed."""
        number = next(_numbers)
        self.random = generator(number)
        arrive(self, number)

    def question(self) -> str:
        """A popular question, or about 200 characters that nobody has written before."""
        if self.random.random() < POPULAR_SHARE:
            return self.random.choice(POPULAR)
        told = " ".join(self.random.choices(WORDS, k=28))
        return f"Ticket {self.random.getrandbits(64):016x}, {self.random.choice(TOPICS)}: {told}?"

    @task
    def ask(self) -> None:
        """One question; a few of ten thousand people ask a lot."""
        person = f"user-{int(10_000 * self.random.random() ** 6):05d}"
        self.client.post("/query", json={"query": self.question(), "user_id": person}, name="/query")
