"""A server's no, in one sentence that says what to do. Knows no HTTP client, and no dialect of requests.

Servers' own words are quoted when they are short, plain and do not repeat the text that was sent.
"""

from __future__ import annotations

import html
import logging
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import msgspec

from lsp_server.errors import (
    BackendError,
    BackendLoading,
    BackendRejected,
    BackendUnavailable,
    RateLimited,
    ReplyTooLong,
    RequestRejected,
    SuffixRefused,
)
from lsp_server.keys.key import Key

log = logging.getLogger(__name__)

LONGEST_QUOTE = 200
ECHO = 12
"""So many characters of the request in a row are the user's text, not the server's own words."""

TOO_LONG = (
    "context length",
    "context size",
    "maximum context",
    "context window",
    "too long",
    "too large for model",
    "too many tokens",
    "prompt exceeds",
    "exceed_context_size",
    "must have less than",  # TGI: `inputs` must have less than 4096 tokens
)
NO_SUFFIX = (
    "suffix is not currently supported",
    "suffix is not supported",
    "unsupported param: suffix",
    "does not support insert",
    "does not support suffix",
    "infill is not supported",
)
NO_TOOLS = ("requires --jinja",)
"""llama.cpp's server, which says it with 500 in some versions."""
NO_CREDIT = (
    "insufficient_quota",
    "insufficient credit",
    "insufficient balance",
    "exceeded your current quota",
)
NO_MODEL = re.compile(
    r"invalid[ _]model|unknown model|model[ _]not[ _]found|no such model|not a valid model"
    r"|model\b.{0,120}?(not found|does not exist|is not available|not loaded|retired|deprecated)",
    re.IGNORECASE | re.DOTALL,
)
MISTRAL_HOSTS = {"api.mistral.ai": "codestral.mistral.ai", "codestral.mistral.ai": "api.mistral.ai"}

OTHER_KIND = ", or, if it does not speak Mistral's API, set the backend's type to openai and its fim to auto"


@dataclass(frozen=True)
class Answer:
    """What came instead of a reply."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Asked:
    """What was sent, and by whom."""

    who: str
    """The server, as the subject of a sentence."""
    host: str
    path: str
    body: Mapping[str, Any] | None
    key: Key | None
    key_hint: str


def refusal(answer: Answer, asked: Asked, hold: Callable[[], float]) -> BackendError:
    """Return the error that `answer` means; `hold` tells how long a rate limit lasts, if it is one."""
    words = said(answer.body) or _title(answer.body)
    if shows_key(words, asked.key):
        words = ""
    log.debug("%s answered %d: %s", asked.who, answer.status, words)
    reason = quoted(words, asked.body)
    # Codes such as `insufficient_quota` stand beside the message.
    clues = f"{words} {_codes(answer.body)}".lower()
    status, who = answer.status, asked.who
    if 300 <= status < 400:
        return BackendRejected(_redirected(answer, asked), status)
    if status == 402 or any(clue in clues for clue in NO_CREDIT):
        return BackendRejected(f"{who} says that there is no credit left for this key{reason}", status)
    if status == 429:
        return rate_limited(who, hold(), reason)
    if status in (401, 403):
        return BackendRejected(_key_refused(answer, asked, reason), status)
    if status == 407:
        return BackendUnavailable(f"The proxy on the way to {asked.host} wants a user name and a password.")
    return _about_the_request(status, clues, asked, reason) or _about_the_server(status, clues, asked, reason)


def rate_limited(who: str, wait_s: float, reason: str = ".") -> RateLimited:
    """Return the error for a request that has to wait; `reason` ends the sentence."""
    in_s = f"{max(1, math.ceil(wait_s))} s"
    return RateLimited(
        f"{who} limits the rate of requests; the next one may be sent in {in_s}{reason}", wait_s
    )


def _about_the_request(status: int, clues: str, asked: Asked, reason: str) -> BackendError | None:
    who = asked.who
    if "reply_too_long" in clues:  # our engine's; its sentence has nothing of the request in it
        return ReplyTooLong(reason.removeprefix(": "), status)
    if any(clue in clues for clue in NO_SUFFIX):
        return SuffixRefused(
            f"{who} cannot complete between two pieces of text for this model{reason}", status
        )
    if any(clue in clues for clue in NO_TOOLS):
        return RequestRejected(f"{who} takes no tools{reason}", 501)
    if status == 413 or any(clue in clues for clue in TOO_LONG):
        return RequestRejected(
            f"The text is too long for {_lower(who)}{_aside(reason)}: lower completion.context_tokens.",
            status,
        )
    if status < 500 and NO_MODEL.search(clues):
        model = asked.body.get("model") if asked.body else None
        named = f"the model {model}" if model else "this model"
        retired = ", or has retired it" if asked.host.endswith("mistral.ai") else ""
        return BackendRejected(
            f"{who} does not know {named}{retired}{_aside(reason)}: set another model.", status
        )
    return None


def _about_the_server(status: int, clues: str, asked: Asked, reason: str) -> BackendError:
    who = asked.who
    if status in (404, 405, 410):
        other = OTHER_KIND if asked.path.endswith("/fim/completions") else ""
        sentence = f"{who} has nothing at {asked.path}{_aside(reason)}: check the base URL{other}."
        return BackendRejected(sentence, status)
    if status == 503 and "loading" in clues:
        return BackendLoading(f"{who} is still loading the model; try again in a moment.")
    if status == 501:
        return BackendRejected(f"{who} cannot do what was asked (HTTP 501){reason}", status)
    if status >= 500 or status in (408, 425):
        return BackendUnavailable(f"{who} cannot answer now (HTTP {status}){reason}")
    return RequestRejected(f"{who} refused the request (HTTP {status}){reason}", status)


def _key_refused(answer: Answer, asked: Asked, reason: str) -> str:
    if asked.key is None:
        return (
            f"{asked.who} wants an API key{_aside(reason)} and none was found: give one by {asked.key_hint}."
        )
    place = asked.key.place
    sentence = f"{asked.who} refused the key from {place} (HTTP {answer.status}{reason.rstrip('.')})"
    if (other := MISTRAL_HOSTS.get(asked.host)) is not None:
        return f"{sentence}: it may be one for {other}, whose keys are other ones."
    there = place in asked.key_hint
    return f"{sentence}: {'put the right one there' if there else f'give another by {asked.key_hint}'}."


def _redirected(answer: Answer, asked: Asked) -> str:
    target = urlsplit(answer.headers.get("location", ""))
    where = f"{target.scheme}://{target.netloc.rpartition('@')[2]}" if target.hostname else "another address"
    return f"{asked.who} sends requests on to {where}: if that is right, make it the base URL."


def shows_key(words: str, key: Key | None) -> bool:
    """Say whether a part of the key is in `words`: OpenAI repeats a wrong key, hiding only its middle."""
    value = key.reveal() if key is not None else ""
    return len(value) >= 4 and (value[:4] in words or value[-4:] in words)


def quoted(words: str, body: Mapping[str, Any] | None) -> str:
    """Return the end of a sentence about a refusal: the server's words if they may be shown."""
    line = " ".join(words.split())
    if not line or len(line) > LONGEST_QUOTE or set(line) & set("{}") or _echoes(line, body):
        return "."
    return f": {line}"


