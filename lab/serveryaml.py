"""YAML as the servers read it: a scalar is the text that stands there, and goes out as it came in.

Python's reader makes `true` of `severity: on`, a date of `alert: 2024-01-01` and `1.1` of `version: 1.10`, where
Prometheus and Alertmanager, whose fields have types, take the text. Of several documents they read the first.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

TEXT = "tag:yaml.org,2002:str"
TYPED = ("null", "merge")
"""What the servers' readers know, too."""
PLAIN = re.compile(r"[A-Za-z_][\w./-]*")


class Plain(str):
    """A scalar that stood there without quotes."""

    __slots__ = ()


class _Texts(yaml.SafeLoader):
    """Gives every scalar as text, but for nothing (None) and what is merged in."""


class _Out(yaml.SafeDumper):
    """Writes texts so that they are read back as what they were."""


def load(text: str) -> Any:
    """The first document. Raises `yaml.YAMLError`."""
    return next(yaml.load_all(text, Loader=_Texts), None)


def dump(document: Any) -> str:
    """A document that `load` gave, with what was put into it."""
    return yaml.dump(document, Dumper=_Out, sort_keys=False, width=float("inf"), allow_unicode=True)


def _text(_: _Texts, node: ScalarNode) -> str:
    return Plain(node.value) if node.style is None else str(node.value)


def _untyped(loader: _Texts, _: str, node: Node) -> Any:
    """Of a tag that nobody knows: what it stands before."""
    if isinstance(node, ScalarNode):
        return str(node.value)
    if isinstance(node, SequenceNode):
        return loader.construct_sequence(node, deep=True)
    assert isinstance(node, MappingNode)
    return loader.construct_mapping(node, deep=True)


def _write(dumper: _Out, text: str) -> ScalarNode:
    plain = isinstance(text, Plain) or (PLAIN.fullmatch(text) and _is_text(text))
    return dumper.represent_scalar(TEXT, str(text), style=None if plain else '"')


def _is_text(text: str) -> bool:
    return isinstance(yaml.safe_load(text), str)


def _write_plain(dumper: _Out, value: object) -> ScalarNode:
    text = "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return dumper.represent_scalar(TEXT, text)


def _resolvers(names: tuple[str, ...]) -> Mapping[str, Any]:
    ends = tuple(f":{name}" for name in names)
    known = yaml.SafeLoader.yaml_implicit_resolvers
    kept = {first: [one for one in some if one[0].endswith(ends)] for first, some in known.items()}
    return {first: some for first, some in kept.items() if some}


_Texts.yaml_implicit_resolvers = dict(_resolvers(TYPED))
_Texts.add_constructor(TEXT, _text)
_Texts.add_multi_constructor("", _untyped)
_Out.yaml_implicit_resolvers = {}
for _texts in (str, Plain):
    _Out.add_representer(_texts, _write)
for _other in (type(None), bool, int, float):
    _Out.add_representer(_other, _write_plain)
