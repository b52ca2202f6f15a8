"""Code actions through the real server and a real model: is what they write usable?

    python -m tests.eval.actions [--languages python rust] [--actions fix document] [--case ID …]
                                 [--model FILE] [--json FILE] [--save FOLDER] [--compare OLD.json]

Each case is a small file (`cases/`), a place in it and an action. The file is opened in `lsp_server
--stdio`, the action is chosen from the menu, its edit is made by LSP's rules, and the result is scored
(`scoring.py`): it applies, still parses, the tests at the end of the file still pass, and what the
action is for. For `fix` the diagnostic comes from the language's own compiler or linter and
must be gone; the tests of `write_tests` are run. A case is usable if every check holds; else an edit is
needed. Besides, of edits: is what the action's prompt file promises to leave alone (`keeps`) the same, and is
every other definition and line of the file still there?

Needed besides Python: node, a JDK, rustc, g++, and for JavaScript and TypeScript a folder with
`npm install typescript@5 @types/node`, named by the variable EVAL_NODE_MODULES (its `node_modules`).
What is not there is named below the table, and its cases do not count.

What a model writes is compiled and executed: run this where that is acceptable.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.eval.actions import commit
from tests.eval.actions.case import ACTIONS, LANGUAGES, Case, cases
from tests.eval.actions.editor import editor
from tests.eval.actions.scoring import CHECKED, Attempt, Outcome, score
from tests.eval.actions.table import Result, differences, table
from tests.eval.actions.toolchains import TOOLCHAINS


async def attempt(case: Case, options: dict[str, object], folder: Path) -> Result:
    """Try a case in an empty folder."""
    tools = TOOLCHAINS[case.language]
    if missing := tools.missing():
        return Result(case.id, case.language, case.action, False, {}, 0.0, missing)
    tools.prepare(folder)
    file = folder / tools.place(case.file)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(case.text, encoding="utf-8", newline="")
    if case.is_commit:
        file = commit.stage(folder, file, case.good)
    before = tools.findings(file, folder) if case.action in CHECKED else []
    if case.bug is not None:
        before.sort(key=lambda it: case.text.split("\n")[it.line] not in case.bug_lines)
    told = before[:1] if case.action == "fix" else ()
    async with editor(folder, options) as server:
        started = time.monotonic()
        outcome = await server.run(file, case, told)
        seconds = time.monotonic() - started
    inside = {path: text for path, text in outcome.files.items() if path.is_relative_to(folder)}
    if len(inside) < len(outcome.files):
        outcome = Outcome(problem="the edit leaves the workspace")
    for path, text in outcome.files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
    result = score(Attempt(case, folder, outcome, tuple(before)))
    written = [f"==> {path.relative_to(folder)}\n{text}" for path, text in outcome.files.items()]
    return Result(
        case.id, case.language, case.action, result.usable, result.checks, round(seconds, 1),
        edit=result.edit, notes=result.notes, reply="\n".join(written) or outcome.markdown,
    )  # fmt: skip


def main() -> None:
    """Run the cases asked for and print the table."""
    chosen = _arguments()
    wanted = [
        case for case in cases()
        if case.language in chosen.languages and case.action in chosen.actions
        and (not chosen.case or case.id in chosen.case)
    ]  # fmt: skip
    local: dict[str, object] = {"model": str(chosen.model.resolve())} if chosen.model else {}
    options: dict[str, object] = {
        "backend": "local", "local": {**local, "context_tokens": 4096}, "chat": {"preview": False},
    }  # fmt: skip
    results: list[Result] = []
    with tempfile.TemporaryDirectory() as folder:
        for number, case in enumerate(wanted, 1):
            place = Path(folder).resolve() / case.id
            place.mkdir()
            result = asyncio.run(attempt(case, options, place))
            results.append(result)
            _tell(number, len(wanted), result)
            if chosen.save is not None:
                _save(chosen.save, result)
            if chosen.json is not None:  # each time: a run takes long, and what was done should not be lost
                rows = [it.to_json() for it in results]
                chosen.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    print(f"\n{table(results)}")
    subjects = [commit.subject(it.reply) for it in results if it.action == "commit_message"]
    print(f"\ndifferent first lines of commit messages: {len(set(subjects))} of {len(subjects)}")
    if chosen.compare is not None:
        print(f"\n{differences(json.loads(chosen.compare.read_text(encoding='utf-8')), results)}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--languages", nargs="+", choices=LANGUAGES, default=LANGUAGES)
    parser.add_argument("--actions", nargs="+", choices=ACTIONS, default=ACTIONS)
    parser.add_argument("--case", nargs="+", default=(), help="ids of cases, as the output has them")
    parser.add_argument("--model", type=Path, help="a GGUF file; default: the default model")
    parser.add_argument("--json", type=Path, help="write the results to this file")
    parser.add_argument("--save", type=Path, help="write what each action wrote to this folder")
    parser.add_argument("--compare", type=Path, help="results of another run, to see what has changed")
    return parser.parse_args()


def _tell(number: int, count: int, result: Result) -> None:
    failed: Sequence[str] = [name for name, holds in result.checks.items() if not holds]
    word = "usable" if result.usable else f"NO: {result.missing or ', '.join(failed)}"
    print(f"{number}/{count} {result.id} {result.seconds:.1f} s {word}", flush=True)


def _save(folder: Path, result: Result) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    text = f"{dict(result.checks)}\n{chr(10).join(result.notes)}\n\n{result.reply}\n"
    (folder / f"{result.id}.txt").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
