"""Code that is too long for one reply: where it is cut, and that nothing of it is lost between the parts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lsp_server.chat.actions.catalogue import load
from lsp_server.chat.actions.prompt_file import PromptFile
from lsp_server.chat.actions.site import Target
from lsp_server.chat.parts import by_parts, nothing_to_change, parts
from lsp_server.chat.prompting.wording import estimated_tokens
from tests.unit.chat.drawn_site import drawn_site
from tests.unit.chat.test_promises import COMMENTED

ACTIONS = {file.id: file for file in load([]).files}


def translate() -> PromptFile:
    return ACTIONS["translate_comments"]


def whole(language_id: str, text: str) -> Target:
    target = drawn_site(language_id, f"█{text}█").target("definition")
    assert target is not None
    return target


def test_only_actions_that_leave_code_alone_are_done_in_parts() -> None:
    assert {name for name, file in ACTIONS.items() if by_parts(file)} == {
        "translate_comments",
        "add_declared_types",
    }


IDS = {"bash": "shellscript", "tsx": "typescriptreact"}


@pytest.mark.parametrize("name", COMMENTED)
@pytest.mark.parametrize("most", [12, 30, 80])
def test_parts_are_the_target_in_order(name: str, most: int) -> None:
    text = COMMENTED[name]
    text = text + text.removeprefix("<?php\n") * 5 if name != "json" else f"[{text},\n{text}]\n"
    target = whole(IDS.get(name, name), text)
    cut = parts(translate(), target, most)
    assert len(cut) > 1 or most == 80
    at = target.start
    for part in cut:
        assert at <= part.start < part.end <= target.end
        assert nothing_to_change(translate(), replace(target, start=at, end=part.start))
        at = part.end


@pytest.mark.parametrize("most", [5, 20, 60, 200])
def test_no_part_ends_within_a_comment_or_a_string(most: int) -> None:
    comment = "".join(f"    # line {line} of one comment\n" for line in range(6))
    string = '    x = """\n' + "".join(f"line {line}\n" for line in range(6)) + '    """\n'
    body = "".join(f"    f({line})  # {line}\n" for line in range(6))
    text = "def f():\n" + (comment + string + body) * 4
    target = whole("python", text)
    cut = parts(translate(), target, most)
    for part in cut:
        assert part.text.count('"""') % 2 == 0
        assert part.text.count("of one comment") in (0, 6, 12, 18, 24)
        unbroken = 110  # estimated tokens of the comment and of the string above
        assert estimated_tokens(part.text) <= max(most, unbroken)
    assert sum(part.text.count("of one comment") for part in cut) == 24


def test_a_part_ends_where_a_block_does_rather_than_within() -> None:
    block = "def f{n}():\n    # say {n}\n    if a:\n        b()\n        c()\n    return 1\n\n\n"
    text = "".join(block.replace("{n}", str(n)) for n in range(10))
    for part in parts(translate(), whole("python", text), 60):
        assert part.text.startswith("def f")


def test_parts_without_a_comment_are_left_out() -> None:
    text = "# first\n" + "x = 1\n" * 200 + "# last\n"
    cut = parts(translate(), whole("python", text), 50)
    assert len(cut) == 2
    assert "# first" in cut[0].text and "# last" in cut[1].text


def test_what_cannot_be_cut_is_one_part() -> None:
    target = whole("python", '"""' + "one long docstring\n" * 50 + '"""\n')
    assert parts(translate(), target, 20) == (target,)


@pytest.mark.parametrize("name", COMMENTED)
def test_without_a_comment_there_is_nothing_to_do(name: str) -> None:
    assert not nothing_to_change(translate(), whole(IDS.get(name, name), COMMENTED[name]))
    bare = {"json": '{"a": 1}\n', "html": "<p>a</p>\n", "css": ".a {}\n", "yaml": "a: 1\n", "toml": "a = 1\n"}
    code = bare.get(name, "f(1)\n")
    assert nothing_to_change(translate(), whole(IDS.get(name, name), code))
    assert not nothing_to_change(ACTIONS["refactor"], whole(IDS.get(name, name), code))
