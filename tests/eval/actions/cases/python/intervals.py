"""Closed intervals of whole numbers, and a small calendar of them."""

from collections import Counter


def merge_intervals(intervals):
    merged = []
    for start, end in sorted(intervals):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def gaps(intervals, low, high):
    """Return the parts of [low, high] that no interval covers."""
    free = []
    position = low
    for start, end in merge_intervals(intervals):
        if start > position:
            free.append((position, start))
        position = max(position, end)
    if position < high:
        free.append((position, high))
    return free


def overlap(first, second):
    start = max(first[0], second[0])
    end = min(first[1], second[1])
    return max(0, end - start)


def busiest_day(events):
    counts = Counter(day for day, _ in events)
    if not counts:
        return None
    return max(sorted(counts), key=lambda day: counts[day])


class Calendar:
    """Meetings of one day, in minutes since midnight."""

    def __init__(self):
        self.meetings = []

    def book(self, start, end, title):
        for other_start, other_end, _ in self.meetings:
            if start < other_end and other_start < end:
                return False
        self.meetings.append((start, end, title))
        return True

    def first_free(self, length, opens=540, closes=1020):
        taken = [(start, end) for start, end, _ in self.meetings]
        for start, end in gaps(taken, opens, closes):
            if end - start >= length:
                return start
        return None


def self_test():
    assert merge_intervals([(5, 8), (1, 3), (2, 4)]) == [(1, 4), (5, 8)]
    assert gaps([(2, 3), (5, 6)], 0, 8) == [(0, 2), (3, 5), (6, 8)]
    assert overlap((0, 5), (3, 9)) == 2
    assert overlap((0, 1), (2, 3)) == 0
    assert busiest_day([("mon", "a"), ("tue", "b"), ("tue", "c")]) == "tue"
    assert busiest_day([]) is None
    calendar = Calendar()
    assert calendar.book(540, 600, "review")
    assert not calendar.book(570, 630, "lunch")
    assert calendar.first_free(30) == 600


if __name__ == "__main__":
    self_test()
