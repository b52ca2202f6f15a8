"""Documentation in whatever form it comes, in the form and the place that the language has."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.chat.actions.prompt_file import PromptFile
from lsp_server.chat.actions.site import Target
from lsp_server.chat.editing.edits import applied
from lsp_server.chat.editing.proposal import Proposal
from lsp_server.chat.outcome import proposal
from lsp_server.chat.placing.placement import placed
from lsp_server.chat.prompting.context import Context
from lsp_server.chat.replies.reply import ReplyParser
from lsp_server.documents.node_types import COMMENTS
from lsp_server.documents.syntax import parse
from tests.unit.chat.drawn_site import drawn_site

DOCUMENT = PromptFile(
    "document", "x", "refactor.rewrite.codestral", "insert_above", "", documentation=True, scope="definition"
)


def target_at(language_id: str, drawn: str) -> Target:
    target = drawn_site(language_id, drawn).target("definition")
    assert target is not None
    return target


def documented(language_id: str, drawn: str, reply: str) -> str:
    target = target_at(language_id, drawn)
    return applied(target.snapshot.text, placed(DOCUMENT, target, reply))


PYTHON = "class A:\n    @cached\n    def f(self, x):█\n        return x\n"
DOCSTRING = '        """Return x.\n\n        Args:\n            x: it.\n        """\n'


@pytest.mark.parametrize(
    "reply",
    [
        '"""Return x.\n\nArgs:\n    x: it.\n"""',
        '    """\n    Return x.\n\n    Args:\n        x: it.\n    """\n',
        "'''Return x.\n\nArgs:\n    x: it.\n'''",
        "Return x.\n\nArgs:\n    x: it.",
        "Docstring:\n\nReturn x.\n\nArgs:\n    x: it.",
        "# Return x.\n#\n# Args:\n#     x: it.\n",
        'def f(self, x):\n    """Return x.\n\n    Args:\n        x: it.\n    """\n    return x + 1\n',
        'def f(self, x):\n    """Return x.\n\n    Args:\n        x: it.\n    """\n',
        'class A:\n    """A."""\n\n    def f(self, x):\n        """Return x.\n\n'
        '        Args:\n            x: it.\n        """\n        return x\n',
        'def f(self, x):\r\n    """Return x.\r\n\r\n    Args:\r\n        x: it.\r\n    """\r\n',
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_docstring_in_whatever_form_it_comes(reply: str, end: str) -> None:
    result = documented("python", PYTHON.replace("\n", end), reply)
    assert result == PYTHON.replace("█", "").replace("x):\n", f"x):\n{DOCSTRING}").replace("\n", end)


@pytest.mark.parametrize(
    ("drawn", "reply", "result"),
    [
        (
            'def f():█\n    """Old.\n\n    More.\n    """\n    pass\n',
            '"""New."""',
            'def f():\n    """New."""\n    pass\n',
        ),
        ("def f(): return 1█\n", "One.", 'def f():\n    """One."""\n    return 1\n'),
        ('def f(): """Old."""█\n', "New.", 'def f(): """New."""\n'),
        (
            "def f(  # a\n    x,\n):  # b█\n    return x\n",
            "X.",
            'def f(  # a\n    x,\n):  # b\n    """X."""\n    return x\n',
        ),
        ("def f():█\n    # why\n    pass", "F.", 'def f():\n    """F."""\n    # why\n    pass'),
        ("class A:█\n    x = 1\n", "An A.", 'class A:\n    """An A."""\n\n    x = 1\n'),
        ("def f():█\n\treturn 1\n", "One.\n\nMore.", 'def f():\n\t"""One.\n\n\tMore.\n\t"""\n\treturn 1\n'),
        ("def f():█\n    pass\n", 'Say "hi"', 'def f():\n    """Say "hi" """\n    pass\n'),
        ("def f():█\n    pass\n", "Split at \\n.", 'def f():\n    r"""Split at \\n."""\n    pass\n'),
        ("def f():█\n    pass\n", '"""Split at \\\\n."""', 'def f():\n    """Split at \\\\n."""\n    pass\n'),
        (
            "def g():\n    '''G.'''\n\n\ndef f():█\n    pass\n",
            '"""F."""',
            "def g():\n    '''G.'''\n\n\ndef f():\n    '''F.'''\n    pass\n",
        ),
        ("def f():█\n    pass\n", '"""Split at \\d \\', 'def f():\n    r"""Split at \\d \\ """\n    pass\n'),
        ("def f():█\n    pass\n", "def f():\n    pass\n", "def f():\n    pass\n"),
        ("def f():█\n    pass\n", "   \n", "def f():\n    pass\n"),
    ],
)
def test_python(drawn: str, reply: str, result: str) -> None:
    assert documented("python", drawn, reply) == result


