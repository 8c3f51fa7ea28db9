"""String literals of PromQL: quoting, and the ones promql-parser misreads."""

from __future__ import annotations

from collections.abc import Iterator

_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def quote(text: str) -> str:
    """A PromQL double-quoted string; what is not printable is escaped, so that it survives YAML too."""
    return '"' + "".join(_ESCAPES.get(c) or (c if c.isprintable() else _escape(c)) for c in text) + '"'


def _escape(char: str) -> str:
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def tokens(text: str) -> Iterator[tuple[bool, str]]:
    """Cut PromQL into string literals (True) and the code between them (False), without comments."""
    start = at = 0
    while at < len(text):
        char = text[at]
        if char == "#":
            yield False, text[start:at]
            newline = text.find("\n", at)
            start = at = len(text) if newline < 0 else newline
        elif char in "\"'`":
            yield False, text[start:at]
            end = _string_end(text, at)
            yield True, text[at:end]
            start = at = end
        else:
            at += 1
    yield False, text[start:]


def _string_end(text: str, start: int) -> int:
    """Index behind the literal that starts at `start`; an unterminated one reaches to the end."""
    at = start + 1
    while at < len(text):
        if text[at] == text[start]:
            return at + 1
        at += 2 if text[at] == "\\" and text[start] != "`" else 1
    return len(text)


def without_raw(literal: str) -> str:
    """A back-quoted literal as a double-quoted one, any other as it is.

    promql-parser 0.12 reads escapes inside back quotes, where PromQL has none: it refuses `\\d` and takes `\\n` for
    a line break.
    """
    closed = len(literal) > 1 and literal[0] == literal[-1] == "`"
    return quote(literal[1:-1]) if closed else literal
