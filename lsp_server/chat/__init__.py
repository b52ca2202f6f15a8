"""Selection → prompt → reply → edits. Must not know LSP.

prompt_file, catalogue   the actions there are: files of `prompts/chat`, the user's, the workspace's
site → offer             what stands at a place, and which actions make sense there; no model
context → prompt         what the model is told besides the code, and the request as a whole
reply → placement        the code in a reply, and where it goes, with its indentation and line endings
new_file                 where tests belong (`layouts`), and how they go into what is there (`merging`)
edits → check            the smallest line edits, moved when the text has changed; whether it still parses
rewrite, answer          all of that for one action, as a stream
conversation             a chat as a Markdown document; `answer_writer` writes into it
attachments, tools       what a chat may show the model of the workspace, and what the model may look at
"""
