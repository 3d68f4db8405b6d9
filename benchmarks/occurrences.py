"""Makes occurrences of errors with bodies of about 5 KB, as plain events and as envelopes."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import repeat
from random import Random

import asyncpg
import orjson

from benchmarks.ingest import EVENTS_PER_BATCH
from benchmarks.population import PROJECT_SLUGS, drawn_rank

ERRORS = 20  # of each project
RELEASES = 5
USERS = 5_000
KEY = "0" * 32  # of the first project
_KEPT_ERRORS = 2_000

_PROVISION = """
insert into project_keys (public_key, project_id, name, events_per_minute, origins,
  refused_releases, refused_texts, refuses_legacy_browsers, takes_transactions,
  created_by, created_at)
values ($1, 1, 'benchmark', 1000000, '{}', '{}', '{}', false, false, 'benchmark', now())
"""


async def provision(url: str) -> None:
    """Gives the first project the key that the envelopes are sent with."""
    connection = await asyncpg.connect(url)
    await connection.execute(_PROVISION, KEY)
    await connection.close()


class Sender:
    """Makes occurrences of errors of a project, or of all; some errors are frequent. They happen
    now, or at any time since `age` ago."""

    def __init__(
        self,
        generator: Random,
        project: str = "",
        errors: Sequence[int] = range(ERRORS),
        age: timedelta = timedelta(),
    ) -> None:
        self._random, self._project, self._errors, self._age = generator, project, errors, age

    def batches(self) -> Iterator[bytes]:
        """Endless requests with full batches of plain events."""
        for _ in repeat(None):
            yield b"[" + b",".join(self._event() for _ in range(EVENTS_PER_BATCH)) + b"]"

    def envelopes(self) -> Iterator[bytes]:
        """Endless envelopes with one event each."""
        for _ in repeat(None):
            event_id = f"{self._random.getrandbits(128):032x}"
            fields = {"event_id": event_id, "timestamp": datetime.now(UTC).isoformat()} | {
                "user": {"id": self._user()},
                "release": self._release(),
            }
            event = orjson.dumps(fields)[:-1] + b"," + _body(self._error())[1:]
            yield b'{"event_id":"%b"}\n{"type":"event"}\n%b\n' % (event_id.encode(), event)

    def _event(self) -> bytes:
        fields = {
            "id": f"{self._random.getrandbits(128):032x}",
            "type": "error.occurred",
            "time": (datetime.now(UTC) - self._age * self._random.random()).isoformat(),
            "project": self._project or PROJECT_SLUGS[drawn_rank(self._random) - 1],
            "environment": "production",
            "release": self._release(),
            "user": self._user(),
        }
        return orjson.dumps(fields)[:-1] + b',"payload":' + _body(self._error()) + b"}"

    def _error(self) -> int:
        return self._errors[int(len(self._errors) * self._random.random() ** 3)]

    def _release(self) -> str:
        return f"shop@1.{self._random.randrange(RELEASES)}.0"

    def _user(self) -> str:
        return f"user-{self._random.randrange(USERS)}"


@lru_cache(_KEPT_ERRORS)
def _body(error: int) -> bytes:
    """The body of an error's occurrences, as the SDK for Python sends it."""
    failure = {
        "type": f"Error{error % 13}",
        "value": title_end(error),
        "mechanism": {"type": "django", "handled": False},
        "stacktrace": {"frames": [_frame(error, depth) for depth in range(9)]},
    }
    crumb = {"category": "query", "level": "info", "message": "select * from carts where id = 7"}
    return orjson.dumps(
        {
            "platform": "python",
            "level": "error",
            "transaction": f"/carts/{error % 11}",
            "exception": {"values": [failure]},
            "request": {
                "url": "https://shop.example/carts/1",
                "method": "POST",
                "headers": {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64)", "Accept": "*/*"},
            },
            "tags": {"region": "eu", "kind": "web"},
            "contexts": {"runtime": {"name": "CPython", "version": "3.13.1"}},
            "breadcrumbs": {"values": [crumb] * 6},
            "sdk": {"name": "sentry.python", "version": "2.0.0"},
        }
    )


def title_end(error: int) -> str:
    """How the titles of its occurrences end."""
    return f"no such cart {error}"


def _frame(error: int, depth: int) -> dict[str, object]:
    letters = "".join(chr(ord("a") + int(digit)) for digit in str(error))
    module = f"app.module_{error % 7}_{depth}"
    return {
        "filename": f"{module.replace('.', '/')}.py",
        "abs_path": f"/srv/{module.replace('.', '/')}.py",
        "module": module,
        "function": f"handle_{letters}_{depth}",
        "lineno": 10 + depth,
        "in_app": depth % 3 != 0,
        "context_line": "    value = self.lookup(cart, item)",
        "pre_context": ["def handle(self, cart, item):", "    # find it", "    if item is None:"],
        "post_context": ["    return value", "", "def other(self):"],
        "vars": {"self": "<Cart object>", "cart": f"'c-{error}'", "item": "12"},
    }
