"""The corpus, and finding something in it."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.rag import corpus
from lab.rag.errors import ConfigError
from lab.rag.index import VectorIndex
from lab.rag.vectors import HashingEmbedder, SentenceEmbedder


@pytest.fixture(scope="module")
def index():
    return VectorIndex(corpus.load(), HashingEmbedder())


def test_the_corpus_holds_a_few_hundred_different_notes():
    documents = corpus.load()
    assert len(documents) >= 240
    for facet in ("id", "title", "text"):
        assert len({getattr(document, facet) for document in documents}) == len(documents), facet
    sentences = [sentence for document in documents for sentence in re.split(r"(?<=[.!?])\s", document.text)]
    assert len(sentences) == len(set(sentences))


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("How do I rotate the password of a database?", "rotating-a-database-password"),
        ("Why does the alert flap, firing and resolving?", "flapping-alerts"),
        ("What does replication lag do to reads?", "replication-lag"),
        ("which labels explode the cardinality of series", "label-cardinality"),
    ],
)
def test_a_question_finds_its_note(index, question, expected):
    assert expected in [document.id for document in index.search(question, 3).documents]


def test_every_note_is_found_by_its_own_text(index):
    for document in index.documents:
        assert index.search(f"{document.title} {document.text}", 1).documents == (document,)


@given(query=st.text(max_size=300), top_k=st.integers(1, 20))
def test_any_query_gets_as_many_documents_as_it_asks_for(index, query, top_k):
    found = index.search(query, top_k)
    assert len(found.documents) == len(set(found.documents)) == top_k
    assert all(0 <= score <= 1 for score in found.relevance)
    assert list(found.relevance) == sorted(found.relevance, reverse=True)


def test_vectors_are_the_same_everywhere_and_of_unit_length():
    rows = HashingEmbedder(16).embed(["restart the service", ""])
    assert np.linalg.norm(rows[0]) == pytest.approx(1)
    assert not rows[1].any()
    # Python's own hash() differs from run to run; this would then fail now and then.
    assert np.flatnonzero(rows[0]).tolist() == [1, 2, 7]


def test_the_real_model_without_its_package_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "sentence_transformers", None)
    with pytest.raises(ConfigError, match=r"embeddings"):
        SentenceEmbedder()