def test_docstrings_begin_on_the_line_where_those_of_the_file_do() -> None:
    there = 'def g():\n    """\n    G.\n\n    More.\n    """\n\n\n'
    result = documented("python", f"{there}def f():█\n    pass\n", "F.\n\nMore.")
    assert result == f'{there}def f():\n    """\n    F.\n\n    More.\n    """\n    pass\n'


def test_long_lines_are_wrapped_and_code_is_not() -> None:
    long = "word " * 30
    result = documented(
        "python",
        "def f():█\n    pass\n",
        f"{long}\n\nArgs:\n    x: {long}\n\n>>> f({'x' * 100})\n```\n{long}\n```",
    )
    assert f">>> f({'x' * 100})" in result
    assert f"\n    {long.strip()}\n" in result, "what is fenced"
    prose = [line for line in result.split("\n") if line.strip() != long.strip() and ">>>" not in line]
    assert max(map(len, prose)) <= 88
    assert "\n            word" in result, "a parameter's text hangs"


ABOVE = {
    "javascript": (
        "export const f█ = (a) => a;\n",
        "/** Gives a.\n *\n * @param {any} a it\n */\nfunction f(a) {}",
        "/**\n * Gives a.\n *\n * @param {any} a it\n */\nexport const f = (a) => a;\n",
    ),
    "typescript": (
        "class A {\n  /** Old. */\n  m█(a: T): void {}\n}\n",
        "/**\n * Gives a.\n * @returns a\n */",
        "class A {\n  /**\n   * Gives a.\n   * @returns a\n   */\n  m(a: T): void {}\n}\n",
    ),
    "java": (
        "class A {\n    @Override\n    public int f█() { return 1; }\n}\n",
        "/** Gives one. */\n@Override\npublic int f() {",
        "class A {\n    /** Gives one. */\n    @Override\n    public int f() { return 1; }\n}\n",
    ),
    "c": (
        "// Old.\nint f█(int a) { return a; }\n",
        "/**\n * Gives a.\n */",
        "// Gives a.\nint f(int a) { return a; }\n",
    ),
    "cpp": (
        "template <typename T>\nT f█(T a) { return a; }\n",
        "/// Gives a.\n/// @param a it",
        "/**\n * Gives a.\n * @param a it\n */\ntemplate <typename T>\nT f(T a) { return a; }\n",
    ),
    "rust": (
        "#[inline]\npub fn f█() {}\n",
        "/// Does.\n///\n/// ```\n/// f();\n/// ```\npub fn f() {}",
        "/// Does.\n///\n/// ```\n/// f();\n/// ```\n#[inline]\npub fn f() {}\n",
    ),
    "go": (
        "package a\n\n// Old.\n//go:noinline\nfunc F█() {}\n",
        "Returns nothing.",
        "package a\n\n// F returns nothing.\n//go:noinline\nfunc F() {}\n",
    ),
    "csharp": (
        "class A {\n    public int F█(int a) { return a; }\n}\n",
        '/// <summary>\n/// Gives a.\n/// </summary>\n/// <param name="a">It.</param>\n',
        "class A {\n    /// <summary>\n    /// Gives a.\n    /// </summary>\n"
        '    /// <param name="a">It.</param>\n'
        "    public int F(int a) { return a; }\n}\n",
    ),
    "php": (
        "<?php\nfunction f█($a) { return $a; }\n",
        "/**\n * Gives a.\n *\n * @return mixed\n */\nfunction f($a)",
        "<?php\n/**\n * Gives a.\n *\n * @return mixed\n */\nfunction f($a) { return $a; }\n",
    ),
    "ruby": (
        "class A\n  def f█\n  end\nend\n",
        "# Does it.\n#\n# @return [nil]\ndef f\nend",
        "class A\n  # Does it.\n  #\n  # @return [nil]\n  def f\n  end\nend\n",
    ),
    "lua": (
        "-- Old.\nlocal function f█() end\n",
        "--- New.\n--- @return nil",
        "--- New.\n--- @return nil\nlocal function f() end\n",
    ),
    "shellscript": (
        "#!/bin/bash\nf()█ {\n  :\n}\n",
        "# Does nothing.",
        "#!/bin/bash\n# Does nothing.\nf() {\n  :\n}\n",
    ),
}


