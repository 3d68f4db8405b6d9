"""Links to the pages on which the usual hosts of repositories compare two commits."""

import re

# By a part of the host's name; the first that fits. `a` and `b` are the commits.
_PATHS = {
    "github": "/compare/{a}...{b}",
    "gitlab": "/-/compare/{a}...{b}",
    "bitbucket": "/branches/compare/{b}%0D{a}",
    "gitea": "/compare/{a}...{b}",
    "forgejo": "/compare/{a}...{b}",
    "codeberg": "/compare/{a}...{b}",
}
_REPOSITORY = re.compile(
    r"(?:https?://(?:[^@/\s]*@)?|ssh://(?:\w+@)?|\w+@)?"
    r"(?P<host>[a-z0-9-]+(?:\.[a-z0-9-]+)+)(?::\d+(?=/))?[:/](?P<path>[\w.-]+(?:/[\w.-]+)+)/?",
    re.IGNORECASE | re.ASCII,
)
_COMMIT = re.compile(r"[0-9a-f]{7,64}", re.IGNORECASE)


def compare_link(repository: str | None, a: str | None, b: str | None) -> str | None:
    """Returns the link that compares commit `a` with the later `b`; None if it is unknown."""
    found = _REPOSITORY.fullmatch(repository or "")
    commits = [commit for commit in (a, b) if commit and _COMMIT.fullmatch(commit)]
    if found is None or len(commits) < 2:
        return None
    host = found["host"].lower()
    path = next((path for name, path in _PATHS.items() if name in host), None)
    if path is None:
        return None
    return f"https://{host}/{found['path'].removesuffix('.git')}{path.format(a=a, b=b)}"
