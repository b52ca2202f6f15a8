"""Short and empty files in every language: does the model write the file's own language?"""
