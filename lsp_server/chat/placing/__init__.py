"""Where the code of a reply goes in a document, and how it looks there."""
