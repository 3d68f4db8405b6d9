"""Compare links lead to the usual hosts, and nowhere else."""

import pytest

from resolvers.compare_links import compare_link

OLD, NEW = "abcdef1", "1234567"


@pytest.mark.parametrize(
    ("repository", "link"),
    [
        ("https://github.com/acme/app", "https://github.com/acme/app/compare/abcdef1...1234567"),
        ("git@github.com:acme/app.git", "https://github.com/acme/app/compare/abcdef1...1234567"),
        (
            "ssh://git@gitlab.acme.dev:2222/group/sub/app.git",
            "https://gitlab.acme.dev/group/sub/app/-/compare/abcdef1...1234567",
        ),
        (
            "https://ci:secret@bitbucket.org/acme/app/",
            "https://bitbucket.org/acme/app/branches/compare/1234567%0Dabcdef1",
        ),
        (
            "https://codeberg.org/acme/app",
            "https://codeberg.org/acme/app/compare/abcdef1...1234567",
        ),
    ],
)
def test_usual_hosts(repository: str, link: str) -> None:
    assert compare_link(repository, OLD, NEW) == link


@pytest.mark.parametrize(
    ("repository", "old"),
    [
        ("https://example.com/acme/app", OLD),
        ("acme/app", OLD),
        ("javascript:alert(1)//github.com/acme/app", OLD),
        ("https://github.com/acme/app?x=<script>", OLD),
        ("https://github.com/acme/app", None),
        ("https://github.com/acme/app", "main"),
        (None, OLD),
    ],
)
def test_no_link_for_what_is_unknown(repository: str | None, old: str | None) -> None:
    assert compare_link(repository, old, NEW) is None