def _aside(reason: str) -> str:
    """Return the same to stand in the middle of a sentence, before what is to be done."""
    return "" if reason == "." else f" ({reason.removeprefix(': ').rstrip('.')})"


def _echoes(line: str, body: Mapping[str, Any] | None) -> bool:
    if body is None:
        return False
    plain = _plain(line)
    for text in map(_plain, _texts(body)):
        if not text.strip():
            continue
        if len(text) <= ECHO and len(text) >= 4 and text in plain:
            return True
        if any(plain[start : start + ECHO] in text for start in range(len(plain) - ECHO + 1)):
            return True
    return False


def _plain(text: str) -> str:
    """Return `text` as it compares whether it was quoted, escaped or neither."""
    return " ".join(re.sub(r"\\[nrt]|[\\\"'`\s]", " ", text).split())


def _texts(value: object, name: str = "") -> Iterator[str]:
    """Yield the user's text in a request: all strings but those that name the model and the like."""
    if isinstance(value, str) and name not in {"model", "role", "type", "prompt_cache_key", "tool_choice"}:
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _texts(item, str(key))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item, name)


def said(body: bytes) -> str:
    """Return what an error's body says, or an empty string.

    Mistral's `message` is a text or an object, `detail` a text or a list, and both occur at the top and
    nested; what the API answers is not what https://docs.mistral.ai/api says. OpenAI and llama.cpp have
    `error` with a `message`, Ollama and TGI an `error` that is a text. What a server repeats of the
    request (`input` and `ctx` of pydantic) is passed over.
    """
    try:
        return worded(msgspec.json.decode(body))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ""


def worded(error: object) -> str:
    """Return what an error says that was read already, in one line."""
    return " ".join(_said(error).split())


def _said(error: object) -> str:
    if isinstance(error, str):
        return error
    if isinstance(error, list):
        return "; ".join(filter(None, map(_said, error)))
    if not isinstance(error, dict):
        return ""
    if "msg" in error:  # one entry of `detail`: loc is the way to the field
        loc = error.get("loc")
        place = ".".join(str(step) for step in loc if step != "body") if isinstance(loc, list) else ""
        return f"{place}: {error['msg']}" if place else str(error["msg"])
    return next((text for key in ("message", "detail", "error") if (text := _said(error.get(key)))), "")


def _codes(body: bytes) -> str:
    """Return the machine-readable kinds of error in a body."""
    try:
        top = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ""
    levels = [top, top.get("error")] if isinstance(top, dict) else []
    return " ".join(
        str(level[key])
        for level in levels
        if isinstance(level, dict)
        for key in ("code", "type", "error_type")
        if level.get(key) is not None
    )


def _title(body: bytes) -> str:
    """Return the title of an HTML page, or a text that is short enough to be a message."""
    text = body[:65_536].decode("utf-8", "replace")
    if (title := re.search(r"<title[^>]*>(.*?)</title>", text, re.IGNORECASE | re.DOTALL)) is not None:
        return html.unescape(" ".join(title[1].split()))
    plain = text.strip()
    # JSON without a message in it, or a page without a title, tells a user nothing.
    return "" if plain[:1] in {"", "<", "{", "[", '"'} or plain == "null" or "\ufffd" in plain else plain


def _lower(who: str) -> str:
    return who[0].lower() + who[1:]
