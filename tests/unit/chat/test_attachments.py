"""Links to files: which ones a text has, and what is read of them, which is nothing outside of the root."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.chat.workspace.attachments import find, read
from lsp_server.errors import UserFacingError


def closed(_uri: str) -> str | None:
    """Say that nothing is open in the editor."""
    return None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[foo](src/foo.py)", ("src/foo.py", None, None)),
        ("[foo.py:10-40](src/foo.py)", ("src/foo.py", 10, 40)),
        ("[foo.py](src/foo.py:10-40)", ("src/foo.py", 10, 40)),
        ("[foo.py#L3](foo.py)", ("foo.py", 3, 3)),
        ("[foo](foo.py#L10-L40)", ("foo.py", 10, 40)),
        ("[foo](foo.py#L10-40)", ("foo.py", 10, 40)),
        ("[foo](foo.py#L10C1-L12C4)", ("foo.py", 10, 12)),
        ("[foo](foo.py:7:3)", ("foo.py", 7, 7)),
        ("[foo](foo.py:40-10)", ("foo.py", 10, 40)),
        ("[foo.py:1-2](foo.py:3)", ("foo.py", 3, 3)),
        ("[`foo.py`](foo.py)", ("foo.py", None, None)),
        ("[a](<my file.py#L2> 'a title')", ("my file.py", 2, 2)),
        ("[a](my%20file.py)", ("my file.py", None, None)),
        ("[a](a(1).py)", ("a(1).py", None, None)),
        ("[a](file:///home/me/a%20b.py#L5)", ("/home/me/a b.py", 5, 5)),
        ("[a](file://localhost/x.py)", ("/x.py", None, None)),
        ("[a](file:///C:/x.py)", ("C:/x.py", None, None)),
        ("[a](file://server/share/x.py)", ("//server/share/x.py", None, None)),
        (r"[a](C:\x.py:3)", (r"C:\x.py", 3, 3)),
        ("[a](notes.md#a-heading)", ("notes.md", None, None)),
    ],
)
def test_a_link_names_a_file_and_its_lines(text: str, expected: tuple[str, int | None, int | None]) -> None:
    before = "See "
    (link,) = find(f"{before}{text}.")
    assert (link.path, link.first_line, link.last_line) == expected
    assert (link.start, link.end) == (len(before), len(before) + len(text))


@pytest.mark.parametrize(
    "text",
    [
        "![a picture](a.png)",
        "[a](https://example.org/a.py)",
        "[a](mailto:me@example.org)",
        "[a](#heading)",
        "[a]()",
        r"\[a](a.py)",
        "`[a](a.py)`",
        "``[a](a.py) ` ``",
        "```\n[a](a.py)\n```",
        "~~~python\n[a](a.py)\n```\n[a](a.py)\n~~~",
        "```\n[a](a.py)",
        "[a] (a.py)",
        "[a](file://[broken/a.py)",
    ],
)
def test_what_is_no_link_to_a_file(text: str) -> None:
    assert find(text) == []


def test_links_stand_between_code() -> None:
    text = "`x` [a](a.py) `y`\r\n```\r\n[no](no.py)\r\n```\r\n[b](b.py) and [c](c.py)\n"
    links = find(text)
    assert [link.path for link in links] == ["a.py", "b.py", "c.py"]
    assert [text[link.start : link.end] for link in links] == ["[a](a.py)", "[b](b.py)", "[c](c.py)"]


@given(st.text(alphabet="[]()`!\\<> \n\r\"'a:1-#L~", max_size=80))
def test_any_text_has_links_that_stand_in_it(text: str) -> None:
    for link in find(text):
        assert text[link.start] == "["
        assert text[link.end - 1] == ")"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "work space"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "a.py").write_bytes(b"one\r\ntwo\r\nthree\r\n")
    (tmp_path / "secret.txt").write_text("secret")
    return folder


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("[a](src/a.py)", "one\r\ntwo\r\nthree\r\n"),
        ("[a](src/a.py:2)", "two\r\n"),
        ("[a](src/a.py:2-3)", "two\r\nthree\r\n"),
        ("[a](src/a.py:3-99)", "three\r\n"),
        ("[a](src/../src/./a.py:1)", "one\r\n"),
    ],
)
def test_files_are_read_from_the_disk(link: str, expected: str, root: Path) -> None:
    (found,) = find(link)
    attachment = read(found, root, closed)
    assert (attachment.text, attachment.language) == (expected, "python")
    assert attachment.uri == (root / "src" / "a.py").as_uri()


def test_an_absolute_path_and_a_uri_inside_of_the_root_are_fine(root: Path) -> None:
    path = root / "src" / "a.py"
    for target in (f"<{path}:1>", f"{path.as_uri()}#L1"):
        (link,) = find(f"[a]({target})")
        assert read(link, root, closed).text == "one\r\n"


def test_what_the_editor_has_comes_before_the_disk(root: Path) -> None:
    uri = (root / "src" / "a.py").as_uri()
    (link,) = find("[a](src/a.py:1)")
    assert read(link, root, {uri: "new\nlines\n"}.get).text == "new\n"
    (link,) = find("[b](not-saved-yet.py)")
    assert read(link, root, {(root / "not-saved-yet.py").as_uri(): "x"}.get).text == "x"


@pytest.mark.parametrize(
    ("link", "said"),
    [
        ("[a](../secret.txt)", "outside of the workspace"),
        ("[a](%2e%2e/secret.txt)", "outside of the workspace"),
        ("[a](src/../../secret.txt)", "outside of the workspace"),
        ("[a](/etc/passwd)", "outside of the workspace"),
        ("[a](file:///etc/passwd)", "outside of the workspace"),
        ("[a](file://server/share/x)", "outside of the workspace"),
        (r"[a](C:\Windows\win.ini)", "outside of the workspace"),
        (r"[a](\\\\server\\share)", "outside of the workspace"),
        ("[a](a%00.py)", "is not a path"),
        ("[a](%ed%a0%80)", "There is no file"),
        ("[a](src)", "src is a folder."),
        ("[a](nowhere.py)", "There is no file nowhere.py."),
        ("[a](src/a.py:9)", "src/a.py has no line 9: it has 3."),
        ("[a](src/a.py:0)", "count from 1"),
    ],
)
def test_what_cannot_be_attached_is_one_sentence(link: str, said: str, root: Path) -> None:
    (found,) = find(link)
    with pytest.raises(UserFacingError, match=r"\.$") as caught:
        read(found, root, closed)
    assert said in str(caught.value)
    assert "secret" not in str(caught.value).replace("secret.txt", "")


def test_links_of_the_file_system_do_not_lead_out(root: Path) -> None:
    (root / "out.txt").symlink_to(root.parent / "secret.txt")
    (root / "up").symlink_to(root.parent)
    (root / "circle").symlink_to("circle")
    (root / "inside.py").symlink_to(Path("src") / "a.py")
    for path in ("out.txt", "up/secret.txt", "circle"):
        (link,) = find(f"[a]({path})")
        with pytest.raises(UserFacingError):
            read(link, root, closed)
    (link,) = find("[a](inside.py:1)")
    inside = read(link, root, closed)
    assert (inside.text, inside.uri) == ("one\r\n", (root / "inside.py").as_uri())


def test_a_root_that_is_a_link_itself(root: Path) -> None:
    alias = root.parent / "alias"
    alias.symlink_to(root)
    (link,) = find("[a](src/a.py:1)")
    assert read(link, alias, closed).text == "one\r\n"
    (link,) = find(f"[a](<{root}/src/a.py:1>)")
    assert read(link, alias, closed).text == "one\r\n"


def test_what_is_no_text_is_refused(root: Path) -> None:
    (root / "binary").write_bytes(b"\0\1\2")
    (root / "latin").write_bytes("é".encode("latin-1"))
    (root / "huge.txt").write_bytes(b"x" * (1 << 20) + b"y")
    os.mkfifo(root / "pipe")
    (root / "empty.txt").touch()
    for path, said in {
        "binary": "is not text",
        "latin": "is not UTF-8 text",
        "huge.txt": "more than 1 MiB",
        "pipe": "is not a file",
        "empty.txt:2": "has no line 2: it has 1",
    }.items():
        (link,) = find(f"[a]({path})")
        with pytest.raises(UserFacingError, match=said):
            read(link, root, closed)


def test_a_sentence_shows_no_control_characters_and_has_an_end(root: Path) -> None:
    (link,) = find(f"[a](<{'x' * 300}%1b]0;title%07>)")
    with pytest.raises(UserFacingError) as caught:
        read(link, root, closed)
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 200
