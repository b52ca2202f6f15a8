"""Short and empty files through the real server: is what it offers in the language of the file?

    python -m tests.eval.beginnings [--languages python sql …] [--show]

Every case (`cases.py`) is an open document with the cursor at its end, saved or untitled, in every language
that there is a grammar for, and in SQL, Make and Dockerfiles. An inline completion is asked for, and judged
(`judge.py`): right, nothing, or wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections import Counter
from collections.abc import Sequence

from lsprotocol import types
from pygls.lsp.client import LanguageClient

from tests.eval.beginnings.cases import Beginning, beginnings
from tests.eval.beginnings.judge import verdict
from tests.support.positions import utf16_position

SECONDS = 120
"""For one completion: a first request waits for the model to load."""


async def complete(client: LanguageClient, case: Beginning) -> str:
    """Open a case in the server, and return what it would insert."""
    document = types.TextDocumentItem(case.uri, case.language_id, 1, case.text)
    client.text_document_did_open(types.DidOpenTextDocumentParams(document))
    params = types.InlineCompletionParams(
        text_document=types.TextDocumentIdentifier(case.uri),
        position=utf16_position(case.text),
        context=types.InlineCompletionContext(types.InlineCompletionTriggerKind.Invoked),
    )
    answer = await asyncio.wait_for(client.text_document_inline_completion_async(params), SECONDS)
    client.text_document_did_close(types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(case.uri)))
    items = answer.items if isinstance(answer, types.InlineCompletionList) else answer or []
    return str(items[0].insert_text) if items else ""


async def run(cases: Sequence[Beginning], *, show: bool) -> Counter[tuple[str, str]]:
    """Return how often each language got each verdict."""
    client = LanguageClient("beginnings", "1")
    await client.start_io(sys.executable, "-m", "lsp_server", "--stdio", "--log-level", "warning")
    await client.initialize_async(
        types.InitializeParams(
            capabilities=types.ClientCapabilities(),
            initialization_options={"completion": {"debounce_ms": 0, "timeout_ms": 60_000}},
        )
    )
    client.initialized(types.InitializedParams())
    counts: Counter[tuple[str, str]] = Counter()
    try:
        for case in cases:
            written = await complete(client, case)
            found = verdict(case.language_id, case.text, written)
            counts[case.language_id, found] += 1
            if show or found == "wrong":
                print(f"{found:8} {case.id} → {written!r}", flush=True)
    finally:
        await client.shutdown_async(None)
        client.exit(None)
        await client.stop()  # type: ignore[no-untyped-call]
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
