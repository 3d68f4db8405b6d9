"""A program that reads a source map from its input, and prints why it is none."""

import json
import resource
import sys


def problem(content: bytes) -> str:
    """Why the content is no source map of version 3; empty if it is one."""
    try:
        value = json.loads(content.decode())  # which takes less memory than orjson
    except ValueError as error:
        return f"The source map is not JSON in UTF-8: {error}."
    if not isinstance(value, dict) or value.get("version") != 3:
        return "This is no source map: it must be an object with `version: 3`."
    has_sources = isinstance(value.get("mappings"), str) and isinstance(value.get("sources"), list)
    if not has_sources and not isinstance(value.get("sections"), list):
        return "The source map must have `mappings` and `sources`, or `sections`."
    return ""


if __name__ == "__main__":
    most_bytes = int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_AS, (most_bytes, most_bytes))
    sys.stdout.write(problem(sys.stdin.buffer.read()))
