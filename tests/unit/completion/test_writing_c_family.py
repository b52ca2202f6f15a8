"""What is inserted in C and its descendants, from a drawn buffer and what a model writes there."""

from __future__ import annotations

import pytest

from tests.support.completing import Case, check

JAVA: list[Case] = [
    ("class A {\n    int f() {\n        █\n    }\n}\n", "return 1;\n    }\n}\n", "return 1;"),
    (
        "class A {\n    private int x;\n\n    █\n}\n",
        (
            "public int getX() {\n        return x;\n    }\n\n    public void setX(int x) {\n"
            "        this.x = x;\n    }\n}\n"
        ),
        (
            "public int getX() {\n        return x;\n    }\n\n    public void setX(int x) {\n"
            "        this.x = x;\n    }"
        ),
    ),
    (
        "class A {\n    public int getX() {█\n}\n",
        "\n        return x;\n    }\n}\n",
        "\n        return x;\n    }",
    ),
    (
        "class A {\n    void f() {\n        try {\n            x();\n        } █\n    }\n}\n",
        "catch (Exception e) {\n            e.printStackTrace();\n        }\n    }\n}\n",
        "catch (Exception e) {\n            e.printStackTrace();\n        }",
    ),
    (
        "class A {\n    void f() {\n        for (█) {\n        }\n    }\n}\n",
        "int i = 0; i < 3; i++) {\n",
        "int i = 0; i < 3; i++",
    ),
    (
        "class A {\n    @Override\n    █\n}\n",
        'public String toString() {\n        return "A";\n    }\n}\n',
        'public String toString() {\n        return "A";\n    }',
    ),
    ("List<String> x = new ArrayList<>(█);\n", "y);\n", "y"),
    ("/**\n * █\n */\nclass A {}\n", "A class.\n */\nclass A {}\n", "A class."),
    (
        "class A {\n    int x;\n    █\n    int z;\n}\n",
        (
            "@Override\n    public String toString() {\n        int a = 1;\n        int b = 1;\n"
            "        return x;\n    }\n\n    int q;\n    int r;\n    int s;\n    int t;\n"
        ),
        (
            "@Override\n    public String toString() {\n        int a = 1;\n        int b = 1;\n"
            "        return x;\n    }"
        ),
    ),
]

C: list[Case] = [
    (
        "int main(void) {\n    █\n}\n",
        'printf("hi\\n");\n    return 0;\n}\n',
        'printf("hi\\n");\n    return 0;',
    ),
    (
        "int main(void)\n{\n    █\n}\n",
        'printf("hi\\n");\n    return 0;\n}\n',
        'printf("hi\\n");\n    return 0;',
    ),
    ("int main(void)\n█\n", "{\n    return 0;\n}\n\nint x;\n", "{\n    return 0;\n}"),
    ("#include █\n", "<stdio.h>\n#include <stdlib.h>\n", "<stdio.h>"),
    ("struct a {\n    int x;\n    █\n};\n", "int y;\n};\n", "int y;"),
    ("for (int i = 0; █) {\n}\n", "i < n; i++) {\n}\n", "i < n; i++"),
    ("int f(int x) {\n    if (x)\n        █\n    return 2;\n}\n", "return 1;\n    return 2;\n", "return 1;"),
    (
        "int y;\n█\nint z;\n",
        (
            "int main(void)\n{\n    int a = 1;\n    int b = 1;\n    return x;\n}\n\nint q;\nint r;\n"
            "int s;\nint t;\n"
        ),
        "int main(void)\n{\n    int a = 1;\n    int b = 1;\n    return x;\n}",
    ),
    (
        "int main(void)\n█\n",
        "{\n    int a = 1;\n    int b = 1;\n    return x;\n}\n\nint q;\nint r;\nint s;\nint t;\n",
        "{\n    int a = 1;\n    int b = 1;\n    return x;\n}",
    ),
    (
        "void f() {\n    int y;\n    █\n    int z;\n}\n",
        (
            "do {\n        a();\n        b();\n        c();\n    } while (x);\n    q();\n    r();\n"
            "    s();\n    t();\n"
        ),
        "do {\n        a();\n        b();\n        c();\n    } while (x);",
    ),
    (
        "void f() {\n    int y;\n    █\n    int z;\n}\n",
        "for (;;)\n        a();\n    q();\n    r();\n    s();\n    t();\n",
        "for (;;)\n        a();",
    ),
]

CPP: list[Case] = [
    ("std::vector<int> v = {█};\n", "1, 2, 3};\n", "1, 2, 3"),
    (
        "std::sort(v.begin(), v.end(), █);\n",
        "[](int a, int b) {\n    return a < b;\n});\n",
        "[](int a, int b) {\n    return a < b;\n}",
    ),
    ("template <█>\nclass A {};\n", "typename T>\nclass A {};\n", "typename T"),
    (
        "class A {\npublic:\n    █\n};\n",
        "A() = default;\n    int x() const { return x_; }\n\nprivate:\n    int x_;\n};\n",
        "A() = default;\n    int x() const { return x_; }",
    ),
]

CSHARP: list[Case] = [
    ("class A\n{\n    public int F()\n    {\n        █\n    }\n}\n", "return 1;\n    }\n}\n", "return 1;"),
    (
        "class A\n{\n    public int F()\n    █\n}\n",
        "{\n        return 1;\n    }\n}\n",
        "{\n        return 1;\n    }",
    ),
    ("class A\n{\n    public string Name { █ }\n}\n", "get; set; }\n}\n", "get; set;"),
    ("var x = items.Where(█).ToList();\n", "i => i.A > 1).ToList();\n", "i => i.A > 1"),
    (
        "class A\n{\n    int x;\n    █\n    int z;\n}\n",
        (
            "[Test]\n    public void F()\n    {\n        int a = 1;\n        int b = 1;\n        G();\n"
            "    }\n\n    int q;\n    int r;\n    int s;\n    int t;\n"
        ),
        ("[Test]\n    public void F()\n    {\n        int a = 1;\n        int b = 1;\n        G();\n    }"),
    ),
    (
        "class A\n{\n    int x;\n    █\n    int z;\n}\n",
        (
            "public void F()\n    {\n        if (a)\n        {\n            b();\n        }\n"
            "        else\n        {\n            c();\n        }\n    }\n\n    int q;\n    int r;\n"
            "    int s;\n    int t;\n"
        ),
        (
            "public void F()\n    {\n        if (a)\n        {\n            b();\n        }\n"
            "        else\n        {\n            c();\n        }\n    }"
        ),
    ),
]


CASES = [
    *(("java", case) for case in JAVA),
    *(("c", case) for case in C),
    *(("cpp", case) for case in CPP),
    *(("csharp", case) for case in CSHARP),
]


@pytest.mark.parametrize(("language_id", "case"), CASES)
def test_writing(language_id: str, case: Case) -> None:
    check(language_id, case)
