"""The messages of an action: variables, fences, headings, sizes."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.chat.actions import catalogue, prompt_file
from lsp_server.chat.actions.prompt_file import PromptFile, Question
from lsp_server.chat.actions.site import Target
from lsp_server.chat.new_files.new_file import NewFile
from lsp_server.chat.prompting import context, prompt
from lsp_server.chat.prompting.context import Context
from lsp_server.chat.prompting.prompt import chat_request, rendered
from lsp_server.chat.prompting.wording import dedented, fenced
from lsp_server.errors import UserFacingError
from lsp_server.settings import ChatSettings
from tests.unit.chat.drawn_site import drawn_site
from tests.unit.chat.test_chat_context import target

ACTION = PromptFile(
    id="do",
    title="Do",
    kind="refactor.rewrite.codestral",
    output="replace",
    body="$selection",
)
METHOD = "class A:\n    @b\n    def c(self, d):\n        return d█\n"
SHIPPED = catalogue.load([]).files


def body(file: PromptFile, of: Target, found: Context | None = None, **answers: str) -> str:
    request = chat_request(file, of, found or Context(), ChatSettings(), answers)
    assert [message.role for message in request.messages] == ["system", "user"]
    return request.messages[1].content


def written(text: str, of: Target | None = None, found: Context | None = None, **answers: str) -> str:
    file = replace(ACTION, body=text, question=Question("to", "To?", ("C",)) if answers else None)
    return body(file, of or target("python", METHOD, uri="file:///w/src/a%20b.py"), found, **answers)


def test_pieces_are_known_everywhere() -> None:
    assert set(prompt._HEADINGS) == set(context._SHARES) == set(context._GATHERERS) == prompt_file.PIECES


def test_variables() -> None:
    text = "$kind $name in $file, line $line, $language: costs $$5, $to$to $5 $unknown"
    assert written(text, to="C") == "function c in a b.py, line 2, Python: costs $5, CC $5 $unknown"


def test_code_alone_on_its_line_gets_a_fence_and_its_indentation_is_taken_off() -> None:
    assert written("See:\n\n$selection\n\nDone") == (
        "See:\n\n```python\n@b\ndef c(self, d):\n    return d\n```\n\nDone"
    )


def test_code_in_a_fence_keeps_that_fence() -> None:
    assert written("```$language\n# head\n$selection\n```\nDone") == (
        "```python\n# head\n@b\ndef c(self, d):\n    return d\n```\n\nDone"
    )


def test_a_fence_is_longer_than_any_in_the_code() -> None:
    of = target("markdown", "█````a\n```\n`````█\n", scope="selection")
    for template in ("$selection", "```$language\n$selection\n```"):
        assert written(template, of) == "``````markdown\n````a\n```\n`````\n``````"


def test_a_signature_stands_in_its_definition() -> None:
    of = target("python", METHOD, scope="signature")
    assert written("$definition\n\n$selection", of) == (
        "```python\n@b\ndef c(self, d):\n    return d\n```\n\n```python\ndef c(self, d):\n```"
    )


def test_what_stands_in_a_value_is_not_expanded() -> None:
    of = target("python", "x = '$name $$ $to $context'█\n", scope="statement")
    found = Context({"outline": "$selection ${name} $$"})
    assert written("$to: $context\n\n$selection", of, found, to="$name $selection") == (
        "$name $selection: The rest of the file, in short:\n\n```python\n$selection ${name} $$\n```\n\n"
        "```python\nx = '$name $$ $to $context'\n```"
    )


ALL = Context(
    {
        "diagnostics": "- line 1, `x`: no x",
        "definitions": "def a(): ...",
        "imports": "import a",
        "staged_diff": "diff --git a/b b/b",
        "tests": "Tests are written with pytest.",
    }
)


def test_context_has_headings_and_only_what_there_is() -> None:
    assert (
        written("$context\n\nDo it.", found=ALL)
        == """\
The imports of the file:

```python
import a
```

Definitions of the file that the code uses:

```python
def a(): ...
```

The staged changes:

```diff
diff --git a/b b/b
```

Tests are written with pytest.

Problems that other tools found:

- line 1, `x`: no x

