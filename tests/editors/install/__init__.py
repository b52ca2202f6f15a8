"""Getting editors that no Python package brings: put into a folder of this user once, no rights needed."""
