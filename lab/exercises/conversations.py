"""Questions with answers of known worth, from the documents that the mock service answers from; and days of scores."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from lab.exercises.traffic import DAY_S, START, Floats
from lab.rag.corpus import Document, load

PER_KIND = 100
QUERIES_A_DAY = 600
QUALITY_MEAN, QUALITY_SPREAD = 0.88, 0.06
FALL = 0.15
"""By how much the mean falls over a day on which it does."""
DROPPED = 6
"""Each sixth word is left out of a true answer: an answer is no quotation."""


class Kind(StrEnum):
    """What an answer is made of."""

    SUPPORTED = "supported by the context"
    MADE_UP = "about something else"
    HALF = "half of it made up"
    PARROT = "the question said again"


@dataclass(frozen=True)
class Conversation:
    """One query: what was asked, what was answered, and the documents that were retrieved for it."""

    kind: Kind
    question: str
    answer: str
    context: str


def conversations(seed: int = 1) -> list[Conversation]:
    """So many of each kind; the same for the same seed."""
    random = np.random.default_rng(seed)
    documents = load()
    found = []
    for kind in Kind:
        for first in random.choice(len(documents), PER_KIND, replace=False):
            found.append(_conversation(kind, documents, int(first), random))
    return found


def _conversation(kind: Kind, documents: list[Document], first: int, random: np.random.Generator) -> Conversation:
    others = [int(n) for n in random.choice(len(documents), 4, replace=False) if int(n) != first][:3]
    about, beside, *elsewhere = (documents[number] for number in (first, *others))
    question = f"What should we know about {about.title[0].lower()}{about.title[1:]}?"
    true, false = _reworded(about.text), elsewhere[0].first_sentence
    answers = {
        Kind.SUPPORTED: true,
        Kind.MADE_UP: " ".join(document.first_sentence for document in elsewhere),
        Kind.HALF: f"{_reworded(about.first_sentence)} {false}",
        Kind.PARROT: f"You asked what we should know about {about.title.lower()}. That is a good question.",
    }
    return Conversation(kind, question, answers[kind], f"{about.text} {beside.text}")


def _reworded(text: str) -> str:
    """The text without each sixth word of a sentence, in other words nearly the same."""
    sentences = re.split(r"(?<=[.!?])\s", text)
    return " ".join(
        " ".join(word for number, word in enumerate(sentence.split(), 1) if number % DROPPED) for sentence in sentences
    )


def day(seed: int, fall: float) -> tuple[Floats, Floats]:
    """Times (Unix seconds, more by day than by night) and scores of a day's queries; the mean falls by `fall`."""
    random = np.random.default_rng(seed)
    part = np.sort(random.beta(2, 2, QUERIES_A_DAY))
    scores = QUALITY_MEAN - fall * part + QUALITY_SPREAD * random.standard_normal(QUERIES_A_DAY)
    return START + part * DAY_S, np.clip(scores, 0.0, 1.0)