Do it."""
    )
    assert written("$context\n\nDo it.") == "Do it."


def test_context_leaves_out_what_the_body_names_itself() -> None:
    text = written(
        "$context\n\nSee:\n\n$definitions\n\n$diagnostics\n\n$tests\n\n$outline\n\n$staged_diff", found=ALL
    )
    assert text.count("def a(): ...") == text.count("no x") == text.count("pytest") == 1
    assert text.endswith("See:\n\n```python\ndef a(): ...\n```\n\n- line 1, `x`: no x\n\n"
                         "Tests are written with pytest.\n\n```diff\ndiff --git a/b b/b\n```")  # fmt: skip


def test_an_empty_fence_vanishes() -> None:
    assert written("A\n\n```\n$imports\n```\n\nB") == "A\n\nB"


def test_the_system_message_is_the_files_own_or_that_of_its_output() -> None:
    of = target("python", METHOD)
    own = chat_request(replace(ACTION, system="You know $language."), of, Context(), ChatSettings())
    assert own.messages[0].content == "You know Python."
    usual = chat_request(ACTION, of, Context(), ChatSettings())
    assert usual.messages[0].content == catalogue.system_message("replace")


def test_line_ends_and_prediction() -> None:
    of = target("python", METHOD.replace("\n", "\r\n"))
    request = chat_request(ACTION, of, Context(), ChatSettings())
    assert "\r" not in request.messages[1].content
    assert request.prediction == "@b\ndef c(self, d):\n    return d"
    for other in (replace(ACTION, output="insert_below"), replace(ACTION, documentation=True)):
        assert chat_request(other, of, Context(), ChatSettings()).prediction is None


def test_documents_limits_and_temperature() -> None:
    of = target("python", METHOD, uri="file:///w/a.py")
    found = Context(documents=("file:///w/b.py", "file:///w/a.py"))
    request = chat_request(ACTION, of, found, ChatSettings(max_tokens=77, temperature=0.5))
    assert request.documents == ("file:///w/a.py", "file:///w/b.py")
    assert (request.max_tokens, request.temperature) == (77, 0.5)
    assert chat_request(replace(ACTION, max_tokens=9000), of, found, ChatSettings()).max_tokens == 9000


def test_code_that_is_too_long_is_refused_with_what_to_do() -> None:
    of = target("python", "def f():█\n" + "    x = 1\n" * 1000)
    with pytest.raises(
        UserFacingError, match=r"function is about 3,3\d\d tokens .* 2,048: .* raise chat.context"
    ):
        chat_request(ACTION, of, Context(), ChatSettings())
    wide = ChatSettings(context_tokens=4000)
    with pytest.raises(UserFacingError, match=r"more than 2,001 tokens .* chat.max_tokens is 1,024"):
        chat_request(ACTION, of, Context(), wide)
    assert chat_request(replace(ACTION, output="markdown"), of, Context(), wide)
    assert chat_request(replace(ACTION, body="$name"), of, Context(), ChatSettings(max_tokens=3000))


def test_what_is_missing_is_said_before_the_model_is_asked() -> None:
    of = target("python", METHOD)
    new = replace(ACTION, output="new_file")
    with pytest.raises(UserFacingError, match="where tests of code belong"):
        chat_request(new, of, Context(), ChatSettings())
    assert chat_request(new, of, Context(new_file=NewFile(Path("/a"), False, "", "")), ChatSettings())
    with pytest.raises(UserFacingError, match="no staged changes"):
        chat_request(replace(ACTION, body="$staged_diff"), of, Context(), ChatSettings())


@pytest.mark.parametrize(
    ("language_id", "name", "tag"),
    [("cpp", "C++", "cpp"), ("typescriptreact", "TypeScript", "tsx"), ("haskell", "haskell", "haskell"),
     ("a b`", "a b`", ""), ("", "text", "")],
)  # fmt: skip
def test_languages_have_a_name_and_a_tag(language_id: str, name: str, tag: str) -> None:
    of = target(language_id, "x = 1█;\n", scope="statement")
    assert written("$language\n\n$selection", of) == f"{name}\n\n```{tag}\nx = 1;\n```"


def test_a_rendered_request_can_be_read() -> None:
    request = chat_request(replace(ACTION, system="S"), target("python", METHOD), Context(), ChatSettings())
    assert rendered(request) == (
        "── system ──\nS\n\n── user ──\n```python\n@b\ndef c(self, d):\n    return d\n```\n"
    )


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.id)
@pytest.mark.parametrize("pieces", [ALL.pieces, {"staged_diff": "diff --git little"}], ids=["all", "little"])
def test_the_shipped_actions_say_everything_once(file: PromptFile, pieces: dict[str, str]) -> None:
    new = NewFile(Path("/w/test_a.py"), False, "pytest", "")
    of = target("python", METHOD, scope="signature" if file.scope == "signature" else "definition")
    text = body(file, of, Context(pieces, new_file=new), to="Rust")
    assert not re.search(r"\$[a-z]", text)
    shown = ("$selection" in file.body) + ("$definition" in file.body)
    assert text.count("def c(self, d)") == shown
    for name in set(pieces) & set(file.context):
        assert text.count(pieces[name]) == 1
    assert "\n\n\n" not in text


@given(st.text(alphabet="`~a\n $", max_size=60))
def test_no_code_gets_out_of_its_fence(code: str) -> None:
    of = drawn_site("plaintext", f"█{code}X█").target("file")
    assert of is not None
    for template in ("$selection", "```\n$selection\n```"):
        opening, *inside, closing = written(template, of).split("\n")
        assert opening == closing
        assert not any(line.strip().startswith(closing) for line in inside)


@given(
    st.lists(st.sampled_from(["a", "  b", "    c", "\td", "", "  "]), min_size=1),
    st.sampled_from(["", "  ", "\t"]),
)
def test_indentation_is_taken_off_all_lines_alike(parts: list[str], indent: str) -> None:
    text = "\n".join([parts[0].lstrip() or "x", *parts[1:]])
    taken = {
        len(before) - len(after)
        for before, after in zip(text.split("\n")[1:], dedented(text, indent).split("\n")[1:], strict=True)
        if before.strip()
    }
    assert len(taken) <= 1
    assert all(size <= len(indent) for size in taken)


def test_a_block_ends_on_a_line_of_its_own() -> None:
    assert fenced("a\n\n", "c") == "```c\na\n```"
