"""A reply that brings what is around the target: that is never there twice, in no language and no form."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Literal

import pytest

from lsp_server.chat.actions.prompt_file import PromptFile, Scope
from lsp_server.chat.actions.site import site
from lsp_server.chat.editing.edits import applied
from lsp_server.chat.editing.proposal import NoEdit
from lsp_server.chat.outcome import proposal
from lsp_server.chat.prompting.context import Context
from lsp_server.chat.replies.reply import ReplyParser
from lsp_server.documents.languages import detect
from lsp_server.documents.snapshot import Snapshot
from lsp_server.documents.syntax import parse
from tests.unit.chat.reply_forms import COMMENT, DATA, SHAPES, Place, places, replies, said

Outcome = Literal["exact", "refused", "warned", "wrong"]


def outcome(place: Place, reply: str, *, scope: Scope = "definition") -> tuple[Outcome, str]:
    """Return what becomes of a place with a reply, and the document."""
    snapshot = Snapshot("file:///project/a", place.language_id, 1, place.text)
    here = site(snapshot, parse(place.text, detect(place.language_id, "")), place.start, place.end)
    if place.kind == "signature":
        scope = "signature"
    target = here.target(scope)
    assert target is not None
    if not here.selected:  # a word, which an action takes for a place
        target = replace(target, start=place.start, end=place.end, kind="selection", name="")
    if place.kind != "signature":
        assert (target.start, target.end) == (place.start, place.end), place.kind
    parser = ReplyParser()
    parser.feed(reply)
    file = PromptFile("x", "x", "refactor.rewrite.codestral", "replace", "", scope=scope)
    made = proposal(file, target, Context(), parser.reply)
    if isinstance(made, NoEdit):
        return "refused", made.reason
    text = applied(place.text, made.edits)
    text = "".join(line for line in text.splitlines(keepends=True) if COMMENT not in line)
    if text == place.result:
        return "exact", ""
    return ("warned", made.warning) if made.warning else ("wrong", text)


if __name__ == "__main__":
    import sys
    total: Counter[str] = Counter()
    shown = 0
    for lang in (sys.argv[1:] or [*SHAPES, *DATA]):
        n: Counter[str] = Counter()
        for p in places(lang):
            for form, code in replies(p):
                o, t = outcome(p, f"```\n{code}\n```")
                n[o] += 1
                if o != "exact":
                    print(f"{o:8} {lang} | {p.kind} | {form} | {t if o != 'wrong' else ''}")
                    if o == "wrong" and shown < 12:
                        shown += 1
                        print("REPLY", code, "RESULT", t, sep="\n")
        print(lang, dict(n))
        total += n
    print(dict(total))
