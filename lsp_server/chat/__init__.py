"""Selection → prompt → reply → edits. Must not know LSP.

actions      the prompt files there are, and which of them make sense at a place; no model
prompting    what the model is told besides the code, and the request as a whole
replies      the code, or the words, in what the model says
placing      where code goes in a document, with its indentation and line endings
new_files    where tests belong, and how they go into what is there
editing      the smallest line edits, moved when the text has changed; whether it still parses
outcome      what one reply comes to: edits, or why there are none
rewrite      all of that for one action, as a stream of steps
chats        conversations as Markdown documents
workspace    what a chat may show the model of the workspace, and what the model may look at
"""
