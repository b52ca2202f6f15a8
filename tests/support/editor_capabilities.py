"""The capabilities of real clients, as far as code actions depend on them, and of one that has none.

VS Code's are those of vscode-languageclient 9.0, Neovim's those of 0.11.
"""

from __future__ import annotations

from typing import Any

KINDS = [
    *("", "quickfix", "refactor", "refactor.extract", "refactor.inline", "refactor.rewrite"),
    *("source", "source.organizeImports"),
]

VS_CODE: dict[str, Any] = {
    "workspace": {
        "applyEdit": True,
        "workspaceEdit": {
            "documentChanges": True,
            "resourceOperations": ["create", "rename", "delete"],
            "failureHandling": "textOnlyTransactional",
            "normalizesLineEndings": True,
            "changeAnnotationSupport": {"groupsOnLabel": True},
        },
        "executeCommand": {"dynamicRegistration": True},
    },
    "textDocument": {
        "synchronization": {"dynamicRegistration": True, "didSave": True},
        "hover": {"dynamicRegistration": True, "contentFormat": ["markdown", "plaintext"]},
        "codeAction": {
            "dynamicRegistration": True,
            "isPreferredSupport": True,
            "disabledSupport": True,
            "dataSupport": True,
            "resolveSupport": {"properties": ["edit"]},
            "codeActionLiteralSupport": {"codeActionKind": {"valueSet": KINDS}},
            "honorsChangeAnnotations": True,
        },
        "inlineCompletion": {"dynamicRegistration": True},
    },
    "window": {
        "workDoneProgress": True,
        "showMessage": {"messageActionItem": {"additionalPropertiesSupport": True}},
        "showDocument": {"support": True},
    },
    "general": {
        "positionEncodings": ["utf-16"],
        "staleRequestSupport": {"cancel": True, "retryOnContentModified": []},
    },
}

NEOVIM: dict[str, Any] = {
    "workspace": {
        "applyEdit": True,
        "workspaceEdit": {"resourceOperations": ["rename", "create", "delete"]},
        "configuration": False,
    },
    "textDocument": {
        "hover": {"dynamicRegistration": True, "contentFormat": ["markdown", "plaintext"]},
        "codeAction": {
            "isPreferredSupport": True,
            "dataSupport": True,
            "dynamicRegistration": True,
            "resolveSupport": {"properties": ["edit", "command"]},
            "codeActionLiteralSupport": {"codeActionKind": {"valueSet": KINDS}},
        },
    },
    "window": {
        "workDoneProgress": True,
        "showMessage": {"messageActionItem": {"additionalPropertiesSupport": True}},
        "showDocument": {"support": True},
    },
    "general": {"positionEncodings": ["utf-8", "utf-16", "utf-32"]},
}

MINIMAL: dict[str, Any] = {}

EDITORS = {"vscode": VS_CODE, "neovim": NEOVIM, "minimal": MINIMAL}
