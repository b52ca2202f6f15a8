"""Where the tests of a file belong and what they are written with, one module for each way languages do it.

project                  what all of them look at: the source, the folders above it, the files that are there
python, javascript, …    one `place` each; they read the disk and write nothing
"""
