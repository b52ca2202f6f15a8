"""One action that changes code: when the model is asked a second time, and what is proposed in the end."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from lsp_server.backends.protocol import ChatRequest, Chunk
from lsp_server.chat.actions.catalogue import load
from lsp_server.chat.actions.prompt_file import VARIABLE
from lsp_server.chat.actions.site import Diagnostic
from lsp_server.chat.editing.edits import applied
from lsp_server.chat.editing.proposal import NoEdit, Proposal
from lsp_server.chat.outcome import COPIED
from lsp_server.chat.prompting.context import Context, gather
from lsp_server.chat.rewrite import CUT, InParts, Partial, Retrying, Step, rewrite
from lsp_server.errors import BackendUnavailable, ReplyTooLong, RequestRejected, UserFacingError
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


COMMENTED = "def area(w, h):\n    # one\n    re█turn w * h\n"


async def test_what_was_cut_off_is_never_unmarked() -> None:
    """Also where it still parses: most of a function of plain assignments does."""
    lines = [f"    x{n} = {n}\n" for n in range(40)]
    drawn = "def f():\n    re█ad()\n" + "".join(lines) + "    return x1\n"
    cut = "```python\n" + drawn.replace("█", "")[:300].rpartition("\n")[0]
    for action in ("refactor", "simplify", "optimise"):
        backend = ScriptedBackend([cut, Chunk("", "length")])
        [proposal] = await run(backend, action, drawn)
        assert isinstance(proposal, Proposal)
        assert CUT in proposal.warning and proposal.cut
        assert len(backend.chats) == 1


async def test_a_cut_documentation_comment_is_marked_too() -> None:
    backend = ScriptedBackend(['```python\n"""Return how big something', Chunk("", "length")])
    [proposal] = await run(backend, "document", BEFORE)
    assert isinstance(proposal, Proposal)
    assert proposal.warning == CUT


async def test_of_a_translation_that_changes_code_the_comments_are_taken() -> None:
    changed = "def area(width, h):\n    # eins\n    return width * h\n"
    backend = ScriptedBackend([block(changed)])
    [proposal] = await run(backend, "translate_comments", COMMENTED)
    assert result(proposal) == COMMENTED.replace("█", "").replace("one", "eins")
    assert isinstance(proposal, Proposal) and proposal.warning == ""


async def test_a_broken_promise_is_sent_back_and_stays_marked() -> None:
    renamed = "def area(w, height):\n    return w * height\n"
    backend = ScriptedBackend([block(renamed)], [block(renamed)])
    retrying, proposal = await run(backend)
    assert isinstance(retrying, Retrying) and "parameters of `area`" in retrying.reason
    assert isinstance(proposal, Proposal) and "parameters of `area`" in proposal.warning


async def test_types_with_another_default_are_sent_back() -> None:
    drawn = "def scale(x, by=2):\n    re█turn x * by\n"
    wrong, right = "def scale(x: int, by: int) -> int:\n", "def scale(x: int, by: int = 2) -> int:\n"
    retrying, proposal = await run(ScriptedBackend([block(wrong)], [block(right)]), "add_types", drawn)
    assert isinstance(retrying, Retrying)
    assert result(proposal) == f"{right}    return x * by\n"


async def test_without_comments_no_model_is_asked() -> None:
    backend = ScriptedBackend()
    drawn = "def area(w, h):\n    re█turn w * h\n"
    here = drawn_site("python", drawn)
    file = load([]).get("translate_comments")
    assert file is not None
    target = here.target(file.scope)
    assert target is not None
    steps = [step async for step in rewrite(backend, file, target, Context(), ChatSettings())]
    assert steps == [NoEdit("there is no comment in it")]
    assert backend.chats == []


def long_function(count: int) -> str:
    body = "".join(f"    # say {n}\n    value_{n} = read({n})\n" for n in range(count))
    return f"def f():\n{body}    return value_0\n"


def translated(request: ChatRequest) -> str:
    """Return what a model would answer that does as it is told."""
    code = request.messages[-1].content.rpartition("```python\n")[2].partition("```")[0]
    return block(code.replace("# say", "# sage"))


