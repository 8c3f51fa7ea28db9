"""The score of an answer: how well each of its sentences is supported by the context."""

import re

import numpy as np

from lab.rag.corpus import load
from lab.rag.vectors import HashingEmbedder

EMBEDDER = HashingEmbedder()  # any embedder of unit rows serves; this one needs no download
EMBEDDER.fit([document.text for document in load()])


def _sentences(text):
    return [sentence for sentence in re.split(r"(?<=[.!?])\s+", text) if sentence]


def score(question, answer, context):  # noqa: ARG001
    """The mean over the answer's sentences of the similarity to the nearest sentence of the context, 0 to 1."""
    said, known = _sentences(answer), _sentences(context)
    if not said or not known:
        return 0.0
    cosines = EMBEDDER.embed(said) @ EMBEDDER.embed(known).T
    return float(np.clip(cosines.max(axis=1), 0, 1).mean())


def trend(times, scores):
    """The change over 24 h of the line that fits all scores best."""
    slope, _ = np.polyfit((times - times[0]) / 86_400, scores, 1)
    return float(slope)
