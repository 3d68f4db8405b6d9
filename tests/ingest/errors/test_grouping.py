"""Occurrences of one failure are one error, whatever varies between them."""

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.errors.grouping import VERSION, Grouping, PartKind, group, searchable
from tests.effort import assert_within_times
from tests.ingest.errors.bodies import (
    exception,
    failure,
    frame,
    prepared,
    script_failure,
    script_frame,
    sent,
)

names = st.from_regex(r"[a-z_]{3,12}", fullmatch=True)
modules = st.lists(names, min_size=2, max_size=2).map(".".join)
some_examples = settings(max_examples=40, deadline=None)
traces = st.lists(st.tuples(modules, names), min_size=1, max_size=8, unique=True)


def signature(body: dict[str, Any]) -> str:
    return group(body).signature


def kinds(found: Grouping) -> list[PartKind]:
    return [part.kind for part in found.decided_by]


def occurrence(trace: list[tuple[str, str]], chance: random.Random) -> dict[str, Any]:
    """One occurrence of the failure at the trace, on a machine and at a time of its own."""
    root = chance.choice(
        ("/code", "/srv/app/releases/20260101120000", "/" + "home/ann", "/tmp/b7f3", "C:\\app")
    )
    frames = [
        frame(
            module,
            function,
            chance.randrange(9_999),
            abs_path=f"{root}/{module.replace('.', '/')}.py",
        )
        | {"vars": {"x": chance.random()}, "context_line": f"f({chance.random()})"}
        for module, function in trace
    ]
    value = (
        f"no row {chance.randrange(10**9)} on {chance.randrange(256)}.0.0.{chance.randrange(256)}"
    )
    body = failure(exception("LookupError", value, *frames)) | {
        "event_id": f"{chance.getrandbits(128):032x}",
        "timestamp": chance.random() * 2e9,
        "server_name": f"web-{chance.randrange(99)}",
        "release": f"1.{chance.randrange(99)}",
        "user": {"id": chance.randrange(999)},
        "transaction": chance.choice(("/a", "/b", None)),
    }
    keys = list(body)
    chance.shuffle(keys)
    return {key: body[key] for key in keys}


@some_examples
@given(traces, st.randoms(use_true_random=False), st.randoms(use_true_random=False))
def test_occurrences_of_one_failure_are_one_error(
    trace: list[tuple[str, str]], one: random.Random, other: random.Random
) -> None:
    assert signature(occurrence(trace, one)) == signature(occurrence(trace, other))


@some_examples
@given(traces, st.integers(0, 7), names, st.randoms(use_true_random=False))
def test_another_function_is_another_error(
    trace: list[tuple[str, str]], index: int, name: str, chance: random.Random
) -> None:
    place = index % len(trace)
    changed = [*trace[:place], (trace[place][0], f"{name}_else"), *trace[place + 1 :]]
    assert signature(occurrence(trace, chance)) != signature(occurrence(changed, chance))


@some_examples
@given(traces, names)
def test_another_type_is_another_error(trace: list[tuple[str, str]], kind: str) -> None:
    frames = [frame(module, function) for module, function in trace]
    one, other = exception(kind, "", *frames), exception(f"{kind}Else", "", *frames)
    assert signature(failure(one)) != signature(failure(other))


@some_examples
@given(traces, st.integers(1, 60), st.integers(1, 60))
def test_depth_of_a_recursion_does_not_matter(
    trace: list[tuple[str, str]], one: int, other: int
) -> None:
    def at(depth: int) -> dict[str, Any]:
        walk = [frame("tree.walk", "down"), frame("tree.walk", "each")] * depth
        return failure(
            exception("E", "", frame("tree.main", "start"), *walk, frame("tree.leaf", "read"))
        )

    assert signature(at(one)) == signature(at(other))


def test_recursion_cut_by_the_sdk_is_one_error_wherever_it_was_cut() -> None:
    walk = [frame("tree.walk", "down"), frame("tree.walk", "each")] * 30
    assert signature(failure(exception("E", "", *walk))) == signature(
        failure(exception("E", "", *walk[1:]))
    )


