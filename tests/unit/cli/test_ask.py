"""`lsp_server ask`: what is asked, where to, what is printed, and what is changed."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lsp_server.cli._patch import Change, write
from lsp_server.cli.ask import ask
from lsp_server.errors import ConfigurationError, TextWithheld, UserFacingError
from tests.support.scripted_server import Recorded, Reply, ScriptedServer, tool_call

SECRET = "correct7Horse9battery"
ELSEWHERE = ("--set", "backends.mistral.destination=third party")
CODE = "import os\n\n\ndef add(a, b):\n    return a + b\n\n\nprint(add(1, 2))\n"


def run(*arguments: str, text: str = "") -> Result:
    return CliRunner().invoke(ask, arguments, input=text)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "add.py"
    path.write_text(CODE)
    return path


def asked(request: Recorded) -> str:
    """Return what the user's last turn says."""
    return str(request.body["messages"][-1]["content"])


def error(result: Result) -> str:
    assert isinstance(result.exception, UserFacingError), result.output
    return str(result.exception)


def test_a_question_alone(model: ScriptedServer, scripted: list[str]) -> None:
    model.enqueue(Reply(["Because ", "it ", "is."]))
    done = run("Why?", *scripted)
    assert (done.stdout, done.stderr, done.exit_code) == ("Because it is.\n", "", 0)
    assert asked(model.history[0]) == "Why?"
    assert [message["role"] for message in model.history[0].body["messages"]] == ["system", "user"]


@pytest.mark.parametrize(
    ("place", "shown"),
    [
        ("add.py", f"`add.py`:\n```python\n{CODE}```"),
        ("add.py:4-5", "`add.py`, lines 4-5:\n```python\ndef add(a, b):\n    return a + b\n```"),
        ("add.py:8", "`add.py`, lines 8-8:\n```python\nprint(add(1, 2))\n```"),
        ("add.py#L1-L1", "`add.py`, lines 1-1:\n```python\nimport os\n```"),
    ],
)
@pytest.mark.usefixtures("file")
def test_files_and_lines_of_them(place: str, shown: str, model: ScriptedServer, scripted: list[str]) -> None:
    assert run("What is this?", place, *scripted).exit_code == 0
    assert asked(model.history[0]) == f"What is this?\n\n{shown}"


def test_what_is_piped_in_is_asked_about(model: ScriptedServer, scripted: list[str]) -> None:
    assert run("Review.", *scripted, text="diff --git a/x b/x\n+one ``` fence\n").exit_code == 0
    assert asked(model.history[0]) == "Review.\n\n````diff\ndiff --git a/x b/x\n+one ``` fence\n````"
    assert run("What?", *scripted, "--language", "python", text="x = 1\n").exit_code == 0
    assert asked(model.history[1]) == "What?\n\n```python\nx = 1\n```"


def test_what_is_piped_in_is_the_question_if_there_is_none(
    model: ScriptedServer, scripted: list[str]
) -> None:
    assert run(*scripted, text="Why is the sky blue?\n").exit_code == 0
    assert asked(model.history[0]) == "Why is the sky blue?"


def test_standard_input_as_one_of_the_files(model: ScriptedServer, scripted: list[str], file: Path) -> None:
    assert run(*scripted, "--", "Compare.", file.name, "-:1", text="one\ntwo\n").exit_code == 0
    assert asked(model.history[0]).endswith("```\n\nStandard input, lines 1-1:\n```\none\n```")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "there is no question"),
        (("  ",), "there is no question"),
        (("Why?", "nowhere.py"), "There is no file nowhere.py. A question of several words stands in quotes"),
        (("Why?", "."), ". cannot be read: Is a directory"),
        (("add.py:4",), 'ask something about it: lsp_server ask "What does this do?" add.py:4'),
        (("--action", "explain"), "There is nothing in standard input"),
        (("Why?", "add.py:99"), "line 99 is past the end: the text has 9 lines"),
        (("Why?", "add.py:0"), "lines count from 1"),
        (("Why?", "--write"), "go with --action"),
        (("Why?", "--answer", "x"), "go with --action"),
        (("--action", "explane", "add.py"), "there is no action explane: see lsp_server prompts list"),
        (("--action", "explain", "add.py", "add.py"), "one FILE"),
        (("--action", "explain", "add.py", "--write"), "changes nothing"),
        (("--action", "document", "-", "--write"), "standard input cannot be changed"),
        (("Why?", "--set", "chat.max_token=1"), "did you mean max_tokens?"),
    ],
)
@pytest.mark.usefixtures("file")
def test_what_cannot_be_asked_is_one_sentence(
    arguments: tuple[str, ...], said: str, model: ScriptedServer, scripted: list[str]
) -> None:
    assert said in error(run(*arguments, *scripted))
    assert model.history == []


