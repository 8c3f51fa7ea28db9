"""The metrics page of a service after many queries, without asking them: a few are recorded, the rest is arithmetic.

A deployment's own `Metrics` records some hundred queries. Lines that were there before grow in proportion. A line that
a query brought, with that query's token in a label, is brought by each later query, too: so a counter with a label
for the text gets a series a query, and one without does not, as the deployment has it.
"""

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, generate_latest

from lab.rag.metrics import Metrics
from lab.rag.pricing import CACHED, CHAT_MODELS
from lab.rag.record import QueryRecord

TOKEN = re.compile(rb"zq[0-9a-f]{14}")
"""What no two queries have in common; in a text, and as the id of a query."""
LEARNED = 2000
"""Queries that are recorded. Their texts recur after so many, further apart than a compressor looks back."""
NEW_SHARE = 0.6
"""Share of the queries that nobody has asked before; the cache answers the others."""
TEXT_CHARS = 200
WORDS = (
    "since", "upgrade", "we", "see", "that", "dashboard", "keeps", "asking", "whether", "retries", "are", "safe",
    "customers", "in", "another", "time", "zone", "upload", "files", "larger", "than", "limit", "nobody", "here",
    "which", "team", "owns", "quota", "how", "long", "it", "lasts", "region", "revoked", "audit", "monday", "traces",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the page: its name with labels, its value before and after the recorded queries."""

    name: bytes
    before: float
    after: float

    def at(self, queries: int) -> bytes:
        """The line after so many queries; a count stays whole."""
        value = self.before + (self.after - self.before) * queries / LEARNED
        whole = self.before.is_integer() and self.after.is_integer()
        return b"%s %d\n" % (self.name, value) if whole else b"%s %r\n" % (self.name, value)


@dataclass(frozen=True, slots=True)
class Template:
    """A line that a query brought, cut where its token stood."""

    parts: tuple[bytes, ...]

    def line(self, token: bytes) -> bytes:
        """The line of another query."""
        return token.join(self.parts)


class Page:
    """The page after any number of queries. `asked` begins at 0; `series` bounds the lines that queries bring."""

    def __init__(self, new_metrics: Callable[[CollectorRegistry], Metrics], series: int, seed: int) -> None:
        self._seed, self._series = seed, series
        registry = CollectorRegistry(auto_describe=True)
        metrics = new_metrics(registry)
        before = dict(_lines(generate_latest(registry)))
        for number in range(LEARNED):
            metrics.record(_query(seed, number))
        after = dict(_lines(generate_latest(registry)))
        brought = [name for name in after if name not in before and TOKEN.search(name)]
        self._templates = [Template(tuple(TOKEN.split(b"%s %r\n" % (name, after[name])))) for name in brought]
        self._base = [Line(n, before.get(n, 0.0), after[n]) for n in after if n not in set(brought)]
        self._grown: list[bytes] = []
        self._count = 0

    def base(self, queries: int, names: frozenset[bytes] = frozenset()) -> bytes:
        """The lines that every service has; of some names only, where they are given."""
        return b"".join(line.at(queries) for line in self._base if not names or _family(line.name) in names)

    def grow(self, queries: int) -> list[bytes]:
        """All that so many queries have brought, as blocks; never less than before."""
        wanted = min(self._series, queries * len(self._templates) // LEARNED)
        if wanted > self._count:
            self._grown.append(b"".join(self._line(number) for number in range(self._count, wanted)))
            self._count = wanted
        return list(self._grown)

    def _line(self, number: int) -> bytes:
        turn, which = divmod(number, len(self._templates))
        query = turn * LEARNED + which * LEARNED // len(self._templates)
        return self._templates[which].line(_token(self._seed, query))


def _lines(page: bytes) -> Iterator[tuple[bytes, float]]:
    """Names with labels, and values; no text of ours has a line break or a space after its last quote."""
    for line in page.splitlines():
        if line and not line.startswith(b"#"):
            name, _, value = line.rpartition(b" ")
            yield name, float(value)


def _family(name: bytes) -> bytes:
    return name.partition(b"{")[0]


def _token(seed: int, number: int) -> bytes:
    return b"zq%06x%08x" % (seed & 0xFFFFFF, number)


def _query(seed: int, number: int) -> QueryRecord:
    """A query as users write them. The id has the token, the text too where nobody has asked it before."""
    words, token = random.Random(f"{seed}/{number}"), _token(seed, number).decode()
    new = number % 10 < 10 * NEW_SHARE
    told = " ".join(words.choices(WORDS, k=TEXT_CHARS // 5))[:TEXT_CHARS]
    return QueryRecord(
        query_id=token, user_id=f"user-{words.randrange(10_000):05d}" if new else "user-00000",
        query_text=f"Ticket {token}: {told}?" if new else "How do I set up a webhook?",
        endpoint="/query", cache_status="miss" if new else "hit", model=CHAT_MODELS[1] if new else CACHED,
        status="success", timestamp=0.0, duration_s=0.02 if new else 0.002, search_s=0.001, documents=4, relevance=0.8,
        quality=0.9, input_tokens=300 if new else 0, output_tokens=100 if new else 0,
    )  # fmt: skip
