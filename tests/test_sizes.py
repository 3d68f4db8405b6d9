"""Files and functions above the size limits are listed."""

from pathlib import Path

from tests import sizes


def test_large_files_long_functions_and_many_parameters_are_listed(tmp_path: Path) -> None:
    folder = tmp_path / "storage"
    folder.mkdir()
    long = "def long():\n" + "    pass\n" * sizes.FUNCTION_LINES
    many = "def many(a, b, c, d, *, e, f): ...\n"
    fine = "class One:\n    def fine(self, a, b, c, d, e): ...\n"
    (folder / "some.py").write_text(long + many + fine)
    (folder / "large.py").write_text("\n" * (sizes.FILE_LINES + 1))
    found = sizes.measure(tmp_path)
    assert sorted(found.functions) == [1, 1, sizes.FUNCTION_LINES + 1]
    assert found.outliers == [
        "storage/large.py: 301 lines",
        "storage/some.py::long: 71 lines",
        "storage/some.py::many: 6 parameters",
    ]
