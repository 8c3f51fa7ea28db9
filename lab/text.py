"""Text from outside, made fit for a terminal."""

from __future__ import annotations


def clean(text: str) -> str:
    """Text without control characters: nothing in a label or a log moves the cursor or turns the writing around."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def one_line(text: str) -> str:
    """The same on one line."""
    return clean(" ".join(text.splitlines()))