def test_same_error_of_two_library_versions_is_one() -> None:
    assert signature(sent("incoming")) == signature(sent("python_zero_division"))


def test_library_frames_do_not_count_where_the_app_has_frames() -> None:
    found = group(sent("python_zero_division"))
    assert found.decided_by[0].values == ("errors.views in get",)
    assert kinds(found) == [PartKind.IN_APP_FRAMES, PartKind.EXCEPTION_TYPE]


def test_message_joins_where_only_libraries_have_frames() -> None:
    wanted = [PartKind.SYSTEM_FRAMES, PartKind.EXCEPTION_TYPE, PartKind.MESSAGE_TEMPLATE]
    assert kinds(group(sent("django_template_error"))) == wanted


def test_message_joins_where_all_functions_are_anonymous() -> None:
    def at(value: str) -> dict[str, Any]:
        return script_failure(value, script_frame("https://a.example/js/app.js", "?"))

    assert signature(at("x is not a function")) != signature(at("y is undefined"))


@pytest.mark.parametrize(
    ("file", "function", "column"),
    [
        ("https://cdn.example/assets/index-Dk3_sd1a.js", "submit", 5),
        ("https://cdn.example/static/js/main.3f2a1b9c.chunk.js", "submit", 5),
        ("https://cdn.example/jquery.min.js", "submit", 5),
        ("https://cdn.example/bundle.js", "t", 5),
        ("https://cdn.example/bundle.js", "submit", 74_022),
    ],
)
def test_minified_frames_stay_out(file: str, function: str, column: int) -> None:
    found = group(script_failure("no cart", script_frame(file, function, 1, column)))
    assert kinds(found) == [PartKind.EXCEPTION_TYPE, PartKind.MESSAGE_TEMPLATE]


def test_browsers_name_the_same_function_differently() -> None:
    file = "https://shop.example/src/cart.js"
    called = ("Cart.total", "total", "async Cart.total", "Object.total [as sum]", "total/<")
    assert len({signature(script_failure("x", script_frame(file, name))) for name in called}) == 1


def test_hosts_queries_and_versions_of_scripts_do_not_matter() -> None:
    files = (
        "https://a.example/js/cart.js?v=12",
        "http://localhost:8080/js/cart.js",
        "app:///js/cart.js",
    )
    assert len({signature(script_failure("x", script_frame(file, "total"))) for file in files}) == 1


def test_chain_of_exceptions_counts() -> None:
    outer = exception("Wrapped", "", frame("app.a", "f"))
    one, other = (exception(kind, "", frame("app.b", "g")) for kind in ("Timeout", "Refused"))
    assert signature(failure(one, outer)) != signature(failure(other, outer))


def test_retries_do_not_matter() -> None:
    tried, outer = (
        exception("Timeout", "", frame("app.b", "g")),
        exception("GaveUp", "", frame("app.a", "f")),
    )
    assert signature(failure(tried, outer)) == signature(failure(tried, tried, tried, outer))


def test_order_and_number_of_a_groups_members_do_not_matter() -> None:
    a, b = exception("A", "", frame("app.a", "f")), exception("B", "", frame("app.b", "g"))
    whole = exception(
        "ExceptionGroup", "2", frame("app.m", "run"), mechanism={"is_exception_group": True}
    )
    assert signature(failure(a, b, whole)) == signature(failure(b, a, b, whole))


def test_own_fingerprint_decides_alone() -> None:
    found = group(sent("django_fingerprint"))
    assert (kinds(found), found.decided_by[0].values) == ([PartKind.CUSTOM_FINGERPRINT], ("foo",))


