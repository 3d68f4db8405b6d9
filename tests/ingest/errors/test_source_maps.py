"""Frames of minified scripts become frames of their sources."""

import json
import os
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import map_check, source_maps
from ingest.errors.source_maps import (
    Original,
    Spot,
    apply,
    check_map,
    script_urls,
    spots_of,
)
from ingest.formats.sentry.shapes import usual_shape
from storage.errors import InvalidInput, Unavailable
from tests.scripts import MAP, body, frames


def with_sources(sent: dict[str, Any], find: Any) -> tuple[dict[str, Any], bool]:
    mapped = deepcopy(sent)
    return mapped, apply(mapped, find)


def original(function: str | None, name: str | None = None, **more: Any) -> Original:
    place = {"url": "~/static/checkout.min.js", "source": "../src/prices.ts", "line": 11}
    return Original(**{**place, "column": 5, "function": function, "name": name, **more})


def test_each_frame_with_a_line_and_a_column_is_a_spot() -> None:
    first, *others = spots_of(body())
    assert first == Spot(
        ("https://shop.example.com/static/checkout.min.js", "~/static/checkout.min.js"), 1, 357
    )
    assert [each.column for each in others] == [341, 268, 161, 71]
    hidden = {"lineno": 1, "colno": "[secret]", "abs_path": "/a.js"}  # by a rule of the project
    for frame in ({"lineno": 1}, hidden):
        assert not [*spots_of({"exception": {"values": [{"stacktrace": {"frames": [frame]}}]}})]


@pytest.mark.parametrize(
    ("path", "urls"),
    [
        ("https://a.example/x/app.js?v=1#top", ["https://a.example/x/app.js", "~/x/app.js"]),
        ("app:///dist/app.js", ["app:///dist/app.js", "~/dist/app.js"]),
        ("file:///srv/app.js", ["file:///srv/app.js", "~/srv/app.js"]),
        ("/srv/app.js", ["~/srv/app.js"]),
        ("static/app.js", ["~/static/app.js"]),
        ("~/app.js", ["~/app.js"]),
        ("<anonymous>", []),
        ("node:internal/modules", []),
        ("native", []),
        ("http://[bad", []),
        ("", []),
        ("x" * 5000, []),
    ],
)
def test_a_script_is_found_by_its_url_and_by_its_path(path: str, urls: list[str]) -> None:
    assert script_urls(path) == urls


def test_frames_are_replaced_and_kept_beside() -> None:
    sent = body(release="1.2.3")
    shown = original(
        "totalOf", lines_before=["a\n"], context_line="throw it\n", lines_after=["b\n"]
    )
    mapped, complete = with_sources(sent, lambda _spot: shown)
    assert complete
    (exception,) = mapped["exception"]["values"]
    assert exception["raw_stacktrace"] == {"frames": frames()}
    assert exception["stacktrace"]["frames"][-1] == {
        "function": "totalOf",
        "filename": "src/prices.ts",
        "abs_path": "~/src/prices.ts",
        "lineno": 11,
        "colno": 5,
        "in_app": True,
        "pre_context": ["a"],
        "context_line": "throw it",
        "post_context": ["b"],
    }
    assert {name: mapped[name] for name in ("platform", "release")} == {
        "platform": "javascript",
        "release": "1.2.3",
    }


def test_frames_that_nobody_knows_stay_and_can_be_mapped_later() -> None:
    def partly(spot: Spot) -> Original | None:
        return original("totalOf") if spot.column == 71 else None

    once, complete = with_sources(body(), partly)
    assert not complete
    (exception,) = once["exception"]["values"]
    functions = [frame["function"] for frame in exception["stacktrace"]["frames"]]
    assert functions == ["<anonymous>", "u", "o.submitOrder", "s", "totalOf"]
    twice, complete = with_sources(once, lambda spot: original(f"at {spot.column}"))
    assert complete
    (exception,) = twice["exception"]["values"]
    functions = [frame["function"] for frame in exception["stacktrace"]["frames"]]
    assert functions == ["at 357", "at 341", "at 268", "at 161", "at 71"]
    assert exception["raw_stacktrace"] == {"frames": frames()}
    same, complete = with_sources(body(), lambda _spot: None)
    assert (same, complete) == (body(), False)


