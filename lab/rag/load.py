"""A small load generator for the benchmark and the tests: a few connections, one request at a time on each."""

import asyncio
import itertools
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

QUESTIONS = (
    "How do I restart the {} service?",
    "Why is the disk of {} full?",
    "What does the alert on {} mean?",
    "How do I rotate the password of {}?",
    "Who is on call for {}?",
)


@dataclass(frozen=True, slots=True)
class Measured:
    """What a round of load came to."""

    requests: int
    failures: int  # answers other than 200
    seconds: float

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds


def queries(seed: int, repeats: float = 0.35, users: int = 200) -> Iterator[bytes]:
    """Bodies for `/query`: about the share `repeats` of them was asked before."""
    random = Random(seed)
    popular = [question.format(f"popular-{number}") for number in range(20) for question in QUESTIONS]
    for number in itertools.count():
        if random.random() < repeats:
            text = random.choice(popular)
        else:
            text = random.choice(QUESTIONS).format(f"host-{seed}-{number}")
        yield json.dumps({"query": text, "user_id": f"user-{random.randrange(users)}"}).encode()


async def drive(port: int, seconds: float, connections: int, bodies: Iterator[bytes]) -> Measured:
    """Send queries to a service on loopback for so many seconds."""
    began = time.perf_counter()
    until = began + seconds
    outcomes = await asyncio.gather(*(_client(port, until, bodies) for _ in range(connections)))
    return Measured(
        requests=sum(done for done, _ in outcomes),
        failures=sum(failed for _, failed in outcomes),
        seconds=time.perf_counter() - began,
    )


async def _client(port: int, until: float, bodies: Iterator[bytes]) -> tuple[int, int]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    done = failed = 0
    try:
        while time.perf_counter() < until:
            writer.write(_request(next(bodies)))
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(_length(head))
            done += 1
            failed += head[9:12] != b"200"
    finally:
        writer.close()
    return done, failed


def _request(body: bytes) -> bytes:
    return (
        b"POST /query HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: "
        + str(len(body)).encode()
        + b"\r\n\r\n"
        + body
    )


def _length(head: bytes) -> int:
    start = head.lower().index(b"content-length:") + 15
    return int(head[start : head.index(b"\r", start)])