def test_own_fingerprint_can_extend_the_default() -> None:
    body = sent("django_fingerprint")
    extended = group({**body, "fingerprint": ["{{ default }}", "eu"]})
    assert kinds(extended)[:2] == [PartKind.CUSTOM_FINGERPRINT, PartKind.IN_APP_FRAMES]
    default = {**body, "fingerprint": ["{{default}}"]}
    assert signature(default) == signature({**body, "fingerprint": []}) != extended.signature


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("{{ error.type }}", "Refused"),
        ("{{ type }}", "Refused"),
        ("{{ error.value }}", "no"),
        ("{{ transaction }}", "/x"),
        ("{{ function }}", "g"),
        ("{{ stack.module }}", "app.b"),
        ("{{ tags.shop }}", "eu"),
        ("{{ logger }}", "<no-logger>"),
        ("{{ unknown }}", "{{ unknown }}"),
        ("a {{ level }} b", "a error b"),
    ],
)
def test_variables_of_a_fingerprint_are_filled_in(variable: str, value: str) -> None:
    thrown = exception("Refused", "no", frame("app.b", "g"), frame("lib.c", "h", in_app=False))
    body = failure(
        thrown, transaction="/x", tags={"shop": "eu"}, level="error", fingerprint=[variable]
    )
    assert group(body).decided_by[0].values == (value,)


def test_template_of_a_logged_message_decides() -> None:
    def logged(**entry: Any) -> dict[str, Any]:
        return {"platform": "python", "logentry": entry}

    one, other = (logged(message="no %s here", params=[word]) for word in ("cat", "dog"))
    assert signature(one) == signature(other)
    assert group(one).title == "no cat here"


def test_template_without_words_is_read_from_the_message() -> None:
    def logged(*params: str) -> dict[str, Any]:
        return {"logentry": {"message": "%s: %s", "params": list(params)}}

    assert signature(logged("Not Found", "/a")) == signature(logged("Not Found", "/b"))
    assert signature(logged("Not Found", "/a")) != signature(logged("Forbidden", "/a"))


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"transaction": "/users/17"}, PartKind.TRANSACTION),
        ({"culprit": "app.views"}, PartKind.CULPRIT),
        ({"platform": "go"}, PartKind.PLATFORM),
        (
            {
                "threads": {
                    "values": [{"crashed": True, "stacktrace": {"frames": [frame("a.b", "f")]}}]
                }
            },
            PartKind.IN_APP_FRAMES,
        ),
    ],
)
def test_event_without_exception_and_message_is_grouped_by_its_place(
    body: dict[str, Any], kind: PartKind
) -> None:
    assert kinds(group(body)) == [kind]


def test_what_was_cut_of_a_chain_is_no_exception() -> None:
    locals_ = {f"v{place}": [place] * 9 for place in range(200)}
    frames = [frame(f"app.m{place}", "f", vars=locals_) for place in range(20)]
    body = prepared(failure(*(exception("Lost", "no", *frames) for _ in range(3))))
    assert body["exception"]["values"][-1] == {"[cut]": "[cut: the event is too large]"}
    assert group(body).title == "Lost: no"


def test_signature_and_reasons_can_be_stored() -> None:
    found = group(sent("python_zero_division"))
    assert int(found.signature, 16) < 1 << 128
    assert found.as_json() == {
        "version": VERSION,
        "decidedBy": [
            {"part": "IN_APP_FRAMES", "values": ["errors.views in get"]},
            {"part": "EXCEPTION_TYPE", "values": ["ZeroDivisionError"]},
        ],
    }


def test_search_reads_types_messages_functions_and_files() -> None:
    text = searchable(sent("python_zero_division"))
    assert all(
        each in text for each in ("ZeroDivisionError", "division by zero", "get", "errors/views.py")
    )
    assert len(searchable(failure(exception("E", "x" * 100_000)))) <= 8_000


def test_grouping_is_fast() -> None:
    body, count = sent("dotnet_error"), 200
    group(body)

    def group_all() -> None:
        for _ in range(count):
            group(body)

    def write_all() -> None:
        for _ in range(count):
            json.dumps(body)

    assert_within_times(20, lambda: group_all, write_all)
