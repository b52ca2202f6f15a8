"""HumanEval-Infilling through the real server: pass@1 of what an editor would insert.

    python -m tests.eval.humaneval_infilling FOLDER [--tasks 100] [--kind single_line …]

FOLDER holds `single_line.jsonl.gz`, `multi_line.jsonl.gz` and `random_span.jsonl.gz`, JSON lines
with the fields of https://github.com/openai/human-eval-infilling (MIT). The tasks are spread evenly
over each file. The server gets the text before and after the hole as an open document and is asked
for an inline completion at the hole; a task passes when the completed program passes its own tests.

The programs are written by a model and executed: run this where that is acceptable.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tests.eval.completing import completed, editor

KINDS = ("single_line", "multi_line", "random_span")
SECONDS_PER_PROGRAM = 5


@dataclass(frozen=True)
class Task:
    """One hole in one program."""

    task_id: str
    entry_point: str
    prompt: str
    suffix: str
    test: str


def tasks(folder: Path, kind: str, count: int) -> list[Task]:
    """Return `count` tasks of a kind, evenly spread over its file."""
    with gzip.open(folder / f"{kind}.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    chosen = [rows[index * len(rows) // count] for index in range(min(count, len(rows)))]
    return [Task(**{name: row[name] for name in Task.__dataclass_fields__}) for row in chosen]


def passes(task: Task, middle: str) -> bool:
    """Run the completed program against its tests in a fresh interpreter."""
    program = f"{task.prompt}{middle}{task.suffix}\n{task.test}\ncheck({task.entry_point})\n"
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-c", program],
            check=False, capture_output=True, stdin=subprocess.DEVNULL, timeout=SECONDS_PER_PROGRAM,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


async def score(folder: Path, kind: str, count: int, results: Path | None) -> tuple[int, int]:
    """Return (passed, asked) for one kind; with `results`, write a JSON line per task."""
    passed, chosen = 0, tasks(folder, kind, count)
    async with editor("infilling") as client:
        for number, task in enumerate(chosen, 1):
            started = time.monotonic()
            uri = f"file:///infilling/{task.task_id.replace('/', '-')}.py"
            middle = await completed(client, uri, "python", task.prompt, task.suffix)
            seconds = time.monotonic() - started
            good = passes(task, middle)
            passed += good
            print(f"{kind} {number}/{len(chosen)} {task.task_id} {'pass' if good else 'FAIL'} "
                  f"{seconds:.1f} s, {passed / number:.3f} so far", flush=True)  # fmt: skip
            if results is not None:
                row = {"task_id": task.task_id, "pass": good, "middle": middle, "seconds": seconds}
                with results.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(row) + "\n")
    return passed, len(chosen)


def main() -> None:
    """Score the kinds asked for and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kind", action="append", choices=KINDS, help="default: all three")
    parser.add_argument("--tasks", type=int, default=100)
    parser.add_argument("--results", type=Path, help="append a JSON line per task to this file")
    options = parser.parse_args()
    scores = {
        kind: asyncio.run(score(options.folder, kind, options.tasks, options.results))
        for kind in options.kind or KINDS
    }
    for kind, (passed, asked) in scores.items():
        print(f"{kind:12} {passed:4}/{asked:<4} pass@1 {passed / asked:.3f}")


if __name__ == "__main__":
    main()
