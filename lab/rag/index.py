"""Vector search: one matrix, one product, the best few rows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lab.rag.corpus import Document
from lab.rag.errors import IndexMissingError
from lab.rag.vectors import Embedder

SEARCHED_AGAIN = "how to restart a service"  # what the readiness check looks for


@dataclass(frozen=True, slots=True)
class Found:
    """The best documents, best first, with their relevance, 0..1."""

    documents: tuple[Document, ...]
    relevance: tuple[float, ...]


class VectorIndex:
    """Exact search over all documents; for a few hundred of them nothing is faster."""

    def __init__(self, documents: Sequence[Document], embedder: Embedder) -> None:
        self.documents = tuple(documents)
        self._by_id = {document.id: document for document in documents}
        self._embedder = embedder
        titles, texts = [doc.title for doc in documents], [doc.text for doc in documents]
        embedder.fit([f"{title} {text}" for title, text in zip(titles, texts, strict=True)])
        # The title counts as much as the text, so a short title outweighs a passing mention.
        rows = embedder.embed(titles) + embedder.embed(texts)
        self._matrix = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)

    def search(self, query: str, top_k: int) -> Found:
        """The `top_k` documents nearest to the query. A cosine c counts as a relevance of (1 + c) / 2."""
        scores = self._matrix @ self._embedder.embed([query])[0]
        count = min(top_k, len(self.documents))
        best = np.argpartition(-scores, count - 1)[:count]
        best = best[np.argsort(-scores[best], kind="stable")]
        rows = best.tolist()
        return Found(
            documents=tuple(self.documents[row] for row in rows),
            relevance=tuple(round((1 + score) / 2, 4) for score in scores[best].tolist()),
        )

    def find(self, ids: Sequence[str]) -> tuple[Document, ...] | None:
        """The documents with these ids; None when one is not here (a cache may outlive a corpus)."""
        try:
            return tuple(self._by_id[id] for id in ids)
        except KeyError:
            return None

    async def ping(self) -> None:
        """Search for something; a broken index raises."""
        self.search(SEARCHED_AGAIN, 1)


class MissingIndex:
    """Stands in when the index could not be built: the service is up, but not ready."""

    def __init__(self, reason: IndexMissingError) -> None:
        self._reason = reason

    def search(self, query: str, top_k: int) -> Found:
        """Always raises IndexMissingError."""
        raise IndexMissingError(str(self._reason))

    def find(self, ids: Sequence[str]) -> tuple[Document, ...] | None:
        """Nothing is here."""
        return None

    async def ping(self) -> None:
        """Always raises IndexMissingError."""
        raise IndexMissingError(str(self._reason))
