"""Pages: the page requests of the four arguments."""

import pytest

from resolvers.pages import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, PageArguments
from storage.errors import InvalidInput, LimitExceeded
from storage.queries.paging import PageRequest, page


def request(**given: object) -> PageRequest:
    return PageArguments(**given).request(lambda cursor, name: (name, cursor))  # type: ignore[arg-type]


def test_arguments_name_a_window() -> None:
    assert request() == PageRequest(DEFAULT_PAGE_SIZE)
    assert request(first=3, after="a") == PageRequest(3, after=("after", "a"))
    assert request(last=3, before="b") == PageRequest(3, before=("before", "b"), backward=True)
    assert request(last=3, after="a").backward


@pytest.mark.parametrize("name", ["first", "last"])
def test_size_is_bounded(name: str) -> None:
    assert request(**{name: MAX_PAGE_SIZE}).size == MAX_PAGE_SIZE
    with pytest.raises(LimitExceeded, match=str(MAX_PAGE_SIZE)):
        request(**{name: MAX_PAGE_SIZE + 1})
    with pytest.raises(InvalidInput):
        request(**{name: -1})


def test_both_directions_at_once_are_refused() -> None:
    with pytest.raises(InvalidInput):
        request(first=1, last=1)


def test_the_extra_row_tells_of_another_page() -> None:
    found = page([1, 2, 3], PageRequest(2))
    assert (found.rows, found.has_next, found.has_previous) == ([1, 2], True, False)
    found = page([3, 2, 1], PageRequest(2, backward=True))
    assert (found.rows, found.has_next, found.has_previous) == ([2, 3], False, True)
