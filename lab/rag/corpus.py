"""The documents that answers are made from: short notes about running software services."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from lab.rag.errors import IndexMissingError

SHIPPED = Path(__file__).with_name("corpus.jsonl")


@dataclass(frozen=True, slots=True)
class Document:
    """One note; `tokens` and `first_sentence` are worked out once, not for each query."""

    id: str
    title: str
    text: str
    tokens: int
    first_sentence: str


def load(path: Path | None = None) -> list[Document]:
    """Read a corpus of JSON lines with `id`, `title` and `text`. Raises IndexMissingError."""
    path = path or SHIPPED
    try:
        lines = path.read_text("utf-8").splitlines()
        documents = [_document(json.loads(line)) for line in lines if line.strip()]
    except OSError as error:
        raise IndexMissingError(f"{path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise IndexMissingError(f"{path}: not a corpus of JSON lines: {error}") from error
    if not documents:
        raise IndexMissingError(f"{path}: no documents in it")
    return documents


def _document(fields: dict[str, str]) -> Document:
    text = fields["text"]
    return Document(
        id=fields["id"],
        title=fields["title"],
        text=text,
        tokens=len(text) // 4 + 1,
        first_sentence=re.split(r"(?<=[.!?])\s", text, maxsplit=1)[0],
    )
