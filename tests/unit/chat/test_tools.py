"""What a model may look at: each tool's result, and that no argument gets at anything else."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lsp_server.backends.protocol import ToolCall
from lsp_server.chat.actions.site import Diagnostic
from lsp_server.chat.workspace.tools import Toolbox, ToolResult
from lsp_server.privacy.rules import PrivacyRules
from lsp_server.settings import PrivacySettings

OUTSIDE = "the text outside"
PYTHON = "import os\n\n\nclass Cart:\n    def total(self):\n        return 1\n\n\ndef helper():\n    pass\n"

Call = Callable[..., ToolResult]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a workspace, beside which and above which there are files with `OUTSIDE` in them."""
    folder = tmp_path / "work"
    files = {
        "src/cart.py": PYTHON,
        "src/deep/er.py": "from cart import Cart\r\n\r\ncart = Cart()\r\n",
        "notes.md": "The cart is empty.\n",
        "out/made.py": "Cart made by a build\n",
        "kept/made.py": "Cart\n",
        ".gitignore": "out/\n*.log\n/kept/*.txt\n",
        "src/.gitignore": "!wanted.log\n",
        "src/wanted.log": "Cart wanted\n",
        "a.log": "Cart in a log\n",
        ".hidden/x.py": "Cart hidden\n",
        ".env": f"KEY={OUTSIDE}\n",
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    (folder / ".git").mkdir()
    (tmp_path / "secret.txt").write_text(OUTSIDE)
    (folder / "link.txt").symlink_to("../secret.txt")
    (folder / "up").symlink_to("..")
    return folder


def toolbox(
    root: Path,
    opened: dict[str, str] | None = None,
    diagnostics: Callable[[str], Sequence[Diagnostic]] = lambda _: (),
    why_withheld: Callable[[str], str | None] = lambda _: None,
    **more: int,
) -> Toolbox:
    return Toolbox(root, (opened or {}).get, diagnostics, why_withheld, **more)


def called(box: Toolbox, name: str, **arguments: object) -> ToolResult:
    return box.call(ToolCall("1", name, json.dumps(arguments)))


@pytest.fixture
def call(root: Path) -> Call:
    box = toolbox(root)
    return lambda name, **arguments: called(box, name, **arguments)


def test_a_file_and_some_lines_of_it(call: Call, root: Path) -> None:
    whole = call("read_file", path="src/cart.py")
    assert (whole.text, whole.did, whole.failed) == (PYTHON, "read src/cart.py", False)
    assert whole.documents == ((root / "src" / "cart.py").as_uri(),)
    part = call("read_file", path="src/cart.py", first_line=4, last_line=5)
    assert part.text == "class Cart:\n    def total(self):\n"
    assert part.did == "read src/cart.py:4-5"
    assert call("read_file", path="src/cart.py", first_line=9, last_line=99).did == "read src/cart.py:9-10"


def test_numbers_in_quotes_and_null_are_understood(call: Call) -> None:
    assert call("read_file", path="src/cart.py", first_line="4", last_line=None).text.startswith("class")


def test_unsaved_text_is_what_counts(root: Path) -> None:
    uri = (root / "src" / "cart.py").as_uri()
    box = toolbox(root, {uri: "Unsaved = 1\n"})
    assert called(box, "read_file", path="src/cart.py").text == "Unsaved = 1\n"
    assert called(box, "find_text", text="Unsaved").text == "src/cart.py:1: Unsaved = 1"


def test_a_long_file_is_cut_after_a_line_and_says_so(root: Path) -> None:
    (root / "long.txt").write_text("".join(f"line {number}\n" for number in range(1, 1001)))
    box = toolbox(root, result_chars=300)
    first = called(box, "read_file", path="long.txt")
    lines = first.text.splitlines()
    last = len(lines) - 1
    assert len(first.text) < 400
    assert lines[-2:] == [f"line {last}", f"[cut after line {last} of 1000; ask for the lines after it]"]
    assert first.did == f"read long.txt:1-{last}"
    (root / "one.js").write_text("x" * 5000)
    assert len(called(box, "read_file", path="one.js").text) < 400


def test_a_folder_is_listed(call: Call) -> None:
    result = call("read_file", path=".")
    assert result.text.splitlines() == [
        "It is a folder with:", "a.log", "kept/", "link.txt", "notes.md", "out/", "src/", "up/",
    ]  # fmt: skip
    assert (result.did, result.documents) == ("listed .", ())


def test_symbols(call: Call) -> None:
    assert call("list_symbols", path="src/cart.py").text.splitlines() == [
        "class Cart, lines 4-6",
        "  function total, lines 5-6",
        "function helper, lines 9-10",
    ]
    assert "No definitions" in call("list_symbols", path="notes.md").text


def test_text_is_found_in_files_that_count(call: Call, root: Path) -> None:
    found = call("find_text", text="Cart")
    assert found.text.splitlines() == [
        "kept/made.py:1: Cart",
        "src/cart.py:4: class Cart:",
        "src/wanted.log:1: Cart wanted",
        "src/deep/er.py:1: from cart import Cart",
        "src/deep/er.py:3: cart = Cart()",
    ]
    assert len(found.documents) == 4
    assert found.did == "looked for “Cart”"
    assert "notes.md:1: The cart is empty." in call("find_text", text="cart").text
    assert call("find_text", text=OUTSIDE).text == "Not found."


@pytest.mark.parametrize(
    ("glob", "files"),
    [
        ("*.md", ["notes.md"]),
        ("src/*.py", ["src/cart.py", "src/deep/er.py"]),
        ("src/**/*.py", ["src/cart.py", "src/deep/er.py"]),
        ("**/er.py", ["src/deep/er.py"]),
        ("./notes.md", ["notes.md"]),
        ("er.py", ["src/deep/er.py"]),
        ("../*", []),
        ("[", []),
    ],
)
def test_only_in_some_files(glob: str, files: list[str], call: Call) -> None:
    hits = call("find_text", text="cart", glob=glob).text.splitlines()
    assert sorted({hit.partition(":")[0] for hit in hits if ":" in hit}) == files


def test_the_rules_of_the_repository_count_in_a_folder_of_it(root: Path) -> None:
    (root / "kept" / "x.log").write_text("Cart\n")
    assert called(toolbox(root / "kept"), "find_text", text="Cart").text == "made.py:1: Cart"


def test_many_hits_and_long_lines_are_bounded(root: Path) -> None:
    (root / "many.txt").write_text("needle here\n" * 5000 + "y" * 5000 + "needle" + "y" * 5000)
    found = called(toolbox(root), "find_text", text="needle", glob="many.txt")
    assert len(found.text.splitlines()) == 61
    assert found.text.endswith("or for fewer files.]")
    (root / "many.txt").write_text("y" * 5000 + "needle" + "y" * 5000)
    line = called(toolbox(root), "find_text", text="needle", glob="many.txt").text
    assert "needle" in line and len(line) < 200


def test_what_is_no_text_is_not_searched(root: Path) -> None:
    (root / "binary").write_bytes(b"needle\0")
    (root / "huge.txt").write_bytes(b"needle" * 200_000)
    (root / "latin.txt").write_bytes("needle é".encode("latin-1"))
    os.mkfifo(root / "pipe")
    (root / "vast").mkdir()
    (root / "vast" / ".gitignore").write_text("*a" * 50 + "\n")
    (root / "vast" / ("a" * 200)).write_text("needle")
    assert called(toolbox(root), "find_text", text="needle").text == f"vast/{'a' * 200}:1: needle"


def test_diagnostics_are_those_of_the_editor(root: Path) -> None:
    start = PYTHON.index("return")
    found = Diagnostic(start, start + 6, "error", "undefined name `x`", "ruff", "F821")
    uri = (root / "src" / "cart.py").as_uri()
    box = toolbox(root, diagnostics=lambda asked: [found] if asked == uri else [])
    assert called(box, "diagnostics", path="src/cart.py").text == "line 6: error: undefined name `x`\n"
    assert "None are known" in called(box, "diagnostics", path="notes.md").text
    without = Toolbox(root, lambda _: None, None, lambda _: None)
    assert "diagnostics" not in [spec.name for spec in without.specs]
    assert called(without, "diagnostics", path="notes.md").failed


TOOLS_WITH_PATHS = ("read_file", "list_symbols", "diagnostics")
HOSTILE = (
    "../secret.txt",
    "src/../../secret.txt",
    "./../secret.txt",
    "/etc/passwd",
    "//etc/passwd",
    "link.txt",
    "up/secret.txt",
    "up",
    "..",
    "~/.bashrc",
    "file:///etc/passwd",
    "C:\\Windows\\win.ini",
    "C:/Windows/win.ini",
    "\\\\server\\share\\x",
    "\\\\?\\C:\\x",
    "..\\secret.txt",
    "src/cart.py\0",
    "\ud800",
    "",
    " ",
    "/proc/self/environ",
    "/dev/zero",
    "x" * 3000,
)


@pytest.mark.parametrize("path", HOSTILE)
@pytest.mark.parametrize("tool", TOOLS_WITH_PATHS)
def test_a_path_that_leads_out_is_refused(tool: str, path: str, call: Call) -> None:
    result = call(tool, path=path)
    assert result.failed
    assert OUTSIDE not in result.text
    assert result.documents == ()
    assert result.text.endswith(".")
    assert "\n" not in result.did and "\0" not in result.did


@given(
    parts=st.lists(
        st.sampled_from(
            ["..", ".", "src", "up", "link.txt", "secret.txt", "work", "", "~", "a.log", "\0", "C:"]
        )
        | st.text(max_size=5),
        max_size=6,
    ),
    separator=st.sampled_from(["/", "\\", "//"]),
    absolute=st.booleans(),
    tool=st.sampled_from(TOOLS_WITH_PATHS),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
def test_no_path_reads_what_is_outside(
    root: Path, parts: list[str], separator: str, absolute: bool, tool: str
) -> None:
    path = (f"{root.parent}/" if absolute else "") + separator.join(parts)
    result = called(toolbox(root), tool, path=path)
    assert OUTSIDE not in result.text or result.documents == ((root / ".env").as_uri(),)
    assert all(uri.startswith(f"{root.as_uri()}/") for uri in result.documents)


@given(name=st.text(max_size=20), arguments=st.text(max_size=60))
def test_whatever_a_model_writes_it_gets_an_answer(name: str, arguments: str) -> None:
    result = toolbox(Path("/nowhere at all")).call(ToolCall("1", name, arguments))
    assert result.failed and result.text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("", "missing required field `path`"),
        ("{", "they are not JSON"),
        ("[]", "Expected `object`"),
        ("null", "Expected `object`"),
        ('{"path": 3}', "Expected `str`"),
        ('{"path": "a", "first_line": 0}', ">= 1"),
        ('{"path": "a", "first_line": 1.5}', "Expected `int`"),
        ('{"path": "a", "start": 1}', "unknown field `start`"),
        ('{"path": "' + "a" * 5000 + '"}', "too long"),
        ("[" * 4000, "they are not JSON"),
    ],
)
def test_wrong_arguments_are_named(arguments: str, said: str, root: Path) -> None:
    result = toolbox(root).call(ToolCall("1", "read_file", arguments))
    assert result.failed
    assert said in result.text
    if "too long" not in said:
        assert result.text.endswith("They are an object of: path, first_line, last_line.")


