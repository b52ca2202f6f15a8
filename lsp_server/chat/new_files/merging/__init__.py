"""New tests into the text of a test file. Pure strings; must not know where the file is.

imports      what is imported already, what is missing, what the model has made up
frameworks   what a test file has to import to be run at all
pieces       a text as imports and definitions, with what belongs to each
tests        all of that: the order of things, names that are taken, classes and mains that there are already
rust         tests in a module of the file that they test
"""

from lsp_server.chat.new_files.merging.tests import merged as merged