def test_the_longest_texts_are_cut_to_the_budget_and_the_question_is_not(
    tmp_path: Path, model: ScriptedServer, scripted: list[str]
) -> None:
    (tmp_path / "short.txt").write_text("short\n")
    (tmp_path / "long.txt").write_text("".join(f"line {number}\n" for number in range(1000)))
    done = run("Compare.", "long.txt", "short.txt", *scripted, "--set", "chat.context_tokens=400")
    text = asked(model.history[0])
    assert "```\nshort\n```" in text
    assert "line 0\n" in text and "line 999\n" not in text and "[the rest is not shown]\n```" in text
    assert len(text.encode()) < 3 * 400
    assert "`long.txt`: " in done.stderr and "of 1000 lines are shown" in done.stderr
    assert "short.txt" not in done.stderr
    too_long = error(run("x" * 2000, *scripted, "--set", "chat.context_tokens=400"))
    assert "chat.context_tokens is 400" in too_long
    assert len(model.history) == 1


def test_each_file_of_a_long_diff_is_shown_from_its_beginning(
    model: ScriptedServer, scripted: list[str]
) -> None:
    parts = [f"diff --git a/{name} b/{name}\n+++ b/{name}\n@@ -1 +1 @@\n" + "+line\n" * 500 for name in "xy"]
    assert run("Review.", *scripted, "--set", "chat.context_tokens=500", text="".join(parts)).exit_code == 0
    assert "+++ b/x" in asked(model.history[0]) and "+++ b/y" in asked(model.history[0])


def test_json_says_who_answered_and_what_was_withheld(
    file: Path, model: ScriptedServer, scripted: list[str]
) -> None:
    file.write_text(f'password = "{SECRET}"\n')
    model.enqueue(Reply(["An ", "answer."], finish_reason="length"))
    done = run("What?", file.name, "--json", *scripted, *ELSEWHERE)
    answer = json.loads(done.stdout)
    assert answer.pop("withheld")[0].startswith("1 secret in this text")
    assert answer == {
        "text": "An answer.", "backend": "mistral", "destination": "third party",
        "looked_up": [], "cut": True, "copied": False,
    }  # fmt: skip
    assert "chat.max_tokens" in done.stderr
    assert SECRET not in asked(model.history[0])


def test_excluded_files_are_not_sent_whatever_way_they_come(
    tmp_path: Path, model: ScriptedServer, scripted: list[str]
) -> None:
    (tmp_path / ".env").write_text("MODE=test\n")
    diff = "--- a/.env\t2026\n+++ b/.env\t2026\n@@ -1 +1 @@\n-MODE=test\n+MODE=live\n"
    git = f"diff --git a/.env b/.env\nindex 1..2 100644\n{diff}"
    for arguments, text in ((("Q", ".env"), ""), (("Q",), diff), (("Q",), git)):
        assert isinstance(run(*arguments, *scripted, *ELSEWHERE, text=text).exception, TextWithheld)
    assert model.history == []
    assert run("Q", ".env", *scripted).exit_code == 0  # this machine may see it


def test_a_dry_run_shows_what_would_be_sent_and_asks_nobody(
    file: Path, model: ScriptedServer, scripted: list[str]
) -> None:
    file.write_text(f'password = "{SECRET}"\n')
    (Path.cwd() / ".env").write_text("A=1\n")
    shown = run("What?", file.name, "--dry-run", *scripted, *ELSEWHERE).stdout
    assert "to        mistral, third party\nwithheld  1 secret in this text" in shown
    assert f"file      {file.as_uri()}\n" in shown
    assert "tools     read_file, list_symbols, find_text\n" in shown
    assert "What?\n\n`add.py`:\n```python\n" in shown
    found = json.loads(run("What?", ".env", "--dry-run", "--json", *scripted, *ELSEWHERE).stdout)
    assert ".env` is excluded" in found["to"][0]["withheld"][0]
    assert [message["role"] for message in found["messages"]] == ["system", "user"]
    assert found["tokens"] > 20
    assert run("What?", file.name, "--dry-run", *scripted).stdout.startswith(
        "to        mistral, this machine\nto"
    )
    assert model.history == []


