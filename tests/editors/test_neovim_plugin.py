"""The Neovim plugin against scripted replies: what the scenarios, which have a real model, cannot tell."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from lsp_server.config_files import CONFIG_VARIABLE
from tests.editors.editor import until
from tests.editors.neovim_session import ROOT, Session
from tests.editors.terminal_screen import Frame
from tests.support.scripted_server import API_KEY, Reply, ScriptedServer

SETUP = f'vim.opt.runtimepath:append("{ROOT}/editors/neovim")\nvim.lsp.enable("lsp_server")\n'
NVIM = str(Path(sys.executable).parent / "nvim")
TAB, ESCAPE, CTRL_E, CTRL_RIGHT, META_L = "\t", "\x1b", "\x05", "\x1b[1;5C", "\x1bl"
LEFT, RIGHT, BACKSPACE = "\x1b[D", "\x1b[C", "\x7f"
READY = "scripted codestral-latest"
"""What a status line says when nothing is under way."""


class Neovim:
    """A session, in the words of these tests."""

    def __init__(self, session: Session, workspace: Path) -> None:
        self.session = session
        self.ask = session.ask
        self._workspace = workspace
        self._files = 0

    def send(self, keys: str) -> None:
        self.session.terminal.send(keys)

    def open(self, text: str, *, suffix: str = ".py") -> Path:
        """Show a new file, the server attached, cursor in its last line, in Normal mode."""
        self._files += 1
        path = self._workspace / f"file{self._files}{suffix}"
        path.write_bytes(text.encode())
        self.ask("vim.cmd('stopinsert | silent! only')")
        self.ask("vim.cmd.edit({ args = { ... }, bang = true })", str(path))
        until("a server", lambda: self.ask("return #vim.lsp.get_clients({ bufnr = 0, name = 'lsp_server' })"))
        self.ask("vim.cmd.normal({ args = { 'G$' }, bang = true })")
        return path

    def type(self, text: str) -> None:
        """Type in Insert mode, each character when the one before it is in the text."""
        until("Insert mode", lambda: self.session.mode().startswith("i"))
        for character in text:
            before = self._tick()
            self.send(character)
            until("the character", functools.partial(self._is_past, before))

    def _tick(self) -> int:
        return int(self.ask("return vim.api.nvim_buf_get_changedtick(0)"))

    def _is_past(self, tick: int) -> bool:
        return self._tick() > tick

    def lines(self) -> list[str]:
        return list(self.ask("return vim.api.nvim_buf_get_lines(0, 0, -1, true)"))

    def line(self) -> str:
        return str(self.ask("return vim.api.nvim_get_current_line()"))

    def ghost(self) -> str:
        """Return what is drawn; empty without any."""
        return str(self.ask(GHOST))

    def until_ghost(self, text: str) -> None:
        until(f"ghost text {text!r}", lambda: self.ghost() == text)

    @contextlib.contextmanager
    def every_frame(self, look: Callable[[Frame], None]) -> Iterator[None]:
        """Have each picture looked at that Neovim draws meanwhile."""
        terminal = self.session.terminal
        terminal.on_frame = lambda: look(terminal.frame())
        yield
        terminal.on_frame = lambda: None

    def messages(self) -> str:
        return str(self.ask("return vim.api.nvim_exec2('messages', { output = true }).output"))


GHOST = """
local namespace = vim.api.nvim_create_namespace("lsp_server.ghost")
local found = vim.api.nvim_buf_get_extmarks(0, namespace, 0, -1, { details = true })[1]
if not found then
  return ""
