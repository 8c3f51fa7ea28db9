"""Users of the service: two of five ask what everybody asks, the others something of their own."""

from lab.loadgen.reader import Reader

POPULAR = (
    "How do I rotate a database password?", "Where is the runbook for a failed deployment?",
    "How long are backups kept?", "Who is on call this week?", "How do I get access to staging?",
)  # fmt: skip


class Person(Reader):
    """Asks what is on their mind."""

    def question(self) -> str:
        """A popular question, or one with a ticket number that nobody has asked about before."""
        if self.popular():
            return self.random.choice(POPULAR)
        return f"What happened in ticket {self.random.getrandbits(48):012x}, and is it safe to deploy?"
