"""Content encodings: whole bodies are read, damaged ones refused, and bombs stopped early."""

import gzip
import os
import zlib
from collections.abc import Callable
from functools import partial

import brotli
import pytest
import zstandard

from ingest.bodies import decoded
from storage.errors import InvalidInput, TooLarge
from tests.effort import Work, assert_within_times

COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": partial(brotli.compress, quality=4),
    "zstd": zstandard.compress,
}
BODY = os.urandom(100_000) + b"abc" * 100_000


@pytest.mark.parametrize("name", COMPRESSORS)
@pytest.mark.parametrize("body", [b"", b"x", BODY])
def test_a_body_is_what_was_compressed(name: str, body: bytes) -> None:
    assert decoded(COMPRESSORS[name](body), name) == body
    assert decoded(COMPRESSORS[name](body), name, limit_bytes=len(body)) == body


@pytest.mark.parametrize("name", COMPRESSORS)
def test_damaged_bodies_are_refused(name: str) -> None:
    good = COMPRESSORS[name](BODY)
    middle = len(good) // 2
    for bad in (good[:-1], good[:5], b"no stream at all", good[:middle]):
        with pytest.raises(InvalidInput):
            decoded(bad, name)


@pytest.mark.parametrize("name", COMPRESSORS)
def test_a_bomb_is_stopped_at_the_limit(name: str) -> None:
    """A hundredth of it is read."""
    bomb, whole = (COMPRESSORS[name](bytes(size)) for size in (100_000_000, 1_000_000))

    def refuse() -> None:
        with pytest.raises(TooLarge):
            decoded(bomb, name, limit_bytes=1_000_000)

    assert_within_times(30, lambda: refuse, partial(decoded, whole, name))


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_streams_that_follow_one_another_are_one_body(name: str) -> None:
    parts = [COMPRESSORS[name](part) for part in (b"one, ", b"", b"two")]
    assert decoded(b"".join(parts), name) == b"one, two"


def test_a_body_of_empty_frames_takes_little_time() -> None:
    def refuse(frames: int) -> Work:
        body = zstandard.compress(b"") * frames

        def work() -> None:
            with pytest.raises(InvalidInput):
                decoded(body, "zstd")

        return work

    assert_within_times(4, lambda: refuse(500_000), refuse(62_500))


def test_encodings_are_undone_from_the_last_to_the_first() -> None:
    assert decoded(brotli.compress(gzip.compress(b"a")), "gzip, br") == b"a"


def test_another_encoding_is_refused_by_name() -> None:
    with pytest.raises(InvalidInput, match="compress"):
        decoded(b"", "compress")
