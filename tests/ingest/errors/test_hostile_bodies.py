"""Whatever JSON stands where an error event is expected, grouping takes little time."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.errors.grouping import group, searchable
from ingest.errors.stack_texts import frames_of_text
from ingest.formats.sentry.shapes import usual_shape
from ingest.scrubbing import Rules, scrub
from tests.effort import assert_within_times
from tests.ingest.errors.bodies import exception, failure, frame, prepared, sent

KEYS = [
    *(
        "exception",
        "values",
        "type",
        "value",
        "module",
        "mechanism",
        "synthetic",
        "is_exception_group",
    ),
    *(
        "stacktrace",
        "frames",
        "function",
        "filename",
        "abs_path",
        "in_app",
        "lineno",
        "colno",
        "platform",
    ),
    *("message", "logentry", "formatted", "params", "threads", "crashed", "current", "culprit"),
    *("transaction", "fingerprint", "tags", "request", "url", "logger", "level", "package"),
]
WORDS = [
    "javascript",
    "python",
    "{{ default }}",
    "{{ tags.a }}",
    "%s %(a)s {}",
    "/a/b.py",
    "a.min.js",
    "\x00",
    "\ud800",
    "",
]
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=True),
    st.just(10**400),
    st.sampled_from(WORDS),
    st.text(max_size=20),
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5)
    ),
    max_leaves=30,
)
bodies = st.dictionaries(st.sampled_from(KEYS), values, max_size=8)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(bodies)
def test_any_body_has_a_group(body: dict[str, Any]) -> None:
    body = prepared(body)
    found = group(body)
    assert len(found.signature) == 32
    assert found.decided_by
    assert max(len(found.title), len(found.culprit)) <= 260
    assert len(searchable(body)) <= 8_000


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(bodies, st.lists(st.sampled_from(KEYS), max_size=3))
def test_any_body_has_a_group_whatever_the_rules_of_a_project_remove(
    body: dict[str, Any], names: list[str]
) -> None:
    assert group(scrub(usual_shape(body), Rules(names=tuple(names)))).signature


@settings(max_examples=60, deadline=None)
@given(
    st.data(),
    st.sampled_from(["dotnet_error", "django_message_params", "js_event_with_unix_timestamp"]),
)
def test_any_field_may_have_a_wrong_type(data: st.DataObject, name: str) -> None:
    body = sent(name)
    spot: Any = body
    for _ in range(data.draw(st.integers(1, 6))):
        choices = list(spot) if isinstance(spot, dict) else list(range(len(spot)))
        if not choices:
            break
        key = data.draw(st.sampled_from(choices))
        if not isinstance(spot[key], dict | list) or data.draw(st.booleans()):
            spot[key] = data.draw(values)
            break
        spot = spot[key]
    assert group(prepared(body)).signature


# Each with a text of its own, since texts that have been read before are remembered.
HUGE: dict[str, Callable[[str], dict[str, Any]]] = {
    "frames": lambda own: failure(
        exception("E", "x", *(frame(f"{own}{i}", f"f{i}") for i in range(20_000)))
    ),
    "exceptions": lambda own: failure(
        *(exception("E", "x", frame(f"{own}{i}", "f")) for i in range(20_000))
    ),
    "value": lambda own: failure(exception("E" * 10**6, own + "'a" * 10**6)),
    "names": lambda own: failure(
        exception("E", "", frame(own + "a.$1" * 250_000, "$Proxy1<>" * 100_000))
    ),
    "path": lambda own: failure(
        exception("E", "", frame("", own, filename="/vendor/" * 100_000, abs_path=""))
    ),
    "template": lambda own: {
        "logentry": {"message": own + "%s {} " * 100_000, "params": ["x" * 1_000] * 100}
    },
    "fingerprint": lambda own: {
        "fingerprint": ["{{ message }}" * 1_000] * 1_000,
        "message": own + "x" * 10**6,
    },
    "tags": lambda own: {"fingerprint": ["{{ tags.a }}"] * 50, "tags": [["a", own]] * 10_000},
}
# Times what JSON takes, which is in proportion to the size: what is cut takes next to nothing.
# A template is a long text in very little JSON, tags a few lists that become an object.
MOST_TIMES = dict.fromkeys(HUGE, 4.0) | {"template": 60.0, "tags": 10.0}


@pytest.mark.parametrize("name", HUGE)
def test_huge_body_takes_little_time_beside_its_json(name: str) -> None:
    sent = HUGE[name]("")

    def plain() -> None:
        json.loads(json.dumps(sent))

    assert_within_times(MOST_TIMES[name], lambda: partial(_read, HUGE[name](uuid4().hex)), plain)


def _read(sent: dict[str, Any]) -> None:
    body = usual_shape(sent)
    group(body)
    searchable(body)


TEXTS = [
    "a in ",
    "  at a.b.c.d",
    "  at f (a:1:1)\n",
    "#0 {main}\na: b in c in ",
    "x:1:in `",
    "x.y.z(a)\n\tb:1\n",
    '  File "',
]


@pytest.mark.parametrize("unit", TEXTS)
def test_hostile_stack_trace_takes_little_time_beside_a_plain_text(unit: str) -> None:
    text = unit * (1_000_000 // len(unit))
    plain = "a line of a log\n" * (1_000_000 // 16)
    assert_within_times(15, lambda: partial(frames_of_text, text), partial(frames_of_text, plain))


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["at ", "a.b", "(", ")", ":1", "\n", "\t", "Caused by: ", "File ", '"', "#0 ", " in "]
        )
    ).map("".join)
)
def test_any_text_reads_as_frames_or_none(text: str) -> None:
    for found in frames_of_text(text):
        assert found["stacktrace"]["frames"]
