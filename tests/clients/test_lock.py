"""The lock file of the JavaScript clients."""

import json

from tests.clients import node


def test_lock_file_names_no_registry() -> None:
    lock = json.loads((node.FOLDER / "package-lock.json").read_text())
    packages = lock["packages"].values()
    assert not any("resolved" in package for package in packages)
    assert all("integrity" in package for name, package in lock["packages"].items() if name)