end
local lines = { found[4].virt_text and found[4].virt_text[1][1] or "" }
for _, line in ipairs(found[4].virt_lines or {}) do
  lines[#lines + 1] = line[1][1]
end
return table.concat(lines, "\\n")
"""

Start = Callable[..., AbstractContextManager[Session]]


@pytest.fixture(scope="module")
def scripted() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


@pytest.fixture(scope="module")
def start(scripted: ScriptedServer, tmp_path_factory: pytest.TempPathFactory) -> Start:
    """Return how to start Neovim with these lines in its `init.lua`, the scripted server as the backend."""
    folder = tmp_path_factory.mktemp("user")
    config = folder / "config.toml"
    config.write_text(
        'backend = "scripted"\n[completion]\ndebounce_ms = 0\n[backends.scripted]\ntype = "mistral"\n'
        f'base_url = "{scripted.base_url}"\napi_key_env = "SCRIPTED_API_KEY"\n',
        "utf-8",
    )
    environment = {
        CONFIG_VARIABLE: str(config),
        "SCRIPTED_API_KEY": API_KEY,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
    }

    def start_session(setup: str = SETUP, **more: str) -> Session:
        home = tmp_path_factory.mktemp("home")
        return Session(NVIM, tmp_path_factory.mktemp("workspace"), home, {**environment, **more}, setup=setup)

    return start_session


@pytest.fixture(scope="module")
def shared(start: Start, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neovim]:
    with start() as session:
        yield Neovim(session, tmp_path_factory.mktemp("files"))


@pytest.fixture
def neovim(shared: Neovim, scripted: ScriptedServer) -> Iterator[Neovim]:
    """Return one Neovim for all tests that change nothing for the next one."""
    yield shared
    shared.send(ESCAPE)
    until("Normal mode", lambda: shared.session.mode() == "n")
    scripted.default = Reply(["done"])


# What is on the screen


def test_no_redraw_without_the_rest_while_it_is_typed(neovim: Neovim, scripted: ScriptedServer) -> None:
    scripted.default = Reply(["st + second"])
    neovim.open("def add(first, second):\n    return fi")
    neovim.send("A")
    neovim.type("r")
    neovim.until_ghost("st + second")
    neovim.session.terminal.wait_for("return first + second")
    scripted.default = Reply(["x"], delay_s=60)  # from here on nothing that is drawn comes from an answer
    frames: set[str] = set()

    def look(frame: Frame) -> None:
        frames.update(line for line in frame.lines if "return" in line)

    with neovim.every_frame(look):
        neovim.type("st + s")
        neovim.until_ghost("econd")
    assert frames == {"    return first + second"}


def test_backspace_brings_it_back_and_another_character_takes_it_away(
    neovim: Neovim, scripted: ScriptedServer
) -> None:
    scripted.default = Reply(["lpha = 1"])
    neovim.open("x = 1\n")
    neovim.send("o")
    neovim.type("a")
    neovim.until_ghost("lpha = 1")
    scripted.default = Reply(["never"], delay_s=60)
    neovim.type("l")
    assert neovim.ghost() == "pha = 1"
    neovim.type("z")
    assert neovim.ghost() == ""
    neovim.type(BACKSPACE)
    assert neovim.ghost() == "pha = 1"


def test_wide_characters_and_the_text_behind_the_cursor(neovim: Neovim, scripted: ScriptedServer) -> None:
    scripted.default = Reply(['"日本", "😀é"'])
    neovim.open('print("ünï 😀", )\n')
    neovim.send("gg$i")
    neovim.type(" ")
    neovim.until_ghost('"日本", "😀é"')
    until("all of the line", lambda: 'print("ünï 😀",  "日本", "😀é")' in _compact(neovim))
    neovim.send(TAB)
    until("the text", lambda: neovim.line() == 'print("ünï 😀",  "日本", "😀é")')


def _compact(neovim: Neovim) -> str:
    """Return the first line of the screen; behind a wide character a terminal has an empty place."""
    return neovim.session.terminal.frame().lines[0]


def test_a_block_with_tabs_is_as_wide_as_it_will_be(neovim: Neovim, scripted: ScriptedServer) -> None:
    scripted.default = Reply(["\tif x {\n\t\treturn 1\n\t}\n\treturn 2"])
    neovim.open("package a\n\nfunc f(x bool) int {\n\n}\n", suffix=".go")
    neovim.ask(
        "vim.bo.tabstop = 4; vim.bo.expandtab = false; vim.bo.indentexpr = ''; vim.bo.autoindent = false"
    )
    neovim.send("4GA")
    neovim.type("\t")
    until("ghost text of several lines", lambda: "\n" in neovim.ghost())
    assert "\t" not in neovim.ghost()
    neovim.session.terminal.wait_for("return 2")  # the mark is there before it is drawn
    shown = neovim.session.terminal.frame().lines[3:7]
    scripted.default = Reply([""])  # no ghost text after it
    neovim.send(TAB)
    until("the text", lambda: "\t\treturn 1" in neovim.lines())
    until("it looks the same", lambda: neovim.session.terminal.frame().lines[3:7] == shown)


def test_ghost_text_is_in_the_window_with_the_cursor_alone(neovim: Neovim, scripted: ScriptedServer) -> None:
    scripted.default = Reply(["lsewhere = 1"])
    neovim.open("e = 0\n")
    neovim.ask("vim.cmd.split()")
    neovim.send("o")
    neovim.type("e")
    neovim.until_ghost("lsewhere = 1")
    until("it is shown", lambda: "lsewhere" in neovim.session.terminal.text())
    assert neovim.session.terminal.text().count("lsewhere") == 1


# Accepting


def test_a_word_a_line_and_the_rest_are_one_undo_step_each(neovim: Neovim, scripted: ScriptedServer) -> None:
    scripted.default = Reply(["rst, second = 1, 2\n    third = 3\n    return first"])
    neovim.open("def f():\n    if True:\n        pass\n\n")
    neovim.send("o    fi")
    until("ghost text", neovim.ghost)
    ghost = neovim.ghost()
    neovim.send(CTRL_RIGHT)
    until("a word", lambda: neovim.line() == "    first")
    neovim.until_ghost(ghost.removeprefix("rst"))
    neovim.send(META_L)
    until("the line", lambda: neovim.line() == "    first, second = 1, 2")
    neovim.send(ESCAPE + "u")
    until("the line is undone", lambda: neovim.line() == "    first")
    neovim.send("u")
    until("the word is undone", lambda: neovim.line() == "    fi")


def test_the_dot_repeats_what_was_typed_and_accepted(neovim: Neovim, scripted: ScriptedServer) -> None:
    scripted.default = Reply(["lpha + beta"])
    neovim.open("x = 1\n")
    neovim.send("oa")
    neovim.until_ghost("lpha + beta")
    neovim.send(TAB)
    until("the text", lambda: neovim.line() == "alpha + beta")
    neovim.send(ESCAPE + ".")
    until("the same again", lambda: neovim.lines()[-2:] == ["alpha + beta", "alpha + beta"])


def test_the_next_completion_comes_right_after_one(neovim: Neovim, scripted: ScriptedServer) -> None:
    scripted.default = Reply(["ne(1)"])
    neovim.open("x = 1\n")
    neovim.send("oo")
    neovim.until_ghost("ne(1)")
    scripted.default = Reply([" + two(2)"])
    neovim.send(TAB)
    neovim.until_ghost(" + two(2)")
    assert neovim.line() == "one(1)"


def test_line_ends_of_dos(neovim: Neovim, scripted: ScriptedServer) -> None:
    scripted.default = Reply(["    total = 0\n    for it in items:\n        total += it\n    return total"])
    path = neovim.open("def total(items):\r\n    # the sum\r\n\r\n\r\nprint(1)\r\n")
    neovim.send("3GA")
    neovim.type(" ")
    until("ghost text", neovim.ghost)
    assert "\r" not in neovim.ghost()
    neovim.send(TAB)
    until("the text", lambda: any("total" in line for line in neovim.lines()[2:]))
    neovim.send(ESCAPE)
    neovim.ask("vim.cmd.write()")
    written = path.read_bytes()
    assert b"\r\r" not in written
    assert written.count(b"\n") == written.count(b"\r\n")


def test_what_is_typed_after_the_key_comes_after_the_text(neovim: Neovim, scripted: ScriptedServer) -> None:
    scripted.default = Reply(["all()"])
    neovim.open("x = 1\n")
    neovim.send("oc")
    neovim.until_ghost("all()")
    neovim.send(TAB + ";" + ESCAPE)
    until("the text", lambda: neovim.line() == "call();")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_other_position_encodings(
    start: Start, scripted: ScriptedServer, tmp_path: Path, encoding: str
) -> None:
    capabilities = f'{{ general = {{ positionEncodings = {{ "{encoding}" }} }} }}'
    scripted.default = Reply(['"é", 1'])
    with start(SETUP + f'vim.lsp.config("lsp_server", {{ capabilities = {capabilities} }})\n') as session:
        neovim = Neovim(session, tmp_path)
        neovim.open('print("😀", )\n')
        assert neovim.ask("return vim.lsp.get_clients()[1].offset_encoding") == encoding
        neovim.send("gg$i")
        neovim.type(" ")
        neovim.until_ghost('"é", 1')
        neovim.send(TAB)
        until("the text", lambda: neovim.line() == 'print("😀",  "é", 1)')
    prompts = [str(request.body["prompt"]) for request in scripted.history]
    assert any(prompt.endswith('print("😀",  ') for prompt in prompts)


# Requests


def test_moving_asks_for_nothing_and_opening_a_line_does(neovim: Neovim, scripted: ScriptedServer) -> None:
    neovim.open("first = 1\nsecond = 2\nthird = 3\n")
    asked = len(scripted.history)
    neovim.send("ggi" + RIGHT * 3 + LEFT + ESCAPE + "jA" + LEFT + ESCAPE + "0i" + ESCAPE)
    neovim.send("Go")
    until("a request", lambda: len(scripted.history) > asked)
    assert [str(request.body["prompt"])[-6:] for request in scripted.history[asked:]] == ["d = 3\n"]


IMPATIENT = (
    'vim.lsp.config("lsp_server", { settings = { lsp_server = { completion = { timeout_ms = 1000 } } } })'
)
NOTHING = """
local client, command = vim.lsp.get_clients({ bufnr = 0 })[1], { command = "lsp_server.stats" }
return client:request_sync("workspace/executeCommand", command).result.nothing
"""


def test_what_was_typed_too_early_is_asked_again(
    start: Start, scripted: ScriptedServer, tmp_path: Path
) -> None:
    scripted.default = Reply(["arly = 1"])
    scripted.loading = 4
    with start(SETUP + IMPATIENT) as session:
        neovim = Neovim(session, tmp_path)
        neovim.open("x = 1\n")
        neovim.send("oe")
        until("it is answered with nothing", lambda: neovim.ask(NOTHING))
        assert neovim.ghost() == ""
        neovim.until_ghost("arly = 1")
        assert neovim.line() == "e"


def test_dismissing_holds_until_the_next_character(neovim: Neovim, scripted: ScriptedServer) -> None:
    scripted.default = Reply(["ismissed"])
    neovim.open("x = 1\n")
    neovim.send("od")
    neovim.until_ghost("ismissed")
    neovim.send(CTRL_E)
    until("no ghost text", lambda: not neovim.ghost())
    assert neovim.session.mode() == "i"
    assert neovim.line() == "d"
    scripted.default = Reply(["oing"])
    neovim.type("o")
    until("ghost text again", neovim.ghost)


def test_leaving_insert_mode_takes_it_away(neovim: Neovim, scripted: ScriptedServer) -> None:
    scripted.default = Reply(["one"])
    neovim.open("x = 1\n")
    neovim.send("og")
    neovim.until_ghost("one")
    neovim.send(ESCAPE)
    until("no ghost text", lambda: not neovim.ghost())


def test_paused_it_comes_when_asked_for(neovim: Neovim, scripted: ScriptedServer) -> None:
    scripted.default = Reply(["aused()"])
    neovim.open("x = 1\n")
    neovim.send(":LspServer pause\r")
    until("the status line says so", lambda: "paused" in neovim.ask("return require('lsp_server').status()"))
    neovim.send("o")
    neovim.type("p")
    neovim.send("\x1b\\")  # Alt-\
    neovim.until_ghost("aused()")
    neovim.send(ESCAPE)
    until("Normal mode", lambda: neovim.session.mode() == "n")
    neovim.send(":LspServer resume\r")
    until("no longer", lambda: "paused" not in neovim.ask("return require('lsp_server').status()"))


def test_options_change_without_a_restart(neovim: Neovim, scripted: ScriptedServer) -> None:
    scripted.default = Reply(["ff"])
    neovim.open("x = 1\n")
    client = neovim.ask("return vim.lsp.get_clients({ bufnr = 0 })[1].id")
    neovim.send(":LspServer set completion.enabled false\r")
    neovim.send("o")
    neovim.type("o")
    asked = len(scripted.history)
    neovim.send(ESCAPE)
    neovim.ask("require('lsp_server').configure({ completion = { enabled = true } })")
    neovim.send("Sof")

    def typed_again() -> str:  # the server may still be reading its settings
        neovim.type(BACKSPACE + "f")
        return neovim.ghost()

    until("ghost text", typed_again)
    assert len(scripted.history) > asked
    assert neovim.ask("return vim.lsp.get_clients({ bufnr = 0 })[1].id") == client


# Keys


def test_the_key_does_what_it_did_without_ghost_text(
    start: Start, scripted: ScriptedServer, tmp_path: Path
) -> None:
    scripted.default = Reply([""])
    with start() as session:
        neovim = Neovim(session, tmp_path)
        neovim.open("x = 1\n", suffix=".txt")
        neovim.send("o" + TAB)
        until("a tab", lambda: neovim.line() == "\t")
        # A mapping of the user, made after the server came.
        neovim.ask("vim.keymap.set('i', '<Tab>', function() return 'mapped' end, { expr = true })")
        neovim.send(TAB)
        until("the mapping", lambda: neovim.line() == "\tmapped")
        neovim.ask("vim.cmd.inoremap('<Tab> <C-v>033x<Left>')")
        neovim.send(TAB)
        until("another mapping", lambda: neovim.line() == "\tmapped!x")
        neovim.ask("vim.cmd.imap('<Tab> <C-k>'); vim.cmd.inoremap('<C-k> <End>again')")
        neovim.send(TAB)
        until("a mapping to a mapping", lambda: neovim.line() == "\tmapped!xagain")


def test_the_key_jumps_in_snippets(neovim: Neovim, scripted: ScriptedServer) -> None:
    scripted.default = Reply([""])
    neovim.open("x = 1\n", suffix=".txt")
    neovim.send("o")
    until("Insert mode", lambda: neovim.session.mode() == "i")
    neovim.ask("vim.snippet.expand('for ${1:a} in ${2:b}:')")
    until("Select mode", lambda: neovim.session.mode() == "s")
    neovim.send("q")
    until("the first place", lambda: neovim.line() == "for q in b:")
    neovim.send(TAB)
    until("the second place", lambda: neovim.ask("return vim.fn.mode()") == "s")
    neovim.send("r" + ESCAPE)
    until("it is filled in", lambda: neovim.line() == "for q in r:")
    neovim.ask("vim.snippet.stop()")


def test_the_menu_of_completions_keeps_its_keys(neovim: Neovim, scripted: ScriptedServer) -> None:
    scripted.default = Reply([" = alphabet"])
    neovim.open("alpha = 1\nalphabet = 2\n")
    neovim.ask("vim.o.completeopt = 'menuone,noselect'")
    neovim.send("oalph\x0e")  # Ctrl-N
    until("the menu", lambda: neovim.ask("return vim.fn.pumvisible()") == 1)
    until("ghost text beside it", neovim.ghost)
    neovim.send("\x0e")
    until("an entry is taken", lambda: neovim.line() == "alpha")
    until("ghost text for it", lambda: neovim.ghost() == " = alphabet")
    neovim.send(TAB)
    until("both", lambda: neovim.line() == "alpha = alphabet")
    assert neovim.ask("return vim.fn.pumvisible()") == 0
    neovim.ask("vim.o.completeopt = 'menu,preview'")


def test_normal_and_macros_do_not_see_it(neovim: Neovim, scripted: ScriptedServer) -> None:
    scripted.default = Reply(["never"])
    neovim.open("x = 1\n", suffix=".txt")
    neovim.ask("vim.bo.expandtab = false; vim.cmd.normal({ args = { 'oa\\tb' } })")
    assert neovim.line() == "a\tb"
    neovim.ask("vim.fn.setreg('q', 'oc\\td\\27'); vim.cmd.normal({ args = { '@q' }, bang = true })")
    until("the macro ran", lambda: neovim.line() == "c\td")
    assert neovim.ghost() == ""


def test_a_buffer_that_is_given_a_name_keeps_its_completions(
    neovim: Neovim, scripted: ScriptedServer, tmp_path: Path
) -> None:
    scripted.default = Reply(["med = 1"])
    neovim.open("x = 1\n")
    neovim.ask("vim.cmd.enew(); vim.bo.filetype = 'python'")
    until("a server", lambda: neovim.ask("return #vim.lsp.get_clients({ bufnr = 0 })"))
    neovim.send(f":write {tmp_path}/named.py\rina")
    neovim.until_ghost("med = 1")
    assert neovim.line() == "na"


SET_KEYS = """
vim.g.lsp_server = { keys = { accept = "<C-y>", accept_line = false }, gost = 1 }
vim.keymap.set("i", "<C-e>", "mine")
"""


def test_keys_of_the_user(start: Start, scripted: ScriptedServer, tmp_path: Path) -> None:
    scripted.default = Reply(["eys = 1"])
    with start(SET_KEYS + SETUP) as session:
        neovim = Neovim(session, tmp_path)
        neovim.open("x = 1\n", suffix=".txt")
        until("what is wrong", lambda: "there is no option gost; there are " in neovim.messages())
        neovim.send("ok")
        neovim.until_ghost("eys = 1")
        neovim.send(CTRL_E)
        until("the user's own mapping", lambda: neovim.line() == "kmine")
        neovim.send("\x15k")  # Ctrl-U
        until("the text", lambda: neovim.line() == "k")
        neovim.until_ghost("eys = 1")
        neovim.send("\x19")  # Ctrl-Y
        until("the text", lambda: neovim.line() == "keys = 1")
        maps = neovim.ask(
            "return vim.tbl_map(function(m) return m.lhs end, vim.api.nvim_buf_get_keymap(0, 'i'))"
        )
        assert "<C-Y>" in maps
        assert not {"<Tab>", "<C-E>", "<M-l>"} & set(maps)


def test_pasting_replacing_and_the_command_line_window(neovim: Neovim, scripted: ScriptedServer) -> None:
    scripted.default = Reply(["ter()"])
    neovim.open("x = 1\n")
    neovim.send("o")
    neovim.session.terminal.paste("af")
    until("a request", lambda: str(scripted.history[-1].body["prompt"]).endswith("af"))
    neovim.until_ghost("ter()")
    asked = len(scripted.history)
    neovim.send(ESCAPE + "0Rxy" + TAB)  # Replace mode
    until("replaced", lambda: neovim.line().startswith("xy"))
    assert neovim.ghost() == ""
    neovim.send(ESCAPE)
    neovim.send("q:iecho 1" + TAB)
    until("the command-line window", lambda: neovim.ask("return vim.fn.getcmdwintype()") == ":")
    assert neovim.ghost() == ""
    neovim.send(ESCAPE + ":quit\r")
    until("it is closed", lambda: neovim.ask("return vim.fn.getcmdwintype()") == "")
    assert len(scripted.history) == asked


def test_a_package_needs_one_line(start: Start, scripted: ScriptedServer, tmp_path: Path) -> None:
    scripted.default = Reply(["ackage"])
    folder = tmp_path / "pack/codestral-lsp/start"
    folder.mkdir(parents=True)
    (folder / "neovim").symlink_to(ROOT / "editors/neovim")
    with start(f'vim.opt.packpath:append("{tmp_path}")\nvim.lsp.enable("lsp_server")\n') as session:
        neovim = Neovim(session, tmp_path)
        neovim.open("x = 1\n")
        neovim.send("op")
        neovim.until_ghost("ackage")
        neovim.send(ESCAPE)
        assert {"accept", "status"} <= set(neovim.ask("return vim.fn.getcompletion('LspServer ', 'cmdline')"))


# The server


def test_a_server_that_was_killed_comes_back_until_it_is_hopeless(
    start: Start, scripted: ScriptedServer, tmp_path: Path
) -> None:
    scripted.default = Reply(["ack"])
    with start() as session:
        neovim = Neovim(session, tmp_path)
        neovim.open("x = 1\n")
        neovim.send("ob")
        neovim.until_ghost("ack")
        for _ in range(4):
            killed = _kill(neovim)
            until("another server", functools.partial(_is_another, session, killed))
        assert "is not started again" not in neovim.messages()
        _kill(neovim)
        until("that is said", lambda: "ended 5 times" in neovim.messages())
        assert neovim.ask("return require('lsp_server').status()") == "ended"
        neovim.send(ESCAPE + ":LspServer restart\r")
        until("a server again", session.server_pid)
        before = session.server_pid()
        neovim.send(":LspServer restart\r")
        until("another one", lambda: session.server_pid() not in (0, before))
        neovim.send("Sb")
        neovim.until_ghost("ack")


def _is_another(session: Session, killed: int) -> bool:
    return session.server_pid() not in (0, killed)


def _kill(neovim: Neovim) -> int:
    pid = neovim.session.server_pid()
    os.kill(pid, signal.SIGKILL)
    return pid


def test_the_status_line(neovim: Neovim, scripted: ScriptedServer) -> None:
    neovim.open("x = 1\n")
    neovim.ask(
        "vim.o.statusline = \"%f %{v:lua.require'lsp_server'.status()}\"; vim.g.told = 0;"
        "vim.api.nvim_create_autocmd('User', { pattern = 'LspServerStatus', command = 'let g:told += 1' })"
    )
    neovim.send("ox")
    neovim.session.terminal.wait_for(READY)
    neovim.send(ESCAPE + ":LspServer pause\r")
    neovim.session.terminal.wait_for("scripted codestral-latest paused")
    neovim.send(":LspServer resume\r")
    until("not any more", lambda: "paused" not in neovim.session.terminal.text().splitlines()[-2])
    assert neovim.ask("return vim.g.told") >= 2


def test_other_tools_diagnostics_are_told(neovim: Neovim) -> None:
    neovim.open("value = undefined_name\n")
    neovim.ask(
        "vim.diagnostic.set(vim.api.nvim_create_namespace('tool'), 0,"
        "{ { lnum = 0, col = 8, end_col = 22, message = 'undefined name', severity = 1, source = 'tool' } })"
    )
    neovim.send("gggra")
    neovim.session.terminal.wait_for("Fix with the model")
    neovim.send("\r")


def test_health(neovim: Neovim) -> None:
    neovim.open("x = 1\n")
    status = "return require('lsp_server').status()"
    until("the backend", lambda: neovim.ask(status) in ("scripted", READY))  # the model is known later
    neovim.ask("vim.cmd.checkhealth('lsp_server')")
    until("the report", lambda: "lsp_server doctor" in "\n".join(neovim.lines()))
    report = "\n".join(neovim.lines())
    neovim.ask("vim.cmd.bwipeout({ bang = true })")
    assert "OK Ghost text: drawn by this plugin" in report
    assert re.search(r"OK .*lsp_server, version", report)
    assert "OK scripted, ready" in report
    assert "OK <Tab>: accept" in report
    assert "OK Python:" in report
    assert "ERROR vim.g" not in report


def test_subcommands_complete(neovim: Neovim) -> None:
    complete = "return vim.fn.getcompletion(..., 'cmdline')"
    assert {"accept", "backend", "restart", "status"} <= set(neovim.ask(complete, "LspServer "))
    assert neovim.ask(complete, "LspServer pa") == ["pause"]
    assert neovim.ask(complete, "LspServer set completion.en") == ["completion.enabled"]
    assert {"local", "scripted"} <= set(neovim.ask(complete, "LspServer backend "))
    assert neovim.ask(complete, "LspServer backend scr") == ["scripted"]
    neovim.send(":LspServer nonsense\r")
    until("what is wrong", lambda: "there is no nonsense" in neovim.messages())


def test_a_missing_program_is_told_once(start: Start, tmp_path: Path) -> None:
    setup = SETUP + 'vim.lsp.config("lsp_server", { cmd = { "no-such-program", "--stdio" } })\n'
    (tmp_path / "x.py").write_text("x = 1\n", "utf-8")
    with start(setup) as session:
        for _ in range(2):
            session.ask("vim.cmd.edit({ args = { ... }, bang = true })", str(tmp_path / "x.py"))
        until("it is said", lambda: "no-such-program" in _messages(session))
        assert _messages(session).count("No program no-such-program") == 1


def test_a_checkout_with_its_environment_needs_no_path(
    start: Start, scripted: ScriptedServer, tmp_path: Path
) -> None:
    scripted.default = Reply(["ere = 1"])
    shutil.copytree(ROOT / "editors/neovim", tmp_path / "editors/neovim")
    program = tmp_path / ".venv/bin/lsp_server"
    program.parent.mkdir(parents=True)
    program.symlink_to(Path(sys.executable).with_name("lsp_server"))
    with start(SETUP.replace(str(ROOT), str(tmp_path)), PATH="/usr/bin:/bin") as session:
        neovim = Neovim(session, tmp_path)
        neovim.open("x = 1\n")
        assert neovim.ask("return require('lsp_server.server').executable()") == str(program)
        neovim.send("oh")
        neovim.until_ghost("ere = 1")


def _messages(session: Session) -> Any:  # noqa: ANN401
    return session.ask("return vim.api.nvim_exec2('messages', { output = true }).output")


def test_no_global_variables(neovim: Neovim) -> None:
    """Run as the last one, when most of the plugin was used."""
    found = neovim.ask("local found = {} for name in pairs(_G) do found[#found + 1] = name end return found")
    plain = {"jit", "bit", "arg", "vim", "_G", "_VERSION"}
    assert [name for name in found if "lsp" in name.lower() or name.lower().startswith("ghost")] == []
    assert plain <= set(found)
