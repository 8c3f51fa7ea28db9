"""Users of a small service: some ask what everybody asks, most ask something of their own, at length."""

from lab.loadgen.reader import Reader

SUBJECTS = ("the billing export", "our staging cluster", "the login page", "the nightly backup", "the search index")
WORDS = (
    "since the upgrade we see that the dashboard for region keeps asking whether retries are safe when customers in "
    "another time zone upload files larger than the limit and nobody here knows which team owns the quota or how "
    "long the grace period lasts before access is revoked please explain what changed and how to roll it back"
).split()


class Person(Reader):
    """Asks what is on their mind."""

    def question(self) -> str:
        """A popular question, or about 220 characters that nobody has written before."""
        subject = self.random.choice(SUBJECTS)
        if self.popular():
            return f"Why does {subject} stop after a few minutes?"
        words = " ".join(self.random.choices(WORDS, k=32))
        return f"Ticket {self.random.getrandbits(64):016x}: {subject}; {words}?"
