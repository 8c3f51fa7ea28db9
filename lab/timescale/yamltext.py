"""Edits YAML in place: only the scalars that change are replaced, every other byte stays as the author wrote it.

Loading and dumping would lose comments and change meaning on the way (`severity: yes` would come back as `true`).
"""

from __future__ import annotations

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from lab.timescale.durations import Duration
from lab.timescale.errors import InputError

MAX_CHARS = 4 * 1024 * 1024
_MAX_MERGES = 16


class YamlText:
    """One YAML document: look up nodes, note edits, get the new text."""

    def __init__(self, text: str, filename: str) -> None:
        self.text = text
        self.filename = filename
        self.root = _compose(text, filename)
        self._edits: dict[tuple[int, str], tuple[int, str]] = {}

    def error(self, node: Node, reason: str, construct: str = "", remedy: str = "") -> InputError:
        """An InputError at the node's line."""
        return InputError(reason, construct=construct, remedy=remedy, filename=self.filename, line=line_of(node))

    def entries(self, node: Node, what: str, _depth: int = 0) -> dict[str, Node]:
        """Keys and values of a mapping, those merged in by `<<` included; raise InputError for anything else."""
        if is_null(node):
            return {}
        if not isinstance(node, MappingNode) or _depth > _MAX_MERGES:
            raise self.error(node, f"{what} must be a mapping")
        own: dict[str, Node] = {}
        merged: dict[str, Node] = {}
        for key, value in node.value:
            name = str(key.value)
            if name == "<<":
                for source in value.value if isinstance(value, SequenceNode) else [value]:
                    merged = self.entries(source, what, _depth + 1) | merged
            elif name in own:
                raise self.error(key, f"{name!r} is set twice in {what}")
            else:
                own[name] = value
        return merged | own

    def items(self, node: Node | None, what: str) -> list[Node]:
        """The entries of a list (none for an absent one); raise InputError for anything else."""
        if node is None or is_null(node):
            return []
        if not isinstance(node, SequenceNode):
            raise self.error(node, f"{what} must be a list")
        return list(node.value)

    def scalar(self, node: Node, what: str) -> str:
        """The text of a scalar as the server will read it; raise InputError for a list or mapping."""
        if not isinstance(node, ScalarNode):
            raise self.error(node, f"{what} must be a single value")
        return str(node.value)

    def duration(self, node: Node, key: str) -> Duration:
        """The value of a setting as a duration; raise InputError naming the setting."""
        text = self.scalar(node, key)
        try:
            return Duration.parse(text)
        except InputError as error:
            raise self.error(node, error.reason, f"{key}: {error.construct}", error.remedy) from None

    def replace(self, node: Node, value: str, *, quoted: bool = False) -> None:
        """Note a new value for a scalar; with `quoted` it is written between single quotes."""
        if not isinstance(node, ScalarNode) or node.value == value:
            return
        start, end = node.start_mark.index, node.end_mark.index
        segment = self.text[start:end]
        while segment[:1] in ("&", "!") and segment[0:]:  # keep an anchor or tag in front of the value
            head = segment.split(None, 1)
            start += len(segment) - len(head[1]) if len(head) > 1 else len(segment)
            segment = self.text[start:end]
        end = start + len(segment.rstrip())  # a block scalar's trailing line breaks are layout
        new = "'" + value.replace("'", "''") + "'" if quoted else value
        before = self.text[start - 1 : start]
        self._note(node, start, end, new if before in ("", " ", "\n", "{", "[") else " " + new)

    def insert(self, mapping: Node, key: str, value: str) -> None:
        """Note a new first entry of a mapping that lacks it."""
        if is_null(mapping):
            self.replace(mapping, f"{{{key}: {value}}}")
            return
        assert isinstance(mapping, MappingNode)
        if mapping.flow_style:
            at = self.text.index("{", mapping.start_mark.index) + 1
            new = f"{key}: {value}, "
        else:
            first = mapping.value[0][0].start_mark
            at, new = first.index, f"{key}: {value}\n" + " " * first.column
        self._note(mapping, at, at, new, key)

    def _note(self, node: Node, start: int, end: int, new: str, key: str = "") -> None:
        # An alias reaches the same text twice: once is enough, but two different wishes cannot both be met.
        if self._edits.setdefault((start, key), (end, new)) != (end, new):
            raise self.error(node, "an anchored value is used for two settings", remedy="write it out at each place")

    def result(self) -> str:
        """The edited text; it has been read again as YAML."""
        out, done = [], 0
        for (start, _), (end, new) in sorted(self._edits.items()):
            out += [self.text[done:start], new]
            done = end
        text = "".join([*out, self.text[done:]])
        _compose(text, f"{self.filename} (compressed)")
        return text


def is_null(node: Node) -> bool:
    """True for an empty value."""
    return isinstance(node, ScalarNode) and node.tag == "tag:yaml.org,2002:null"


def line_of(node: Node) -> int:
    """Line of a node, counted from 1."""
    return int(node.start_mark.line) + 1


def _compose(text: str, filename: str) -> Node | None:
    if len(text) > MAX_CHARS:
        raise InputError(f"longer than {MAX_CHARS} characters", filename=filename)
    try:
        documents = list(yaml.compose_all(text, Loader=yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise InputError(
            f"not valid YAML: {error.problem or error.context}",
            filename=filename,
            line=mark.line + 1 if mark else 0,
        ) from None
    except yaml.YAMLError as error:
        raise InputError(f"not valid YAML: {error}", filename=filename) from None
    except RecursionError:
        raise InputError("nested too deeply", filename=filename) from None
    if more := next((node for node in documents[1:] if node is not None and not is_null(node)), None):
        said = "more than one YAML document: the servers read the first alone"
        raise InputError(said, remedy="give each a file", filename=filename, line=line_of(more))
    return documents[0] if documents else None
