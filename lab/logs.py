"""Watch the logs of services for texts that checks wait for."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

MOST_CHARS = 2000
"""Of a line that was waited for."""


@dataclass(frozen=True)
class Line:
    """A line that was waited for; `file` relative to the run folder, `number` from 1."""

    service: str
    file: str
    number: int
    text: str


@dataclass
class LogWatch:
    """Reads what is new in each log. Of each text only the first `most` lines are told: a full disk repeats itself.

    `anew` after a deployment: what stood there before is no sign of what it does.
    """

    run_dir: Path
    wanted: Sequence[tuple[str, str]]
    most: int = 3
    _offset: dict[str, int] = field(default_factory=dict)
    _lines: dict[str, int] = field(default_factory=dict)
    _told: dict[tuple[str, str], int] = field(default_factory=dict)

    def anew(self) -> None:
        """From here on the first lines of each text are told again."""
        self._told.clear()

    def fresh(self) -> Iterator[Line]:
        """Lines that are new since the last call and hold a wanted text of their service."""
        for service in sorted({service for service, _ in self.wanted}):
            yield from self._of(service)

    def _of(self, service: str) -> Iterator[Line]:
        file = f"logs/{service}.log"
        try:
            with (self.run_dir / file).open("rb") as log:
                log.seek(self._offset.get(service, 0))
                new = log.read()
        except OSError:
            return
        whole = new[: new.rfind(b"\n") + 1]
        self._offset[service] = self._offset.get(service, 0) + len(whole)
        for raw in whole.split(b"\n")[:-1]:
            self._lines[service] = self._lines.get(service, 0) + 1
            text = raw.decode("utf-8", "replace")
            for want in (w for w in self.wanted if w[0] == service and w[1] in text):
                self._told[want] = self._told.get(want, 0) + 1
                if self._told[want] <= self.most:
                    yield Line(service, file, self._lines[service], _around(want[1], text))


def _around(want: str, text: str) -> str:
    """At most `MOST_CHARS` of a line, with the wanted text in it."""
    start = max(0, text.index(want) + len(want) - MOST_CHARS)
    return text[start : start + MOST_CHARS]


def pack(log: Path, least_bytes: int = 1 << 20) -> None:
    """Compress a log of over `least_bytes` into `NAME.gz`: a line a query makes tens of megabytes a run.

    Where that can't be written, as on a full disk, the log stays as it is.
    """
    target = Path(f"{log}.gz")
    with suppress(OSError), log.open("rb") as plain:
        if log.stat().st_size < least_bytes:
            return
        try:
            with gzip.open(target, "wb", compresslevel=1) as packed:
                shutil.copyfileobj(plain, packed, 1 << 20)
        except OSError:
            target.unlink(missing_ok=True)
            return
        log.unlink()
