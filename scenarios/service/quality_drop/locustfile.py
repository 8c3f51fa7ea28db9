"""Users of the service, who look at what they get: a bad answer is of no use to them, whatever its status code."""

from lab.loadgen.asking import ask
from lab.loadgen.tickets import Tickets

LEAST_QUALITY = 0.7
"""Below it an answer is of no use."""


class Person(Tickets):
    """Asks what is on their mind."""

    def send(self, question: str, person: str) -> None:
        """And read the answer."""
        ask(self, question, person, least_quality=LEAST_QUALITY)
