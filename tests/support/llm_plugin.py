"""A plugin for the `llm` library with models of every kind, and with the bad manners of real ones.

Named in an entry point of the group `llm` it is loaded like any other.
"""

# ruff: noqa: ANN401  the library's own types change with its versions

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import time
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import Any

import llm
from pydantic import Field

print("a plugin prints to stdout as it is imported")
os.write(1, b"and past Python, too\n")

STEP_S = 0.01
"""From one piece of a reply to the next."""


@contextlib.contextmanager
def suppressed_output() -> Iterator[None]:
    """Do what llm-llama-cpp, llm-gpt4all and llm-mlc do around every request."""
    kept = os.dup(1), os.dup(2)
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)
    try:
        yield
    finally:
        os.dup2(kept[0], 1)
        os.dup2(kept[1], 2)
        for descriptor in (*kept, nothing):
            os.close(descriptor)


def seen(prompt: Any, conversation: Any) -> list[str]:
    """Return what a model that reads the conversation's responses is told, as older plugins do."""
    turns = [] if conversation is None else conversation.responses
    before = [text for turn in turns for text in (turn.prompt.prompt, turn.text())]
    return [f"system: {prompt.system}", *before, prompt.prompt]


def note(model: str) -> None:
    """Leave word in a file that a model was stopped."""
    Path(os.environ["LLM_USER_PATH"], "stopped").write_text(model, "utf-8")


def pieces(text: str) -> list[str]:
    """Return a text in pieces of one character."""
    return list(text)


class Manners(llm.Model):
    """Works in the process, reads the conversation's responses, and says what it was told."""

    model_id = "manners"
    can_stream = True

    class Options(llm.Options):
        max_gen_len: int | None = Field(default=None, gt=0)
        temp: float = Field(default=0.7, ge=0, le=1)

    def execute(self, prompt: Any, stream: bool, response: Any, conversation: Any) -> Iterator[str]:
        with suppressed_output():
            print("a plugin prints as it answers")
            text = json.dumps(
                {"options": prompt.options.model_dump(), "told": seen(prompt, conversation)}, sort_keys=True
            )
            yield from pieces(text)


class Counter(llm.Model):
    """Counts for ever, knows no options, and says in a file when it was stopped."""

    model_id = "counter"
    can_stream = True

    def execute(self, prompt: Any, stream: bool, response: Any, conversation: Any) -> Iterator[str]:
        number = 0
        try:
            while True:
                yield f"{number} "
                number += 1
                time.sleep(STEP_S)
        finally:
            note("counter")


class Stuck(llm.Model):
    """Answers `hello`, and to anything else is in a prefill that does not end."""

    model_id = "stuck"

    def execute(self, prompt: Any, stream: bool, response: Any, conversation: Any) -> Iterator[str]:
        if "never" in prompt.prompt:
            time.sleep(3600)
        yield f"process {os.getpid()}"


class Lister(llm.AsyncModel):
    """Asynchronous, and reads `prompt.messages` as today's plugins do."""

    model_id = "lister"
    can_stream = True

    class Options(llm.Options):
        temperature: float | None = None
        max_tokens: int | None = None
        stop: str | None = None

    async def execute(
        self, prompt: Any, stream: bool, response: Any, conversation: Any
    ) -> AsyncGenerator[str, None]:
        told = [[message.role, "".join(part.text for part in message.parts)] for message in prompt.messages]
        options = prompt.options.model_dump(exclude_none=True)
        try:
            for piece in pieces(json.dumps({"options": options, "told": told}, sort_keys=True)):
                yield piece
            response.set_usage(input=5, output=prompt.options.max_tokens)
            if "never" in prompt.prompt:
                await asyncio.Event().wait()
        finally:
            note("lister")


class SynchronousLister(llm.Model):
    """Is there for those who cannot ask asynchronously."""

    model_id = "lister"

    def execute(self, prompt: Any, stream: bool, response: Any, conversation: Any) -> Iterator[str]:
        yield "not asked asynchronously"


class Keyed(llm.KeyModel):
    """Wants a key, and fails as asked."""

    model_id = "keyed"
    needs_key = "manners"
    key_env_var = "LLM_MANNERS_KEY"

    def execute(
        self, prompt: Any, stream: bool, response: Any, conversation: Any, key: Any = None
    ) -> Iterator[str]:
        what = prompt.prompt
        if what.isdigit():
            error = RuntimeError("Error code: " + what + " - {'error': {'message': 'no', 'input': 'secret'}}")
            error.status_code = int(what)  # type: ignore[attr-defined]  # as the clients of OpenAI and Mistral do
            raise error
        if what == "quote":
            raise ValueError(f"Illegal header value {('Bearer ' + key).encode()!r}")
        if what == "leave":
            sys.exit("a plugin leaves")
        if what == "abort":
            os.abort()
        yield f"answered {what}"


@llm.hookimpl
def register_models(register: Any) -> None:
    register(Manners(), aliases=["mann"])
    register(Counter())
    register(Stuck())
    register(SynchronousLister(), Lister())
    register(Keyed())
