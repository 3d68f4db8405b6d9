"""Title, type and culprit agree with what Sentry servers answered for the same real events."""

import pytest

from ingest.errors.grouping import group
from tests.ingest.errors.bodies import (
    answers,
    exception,
    failure,
    frame,
    script_failure,
    script_frame,
    sent,
)

NAMES = [
    "django_message_params",
    "django_template_error",
    "dotnet_error",
    "js_error_with_context",
    "js_event_with_unix_timestamp",
    "python_zero_division",
    "sentry_cli_send_event_no_level",
    "small_js_error_source",
    "very_small_event",
]
# The server applied a source map to these frames, or upstream cut them from the file.
OTHER_FRAMES = {"small_js_error_source", "js_error_with_context"}


@pytest.mark.parametrize("name", NAMES)
def test_title_agrees_with_sentry(name: str) -> None:
    assert [answer["title"] for answer in answers(name)] == [group(sent(name)).title] * len(
        answers(name)
    )


@pytest.mark.parametrize("name", NAMES)
def test_type_agrees_with_sentry(name: str) -> None:
    found = group(sent(name)).error_type
    assert answers(name)
    assert all(answer["metadata"].get("type") == found for answer in answers(name))
    assert all((answer["type"] == "error") == (found is not None) for answer in answers(name))


@pytest.mark.parametrize("name", sorted(set(NAMES) - OTHER_FRAMES))
def test_culprit_agrees_with_sentry(name: str) -> None:
    assert {answer["culprit"] for answer in answers(name)} == {group(sent(name)).culprit}


def test_culprit_agrees_with_sentry_after_a_source_map() -> None:
    (answer,) = (each for each in answers("small_js_error_source") if "exception" in each)
    body = {"platform": "javascript", "exception": answer["exception"]}
    assert group(body).culprit == answer["culprit"] == "?(src/index)"


def test_culprit_agrees_with_sentry_where_upstream_cut_the_frames() -> None:
    answer = answers("js_error_with_context")[0]
    last = script_frame("http://localhost:4201/main.js", answer["metadata"]["function"])
    assert group(script_failure("x", last)).culprit == answer["culprit"]


def test_long_title_ends_in_dots() -> None:
    title = group(failure(exception("Error", "x" * 200))).title
    assert title == f"Error: {'x' * 97}..."


def test_title_is_of_the_outermost_exception() -> None:
    found = group(failure(exception("KeyError", "'a'"), exception("Invalid", "no a\nmore")))
    assert (found.title, found.error_type) == ("Invalid: no a", "Invalid")


def test_reported_culprit_comes_first() -> None:
    body = failure(exception("E", "", frame("a.b", "f")), transaction="/x", culprit="theirs")
    assert group(body).culprit == "theirs"


def test_exception_that_a_native_sdk_made_up_is_named_by_its_function() -> None:
    crash = exception("SIGSEGV", "x", frame("m", "draw"), mechanism={"synthetic": True})
    found = group(failure(crash, platform="native"))
    assert (found.title, found.error_type, found.culprit) == ("draw", None, "")


def test_culprit_is_of_the_app_where_the_sdk_marks_all_frames() -> None:
    library = frame("json.decoder", "decode", abs_path="/usr/lib/python3.11/json/decoder.py")
    assert group(failure(exception("E", "", frame("a.b", "f"), library))).culprit == "a.b in f"
