"""A language server that completes code with a model its user owns.

Two ways lead through the package:

    open buffer -> features/inline_completion -> documents (snapshot, syntax)
        -> completion/trigger -> context -> request -> cache -> schedule
        -> backends (stream) -> truncate -> postprocess
        -> features -> InlineCompletionItem[]
    selection -> features/code_action -> chat/actions -> (resolve) prompt
        -> backends (stream) -> reply -> edits -> WorkspaceEdit or Markdown

Imports point down only: cli -> server -> features -> {completion, chat}
-> {documents, backends}. The engine and the models know nothing of the front end.
"""

__version__ = "0.1.0"
