"""Users of the teaching stack: some ask what everybody asks, most ask something of their own, at length."""

from lab.loadgen.reader import Reader

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


class Person(Reader):
    """Asks what is on their mind."""

    def question(self) -> str:
        """A popular question, or about 200 characters that nobody has written before."""
        if self.popular():
            return self.random.choice(POPULAR)
        told = " ".join(self.random.choices(WORDS, k=28))
        return f"Ticket {self.random.getrandbits(64):016x}, {self.random.choice(TOPICS)}: {told}?"
