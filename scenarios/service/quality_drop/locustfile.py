"""Users of the service, who look at what they get: a bad answer is of no use to them, whatever its status code."""

from lab.loadgen.asking import ask
from lab.loadgen.reader import Reader

PRODUCTS = ("billing", "search", "login", "webhooks", "backups", "invoices", "the mobile app", "the audit log")
POPULAR = tuple(f"How do I set up {product}?" for product in PRODUCTS)
LEAST_QUALITY = 0.7
"""Below it an answer is of no use."""


class Person(Reader):
    """Asks what is on their mind."""

    def question(self) -> str:
        """A popular question, or one about a ticket that nobody has asked about before."""
        if self.popular():
            return self.random.choice(POPULAR)
        return f"What is the state of ticket {self.random.getrandbits(48):x} about {self.random.choice(PRODUCTS)}?"

    def send(self, question: str, person: str) -> None:
        """And read the answer."""
        ask(self, question, person, least_quality=LEAST_QUALITY)