def test_a_function_without_a_name_is_called_as_its_caller_does() -> None:
    names = {357: "main", 341: None, 268: "applyDiscount", 161: "totalOf", 71: None}
    mapped, _ = with_sources(body(), lambda spot: original(None, names[spot.column]))
    (exception,) = mapped["exception"]["values"]
    functions = [frame["function"] for frame in exception["stacktrace"]["frames"]]
    assert functions == ["<anonymous>", "main", "o.submitOrder", "applyDiscount", "totalOf"]


@pytest.mark.parametrize(
    ("url", "source", "path"),
    [
        ("~/static/app.js", "../src/a.ts", "~/src/a.ts"),
        ("~/static/app.js", "a.ts", "~/static/a.ts"),
        ("~/app.js", "../../../a.ts", "~/a.ts"),
        ("~/app.js", "/src/a.ts", "~/src/a.ts"),
        ("~/app.js", "webpack://shop/./src/a.ts", "webpack://shop/./src/a.ts"),
        ("https://a.example/static/app.js", "../src/a.ts", "https://a.example/src/a.ts"),
    ],
)
def test_sources_are_relative_to_the_script(url: str, source: str, path: str) -> None:
    mapped, _ = with_sources(body(), lambda _spot: original("f", url=url, source=source))
    frame = mapped["exception"]["values"][0]["stacktrace"]["frames"][0]
    assert frame["abs_path"] == path
    assert frame["filename"] == path.removeprefix("~/")


def test_libraries_are_not_the_apps_own() -> None:
    mapped, _ = with_sources(
        body(), lambda _spot: original("f", source="../node_modules/react/index.js")
    )
    assert not mapped["exception"]["values"][0]["stacktrace"]["frames"][0]["in_app"]


def test_lines_of_sources_are_scrubbed() -> None:
    line = 'const login = { password: "hunter2-canary" }; // ada@example.com'
    mapped, _ = with_sources(body(), lambda _spot: original("f", context_line=line))
    assert "ada@example.com" not in str(mapped)


KEYS = (
    *("exception", "threads", "values", "stacktrace", "raw_stacktrace", "frames"),
    *("lineno", "colno", "filename", "abs_path", "function"),
)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
JSON = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4)
    ),
    max_leaves=15,
)


@given(st.dictionaries(st.sampled_from(["exception", "threads", "release"]), JSON))
def test_bodies_of_any_shape_are_read(sent: dict[str, Any]) -> None:
    sent = usual_shape(sent)
    mapped, _ = with_sources(sent, lambda _spot: original("f"))
    assert mapped.keys() == sent.keys()
    same, _ = with_sources(sent, lambda _spot: None)
    assert json.dumps(same) == json.dumps(sent)


def test_a_real_map_is_accepted() -> None:
    check_map(MAP)
    check_map(b'{"version": 3, "sections": []}')


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"nonsense",
        b"[]",
        b'{"mappings": "", "sources": []}',
        b'{"version": 2, "mappings": "", "sources": []}',
        b'{"version": 3, "sources": []}',
        b'{"version": 3, "mappings": 5, "sources": []}',
        b'{"version": 3, "sections": {}}',
        b"\xff\xfe",
    ],
)
def test_what_is_no_source_map_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidInput):
        check_map(content)


def test_a_map_that_takes_too_much_to_read_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few bytes of JSON may stand for an object of seventy."""
    monkeypatch.setattr(source_maps, "CHECK_BYTES", 200_000_000)
    check_map(b'{"version": 3, "sections": []' + b" " * 12_000_000 + b"}")
    with pytest.raises(InvalidInput, match="too much"):
        check_map(b'{"version": 3, "sections": [' + b"[]," * 4_000_000 + b"[]]}")


def test_a_reader_that_has_no_time_or_cannot_begin_says_nothing_about_the_map(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(source_maps, "CHECK_SECONDS", 0.0)
        with pytest.raises(Unavailable):
            check_map(MAP)
    monkeypatch.setattr(sys, "executable", "/no/such/program")
    with pytest.raises(Unavailable):
        check_map(MAP)


def test_a_reader_that_is_killed_says_nothing_about_the_map(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = tmp_path / "killed.py"
    killed.write_text("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    monkeypatch.setattr(map_check, "__file__", os.fspath(killed))
    with pytest.raises(Unavailable):
        check_map(MAP)
