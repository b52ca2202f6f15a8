"""Short and empty files through the real server: is what it offers in the language of the file?

    python -m tests.eval.beginnings [--languages python sql …] [--show]

Every case (`cases.py`) is an open document with the cursor at its end, saved or untitled, in every language
that there is a grammar for, and in SQL, Make and Dockerfiles. An inline completion is asked for, and judged
(`judge.py`): right, nothing, or wrong.
"""

from __future__ import annotations

import argparse
import asyncio
from collections import Counter
from collections.abc import Sequence

from tests.eval.beginnings.cases import Beginning, beginnings
from tests.eval.beginnings.judge import verdict
from tests.eval.completing import completed, editor


async def run(cases: Sequence[Beginning], *, show: bool) -> Counter[tuple[str, str]]:
    """Return how often each language got each verdict."""
    counts: Counter[tuple[str, str]] = Counter()
    async with editor("beginnings") as client:
        for case in cases:
            written = await completed(client, case.uri, case.language_id, case.text)
            found = verdict(case.language_id, case.text, written)
            counts[case.language_id, found] += 1
            if show or found == "wrong":
                print(f"{found:8} {case.id} → {written!r}", flush=True)
    return counts


def main() -> None:
    """Ask for all cases and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--languages", nargs="+", help="language ids; default: all")
    parser.add_argument("--show", action="store_true", help="print every completion, not only the wrong ones")
    chosen = parser.parse_args()
    cases = [case for case in beginnings() if not chosen.languages or case.language_id in chosen.languages]
    counts = asyncio.run(run(cases, show=chosen.show))
    for language_id in dict.fromkeys(case.language_id for case in cases):
        row = [f"{counts[language_id, found]} {found}" for found in ("right", "nothing", "wrong")]
        print(f"{language_id:16} {', '.join(row)}")
    wrong = sum(count for (_, found), count in counts.items() if found == "wrong")
    nothing = sum(count for (_, found), count in counts.items() if found == "nothing")
    print(f"right or nothing: {len(cases) - wrong}/{len(cases)}, nothing: {nothing}/{len(cases)}")


if __name__ == "__main__":
    main()