class Translator(ScriptedBackend):
    """Translates what it is asked to, as far as `room` characters of a reply go."""

    def __init__(self, room: int, *, counts: bool = False) -> None:
        super().__init__()
        self.room, self.counts = room, counts

    async def chat(self, request: ChatRequest) -> AsyncGenerator[Chunk, None]:
        self.chats.append(request)
        text = translated(request)
        if self.counts and request.must_fit and len(request.prediction or "") > self.room:
            raise ReplyTooLong("The code is longer than the reply.", 400)
        yield Chunk(text[: self.room])
        yield Chunk("", "length" if len(text) > self.room else "stop")


@pytest.mark.parametrize(("room", "counts"), [(10_000, False), (1500, True), (1500, False), (400, True)])
async def test_a_long_function_is_translated_in_parts_and_whole_in_the_end(room: int, counts: bool) -> None:
    code = long_function(120)
    here = drawn_site("python", f"█{code}█")
    file = load([]).get("translate_comments")
    assert file is not None
    target = here.target(file.scope)
    assert target is not None
    backend = Translator(room, counts=counts)
    steps = [step async for step in rewrite(backend, file, target, Context(), ChatSettings())]
    assert result(steps[-1]) == code.replace("# say", "# sage")
    assert isinstance(steps[-1], Proposal) and steps[-1].warning == "" and not steps[-1].cut
    assert [step for step in steps if isinstance(step, InParts)]


async def test_a_function_that_cannot_be_done_in_parts_is_refused_with_the_engines_words() -> None:
    words = "The code has 2000 tokens and the reply has room for 1016: select less, or raise max_tokens."
    with pytest.raises(UserFacingError, match=r"The function is too long .* or raise chat\.max_tokens\."):
        await run(ScriptedBackend(ReplyTooLong(words, 400)), "refactor")


async def test_a_part_that_fails_is_told_and_the_others_count() -> None:
    code = long_function(120)
    here = drawn_site("python", f"█{code}█")
    file = load([]).get("translate_comments")
    assert file is not None
    target = here.target(file.scope)
    assert target is not None
    backend = Translator(10_000)
    first = backend.chat

    async def chat(request: ChatRequest) -> AsyncGenerator[Chunk, None]:
        if any("say 0\n" in message.content for message in request.messages):
            yield Chunk("I will not.")
            yield Chunk("", "stop")
            return
        async for chunk in first(request):
            yield chunk

    backend.chat = chat  # type: ignore[method-assign]
    *_, proposal = [step async for step in rewrite(backend, file, target, Context(), ChatSettings())]
    assert isinstance(proposal, Proposal)
    assert "lines 1 to" in proposal.warning and "stay as they are" in proposal.warning
    text = result(proposal)
    assert "# say 0\n" in text and "# sage 119\n" in text
    assert text.replace("# sage", "# say") == code


INSTRUCTIONS = {
    "refactor": BEFORE,
    "simplify": BEFORE,
    "optimise": BEFORE,
    "document": BEFORE,
    "add_types": BEFORE,
    "translate_comments": "# be█fore\nx = 1\n",
    "generate": "# sum █two numbers\n",
}


@pytest.mark.parametrize(("action", "drawn"), INSTRUCTIONS.items())
async def test_a_reply_that_is_a_part_of_the_instructions_is_no_answer(action: str, drawn: str) -> None:
    file = load([]).get(action)
    assert file is not None
    said = max(re.findall(r"[^.:$`\n]+", VARIABLE.sub("$", file.body)), key=len)
    backend = ScriptedBackend([block(f"{said}\n")], [block(f"{said}\n")])
    [retrying, nothing] = await run(backend, action, drawn)
    assert isinstance(retrying, Retrying)
    assert isinstance(nothing, NoEdit)
    assert nothing.reason == COPIED


@pytest.mark.parametrize("said", ["return trees[path]", "def cached(path):", "files of a commit"])
async def test_a_commit_message_is_no_part_of_the_diff(said: str) -> None:
    site = drawn_site("gitcommit", "█\n# Please enter the commit message\n")
    file, target = load([]).get("commit_message"), site.target("file")
    assert file is not None
    assert target is not None
    context = Context({"staged_diff": "+def cached(path):\n+    return trees[path]\n"})
    backend = ScriptedBackend([f"```\n{said}\n```"], ["```\nKeep parsed files in a cache\n```"])
    steps = rewrite(backend, file, target, context, ChatSettings())
    last = [step async for step in steps][-1]
    assert len(backend.chats) == 2
    assert result(last).startswith("Keep parsed files in a cache\n")