def test_excluded_files_are_neither_read_nor_found(root: Path) -> None:
    (root / "private.txt").write_text("Cart price list\n")
    (root / ".lspserverignore").write_text("private.txt\n")
    (root / "harmless.txt").symlink_to("private.txt")
    box = toolbox(root, why_withheld=PrivacyRules(PrivacySettings()).why_excluded)
    for path in (".env", "private.txt", "harmless.txt"):
        for tool in TOOLS_WITH_PATHS:
            result = called(box, tool, path=path)
            assert result.failed and "may not be read" in result.text
            assert result.documents == ()
    found = called(box, "find_text", text="price list")
    assert (found.text, found.documents) == ("Not found.", ())


def test_what_the_user_is_shown_is_one_harmless_line(root: Path) -> None:
    (root / "a\nb.txt").write_text("x\x1b[2Jneedle\n")
    box = toolbox(root)
    for result in (
        called(box, "find_text", text="\x1b[2Jneedle\u202e"),
        called(box, "read_file", path="a\nb.txt"),
        called(box, "x" * 500 + "\n\x1b", path="a"),
        called(box, "read_file", path="y" * 500),
    ):
        assert not {"\n", "\x1b", "\u202e"} & set(result.did)
        assert len(result.did) < 400


def test_the_model_is_told_what_each_tool_takes(root: Path) -> None:
    specs = {spec.name: spec for spec in toolbox(root).specs}
    assert list(specs) == ["read_file", "list_symbols", "find_text", "diagnostics"]
    schema = specs["read_file"].parameters
    assert schema["type"] == "object" and schema["required"] == ["path"]
    assert schema["additionalProperties"] is False
    assert all(spec.description for spec in specs.values())
    json.dumps([dict(spec.parameters) for spec in specs.values()])
