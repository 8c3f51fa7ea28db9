"""The text exposition format, read as a stream: one call a sample, no list of them.

<https://prometheus.io/docs/instrumenting/exposition_formats/>, with the quoted names of Prometheus 3. A page of a
million series is read in seconds: what stands between the values of a line (the metric, the names of its labels)
repeats from line to line, is parsed once and then known by heart.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from lab.errors import UsageError

MAX_LINE = 64 * 1024
"""Bytes of a line; a longer one is no sample that anybody wants."""
MAX_KNOWN = 20_000
"""Shapes of lines that are remembered."""

Names = tuple[bytes, tuple[bytes, ...]]
"""Metric and labels of a sample, in the order of the page."""

_QUOTED = rb'"([^"\\]*+(?:\\.[^"\\]*+)*+)"'
_BARE = rb"[a-zA-Z_:][a-zA-Z0-9_:]*+"
_METRIC = re.compile(rb"[ \t]*+(" + _BARE + rb")[ \t]*+")
_PAIR = re.compile(
    rb"[ \t]*+(?:([a-zA-Z_][a-zA-Z0-9_]*+)|" + _QUOTED + rb")[ \t]*+(?:=[ \t]*+" + _QUOTED + rb"[ \t]*+)?"
)
_NUMBER = rb"([+-]?(?:(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][+-]?[0-9]++)?|(?i:inf(?:inity)?|nan)))"
_VALUE = re.compile(rb"[ \t]*+" + _NUMBER + rb"(?:[ \t]++(-?[0-9]++))?[ \t]*+")
_SPLIT = re.compile(_QUOTED)
_TAIL = re.compile(rb"[ \t]*+,?[ \t]*+\}" + _VALUE.pattern)
_TYPE = re.compile(rb"#[ \t]++TYPE[ \t]++(" + _BARE + rb"|" + _QUOTED + rb")[ \t]++([a-z]++)[ \t]*+")
_IS_TYPE = re.compile(rb"#[ \t]++TYPE[ \t]")
_TYPES = frozenset(b"counter gauge histogram summary untyped".split())


class ExpositionError(UsageError):
    """The page is not in the format; the message names the line."""


@dataclass(frozen=True)
class Sample:
    """One line: the metric, its labels, the value. Bytes as on the page, escapes in label values untouched."""

    metric: bytes
    labels: tuple[bytes, ...]
    values: tuple[bytes, ...]
    value: float


Take = Callable[[Names, list[bytes]], None]


def read(chunks: Iterable[bytes], take: Take, take_type: Callable[[bytes, bytes], None]) -> int:
    """Give every sample's names and label values to `take`, every type to `take_type`; the number of samples.

    The same `Names` object comes for all lines of one shape. Raises `ExpositionError` with the number of the line.
    """
    known: dict[bytes, Names] = {}
    samples = number = 0
    for number, line in enumerate(_lines(chunks), 1):
        if not line or line[0] == 35:  # '#'
            _comment(line, number, take_type)
            continue
        # Fast: the values of a line are every second part, where each quote has another that closes it.
        parts = line.split(b'"') if b"\\" not in line else _SPLIT.split(line)
        if len(parts) > 1 and len(parts) % 2:
            names = known.get(b'"'.join(parts[:-1:2]))
            if names is not None and _TAIL.fullmatch(parts[-1]):
                take(names, parts[1::2])
                samples += 1
                continue
        sample = parse(line, number)
        if sample is None:
            continue
        names = (sample.metric, sample.labels)
        if sample.labels and line[:1] not in b" \t{" and len(parts) == 2 * len(sample.labels) + 1:
            if len(known) >= MAX_KNOWN:
                known.clear()
            names = known.setdefault(b'"'.join(parts[:-1:2]), names)
        take(names, list(sample.values))
        samples += 1
    return samples


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Lines without their ends; the last one needs none. Raises `ExpositionError` on one that is too long."""
    rest, number = b"", 0
    for chunk in chunks:
        lines = (rest + chunk).split(b"\n")
        rest = lines.pop()
        if len(rest) > MAX_LINE or max(map(len, lines), default=0) > MAX_LINE:
            long = next((i for i, line in enumerate(lines) if len(line) > MAX_LINE), len(lines))
            raise ExpositionError(f"line {number + long + 1} has over {MAX_LINE:,} bytes: no metrics page")
        number += len(lines)
        yield from lines
    if rest:
        yield rest


def _comment(line: bytes, number: int, take_type: Callable[[bytes, bytes], None]) -> None:
    if not _IS_TYPE.match(line):
        return
    found = _TYPE.fullmatch(line)
    if found is None or found[3] not in _TYPES:
        raise ExpositionError(f"line {number}: not a type: {shown(line)}")
    take_type(found[2] if found[2] is not None else found[1], found[3])


def parse(line: bytes, number: int = 1) -> Sample | None:
    """One line of a page; None for a blank one or a comment. Raises `ExpositionError`."""
    stripped = line.strip(b" \t")
    if not stripped or stripped.startswith(b"#"):
        return None
    found = _METRIC.match(line)
    metric, at = (found[1], found.end()) if found else (b"", len(line) - len(line.lstrip(b" \t")))
    labels: list[bytes] = []
    values: list[bytes] = []
    if line[at : at + 1] == b"{":
        metric, at = _labels(line, at + 1, number, metric, labels, values)
    elif found and found[0].rstrip(b" \t") == found[0]:
        raise _wrong(line, number)  # nothing between the name and the value
    if not metric or len(set(labels)) < len(labels):
        raise _wrong(line, number)
    rest = _VALUE.fullmatch(line, at)
    if rest is None:
        raise _wrong(line, number)
    return Sample(metric, tuple(labels), tuple(values), float(rest[1]))


def _labels(
    line: bytes, at: int, number: int, metric: bytes, labels: list[bytes], values: list[bytes]
) -> tuple[bytes, int]:
    """Read `name="value", ...}` from `at` on; the metric (it may stand here, quoted) and where the labels end."""
    first = True
    while True:
        rest = line[at : at + 1]
        while rest in (b" ", b"\t"):
            at += 1
            rest = line[at : at + 1]
        if rest == b"}":
            return metric, at + 1
        pair = _PAIR.match(line, at)
        if pair is None:
            raise _wrong(line, number)
        name = pair[1] if pair[1] is not None else pair[2]
        if pair[3] is not None:
            labels.append(name)
            values.append(pair[3])
        elif first and not metric and pair[2] is not None:
            metric = name
        else:
            raise _wrong(line, number)
        first, at = False, pair.end()
        if line[at : at + 1] == b",":
            at += 1
        elif line[at : at + 1] != b"}":
            raise _wrong(line, number)


def _wrong(line: bytes, number: int) -> ExpositionError:
    if line.endswith(b"\r"):
        return ExpositionError(f"line {number} ends as Windows ends lines; the format wants \\n alone (`tr -d '\\r'`)")
    return ExpositionError(f"line {number}: not a sample: {shown(line)}")


def shown(text: bytes, most: int = 80) -> str:
    """Bytes for a message: printable, and not too long."""
    said = text[:most].decode("utf-8", "replace")
    return "".join(c if c.isprintable() else "�" for c in said) + ("..." if len(text) > most else "")


def unescaped(value: bytes) -> str:
    """A label value as it is meant: without the page's escapes."""
    text = value.decode("utf-8", "replace")
    return re.sub(r"\\(.)", lambda m: {"n": "\n"}.get(m[1], m[1] if m[1] in '"\\' else m[0]), text)
