"""Durations written by people: `1h 30m`, `45s`, `2d`."""

import re

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class DurationError(ValueError):
    pass


def parse_duration(text):
    total = 0
    position = 0
    for match in re.finditer(r"\s*(\d+)\s*([smhd])", text):
        if match.start() != position:
            raise DurationError(f"not a duration: {text!r}")
        total += int(match.group(1)) * SECONDS[match.group(2)]
        position = match.end()
    if position == 0 or text[position:].strip():
        raise DurationError(f"not a duration: {text!r}")
    return total


def format_duration(seconds, separator=" "):
    parts = []
    for unit in ("d", "h", "m", "s"):
        count, seconds = divmod(seconds, SECONDS[unit])
        if count:
            parts.append(f"{count}{unit}")
    return separator.join(parts) or "0s"


def clamp(value, lowest, highest):
    if lowest > highest:
        raise ValueError("lowest is greater than highest")
    return max(lowest, min(value, highest))


def backoff_delays(attempts, first="1s", limit="1m"):
    delay = parse_duration(first)
    longest = parse_duration(limit)
    delays = []
    for _ in range(attempts):
        delays.append(clamp(delay, 0, longest))
        delay *= 2
    return delays


def self_test():
    assert parse_duration("1h 30m") == 5400
    assert parse_duration("2d") == 172800
    assert format_duration(5400) == "1h 30m"
    assert format_duration(0) == "0s"
    assert format_duration(90061, ":") == "1d:1h:1m:1s"
    assert clamp(7, 0, 5) == 5
    assert backoff_delays(4, "20s") == [20, 40, 60, 60]
    for wrong in ("", "abc", "5", "1h x"):
        try:
            parse_duration(wrong)
        except DurationError:
            continue
        raise AssertionError(wrong)


if __name__ == "__main__":
    self_test()
