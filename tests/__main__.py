"""Everything that has to hold, in one command: `python -m tests`.

Lint, format, types, then all tests with the real models, which are downloaded once. Further
arguments go to pytest.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent

STEPS = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("mypy",),
    ("pytest", *sys.argv[1:]),
)


def main() -> int:
    """Run the steps in order; stop at the first that fails."""
    for step in STEPS:
        print(f"== {' '.join(step)}", flush=True)
        done = subprocess.run([sys.executable, "-m", *step], cwd=ROOT, check=False)
        if done.returncode:
            return done.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
