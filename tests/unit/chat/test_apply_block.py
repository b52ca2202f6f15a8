"""Which file a code block of a chat is for, and what it changes there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lsp_server.chat.chats.answer_writer import AnswerText
from lsp_server.chat.chats.apply_block import Aim, AimedBlock, best_aim, block_at, proposal, target_file
from lsp_server.chat.chats.conversation import CUT, parse
from lsp_server.chat.editing.edits import applied
from lsp_server.documents.snapshot import Snapshot
from lsp_server.errors import UserFacingError

CHAT = "# Chat\n\n> system: x\n\n## You\n\nSee [a.py:3-9](a.py) and [b](src/b.ts).\n\n## Model\n\n"

CIRCLE = '''\
import math


class Circle:
    """A circle."""

    def __init__(self, r):
        self.r = r

    def area(self):
        return self.r

    def width(self):
        return self.r


def area(r):
    return Circle(r).area()


LIMIT = 3
'''


def _aims(fence: str) -> tuple[Aim, ...] | None:
    text = f"{CHAT}Like this:\n\n```{fence}\nx = 1\n```\n\nDone.\n"
    conversation = parse(text)
    assert conversation is not None
    inside, outside = text.index("x = 1"), text.index("Done.")
    assert block_at(conversation, outside) is None
    assert block_at(conversation, text.index("See")) is None
    block = block_at(conversation, inside)
    assert block is not None
    assert block == block_at(conversation, text.index("```"))
    assert block.code == "x = 1\n"
    return block.aims


def _named(path: str, first: int | None = None, last: int | None = None) -> tuple[Aim, ...]:
    return (Aim(path, first, last, may_create=True),)


@pytest.mark.parametrize(
    ("fence", "aims"),
    [
        ("python src/a.py", _named("src/a.py")),
        ("python src/a.py:10-40", _named("src/a.py", 10, 40)),
        ("python src/a.py#L3", _named("src/a.py", 3, 3)),
        ('py title="a.py"', _named("a.py")),
        ("python file=my file.py", _named("my file.py")),
        ("python:src/a.py", _named("src/a.py")),
        ("src/a.py", _named("src/a.py")),
        ("a.py:3-4", _named("a.py", 3, 4)),
        ("python", (Aim("a.py", 3, 9),)),
        ("py", (Aim("a.py", 3, 9),)),
        ("ts", (Aim("src/b.ts"),)),
        ("", (Aim("a.py", 3, 9), Aim("src/b.ts"))),
        ("bash", ()),
        ("console", ()),
        ("python {linenos=true}", (Aim("a.py", 3, 9),)),
    ],
)
def test_what_a_block_may_be_for(fence: str, aims: tuple[Aim, ...]) -> None:
    assert _aims(fence) == aims


def test_a_block_with_protected_lines_and_line_ends() -> None:
    text = (CHAT + "```md a.md\n\\## You\n\nx\n```\n").replace("\n", "\r\n")
    conversation = parse(text)
    assert conversation is not None
    block = block_at(conversation, text.rindex("x"))
    assert block is not None
    assert block.code == "## You\n\nx\n"


def _after(text: str, code: str, lines: tuple[int, int] = (0, 0), name: str = "circle.py") -> tuple[str, str]:
    """Return the text with a block applied, and what it is marked with."""
    snapshot = Snapshot(f"file:///w/{name}", "", 1, text)
    aim = Aim(name, *lines) if lines != (0, 0) else Aim(name)
    target = target_file(aim, Path("/w"), (snapshot,))
    found = proposal(AimedBlock(code, (aim,)), aim, target)
    assert (found.base, found.creates, found.uri) == (snapshot, False, snapshot.uri)
    return applied(text, found.edits), found.warning


def test_a_function_takes_the_place_of_its_old_version() -> None:
    after = _after(CIRCLE, "def area(r):\n    return math.pi * r\n")
    assert after == (CIRCLE.replace("Circle(r).area()", "math.pi * r"), "")


def test_a_method_alone_takes_the_place_of_its_old_version() -> None:
    after = _after(CIRCLE, "def width(self):\n    return 2 * self.r\n")
    assert after == (
        CIRCLE.replace("width(self):\n        return self.r", "width(self):\n        return 2 * self.r"),
        "",
    )


def test_the_lines_tell_which_of_two_is_meant() -> None:
    after, _ = _after(CIRCLE, "def area(self):\n    return 1\n", (10, 11))
    assert after == CIRCLE.replace("area(self):\n        return self.r", "area(self):\n        return 1")


def test_a_class_with_some_of_its_methods() -> None:
    code = "class Circle:\n    def area(self):\n        return 1\n\n    def half(self):\n        return 2\n"
    after, warning = _after(CIRCLE, code)
    new = "area(self):\n        return 1\n\n    def half(self):\n        return 2\n"
    assert after == CIRCLE.replace("area(self):\n        return self.r\n", new)
    assert warning == ""


def test_a_new_function_goes_below_the_one_before_it() -> None:
    code = "def area(r):\n    return half(r)\n\n\ndef half(r):\n    return r / 2\n"
    after, _ = _after(CIRCLE, code)
    assert "def area(r):\n    return half(r)\n\n\ndef half(r):\n    return r / 2\n\n\nLIMIT = 3\n" in after


def test_a_new_function_goes_above_the_one_after_it() -> None:
    code = "def half(r):\n    return r / 2\n\n\ndef area(r):\n    return half(r)\n"
    after, _ = _after(CIRCLE, code)
    assert "\n\n\ndef half(r):\n    return r / 2\n\n\ndef area(r):\n    return half(r)\n" in after


def test_what_is_left_out_is_said() -> None:
    _, warning = _after(CIRCLE, "def area(r):\n    return 1\n\nprint(area(3))\n")
    assert "`print(area(3))`" in warning


def test_all_of_the_lines_are_replaced_by_all_of_the_block() -> None:
    code = "SIZE = 4\n\n\ndef area(r):\n    return SIZE\n"
    after, warning = _after(CIRCLE, code, (17, 18))
    assert after == CIRCLE.replace("def area(r):\n    return Circle(r).area()\n", code)
    assert warning == ""


def test_lines_without_definitions_are_replaced() -> None:
    assert _after(CIRCLE, "LIMIT = 4\n", (21, 21))[0] == CIRCLE.replace("LIMIT = 3", "LIMIT = 4")


def test_lines_of_a_text_without_syntax() -> None:
    assert _after("a\r\nb\r\nc", "x\ny\n", (2, 2), "a.txt")[0] == "a\r\nx\r\ny\r\nc"


def test_a_block_that_belongs_nowhere_is_an_error() -> None:
    with pytest.raises(UserFacingError, match="attach the lines"):
        _after(CIRCLE, "print(1)\n")


def test_an_empty_file_takes_all() -> None:
    assert _after("", "x = 1\n") == ("x = 1\n", "")


def test_code_that_does_not_parse_is_marked() -> None:
    assert _after(CIRCLE, "def area(r):\n    return (r\n")[1] != ""


# Where nothing is written


@pytest.mark.parametrize(
    "path",
    [
        *("../x.py", "a/../x.py", "..\\x.py", "/etc/passwd", "//host/share/x.py", "\\\\host\\share\\x.py"),
        *(
            "file:///etc/passwd",
            "http://a.example/x.py",
            "~/x.py",
            "~root/x.py",
            ".git/config",
            "a/.git/hooks/x.sh",
            ".GIT/config",
            "git~1/config",
        ),
        *("hidden/config", "link.py", "folder/x.py", "folder/deep/new.py", "a\0b.py", "", "  "),
    ],
)
def test_only_files_of_the_workspace_are_taken(tmp_path: Path, path: str) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "x.py").write_text("secret", encoding="utf-8")
    (root / "link.py").symlink_to(tmp_path / "x.py")
    (root / "folder").symlink_to(tmp_path)
    (root / ".git").mkdir()
    (root / "hidden").symlink_to(root / ".git")
    aim = Aim(path, may_create=True)
    with pytest.raises(UserFacingError):
        target_file(aim, root, ())
    assert isinstance(best_aim(AimedBlock("x", (aim,)), root, ()), UserFacingError)


@pytest.mark.skipif(os.name != "posix", reason="pipes are files there")
def test_a_pipe_that_nobody_writes_to_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")
    with pytest.raises(UserFacingError, match=r"pipe\.py is not a file"):
        target_file(Aim("pipe.py"), tmp_path, ())


def test_an_attached_file_that_is_gone_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(UserFacingError, match=r"no file a\.py"):
        target_file(Aim("a.py"), tmp_path, ())
    assert target_file(Aim("a.py", may_create=True), tmp_path, ()).exists is False


def test_a_block_without_a_file_says_what_to_do(tmp_path: Path) -> None:
    found = best_aim(AimedBlock("x", ()), tmp_path, ())
    assert isinstance(found, UserFacingError)
    assert "attach the file" in str(found)


def test_the_block_in_which_an_answer_was_cut_off_is_marked(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("")
    answer = AnswerText()
    answer.say("Like this:\n\n```python a.py\nLIMIT = 4\n```\n\nAnd:\n\n```python a.py\nLIMIT = 5\nx =")
    answer.note(CUT)
    answer.end()
    text = CHAT + answer.text
    conversation = parse(text)
    assert conversation is not None
    first, last = (block_at(conversation, text.index(code)) for code in ("= 4", "= 5"))
    assert first is not None and not first.cut
    assert last is not None and last.cut
    assert last.code == "LIMIT = 5\nx =\n", "the note is no part of it"
    target = target_file(Aim("a.py"), tmp_path, ())
    assert proposal(last, Aim("a.py"), target).warning.startswith(CUT)
    assert proposal(first, Aim("a.py"), target).warning == ""
