"""Users of the service: two of five questions are popular ones, which the cache answers."""

from lab.loadgen.tickets import Tickets


class Person(Tickets):
    """Asks what is on their mind."""
