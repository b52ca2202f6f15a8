"""The counters of a session as plain values, and as Markdown for people."""

from __future__ import annotations

from typing import Any

from lsp_server.completion.stats import BackendStats, Stats, median_and_p90


def values(stats: Stats) -> dict[str, Any]:
    """Return the counters as JSON values; what is not known is None."""
    known = [backend for backend in stats.backends.values() if backend.counted_answers]
    evaluated = sum(backend.evaluated_tokens for backend in known)
    return {
        "requests": stats.requests,
        "shown": stats.shown,
        "from_model": stats.sources["backend"],
        "from_cache": stats.sources["cache"],
        "typed_through": stats.sources["typed_through"],
        "accepted": stats.accepted,
        "accepted_in_part": stats.accepted_in_part,
        "accepted_characters": stats.accepted_characters,
        "nothing": {reason.name.lower(): count for reason, count in stats.nothing.most_common()},
        "evaluated_tokens_per_request": evaluated / stats.requests if known and stats.requests else None,
        "backends": {name: _backend(backend) for name, backend in stats.backends.items()},
    }


def markdown(stats: Stats) -> str:
    """Return the counters as Markdown."""
    shown = values(stats)
    lines = [
        "# Completions of this session",
        "",
        "| | |",
        "| --- | ---: |",
        f"| requests | {stats.requests} |",
        f"| answered by a model | {shown['from_model']} |",
        f"| … from the cache | {shown['from_cache']} |",
        f"| … with what is left of a completion that is typed | {shown['typed_through']} |",
        f"| different completions shown | {stats.shown} |",
        f"| accepted as a whole | {stats.accepted} |",
        f"| accepted in part | {stats.accepted_in_part} |",
        f"| characters accepted | {stats.accepted_characters} |",
    ]
    if (tokens := shown["evaluated_tokens_per_request"]) is not None:
        lines.append(f"| prompt tokens evaluated per request | {tokens:.1f} |")
    if stats.backends:
        lines += ["", "| backend | answers | median | 9 of 10 within | tokens evaluated | written |"]
        lines.append("| --- | ---: | ---: | ---: | ---: | ---: |")
        lines += [_row(name, backend) for name, backend in stats.backends.items()]
    if stats.nothing:
        lines += ["", "| why nothing was shown | requests |", "| --- | ---: |"]
        lines += [f"| {reason.value} | {count} |" for reason, count in stats.nothing.most_common()]
    return "\n".join([*lines, ""])


def _backend(backend: BackendStats) -> dict[str, Any]:
    times = median_and_p90(backend.times_ms)
    known = backend.counted_answers > 0
    return {
        "answers": backend.answers,
        "median_ms": round(times[0], 1) if times else None,
        "p90_ms": round(times[1], 1) if times else None,
        "prompt_tokens": backend.prompt_tokens if known else None,
        "evaluated_tokens": backend.evaluated_tokens if known else None,
        "completion_tokens": backend.completion_tokens if known else None,
    }


def _row(name: str, backend: BackendStats) -> str:
    found = _backend(backend)
    cells = [
        name.replace("|", "\\|"),
        backend.answers,
        f"{found['median_ms']:.0f} ms" if found["median_ms"] is not None else "",
        f"{found['p90_ms']:.0f} ms" if found["p90_ms"] is not None else "",
        *(
            "not known" if found[key] is None else found[key]
            for key in ("evaluated_tokens", "completion_tokens")
        ),
    ]
    return f"| {' | '.join(map(str, cells))} |"
