"""Plausible, and wrong: an answer that is like the question need not be true."""

from lab.rag.corpus import load
from lab.rag.vectors import HashingEmbedder

EMBEDDER = HashingEmbedder()
EMBEDDER.fit([document.text for document in load()])


def score(question, answer, context):  # noqa: ARG001
    asked, said = EMBEDDER.embed([question, answer])
    return min(max(float(asked @ said), 0.0), 1.0)


def trend(times, scores):
    return float((scores[-1] - scores[0]) / (times[-1] - times[0]) * 86_400)
