"""Sums over a moving window of buckets, each bucket added once and taken away once."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterable
from operator import add, sub

from analytics.components import Components


class Sliding:
    """The sum of a moving window of cells.

    What a cell adds is taken away when the window leaves it; as all of it are integers, that is
    exact. A peak cannot be taken away, so of each those are held that may still be the highest.
    ``cells`` are those with rows, each with the number of its bucket, in order.
    """

    def __init__(self, cells: Iterable[tuple[int, Components]], empty: Components) -> None:
        self._cells = list(cells)
        self._empty = empty
        # The window has the cells from the first up to, not including, the next.
        self._first = self._next = 0
        self._counts: tuple[int, ...] = (0,) * len(empty.counts)
        self._histogram: tuple[int, ...] = ()
        self._filled = 0  # cells whose histogram is not empty
        self._durations_us: list[int] = []
        self._without_histogram = self._without_durations = 0
        self._peaks: list[deque[tuple[int, int]]] = []  # of each, falling, by number of the cell
        self._sum = empty

    def over(self, low: int, high: int) -> Components:
        """Returns the sum of the buckets from low up to, not including, high.

        Neither may be less than in the call before. The same object is returned as long as no
        cell came or went.
        """
        before = self._first, self._next
        cells = self._cells
        while self._next < len(cells) and cells[self._next][0] < high:
            self._add(self._next, cells[self._next][1])
            self._next += 1
        while self._first < self._next and cells[self._first][0] < low:
            self._drop(self._first, cells[self._first][1])
            self._first += 1
        if before != (self._first, self._next):
            self._sum = self._total()
        return self._sum

    def _add(self, number: int, cell: Components) -> None:
        self._counts = tuple(map(add, self._counts, cell.counts))
        if cell.histogram:
            known = self._histogram or (0,) * len(cell.histogram)
            self._histogram = tuple(map(add, known, cell.histogram))
            self._filled += 1
        self._without_histogram += cell.histogram is None
        self._without_durations += cell.durations_us is None
        for duration in cell.durations_us or ():
            insort(self._durations_us, duration)
        for peak, value in enumerate(cell.peaks):
            if peak == len(self._peaks):
                self._peaks.append(deque())
            highest = self._peaks[peak]
            while highest and highest[-1][1] <= value:
                highest.pop()
            highest.append((number, value))

    def _drop(self, number: int, cell: Components) -> None:
        self._counts = tuple(map(sub, self._counts, cell.counts))
        if cell.histogram:
            self._histogram = tuple(map(sub, self._histogram, cell.histogram))
            self._filled -= 1
        self._without_histogram -= cell.histogram is None
        self._without_durations -= cell.durations_us is None
        for duration in cell.durations_us or ():
            del self._durations_us[bisect_left(self._durations_us, duration)]
        for highest in self._peaks:
            if highest and highest[0][0] == number:
                highest.popleft()

    def _total(self) -> Components:
        if self._first == self._next:
            return self._empty
        histogram = self._histogram if self._filled else ()
        return Components(
            counts=self._counts,
            histogram=None if self._without_histogram else histogram,
            durations_us=None if self._without_durations else tuple(self._durations_us),
            peaks=tuple(highest[0][1] for highest in self._peaks if highest),
        )