def test_the_model_looks_into_the_current_folder_and_the_user_sees_it(
    file: Path, model: ScriptedServer, scripted: list[str]
) -> None:
    reach = [
        tool_call("read_file", "9charsID1", path="add.py", first_line=4, last_line=5),
        tool_call("read_file", "9charsID2", path="../outside.txt"),
    ]
    (file.parent.parent / "outside.txt").write_text(SECRET)
    model.enqueue(Reply(["I look. "], tool_calls=reach), Reply(["It adds."]))
    done = run("What does add do?", *scripted)
    assert done.stdout == "I look.\n\nIt adds.\n"
    assert done.stderr.splitlines() == [
        "lsp_server: read add.py:4-5",
        "lsp_server: could not read ../outside.txt: ../outside.txt is outside of the workspace.",
    ]
    told = [message["content"] for message in model.history[1].body["messages"] if message["role"] == "tool"]
    assert told == [
        "def add(a, b):\n    return a + b\n",
        "../outside.txt is outside of the workspace.",
    ]
    model.enqueue(Reply(["I look. "], tool_calls=reach[:1]), Reply(["It adds."]))
    answer = json.loads(run("What?", "--json", *scripted).stdout)
    assert (answer["text"], answer["looked_up"]) == ("I look.\n\nIt adds.", ["read add.py:4-5"])


def test_files_that_may_not_be_sent_may_not_be_looked_at_either(
    tmp_path: Path, model: ScriptedServer, scripted: list[str]
) -> None:
    (tmp_path / ".env").write_text(f"API_KEY={SECRET}\n")
    model.enqueue(Reply(tool_calls=[tool_call("read_file", path=".env")]), Reply(["No."]))
    done = run("What is in .env?", *scripted, *ELSEWHERE)
    assert "could not read .env" in done.stderr and "is excluded" in done.stderr
    assert SECRET not in str([request.body for request in model.history])


@pytest.mark.parametrize("off", [("--no-tools",), ("--set", "chat.tools=false")])
def test_without_tools_the_model_just_answers(
    off: tuple[str, ...], model: ScriptedServer, scripted: list[str]
) -> None:
    assert run("Why?", *off, *scripted).exit_code == 0
    assert "tools" not in model.history[0].body


