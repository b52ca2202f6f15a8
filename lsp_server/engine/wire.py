"""Mistral's HTTP API as types: what may be asked, and how errors look; `reply` is how it is answered.

Knows JSON and nothing of tokens, jobs or sockets. Fields are those of Mistral's OpenAPI description that a
llama.cpp model can honour; a field nobody here would act on is refused rather than ignored in silence.
"""

from __future__ import annotations

import hashlib
import re
import time
from typing import Annotated, Any, Literal, TypeVar

import msgspec

Tokens = Annotated[int, msgspec.Meta(ge=0)]
Temperature = Annotated[float, msgspec.Meta(ge=0.0, le=1.5)]
Probability = Annotated[float, msgspec.Meta(gt=0.0, le=1.0)]
Name = Annotated[str, msgspec.Meta(min_length=1)]


class EngineFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the front end tells this engine and no other server."""

    document: str | None = None
    """Which document or conversation is continued: its KV cache is looked for first."""
    priority: Literal["completion", "chat"] | None = None
    """Who waits for whom; by default the end point decides."""
    must_fit: bool = False
    """Refuse a rewrite whose `prediction` is longer than its reply may become."""
    usage: bool = False
    """Send the usage with each piece of a stream: who ends a stream early never sees the last one."""


class _Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    model: Name
    stream: bool = False
    max_tokens: Tokens | None = None
    min_tokens: Tokens | None = None
    temperature: Temperature | None = None
    top_p: Probability | None = None
    random_seed: Tokens | None = None
    stop: str | list[str] | None = None
    metadata: dict[str, Any] | None = None
    """Accepted and not used, as is the next: neither changes the reply."""
    prompt_cache_key: str | None = None
    engine: EngineFields = msgspec.field(default_factory=EngineFields)

    @property
    def stop_texts(self) -> tuple[str, ...]:
        """Return the stop sequences; an empty one would stop every reply before it begins."""
        given = [self.stop] if isinstance(self.stop, str) else self.stop or []
        return tuple(text for text in given if text)


class FimCompletion(_Request, frozen=True, kw_only=True):
    """`POST /v1/fim/completions`."""

    prompt: str
    suffix: str | None = None


class TextPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="text"):
    """A piece of a message."""

    text: str


class Function(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a model may ask for."""

    name: Name
    parameters: dict[str, Any]
    description: str = ""
    strict: Literal[False] | None = None


class Tool(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of the `tools` of a request."""

    function: Function
    type: Literal["function"] = "function"

    def plain(self) -> dict[str, Any]:
        """Return it as models have seen it in training: these fields in this order."""
        function = self.function
        return {
            "type": "function",
            "function": {
                "name": function.name,
                "description": function.description,
                "parameters": function.parameters,
            },
        }


class CalledFunction(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a model has asked for."""

    name: str
    arguments: str | dict[str, Any] = ""

    @property
    def parsed(self) -> Any:  # noqa: ANN401 - JSON
        """Return the arguments as what their JSON stands for; what is no object stays text."""
        if not isinstance(self.arguments, str):
            return self.arguments
        try:
            value = msgspec.json.decode(self.arguments or "{}")
        except (msgspec.DecodeError, RecursionError):
            return self.arguments
        return value if isinstance(value, dict) else self.arguments


class ToolCall(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One call in an assistant's turn."""

    function: CalledFunction
    id: str = ""
    type: str = "function"
    index: int = 0

    @property
    def plain_id(self) -> str:
        """Return the id, or as good a one: it goes into prompts among their control tokens."""
        return plain_id(self.id)


def plain_id(given: str) -> str:
    """Return an id of nothing but letters, digits and `_-`."""
    plain = re.fullmatch(r"[\w-]{0,64}", given, re.ASCII) is not None
    return (
        given if plain else hashlib.blake2b(given.encode("utf-8", "replace"), digest_size=5).hexdigest()[:9]
    )


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str | list[TextPart] | None
    prefix: bool = False
    """On the last message, of the assistant: continue it instead of answering it."""
    tool_calls: list[ToolCall] | None = None
    tool_call_id: str | None = None
    """On a tool's message: which call it answers."""
    name: str | None = None
    """On a tool's message: the function."""

    @property
    def text(self) -> str:
        """Return the content as one string."""
        if self.content is None or isinstance(self.content, str):
            return self.content or ""
        return "".join(part.text for part in self.content)

    @property
    def calls(self) -> list[ToolCall]:
        """Return the functions that this turn asks for."""
        return self.tool_calls or []

    @property
    def answers(self) -> str:
        """Return the id of the call that this message answers."""
        return plain_id(self.tool_call_id or "")


class Prediction(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Text that the answer will mostly repeat."""

    content: str
    type: Literal["content"] = "content"


class ChatCompletion(_Request, frozen=True, kw_only=True):
    """`POST /v1/chat/completions`."""

    messages: Annotated[list[Message], msgspec.Meta(min_length=1)]
    tools: list[Tool] | None = None
    tool_choice: Literal["auto", "none"] | None = None
    parallel_tool_calls: Literal[True] | None = None
    prediction: Prediction | None = None
    safe_prompt: Literal[False] | None = None
    n: Literal[1] | None = None

    @property
    def usable_tools(self) -> list[Tool]:
        """Return what the model may ask for."""
        return [] if self.tool_choice == "none" else self.tools or []


class BadRequest(Exception):
    """The body is not what the API takes; `detail` is what Mistral puts under that name."""

    def __init__(self, detail: list[dict[str, Any]]) -> None:
        super().__init__(detail[0]["msg"])
        self.detail = detail


_R = TypeVar("_R", FimCompletion, ChatCompletion)


def parse(body: bytes, kind: type[_R]) -> _R:
    """Decode a request body or raise BadRequest with the place of what is wrong."""
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise BadRequest([_detail(str(error))]) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRequest([{"type": "json_invalid", "loc": ["body"], "msg": f"Not JSON: {error}"}]) from None


def _detail(message: str) -> dict[str, Any]:
    # msgspec says what is wrong and where in one text only: "<what> `<field>` - at `$.<path>`".
    what, _, where = message.partition(" - at `$")
    path: list[str | int] = [
        int(step[:-1]) if step.endswith("]") else step
        for step in where.rstrip("`").replace("[", ".").split(".")
        if step
    ]
    for beginning, kind in (
        ("Object contains unknown field `", "extra_forbidden"),
        ("Object missing required field `", "missing"),
    ):
        if what.startswith(beginning):
            path.append(what.removeprefix(beginning).rstrip("`"))
            return {"type": kind, "loc": ["body", *path], "msg": _SAID[kind]}
    return {"type": "value_error", "loc": ["body", *path], "msg": what}


_SAID = {"extra_forbidden": "Extra inputs are not permitted", "missing": "Field required"}


def refusal(detail: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the body of a 422."""
    return _error({"detail": detail}, "invalid_request_error")


def failure(message: str, kind: str = "internal_error") -> dict[str, Any]:
    """Return the body of any other error."""
    return _error(message, kind)


def _error(message: object, kind: str) -> dict[str, Any]:
    return {"object": "error", "message": message, "type": kind, "param": None, "code": None}


def model_card(name: str, family: str, context_tokens: int, *, fim: bool) -> dict[str, Any]:
    """Return the body of `GET /v1/models`."""
    card = {
        "id": name,
        "object": "model",
        "created": int(time.time()),
        "owned_by": "local",
        "type": "base",
        "max_context_length": context_tokens,
        "capabilities": {"completion_chat": True, "completion_fim": fim},
        "family": family,
        "fim": fim,
    }
    return {"object": "list", "data": [card]}
