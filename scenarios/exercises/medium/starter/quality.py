"""Fill in both functions. `lab.rag.vectors.HashingEmbedder` turns texts into vectors without a download."""


def score(question, answer, context):
    """How well the answer is supported by the context, from 0 to 1; below 0.7 it is a bad answer."""
    raise NotImplementedError


def trend(times, scores):
    """By how much the quality changes over 24 h. `times`: Unix seconds, of single queries; numpy arrays."""
    raise NotImplementedError
