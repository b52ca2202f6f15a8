"""Small real programs with a cursor (`█`) after an emoji, and what a completion there has to contain."""

from __future__ import annotations

SAMPLES: dict[str, str] = {
    "python": """\
GREETING = "👋"


def area(width, height):
    label = "🦊"; return █


def volume(width, height, depth):
    return area(width, height) * depth
""",
    "javascript": """\
const mark = "🦊";

function add(first, second) {
  /* 👋 */ return █
}

module.exports = { add };
""",
    "typescript": """\
interface User { name: string; age: number }

function isAdult(user: User): boolean {
  /* 👋 */ return █
}
""",
    "go": """\
package main

func add(first int, second int) int {
	/* 👋 */ return █
}
""",
    "rust": """\
fn square(number: i32) -> i32 {
    /* 🦊 */ let result = █
    result
}
""",
    "java": """\
class Circle {
    double radius;

    double diameter() {
        /* 👋 */ return █
    }
}
""",
    "c": """\
int maximum(int first, int second) {
    /* 🦊 */ return █
}
""",
    "ruby": """\
def double(number)
  mark = "👋"; number █
end
""",
}
"""By LSP language id."""

FILES = {
    "python": "py", "javascript": "js", "typescript": "ts", "go": "go",
    "rust": "rs", "java": "java", "c": "c", "ruby": "rb",
}  # fmt: skip
