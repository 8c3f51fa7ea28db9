"""Users who ask about tickets: two of five questions are popular ones, which the cache answers."""

from lab.loadgen.reader import Reader

PRODUCTS = ("billing", "search", "login", "webhooks", "backups", "invoices", "the mobile app", "the audit log")
POPULAR = tuple(f"How do I set up {product}?" for product in PRODUCTS)


class Tickets(Reader):
    """Abstract, since Locust makes users of every other class that a locustfile has in its namespace."""

    abstract = True

    def question(self) -> str:
        """A popular question, or one about a ticket that nobody has asked about before."""
        if self.popular():
            return self.random.choice(POPULAR)
        return f"What is the state of ticket {self.random.getrandbits(48):x} about {self.random.choice(PRODUCTS)}?"