def test_a_home_folder_is_no_workspace(
    tmp_path: Path, model: ScriptedServer, scripted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for home in (tmp_path, tmp_path / "me"):
        monkeypatch.setenv("HOME", str(home))
        assert run("Why?", *scripted).exit_code == 0
        assert "tools" not in model.history.pop().body


def test_a_wrapped_answer_is_unwrapped(model: ScriptedServer, scripted: list[str]) -> None:
    model.enqueue(Reply(list("```markdown\n# Yes\n\n```python\nx\n```\nSo.\n```\n")))
    assert run("Why?", *scripted).stdout == "# Yes\n\n```python\nx\n```\nSo.\n"


def test_what_has_come_before_a_failure_stays(model: ScriptedServer, scripted: list[str]) -> None:
    model.enqueue(Reply(["Half an", " answer", " and more"], cut_after=2))
    failed = run("Why?", *scripted)
    assert failed.stdout == "Half an answer\n"
    assert error(failed)


def fenced(code: str) -> Reply:
    return Reply([f"Here you are:\n```python\n{code}```\n"])


TYPED = "def add(a: int, b: int) -> int:\n    return a + b\n"


def test_an_explanation_is_printed(file: Path, model: ScriptedServer, scripted: list[str]) -> None:
    model.enqueue(Reply(["It ", "adds."]))
    assert run("--action", "explain", f"{file}:5", *scripted).stdout == "It adds.\n"
    assert "def add(a, b):\n    return a + b" in asked(model.history[0])
    assert "print(add" not in asked(model.history[0]).split("```")[1]
    assert "tools" not in model.history[0].body


def test_a_change_is_printed_as_a_patch_that_git_applies(
    file: Path, model: ScriptedServer, scripted: list[str]
) -> None:
    file.write_bytes(CODE.replace("\n", "\r\n").encode())
    model.enqueue(fenced(TYPED))
    done = run("--action", "refactor", "add.py:4-5", *scripted)
    assert done.exit_code == 0, done.exception
    assert done.stdout_bytes.startswith(b"--- a/add.py\n+++ b/add.py\n@@ -1,7 +1,7 @@\n import os\r\n")
    assert b"\n-def add(a, b):\r\n+def add(a: int, b: int) -> int:\r\n" in done.stdout_bytes
    assert file.read_bytes() == CODE.replace("\n", "\r\n").encode()
    subprocess.run(["git", "apply", "-"], cwd=file.parent, input=done.stdout_bytes, check=True)
    assert (
        file.read_bytes()
        == CODE.replace("def add(a, b):", TYPED.split("\n", maxsplit=1)[0]).replace("\n", "\r\n").encode()
    )


def test_a_patch_of_a_file_without_a_last_line_end(
    file: Path, model: ScriptedServer, scripted: list[str]
) -> None:
    file.write_text("def add(a, b):\n    return a + b")
    model.enqueue(fenced(TYPED))
    done = run("--action", "refactor", "add.py:1-2", *scripted)
    subprocess.run(["git", "apply", "-"], cwd=file.parent, input=done.stdout_bytes, check=True)
    assert file.read_text() == TYPED.rstrip("\n")


def test_writing_keeps_line_ends_mode_and_links(
    file: Path, model: ScriptedServer, scripted: list[str]
) -> None:
    file.write_bytes(b"\xef\xbb\xbf" + CODE.replace("\n", "\r\n").encode())
    file.chmod(0o750)
    alias = file.parent / "alias.py"
    alias.symlink_to(file.name)
    model.enqueue(fenced(TYPED))
    done = run("--action", "refactor", "alias.py:4-5", "--write", *scripted)
    assert (done.stdout, done.stderr) == ("", f"lsp_server: wrote {file} (+1 -1)\n")
    expected = CODE.replace("def add(a, b):", TYPED.split("\n", maxsplit=1)[0]).replace("\n", "\r\n")
    assert file.read_bytes() == b"\xef\xbb\xbf" + expected.encode()
    assert file.stat().st_mode & 0o777 == 0o750
    assert alias.is_symlink()
    assert sorted(path.name for path in file.parent.iterdir()) == ["add.py", "alias.py", "config.toml"]


def test_what_does_not_parse_is_written_only_by_force(
    file: Path, model: ScriptedServer, scripted: list[str]
) -> None:
    broken = fenced("def add(a, b:\n    return a + b\n")
    model.default = broken
    refused = run("--action", "refactor", "add.py:4-5", "--write", *scripted)
    assert "Nothing was written" in error(refused) and "--force" in error(refused)
    assert "asking again" in refused.stderr
    assert len(model.history) == 2
    assert file.read_text() == CODE
    shown = run("--action", "refactor", "add.py:4-5", *scripted)
    assert "+def add(a, b:" in shown.stdout and "look at this before" in shown.stderr
    answer = json.loads(run("--action", "refactor", "add.py:4-5", "--json", *scripted).stdout)
    assert answer["warning"] and not answer["written"] and "+def add(a, b:" in answer["patch"]
    assert run("--action", "refactor", "add.py:4-5", "--write", "--force", *scripted).exit_code == 0
    assert "def add(a, b:\n" in file.read_text()


def test_a_file_that_has_changed_meanwhile_is_left_alone(file: Path) -> None:
    change = Change(file, "what was read", "what it should be", creates=False)
    with pytest.raises(UserFacingError, match="has changed meanwhile; nothing was written"):
        write(change)
    assert file.read_text() == CODE
    with pytest.raises(UserFacingError, match="File exists"):
        write(Change(file, "", "tests", creates=True))
    assert file.read_text() == CODE


def test_nothing_to_change_is_an_error_with_what_the_model_said(
    file: Path, model: ScriptedServer, scripted: list[str]
) -> None:
    model.enqueue(fenced("def add(a, b):\n    return a + b\n"))
    assert "would change nothing" in error(run("--action", "refactor", f"{file}:4-5", *scripted))
    model.enqueue(Reply(["I would rather not."]), Reply(["I would still rather not."]))
    answer = json.loads(run("--action", "refactor", f"{file}:4-5", "--json", *scripted).stdout)
    assert answer == {"patch": "", "reason": "the model gave no code", "text": "I would still rather not."}


def test_new_tests_are_a_new_file(file: Path, model: ScriptedServer, scripted: list[str]) -> None:
    tests = fenced("from add import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n")
    model.enqueue(tests, tests)
    shown = run("--action", "write_tests", f"{file}:4", *scripted)
    assert shown.stdout.startswith("--- /dev/null\n+++ b/"), shown.exception
    name = shown.stdout.split("\n")[1].removeprefix("+++ b/")
    assert run("--action", "write_tests", f"{file}:4", "--write", *scripted).exit_code == 0
    assert "def test_add():" in (file.parent / name).read_text()
    subprocess.run(
        ["git", "apply", "--check", "-R", "-"], cwd=file.parent, input=shown.stdout_bytes, check=True
    )


def test_an_action_on_standard_input(model: ScriptedServer, scripted: list[str]) -> None:
    model.enqueue(fenced(TYPED))
    text = "def add(a, b):\n    return a + b\n"
    done = run("--action", "refactor", "--language", "python", *scripted, "--", "-:1-2", text=text)
    assert done.stdout.startswith("--- a/stdin\n+++ b/stdin\n@@ -1,2 +1,2 @@\n-def add(a, b):\n"), (
        done.exception
    )


def test_problems_and_answers_are_given_on_the_command_line(
    file: Path, model: ScriptedServer, scripted: list[str]
) -> None:
    run("--action", "fix", f"{file}:5", "--problem", "undefined name `c`", *scripted)
    assert "undefined name `c`" in asked(model.history[0])
    translate = ("--action", "translate_comments", str(file))
    missing = error(run(*translate, *scripted))
    assert "say so with --answer" in missing
    assert "there is no comment" in error(run(*translate, "--answer", "Klingon", *scripted))
    file.write_text(f"{CODE}# The end.\n")
    run(*translate, "--answer", "Klingon", *scripted)
    assert any("Klingon" in asked(request) for request in model.history)
    assert "asks nothing" in error(run("--action", "explain", str(file), "--answer", "x", *scripted))


def test_the_users_own_actions_work_and_broken_ones_are_told(
    config_file: Path, file: Path, model: ScriptedServer, scripted: list[str]
) -> None:
    folder = config_file.parent / "prompts"
    folder.mkdir()
    (folder / "rhyme.md").write_text(
        '+++\nid = "rhyme"\ntitle = "Rhyme"\nkind = "source.codestral.rhyme"\noutput = "markdown"\n+++\n'
        "Make a rhyme of $name.\n"
    )
    (folder / "broken.md").write_text("no front matter")
    model.enqueue(Reply(["Add, lad."]))
    assert run("--action", "rhyme", f"{file}:4", *scripted).stdout == "Add, lad.\n"
    assert asked(model.history[0]) == "Make a rhyme of add."
    missing = run("--action", "broken", f"{file}:4", *scripted)
    assert "broken.md" in missing.stderr and isinstance(missing.exception, ConfigurationError)


def test_a_dry_run_of_what_is_done_in_parts(file: Path, model: ScriptedServer, scripted: list[str]) -> None:
    lines = "".join(f"    value_{number} = {number}  # the number {number}\n" for number in range(400))
    file.write_text(f"def long():\n{lines}    return value_1\n", encoding="utf-8")
    ask = ("--action", "translate_comments", "--answer", "German", f"{file}:1", "--dry-run")
    shown = run(*ask, *scripted)
    assert "lsp_server: this is part 1 of " in shown.stderr
    assert "the number 1\n" in shown.stdout
    assert "the number 399" not in shown.stdout
    assert model.history == []


def test_a_dry_run_of_an_action(file: Path, model: ScriptedServer, scripted: list[str]) -> None:
    shown = run("--action", "explain", f"{file}:4", "--dry-run", *scripted).stdout
    assert "def add(a, b):" in shown and "tools" not in shown.split("\n\n")[0]
    assert model.history == []


def test_a_binary_file_is_no_text(tmp_path: Path, scripted: list[str]) -> None:
    (tmp_path / "a.bin").write_bytes(b"a\0b\n")
    assert "a.bin is not text" in error(run("Why?", "a.bin", *scripted))


def test_a_read_only_file_stays_as_it_is(file: Path) -> None:
    file.chmod(0o444)
    with pytest.raises(UserFacingError, match="is read-only"):
        write(Change(file, CODE, "x = 1\n", creates=False))
    assert file.read_text() == CODE


def test_of_one_long_line_the_beginning_is_shown(model: ScriptedServer, scripted: list[str]) -> None:
    done = run("Why?", *scripted, "--set", "chat.context_tokens=256", text="é" * 5000)
    assert "of 5000 characters are shown" in done.stderr
    assert "é" * 50 + "\n[the rest is not shown]" in asked(model.history[0])


def test_the_message_of_a_commit_needs_no_file(
    model: ScriptedServer, scripted: list[str], tmp_path: Path
) -> None:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    (tmp_path / "new.py").write_text("x = 1\n")
    subprocess.run(["git", "add", "new.py"], cwd=tmp_path, check=True)
    model.default = Reply(["```\nAdd new.py\n```"])
    assert run("--action", "commit_message", *scripted).stdout == "Add new.py\n"
    assert "+x = 1" in asked(model.history[0])
    piped = run("--action", "commit_message", *scripted, text="diff --git a/p b/p\n--- a/p\n+++ b/p\n+y\n")
    assert piped.stdout == "Add new.py\n"
    assert "+y" in asked(model.history[1])