@pytest.mark.parametrize("language_id", ABOVE)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_comment_above(language_id: str, end: str) -> None:
    drawn, reply, result = ABOVE[language_id]
    assert documented(language_id, drawn.replace("\n", end), reply) == result.replace("\n", end)


@pytest.mark.parametrize(
    ("language_id", "drawn", "reply", "result"),
    [
        (
            "javascript",
            "// eslint-disable-next-line\nfunction f█() {}\n",
            "/** F. */",
            "/** F. */\n// eslint-disable-next-line\nfunction f() {}\n",
        ),
        (
            "javascript",
            "// Section\nfunction f█() {}\n",
            "/** F. */",
            "// Section\n/** F. */\nfunction f() {}\n",
        ),
        (
            "c",
            "/* Copyright me, all rights */\nint f█(void);\n",
            "/** F. */",
            "/* Copyright me, all rights */\n/** F. */\nint f(void);\n",
        ),
        (
            "c",
            "/* a */\n\nint f█(void);\n",
            "F. */ int x",
            "/* a */\n\n/** F. * / int x */\nint f(void);\n",
        ),
        ("c", "// Old.\nint f█(void);\n", "A path: C:\\", "// A path: C:\nint f(void);\n"),
        (
            "csharp",
            "int F█() {}\n",
            "F.\u2028evil()",
            "/// <summary>\n/// F. evil()\n/// </summary>\nint F() {}\n",
        ),
        (
            "csharp",
            "int F█(int a) { return a; }\n",
            "/**\n * Gives a & b.\n * @param a the <a>\n * @returns it\n */",
            "/// <summary>\n/// Gives a &amp; b.\n/// </summary>\n"
            '/// <param name="a">the &lt;a></param>\n/// <returns>it</returns>\n'
            "int F(int a) { return a; }\n",
        ),
    ],
)
def test_comments_that_are_there(language_id: str, drawn: str, reply: str, result: str) -> None:
    assert documented(language_id, drawn, reply) == result


def test_a_sentence_in_a_reply_without_code_is_documentation() -> None:
    parser = ReplyParser()
    parser.feed("Return what it is given.")
    made = proposal(DOCUMENT, target_at("python", PYTHON), Context(), parser.reply)
    assert isinstance(made, Proposal)
    assert [edit.text.strip() for edit in made.edits] == ['"""Return what it is given."""']


def test_documented_again_with_the_same_nothing_changes() -> None:
    for language_id, (_, reply, result) in ABOVE.items():
        place = result.rindex(
            "f(" if "f(" in result else "F(" if "F(" in result else "m(" if "m(" in result else "f"
        )
        target = target_at(language_id, f"{result[:place]}█{result[place:]}")
        assert placed(DOCUMENT, target, reply) == (), language_id


replies = st.one_of(
    st.sampled_from([reply for _, reply, _ in ABOVE.values()]),
    st.lists(
        st.sampled_from(
            [
                '"""',
                "'''",
                "/**",
                "*/",
                " * a",
                "/// b",
                "// c",
                "# d",
                "-- e",
                "F.",
                "\\",
                "{",
                "def f():",
                "   ",
                "",
            ]
        ),
        max_size=8,
    ).map("\n".join),
    st.text(max_size=80),
)


@given(st.sampled_from(sorted(ABOVE)), replies)
def test_the_code_is_never_changed(language_id: str, reply: str) -> None:
    target = target_at(language_id, ABOVE[language_id][0])
    after = applied(target.snapshot.text, placed(DOCUMENT, target, reply))
    assert _code_of(after, target) == _code_of(target.snapshot.text, target)


@given(st.one_of(replies, st.text('"\\\n ab', max_size=20)))
def test_the_code_of_python_is_never_changed(reply: str) -> None:
    target = target_at("python", PYTHON)
    after = applied(target.snapshot.text, placed(DOCUMENT, target, reply))
    assert _code_of(after, target) == _code_of(target.snapshot.text, target)
    compile(after, "a.py", "exec")


def _code_of(text: str, target: Target) -> list[str]:
    """Return the tokens of a text, without comments and docstrings."""
    tree = parse(text, target.language)
    assert tree is not None
    found, stack = [], [tree.root]
    while stack:
        node = stack.pop()
        if node.type in COMMENTS or (
            node.type == "expression_statement" and node.children[0].type == "string"
        ):
            continue
        if node.child_count == 0:
            found.append(tree.text_of(node))
        stack += reversed(node.children)
    return [token for token in found if token.strip()]
