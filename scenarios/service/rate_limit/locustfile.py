"""A help desk: nine of ten questions are ones that many people ask, which the cache answers."""

from lab.loadgen.asking import ask
from lab.loadgen.reader import Reader

PRODUCTS = (
    "billing", "search", "login", "webhooks", "backups", "invoices", "the mobile app", "the audit log", "an API token",
    "the message queue", "a read replica", "the staging cluster", "single sign-on", "the export", "a custom domain",
    "rate limits", "two-factor login", "the status page", "a sandbox", "the command line",
)  # fmt: skip
POPULAR = tuple(f"How do I set up {product}?" for product in PRODUCTS)


class Person(Reader):
    """Asks what is on their mind, through the client that is live."""

    popular_share = 0.90

    def question(self) -> str:
        """A popular question, or one about a ticket that nobody has asked about before."""
        if self.popular():
            return self.random.choice(POPULAR)
        return f"Ticket {self.random.getrandbits(64):016x}: what changed in {self.random.choice(PRODUCTS)}?"

    def send(self, question: str, person: str) -> None:
        """Again and again, perhaps."""
        ask(self, question, person)
