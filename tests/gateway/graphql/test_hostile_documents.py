"""Documents made to keep the gateway busy: within their kilobytes each is soon answered for."""

from contextlib import suppress

import pytest
from graphql.validation.rules import overlapping_fields_can_be_merged

from gateway.graphql.documents.documents import BadDocument, Documents
from schema import schema
from schema.internals import core
from tests.effort import assert_done_within

DOCUMENTS = Documents(core(schema))
KILOBYTES = 100_000
# Four times what the worst takes, and a fifth of a second of a usual machine.
MOST_STEPS = 10_000_000


def fragments(number: int, body: str) -> str:
    """So many fragments of the same body in one place: validation compares them in pairs."""
    spreads = " ".join(f"...F{n}" for n in range(number))
    definitions = " ".join(f"fragment F{n} on Viewer {{ {body} }}" for n in range(number))
    return f"{{ viewer {{ {spreads} }} }} {definitions}"


def chain(number: int, link: str) -> str:
    """Each fragment spreads the next as `link` says."""
    definitions = " ".join(
        f"fragment F{n} on Viewer {{ {link.replace('NEXT', f'...F{n + 1}')} }}"
        for n in range(number)
    )
    return f"{{ viewer {{ ...F0 }} }} {definitions} fragment F{number} on Viewer {{ subject }}"


HOSTILE = {
    "same spread twice": chain(48, "NEXT NEXT"),
    "inline fragments that double": chain(24, "... { NEXT } ... { NEXT }"),
    "fragments without end": chain(40, "NEXT") + " fragment G on Viewer { ...G }",
    "wide fragments in pairs": fragments(49, "subject roles projects { nodes { id slug name } }"),
    "deep fragments in pairs": fragments(
        49, "projects { nodes { latestDeployments { project { environments { id } } } } }"
    ),
    "fields repeated in inline fragments": "{ " + "... { viewer { subject } } " * 400 + "}",
    "trees repeated": "{ " + "viewer { projects { nodes { id slug name } } } " * 40 + "}",
    "nested inline fragments": "{ " + "... { " * 1_300 + "__typename" + " }" * 1_301,
    "fields under aliases": "{ " + " ".join(f"a{n}: __typename" for n in range(1_300)) + " }",
    "unknown fields": "{ " + " ".join(f"f{n}" for n in range(1_900)) + " }",
    "unknown fragments": "{ " + " ".join(f"...F{n}" for n in range(1_900)) + " }",
    "variables with defaults": "query ("
    + " ".join(f"$v{n}: [Int!] = [1, 2]" for n in range(400))
    + ") { __typename }",
    "list of objects": "{ deployments(filter: {and: [" + "{} " * 1_900 + "]}) { isEstimate } }",
    "nested lists": "{ nodes(ids: " + "[" * 1_900 + "]" * 1_900 + ") { id } }",
    "long text": '{ project(slug: "' + "x" * KILOBYTES + '") { slug } }',
    "long block": '{ project(slug: """' + "\n " * (KILOBYTES // 2) + '""") { slug } }',
    "long number": "{ deployments(first: " + "9" * KILOBYTES + ") { isEstimate } }",
    "long number for an id": "{ nodes(ids: [" + "9" * KILOBYTES + "]) { id } }",
    "long name": "{ " + "x" * KILOBYTES + " }",
    "comments": "#\n" * (KILOBYTES // 2) + "{ __typename }",
    "blanks": " ," * (KILOBYTES // 2) + "{ __typename }",
    "braces": "{" * KILOBYTES,
    "one directive again and again": "{ __typename " + "@skip(if: true) " * 500 + "}",
    "types": "type A { " + " ".join(f"f{n}: Int" for n in range(1_200)) + " }",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_document_is_accepted_or_refused_soon(text: str) -> None:
    """Without the limits the worst would take hours."""

    def answer() -> None:
        with suppress(BadDocument):
            assert DOCUMENTS.get(text).operations[""].measured.cost({}).points >= 0

    assert_done_within(MOST_STEPS, answer)


def test_fields_too_alike_to_compare_are_refused_by_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(overlapping_fields_can_be_merged, "MAX_COMPLEXITY_BUDGET", 10)
    with pytest.raises(BadDocument) as caught:
        DOCUMENTS.get(HOSTILE["wide fragments in pairs"] + " # anew")
    (error,) = caught.value.errors
    assert (error.extensions or {})["code"] == "LIMIT_EXCEEDED"
    assert "same fields" in error.message
