"""Property tests say what is right, not how fast: machines that run them are busy."""

from hypothesis import settings

settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")
