"""Users of the service: some ask what everybody asks, most ask something of their own, at length.

Texts are varied like real ones: repetitive text would compress tenfold in Prometheus' write-ahead log.
"""

import itertools

from lab.loadgen.reader import Reader

SUBJECTS = (
    "the billing export", "our staging cluster", "the login page", "a webhook", "the nightly backup", "the audit log",
    "the search index", "my API token", "the mobile app", "a read replica", "the invoice PDF", "the message queue",
)  # fmt: skip
PROBLEMS = (
    "stops after a few minutes", "shows last week's numbers", "answers with an empty page", "is slower than yesterday",
    "asks me to log in again", "sends everything twice", "rejects the certificate", "ignores the new setting",
)  # fmt: skip
WORDS = (
    "since the upgrade we see that the dashboard for region keeps asking whether retries are safe when customers in "
    "another time zone upload files larger than the limit and nobody here knows which team owns the quota or how "
    "long the grace period lasts before access is revoked please explain what changed and how to roll it back without "
    "losing data because the audit starts on monday and support told us to look at traces from the gateway first"
).split()

POPULAR = tuple(
    f"Why is it that {subject} {problem}, and what can I do about it?"
    for subject, problem in itertools.product(SUBJECTS, PROBLEMS)
)


class Person(Reader):
    """Asks what is on their mind."""

    def question(self) -> str:
        """A popular question, or about 220 characters that nobody has written before."""
        if self.popular():
            return self.random.choice(POPULAR)
        words = " ".join(self.random.choices(WORDS, k=30))
        ticket = f"{self.random.getrandbits(64):016x}"
        return f"Ticket {ticket}: {self.random.choice(SUBJECTS)} {self.random.choice(PROBLEMS)}; {words}?"
