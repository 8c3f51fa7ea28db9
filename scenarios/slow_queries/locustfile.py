"""Users of the service, and three people with its dashboard open."""

from lab.loadgen.reader import Reader
from lab.loadgen.viewers import Viewer

POPULAR = (
    "How do I rotate a database password?", "Where is the runbook for a failed deployment?",
    "How long are backups kept?", "Who is on call this week?", "How do I get access to staging?",
)  # fmt: skip


class Person(Reader):
    """Asks what is on their mind."""

    def question(self) -> str:
        """A popular question, or one that nobody has asked before."""
        if self.popular():
            return self.random.choice(POPULAR)
        return f"What happened in ticket {self.random.getrandbits(48):012x}, and is it safe to deploy?"


class OnCall(Viewer):
    """Somebody who watches the dashboard; it refreshes by itself."""

    fixed_count = 3
