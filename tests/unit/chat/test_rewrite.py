"""One action that changes code: when the model is asked a second time, and what is proposed in the end."""

from __future__ import annotations

from pathlib import Path

import pytest

from lsp_server.backends.protocol import Chunk
from lsp_server.chat.actions.catalogue import load
from lsp_server.chat.actions.site import Diagnostic
from lsp_server.chat.editing.edits import applied
from lsp_server.chat.editing.proposal import NoEdit, Proposal
from lsp_server.chat.prompting.context import Context, gather
from lsp_server.chat.rewrite import CUT, Partial, Retrying, Step, rewrite
from lsp_server.errors import BackendUnavailable, RequestRejected
from lsp_server.settings import ChatSettings
from tests.support.scripted_backend import ScriptedBackend
from tests.unit.chat.drawn_site import drawn_site, problem

BEFORE = "def area(w, h):\n    re█turn w + h\n"
WHOLE = "def area(w, h):\n    return w * h\n"
BROKEN = "def area(w, h):\n    return w * (h\n"


def block(code: str) -> str:
    return f"Here it is:\n\n```python\n{code}```\n"


async def run(
    backend: ScriptedBackend,
    action: str = "refactor",
    drawn: str = BEFORE,
    root: Path | None = None,
    diagnostics: tuple[Diagnostic, ...] = (),
) -> list[Step]:
    """Return the steps but the partial ones."""
    uri = (root / "shapes.py").as_uri() if root else "file:///project/src/code"
    here = drawn_site("python", drawn, *diagnostics, uri=uri)
    file = load([]).get(action)
    assert file is not None
    target = here.target(file.scope)
    assert target is not None
    context = gather(target, file.context, 1000, root) if root else Context()
    steps = [step async for step in rewrite(backend, file, target, context, ChatSettings())]
    assert isinstance(steps[0], Partial)
    return [step for step in steps if not isinstance(step, Partial)]


def result(proposal: Step) -> str:
    assert isinstance(proposal, Proposal)
    return applied(proposal.base.text if proposal.base else proposal.disk_text, proposal.edits)


async def test_code_that_fits_is_proposed_at_once() -> None:
    backend = ScriptedBackend([block(WHOLE)])
    [proposal] = await run(backend)
    assert result(proposal) == WHOLE
    assert isinstance(proposal, Proposal)
    assert proposal.warning == ""
    assert len(backend.chats) == 1


async def test_broken_code_is_sent_back_with_the_reason() -> None:
    backend = ScriptedBackend([block(BROKEN)], [block(WHOLE)])
    retrying, proposal = await run(backend)
    assert isinstance(retrying, Retrying)
    assert result(proposal) == WHOLE
    first, second = backend.chats
    assert second.messages[: len(first.messages)] == first.messages
    said, correction = second.messages[len(first.messages) :]
    assert (said.role, correction.role) == ("assistant", "user")
    assert BROKEN in said.content
    assert retrying.reason in correction.content


async def test_what_stays_broken_is_marked() -> None:
    backend = ScriptedBackend([block(BROKEN)], [block(BROKEN)])
    [_, proposal] = await run(backend)
    assert isinstance(proposal, Proposal)
    assert proposal.warning
    assert result(proposal) == BROKEN
    assert len(backend.chats) == 2


@pytest.mark.parametrize("reply", ["I cannot do that.", block("return w * h\n")], ids=["prose", "a part"])
async def test_a_reply_that_does_not_fit_is_asked_for_again(reply: str) -> None:
    retrying, proposal = await run(ScriptedBackend([reply], [block(WHOLE)]))
    assert isinstance(retrying, Retrying)
    assert result(proposal) == WHOLE


async def test_a_second_reply_that_does_not_fit_ends_it() -> None:
    [_, nothing] = await run(ScriptedBackend(["No."], ["No, really."]))
    assert isinstance(nothing, NoEdit)
    assert nothing.text == "No, really."


async def test_a_marked_proposal_is_better_than_nothing() -> None:
    [_, proposal] = await run(ScriptedBackend([block(BROKEN)], ["Sorry."]))
    assert result(proposal) == BROKEN


async def test_the_same_code_again_is_no_edit_and_no_reason_to_ask_again() -> None:
    backend = ScriptedBackend([block(BEFORE.replace("█", ""))])
    [nothing] = await run(backend)
    assert isinstance(nothing, NoEdit)
    assert len(backend.chats) == 1


async def test_a_problem_is_still_there_if_nothing_was_changed() -> None:
    wrong = problem(BEFORE, "w + h", "undefined name")
    backend = ScriptedBackend([block(BEFORE.replace("█", ""))], [block(WHOLE)])
    retrying, proposal = await run(backend, "fix", diagnostics=(wrong,))
    assert isinstance(retrying, Retrying)
    assert "`return w + h` is still wrong: undefined name" in retrying.reason
    assert result(proposal) == WHOLE


async def test_a_reply_that_was_cut_off_is_marked_and_not_asked_for_again() -> None:
    backend = ScriptedBackend(["```python\n" + BROKEN, Chunk("", "length")])
    [proposal] = await run(backend)
    assert isinstance(proposal, Proposal)
    assert CUT in proposal.warning
    assert len(backend.chats) == 1


async def test_a_correction_that_is_refused_leaves_the_first_proposal() -> None:
    backend = ScriptedBackend([block(BROKEN)], RequestRejected("The conversation is too long.", 400))
    [_, proposal] = await run(backend)
    assert result(proposal) == BROKEN


async def test_the_first_failure_is_the_callers() -> None:
    with pytest.raises(BackendUnavailable):
        await run(ScriptedBackend(BackendUnavailable("The server is away.")))


async def test_of_new_tests_the_block_with_the_test_is_taken(tmp_path: Path) -> None:
    (tmp_path / "shapes.py").write_text(WHOLE)
    test = "def test_area():\n    assert area(2, 3) == 6\n"
    reply = f"{block(WHOLE)}\nand its test:\n\n{block(test)}"
    [proposal] = await run(ScriptedBackend([reply]), "write_tests", WHOLE.replace("retu", "re█tu"), tmp_path)
    assert isinstance(proposal, Proposal)
    assert proposal.creates
    assert proposal.uri == (tmp_path / "test_shapes.py").as_uri()
    assert "from shapes import area" in result(proposal)
    assert result(proposal).count("def area") == 0
    assert "assert area(2, 3) == 6" in result(proposal)


async def test_tests_that_assert_nothing_are_sent_back(tmp_path: Path) -> None:
    (tmp_path / "shapes.py").write_text(WHOLE)
    head = "from hamcrest import assert_that\n\n\n"
    empty, test = (f"{head}def test_area():\n    {mark}assert area(2, 3) == 6\n" for mark in ("pass  # ", ""))
    drawn = WHOLE.replace("retu", "re█tu")
    retrying, proposal = await run(
        ScriptedBackend([block(empty)], [block(test)]), "write_tests", drawn, tmp_path
    )
    assert retrying == Retrying("the tests assert nothing")
    assert isinstance(proposal, Proposal)
    assert proposal.warning == ""
    assert "    assert area(2, 3) == 6" in result(proposal)
