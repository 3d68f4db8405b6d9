"""Document limits hold, and counting takes linear time."""

from dataclasses import fields, replace
from functools import partial
from pathlib import Path

import pytest
from graphql import parse

from gateway.graphql.documents.documents import BadDocument, Documents
from gateway.graphql.documents.limits import ERRORS_SHOWN, DocumentLimits, check, count
from resolvers.context import MAX_VALUES
from schema.internals import core
from tests.effort import Work, assert_done_within, assert_within_times
from tests.gateway.graphql.edge import SCHEMA

LIMITS = DocumentLimits()


def documents(limits: DocumentLimits = LIMITS) -> Documents:
    return Documents(core(SCHEMA), limits=limits)


def nested(levels: int) -> str:
    return "{" + "node{" + "child{" * (levels - 2) + "name" + "}" * (levels - 1) + "}"


def broken(text: str) -> list[str]:
    return [str((error.extensions or {})["limit"]) for error in check(count(parse(text)), LIMITS)]


def test_depth_counts_fields_from_the_root() -> None:
    assert count(parse(nested(7))).depth == 7


def test_depth_counts_through_fragments_and_not_for_inline_ones() -> None:
    text = "{node{...A ...{... on Node{name}}}} fragment A on Node{child{...B}}"
    text += " fragment B on Node{name}"
    assert count(parse(text)).depth == 3


def test_query_at_the_depth_limit_is_answered_and_one_deeper_is_not() -> None:
    assert broken(nested(LIMITS.depth)) == []
    assert broken(nested(LIMITS.depth + 1)) == ["depth"]


def test_the_usual_introspection_query_is_within_every_limit() -> None:
    from graphql import get_introspection_query

    text = get_introspection_query(input_value_deprecation=True, specified_by_url=True)
    assert documents().get(text).operations


def test_fields_of_a_fragment_count_once_for_each_spread() -> None:
    text = "{a:node{...F} b:node{...F} c:node{...F}} fragment F on Node{name x:name}"
    counts = count(parse(text))
    assert (counts.fields, counts.aliases) == (9, 6)


def test_one_fragment_twice_in_one_place_counts_once() -> None:
    text = "{node{...F ...F}} fragment F on Node{name}"
    assert count(parse(text)).fields == 2


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("{" + " ".join(f"a{i}:hello" for i in range(61)) + "}", "aliases"),
        (" ".join(f"query Q{i}{{hello}}" for i in range(11)), "operations"),
        (
            "{hello}" + " ".join(f"fragment F{i} on Query{{hello}}" for i in range(51)),
            "fragments",
        ),
        ("query(" + " ".join(f"$v{i}:Int" for i in range(51)) + "){hello}", "variables"),
        ("{hello " + "@skip(if:false)" * 51 + "}", "directives"),
        ("{" + "hello " * 42 + "}", "repeated_fields"),
        ("{" + "...{hello}" * 42 + "}", "repeated_fields"),
        ("{" + "...on Query{...{hello}}" * 42 + "}", "repeated_fields"),
    ],
)
def test_each_limit_refuses_by_its_own_name(text: str, limit: str) -> None:
    assert broken(text) == [limit]


def test_too_many_tokens_are_refused_while_they_are_read() -> None:
    with pytest.raises(BadDocument) as caught:
        documents(replace(LIMITS, tokens=100)).get("{" + "hello " * 101 + "}")
    assert (caught.value.errors[0].extensions or {})["limit"] == "tokens"


def test_too_many_comments_are_refused_while_they_are_read() -> None:
    with pytest.raises(BadDocument) as caught:
        documents(replace(LIMITS, tokens=100)).get("{hello}" + "#\n" * 102)
    assert (caught.value.errors[0].extensions or {})["limit"] == "tokens"


BOMBS = {
    # Each fragment spreads the next one twice: 2^20 fields out of a kilobyte.
    "doubling": "{node{...F0}}"
    + "".join(
        f"fragment F{i} on Node{{x:child{{...F{i + 1}}}y:child{{...F{i + 1}}}}}" for i in range(20)
    )
    + "fragment F20 on Node{name}",
    "same names": "{node{...F0}}"
    + "".join(
        f"fragment F{i} on Node{{child{{...F{i + 1}}}child{{...F{i + 1}}}}}" for i in range(20)
    )
    + "fragment F20 on Node{name}",
    "cycle": "{node{...A}} fragment A on Node{child{...B}} fragment B on Node{child{...A}}",
    "repeated": "{" + "node{name}" * 300 + "}",
    "halves": "{" + "node{child{name}child{name}}" * 100 + "}",
    "deep": "{" + "node{" * 190 + "name" + "}" * 191,
    "deeper than the parser goes": "{a" * 30_000,
    "list": "{hello(name:" + "[" * 30_000 + "}",
    "chain": "{node{...F0}}" + "".join(f"fragment F{i} on Node{{...F{i + 1}}}" for i in range(49)),
}


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS.keys())
def test_bomb_is_refused_at_once(text: str) -> None:
    """Counting each spread anew would take minutes."""

    def refuse() -> None:
        with pytest.raises(BadDocument):
            documents().get(text)

    assert_done_within(5_000_000, refuse)


def test_counting_time_grows_with_the_length_of_the_document() -> None:
    def counting(size: int) -> Work:
        text = "{" + " ".join(f"node{{...F{i} name}}" for i in range(size)) + "}"
        text += "".join(f"fragment F{i} on Node{{...F{i + 1} ...F{i + 2}}}" for i in range(size))
        return partial(count, parse(text))

    assert_within_times(60, lambda: counting(2_000), counting(200))


def test_documentation_states_every_limit() -> None:
    page = (Path(__file__).parents[4] / "docs" / "limits.md").read_text(encoding="utf-8")
    for limit in fields(LIMITS):
        assert f"| `{limit.name}` | {getattr(LIMITS, limit.name)} |" in page
    assert f"at most {MAX_VALUES:,} values" in page
    assert f"At most {ERRORS_SHOWN} errors" in page
