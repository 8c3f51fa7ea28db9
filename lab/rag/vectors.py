"""Texts as vectors. Hashing needs no model and no download; a real embedding model is an optional extra."""

import importlib
import math
import re
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from lab.rag.errors import ConfigError

Vectors = npt.NDArray[np.float32]

WORD = re.compile(r"[^\W_]+")
COMMON = frozenset(  # words that say nothing about a text
    WORD.findall(
        "a an and are as at be but by can do does for from has have how i if in into is it its my not of on or "
        "our should so than that the their them then there these this to was we what when where which why will "
        "with you your"
    )
)
MAX_WORDS = 200  # of a text; a longer one is judged by its beginning


class Embedder(Protocol):
    """Turns texts into rows of unit length, so that a dot product is a cosine."""

    def fit(self, texts: Sequence[str]) -> None:
        """Get to know the texts that will be searched."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One row for each text."""


class HashingEmbedder:
    """Puts words and word stems into hashed, signed slots. The same on every machine and in every run."""

    def __init__(self, dimensions: int = 1024) -> None:
        self.dimensions = dimensions
        self._rarity: dict[str, float] = {}

    def fit(self, texts: Sequence[str]) -> None:
        """Learn which words are rare in these texts: they say more than those that are everywhere."""
        seen = Counter(feature for text in texts for feature, _ in _weighted(text))
        self._rarity = {feature: math.log(1 + len(texts) / count) for feature, count in seen.items()}

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One row for each text; a text without words becomes a row of zeros."""
        rows = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for slot, weight in self._features(text).items():
                row[slot] = weight
            length = float(np.sqrt(row @ row))
            if length:
                row /= length
        return rows

    def _features(self, text: str) -> dict[int, float]:
        features: dict[int, float] = {}
        for feature, weight in _weighted(text):
            hashed = zlib.crc32(feature.encode("utf-8", "surrogatepass"))
            slot = hashed % self.dimensions
            weight *= self._rarity.get(feature, 1.0)
            features[slot] = features.get(slot, 0.0) + (weight if hashed & 0x80000000 else -weight)
        return features


def _weighted(text: str) -> Iterator[tuple[str, float]]:
    words = [word for word in WORD.findall(text.lower())[:MAX_WORDS] if word not in COMMON]
    for word in dict.fromkeys(words):
        yield word, 1.0
        yield word[:5] + "~", 0.7  # a shortened word meets its other forms: restart, restarts, restarted


class SentenceEmbedder:
    """A real embedding model from sentence-transformers (extra `embeddings`); it may download its weights."""

    def __init__(self, model: str = "all-MiniLM-L6-v2") -> None:
        try:
            package = importlib.import_module("sentence_transformers")
        except ImportError:
            raise ConfigError(
                "--embedder sentence-transformers needs the extra: pip install 'monitoring-failure-lab[embeddings]'"
            ) from None
        self._model: Any = package.SentenceTransformer(model)

    def fit(self, texts: Sequence[str]) -> None:
        """Nothing to learn: the model has read more than these."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One row for each text."""
        rows: Vectors = self._model.encode(list(texts), normalize_embeddings=True, show_progress_bar=False)
        return rows.astype(np.float32)


def new_embedder(name: str) -> Embedder:
    """The embedder of this name. Raises ConfigError when its package is absent."""
    return SentenceEmbedder() if name == "sentence-transformers" else HashingEmbedder()
