"""The parser of the text format: it agrees with prometheus_client's, and hostile pages are refused in one line."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from lab.lint import exposition
from lab.lint.exposition import MAX_LINE, ExpositionError, Names, parse, read, unescaped
from lab.lint.page import survey

NAMES = st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True).filter(
    lambda name: not re.search(r"_(total|sum|count|bucket|created|info)$", name) and not name.startswith("__")
)
TEXTS = st.text(st.characters(exclude_characters="\0\r", exclude_categories=("Cs",)), max_size=20)
NUMBERS = st.one_of(
    st.floats().map(repr),
    st.integers(-(10**20), 10**20).map(str),
    st.sampled_from(["+Inf", "-Inf", "NaN", "1e3", ".5", "5."]),
)
SPACES = st.sampled_from(["", " ", "\t", "  "])


def escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


@st.composite
def lines(draw: st.DrawFn) -> str:
    labels = draw(st.dictionaries(NAMES, TEXTS, max_size=4))
    space = lambda: draw(SPACES)  # noqa: E731
    pairs = [f'{name}{space()}={space()}"{escaped(value)}"' for name, value in labels.items()]
    inside = f",{space()}".join(pairs) + ("," if pairs and draw(st.booleans()) else "")
    braces = f"{{{inside}}}" if pairs or draw(st.booleans()) else ""
    stamp = f" {draw(st.integers(0, 10**13))}" if draw(st.booleans()) else ""
    return f"{draw(NAMES)}{braces} {space()}{draw(NUMBERS)}{stamp}"


PAGES = st.lists(st.one_of(lines(), lines(), st.sampled_from(["", "# a comment", "# HELP x y", "  "])), max_size=8)


def ours(page: str, size: int = 1 << 20) -> list[tuple[str, dict[str, str]]]:
    found: list[tuple[str, dict[str, str]]] = []

    def take(names: Names, values: list[bytes]) -> None:
        labels = zip(names[1], values, strict=True)
        found.append((names[0].decode(), {name.decode(): unescaped(value) for name, value in labels}))

    data = page.encode()
    chunks = [data[i : i + size] for i in range(0, len(data), size)]
    assert read(chunks, take, lambda name, kind: None) == len(found)
    return found


def theirs(page: str) -> list[tuple[str, dict[str, str]]]:
    return [(s.name, s.labels) for family in text_string_to_metric_families(page) for s in family.samples]


@given(PAGES, st.integers(1, 50))
def test_it_agrees_with_prometheus_client(page: list[str], size: int):
    text = "\n".join([*page, ""])
    expected = sorted(theirs(text), key=repr)
    assert sorted(ours(text), key=repr) == expected
    assert sorted(ours(text * 2, size), key=repr) == sorted(expected * 2, key=repr), "lines known by heart, in pieces"


@given(lines())
@example("_ 9007199254740993")
def test_values_agree(line: str):
    sample = parse(line.encode())
    # Whole numbers stay such there, beyond 2**53 too; in the format they are floats.
    (value,) = (float(s.value) for family in text_string_to_metric_families(line + "\n") for s in family.samples)
    assert sample is not None
    assert sample.value == value or (math.isnan(sample.value) and math.isnan(value))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_page_or_refused(data: bytes):
    try:
        read([data], lambda names, values: None, lambda name, kind: None)
    except ExpositionError as error:
        assert str(error).startswith("line ")
        assert str(error).isprintable()


@given(lines(), st.integers(0, 60), st.sampled_from('{}",=\\x _#'))
def test_what_is_accepted_twice_is_accepted_once(line: str, at: int, more: str):
    """A line that is known by heart is judged as one that is new: the same samples, or the same refusal."""
    spoilt = line[:at] + more + line[at:]

    def outcome(text: str) -> object:
        try:
            return ours(text)[-1:]
        except ExpositionError as error:
            return re.sub(r"line \d+", "line", str(error))

    assert outcome(f"{line}\n{spoilt}") == (outcome(spoilt) if outcome(spoilt) != [] else outcome(line))


@pytest.mark.parametrize(
    "line",
    [
        b"x", b"x{", b"x{}",
        b'x{a="1"', b'x{a="1"}', b'x{a="1} 2', b"x{a=1} 2", b'x{a="1" b="2"} 3', b'x{a="1",,b="2"} 3',
        b'x{a="1",a="2"} 3', b"x 1_000", b"x one", b"x 1 2 3", b"x 0x10", b"1x 2", b"x\xff 1", b'{} 1', b'{a="1"} 1',
        b'x{"y"} 1', b'{"x","y"} 1', b"<html>", b'x{a="1"}2_0', b"x{,} 1", b"x 1.0 1.5", b"x--1",
    ],
)  # fmt: skip
def test_what_is_no_sample_is_refused(line: bytes):
    with pytest.raises(ExpositionError, match="line 7: not a sample"):
        parse(line, 7)
    with pytest.raises(ExpositionError, match="line 2"):
        read([b"ok 1\n" + line], lambda names, values: None, lambda name, kind: None)


@pytest.mark.parametrize(
    ("line", "names", "values"),
    [
        (b'{"my.metric",a="1"} 2', (b"my.metric", (b"a",)), (b"1",)),
        (b'{"my.metric","a b"="1"} 2', (b"my.metric", (b"a b",)), (b"1",)),
        (b'x{"a.b"="1",} 2', (b"x", (b"a.b",)), (b"1",)),
        (b'x {a="}"}2', (b"x", (b"a",)), (b"}",)),
        (b'x{a="a\\"b,c=\\"d"} 2', (b"x", (b"a",)), (b'a\\"b,c=\\"d',)),
        (b"\tx\t1\t-5\t", (b"x", ()), ()),
    ],
)
def test_rare_but_right(line: bytes, names: Names, values: tuple[bytes, ...]):
    sample = parse(line)
    assert sample is not None
    assert ((sample.metric, sample.labels), sample.values) == (names, values)


def test_a_huge_line_is_refused_while_it_comes():
    pieces = 0

    def endless():
        nonlocal pieces
        yield b'ok 1\nx{a="'
        while True:
            pieces += 1
            yield b"a" * 1000

    with pytest.raises(ExpositionError, match=r"line 2 has over 65,536 bytes"):
        read(endless(), lambda names, values: None, lambda name, kind: None)
    assert pieces == MAX_LINE // 1000 + 1


def test_the_line_of_an_error_is_counted_over_pieces():
    with pytest.raises(ExpositionError, match="line 4: not a sample: x !"):
        read([b"a 1\nb", b" 2\n\n", b"x !\ny 1"], lambda names, values: None, lambda name, kind: None)


@pytest.mark.parametrize(
    "line",
    [
        b'x{a="1",b="2"} 3', b'x{a="1",b="2",} 3', b'x{a = "1" , b = "2" }  3  17', b'x{a="\\"1",b="\\\\"} 3',
        b'x{a="1\\n",b=""} 3 -5',
    ],
)  # fmt: skip
def test_lines_that_clients_write_are_known_by_heart(line: bytes, monkeypatch: pytest.MonkeyPatch):
    """Escapes, the last comma that Java's client wrote for years, timestamps: the slow way is three times as slow."""
    parsed: list[bytes] = []
    monkeypatch.setattr(exposition, "parse", lambda line, number: parsed.append(line) or parse(line, number))
    taken: list[list[bytes]] = []
    assert read([b"\n".join([line] * 3)], lambda names, values: taken.append(values), lambda name, kind: None) == 3
    assert parsed == [line]
    assert taken[0] == taken[1] == taken[2]


def test_a_quote_that_nothing_closes_is_refused_also_behind_a_line_of_the_same_shape():
    with pytest.raises(ExpositionError, match="line 2: not a sample"):
        survey([b'foo{a="b",c="d"} 1\nfoo{a="x",c="} 1\n'])


def test_a_comment_that_begins_like_a_type_is_a_comment():
    assert survey([b"# TYPES of errors: see wiki\nfoo 1\n"]).series == 1
    assert survey([b"#  TYPE foo gauge\nfoo 1\n"]).families["foo"].type == "gauge"


def test_lines_that_end_as_windows_ends_them_are_refused_with_the_remedy():
    with pytest.raises(ExpositionError, match=r"line 1 ends as Windows ends lines.*tr -d"):
        survey([b"foo 1\r\nbar 1\r\n"])
