"""Simon Willison's `llm` library and its plugins, in a process of their own: JSON lines in, JSON lines out.

Plugins load llama.cpp or torch into the process, print to stdout, re-point file descriptor 1 and block; here
they may. Knows nothing of what a prompt is for. This file is run by its path, by the Python that has the
plugins, which need not be ours: it imports the standard library and `llm` alone.

Requests, one JSON object a line; `id` is a number that the answers repeat:
    {"id", "do": "describe", "model"}                      comes first; "" is the library's default model
    {"id", "do": "complete", "model", "prompt", ...}       ... is "max_tokens", "temperature", "stop"
    {"id", "do": "chat", "model", "messages", ...}         [{"role", "content"}, ...]
    {"id", "do": "cancel"}                                 stops the request of that id
Answers: any number of {"id", "text"}, then one of
    {"id", "done": "stop" | "length" | "cancelled", "input", "output"}    the last two are tokens or null
    {"id", "done": "described", "model", "names", "key", "completes", "in_process"}
    {"id", "done": "failed", "cause", "message", "status", "close"}       close: names like the unknown one
"""

from __future__ import annotations

import asyncio
import difflib
import importlib
import json
import os
import queue
import sys
import threading
import traceback
from typing import Any

LENGTH_OPTIONS = ("max_tokens", "max_gen_len", "max_output_tokens", "max_new_tokens", "num_predict")
"""What plugins call the longest reply, in tokens."""
TEMPERATURE_OPTIONS = ("temperature", "temp")
COMPLETION_CLASSES = ("llm.default_plugins.openai_models.Completion", "llm_llama_cpp.LlamaModel")
"""Models that continue a text; all others wrap it in a chat template. The second one also has a chat kind."""
CLOSE_NAMES = 3


class Pipes:
    """Our own ends of stdin and stdout; whoever prints or reads from here on gets stderr and nothing."""

    def __init__(self) -> None:
        self.requests = os.fdopen(os.dup(0), "rb")
        self._answers = os.dup(1)
        self._lock = threading.Lock()
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.dup2(2, 1)

    def send(self, answer: dict[str, Any]) -> None:
        """Write an answer; ends the process if nobody is there to read it."""
        line = memoryview(json.dumps(answer).encode("ascii") + b"\n")
        with self._lock:
            try:
                while line:
                    line = line[os.write(self._answers, line) :]
            except OSError:
                os._exit(0)


class Request:
    """What was asked for, and whether it still is."""

    def __init__(self, body: dict[str, Any], pipes: Pipes) -> None:
        self.body = body
        self.cancelled = threading.Event()
        self.task: asyncio.Task[None] | None = None
        self._pipes = pipes

    def send(self, **answer: Any) -> None:  # noqa: ANN401  whatever JSON has
        """Answer with `answer`."""
        self._pipes.send({"id": self.body["id"], **answer})


class Reply:
    """Passes a model's text on: cut at stop sequences and at the length, for many plugins know neither."""

    def __init__(self, request: Request, *, cut: bool) -> None:
        """`cut` it at the length here, for the model cannot be told it."""
        self._request = request
        self._cut = cut
        self._stop = [stop for stop in request.body["stop"] if stop]
        self._held = ""
        self._left = request.body["max_tokens"]
        self.end = ""

    def take(self, text: str) -> bool:
        """Pass on what `text` adds; True once the reply is complete."""
        if self._request.cancelled.is_set():
            self.end = "cancelled"
            return True
        self._held += text
        found = [at for stop in self._stop if (at := self._held.find(stop)) >= 0]
        if found:
            self._release(min(found))
            self.end = "stop"
            return True
        self._release(len(self._held) - self._start_of_stop())
        self._left -= 1  # a piece is a token in every plugin that streams; others give all at once
        if self._cut and self._left <= 0:
            self.finish()
        return bool(self.end)

    def finish(self) -> None:
        """Pass on what was held back for a stop sequence that did not come."""
        if not self.end:
            self._release(len(self._held))
            self.end = "length" if self._left <= 0 else "stop"

    def _release(self, count: int) -> None:
        if count > 0:
            self._request.send(text=self._held[:count])
        self._held = self._held[count:]

    def _start_of_stop(self) -> int:
        """Return how many characters at the end may be the beginning of a stop sequence."""
        longest = min(len(self._held), max((len(stop) for stop in self._stop), default=1) - 1)
        fits = (n for n in range(longest, 0, -1) if any(s.startswith(self._held[-n:]) for s in self._stop))
        return next(fits, 0)


class Model:
    """A model of a plugin, and how to ask it."""

    def __init__(self, llm: Any, model: Any, async_model: Any) -> None:  # noqa: ANN401  the library is not typed here
        self._llm = llm
        self.chosen = model if async_model is None else async_model
        self.is_async = async_model is not None
        key_model = getattr(llm, "KeyModel", ())
        self.in_process = not self.is_async and not isinstance(model, key_model)
        """Not asynchronous and never with a key: it works in this process, one request at a time."""

    @property
    def completes(self) -> bool:
        """Say whether it continues a text as it is."""
        classes = {f"{kind.__module__}.{kind.__qualname__}" for kind in type(self.chosen).__mro__}
        return bool(classes.intersection(COMPLETION_CLASSES)) and not getattr(
            self.chosen, "is_llama2_chat", False
        )

    def names(self) -> list[str]:
        """Return what it is called, here and where it comes from: the name of the file tells the family."""
        candidates = [getattr(self.chosen, name, None) for name in ("model_id", "model_name", "path")]
        return [os.path.basename(str(name)) for name in candidates if name]  # noqa: PTH119  ids have slashes too

    def ask(self, body: dict[str, Any], options: dict[str, Any]) -> Any:  # noqa: ANN401
        """Return the library's response object: an iterator of text, not yet begun."""
        stream = bool(self.chosen.can_stream)
        if body["do"] == "complete":
            return self.chosen.prompt(body["prompt"], stream=stream, **options)
        if self.completes or not getattr(self.chosen, "supports_conversation", True):
            return self.chosen.prompt(_transcript(body["messages"]), stream=stream, **options)
        system, turns, last = _turns(body["messages"])
        conversation = self._conversation(system, turns)
        return conversation.prompt(last, system=system or None, stream=stream, **options)

    def _conversation(self, system: str, turns: list[tuple[str, str]]) -> Any:  # noqa: ANN401
        """Return a conversation with `turns` behind it.

        Plugins of today read `prompt.messages`, older ones the conversation's responses: give both.
        """
        llm = self._llm
        conversation = self.chosen.conversation()
        kind = llm.AsyncResponse if self.is_async else llm.Response
        lists = hasattr(llm, "Message")
        messages = [llm.system(system)] if lists and system else []
        for user, assistant in turns:
            more = {}
            if lists:
                messages.append(llm.user(user))
                more["messages"] = list(messages)
                messages.append(llm.assistant(assistant))
            prompt = llm.Prompt(user, model=self.chosen, system=system or None, **more)
            response = kind(prompt, self.chosen, True, conversation)
            response._chunks, response._done = [assistant], True
            conversation.responses.append(response)
        return conversation

    def options(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return the options that this model has and whose values it takes."""
        kind = self.chosen.Options
        known = kind.model_fields if hasattr(kind, "model_fields") else kind.__fields__  # pydantic 2, 1
        wanted: dict[str, Any] = {}
        # Reasoning models refuse a temperature, and count their thoughts among the tokens of the reply.
        if "reasoning_effort" not in known:
            wanted.update({name: body["max_tokens"] for name in LENGTH_OPTIONS if name in known})
            wanted.update({name: body["temperature"] for name in TEMPERATURE_OPTIONS if name in known})
        if "stop" in known and body["stop"]:
            wanted["stop"] = body["stop"]
            if "stop" in _refused(kind, wanted):
                wanted["stop"] = body["stop"][0]
        refused = _refused(kind, wanted)
        return {name: value for name, value in wanted.items() if name not in refused}


class Worker:
    """Takes requests and sees to each."""

    def __init__(self, pipes: Pipes) -> None:
        self._pipes = pipes
        self._open: dict[int, Request] = {}
        self._models: dict[str, Model] = {}
        self._registered: list[Any] | None = None
        self._turns: queue.Queue[Request] = queue.Queue()
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._work_in_turn, daemon=True).start()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()

    def run(self) -> None:
        """See to requests until stdin ends."""
        for line in self._pipes.requests:
            body = json.loads(line)
            if body["do"] == "cancel":
                self._cancel(body["id"])
            else:
                self._begin(Request(body, self._pipes))

    def _begin(self, request: Request) -> None:
        self._open[request.body["id"]] = request
        model = self._models.get(request.body["model"])
        if model is None or model.in_process or request.body["do"] == "describe":
            self._turns.put(request)
        elif model.is_async:
            asyncio.run_coroutine_threadsafe(self._reply_async(request), self._loop)
        else:
            threading.Thread(target=self._guarded, args=(request,), daemon=True).start()

    def _cancel(self, id: int) -> None:
        request = self._open.get(id)
        if request is not None:
            request.cancelled.set()
            self._loop.call_soon_threadsafe(lambda: request.task and request.task.cancel())

    def _work_in_turn(self) -> None:
        while True:
            self._guarded(self._turns.get())

    def _guarded(self, request: Request) -> None:
        try:
            if request.body["do"] == "describe":
                self._describe(request)
            else:
                self._reply(request)
        except BaseException as error:  # a plugin may even raise SystemExit
            _fail(request, error, self._key(request))
        finally:
            self._open.pop(request.body["id"], None)

    def _describe(self, request: Request) -> None:
        model = self._find(request.body["model"])
        request.send(
            done="described",
            model=model.chosen.model_id,
            names=model.names(),
            key=getattr(model.chosen, "needs_key", None) or "",
            completes=model.completes,
            in_process=model.in_process,
        )

    def _find(self, name: str) -> Model:
        if name in self._models:
            return self._models[name]
        llm = importlib.import_module("llm")
        wanted = name or llm.get_default_model()
        if self._registered is None:
            # Once only: each call makes new model objects, which would load their weights again.
            self._registered = llm.get_models_with_aliases()
        names: list[str] = []
        for entry in self._registered:
            called = [*entry.aliases, (entry.model or entry.async_model).model_id]
            if wanted in called:
                self._models[name] = Model(llm, entry.model, entry.async_model)
                return self._models[name]
            names += called
        self._registered = None  # it may be there the next time
        raise UnknownModel(wanted, difflib.get_close_matches(wanted, names, CLOSE_NAMES))

    def _reply(self, request: Request) -> None:
        reply, response = self._asked(request)
        pieces = iter(response)
        try:
            while not request.cancelled.is_set() and (text := next(pieces, None)) is not None:
                if reply.take(text):
                    break
        finally:
            pieces.close()
        _end(request, reply, response)

    async def _reply_async(self, request: Request) -> None:
        request.task = asyncio.current_task()
        try:
            reply, response = self._asked(request)
            try:
                while not request.cancelled.is_set():
                    if reply.take(await response.__anext__()):
                        break
            except StopAsyncIteration:
                pass
            finally:
                pieces = getattr(response, "_generator", None)
                if pieces is not None:
                    await pieces.aclose()
            _end(request, reply, response)
        except asyncio.CancelledError:
            request.send(done="cancelled", input=None, output=None)
        except BaseException as error:
            _fail(request, error, self._key(request))
        finally:
            self._open.pop(request.body["id"], None)

    def _key(self, request: Request) -> str:
        """Return the key that the model is asked with, so that no error shows it; empty if there is none."""
        model = self._models.get(request.body["model"])
        try:
            return (model.chosen.get_key() or "").strip() if model is not None else ""
        except Exception:  # it has none, or wants none
            return ""

    def _asked(self, request: Request) -> tuple[Reply, Any]:
        model = self._models[request.body["model"]]
        options = model.options(request.body)
        reply = Reply(request, cut=not any(name in options for name in LENGTH_OPTIONS))
        response = model.ask(request.body, options)
        return reply, response.__aiter__() if model.is_async else response


class UnknownModel(Exception):
    """No plugin has a model of this name."""

    def __init__(self, name: str, close: list[str]) -> None:
        super().__init__(name)
        self.close = close


def _turns(messages: list[dict[str, str]]) -> tuple[str, list[tuple[str, str]], str]:
    """Return the system text, the pairs of user and assistant before, and what the user says now."""
    system = "\n\n".join(message["content"] for message in messages if message["role"] == "system")
    turns: list[tuple[str, str]] = []
    said: list[str] = []
    for message in messages:
        if message["role"] == "user":
            said.append(message["content"])
        elif message["role"] == "assistant":
            turns.append(("\n\n".join(said), message["content"]))
            said = []
    return system, turns, "\n\n".join(said)


def _transcript(messages: list[dict[str, str]]) -> str:
    """Return a conversation as a text to be continued, for models that know no turns."""
    labels = {"system": "", "user": "User: ", "assistant": "Assistant: "}
    lines = [labels[message["role"]] + message["content"] for message in messages]
    return "\n\n".join([*lines, "Assistant:"])


def _refused(options: Any, values: dict[str, Any]) -> set[str]:  # noqa: ANN401  a pydantic class of either version
    try:
        options(**values)
    except Exception as error:
        errors = getattr(error, "errors", None)
        return {str(problem["loc"][0]) for problem in errors() if problem["loc"]} if errors else set(values)
    return set()


def _end(request: Request, reply: Reply, response: Any) -> None:  # noqa: ANN401
    if request.cancelled.is_set():
        reply.end = "cancelled"
    reply.finish()
    tokens = {"input": "input_tokens", "output": "output_tokens"}
    request.send(done=reply.end, **{name: getattr(response, field, None) for name, field in tokens.items()})


def _fail(request: Request, error: BaseException, key: str) -> None:
    text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    sys.stderr.write(text.replace(key, "…") if key else text)
    sys.stderr.flush()
    cause = "failed"
    if isinstance(error, UnknownModel):
        cause = "unknown model"
    elif isinstance(error, ModuleNotFoundError) and error.name == "llm":
        cause = "no llm"
    elif type(error).__name__ == "NeedsKeyException":
        cause = "no key"
    status = getattr(error, "status_code", None) or getattr(
        getattr(error, "response", None), "status_code", None
    )
    request.send(
        done="failed",
        cause=cause,
        message=_sentence(error, key),
        status=status if isinstance(status, int) else None,
        close=getattr(error, "close", []) if isinstance(error, UnknownModel) else [],
    )


def _sentence(error: BaseException, key: str) -> str:
    """Return what an error says: a server's own words where they were kept, never its whole answer.

    HTTP clients quote a header that they cannot send, and servers parts of a key that they refuse.
    """
    body = getattr(error, "body", None)
    text = body.get("message") if isinstance(body, dict) else None
    if not isinstance(text, str):
        text = str(error).strip().partition("\n")[0].partition("{")[0]
    shows_key = len(key) >= 4 and (key[:4] in text or key[-4:] in text)
    return ("" if shows_key else text.strip(" -:")[:200]) or type(error).__name__


def main() -> None:
    """Serve the process that started this one, and end when it goes."""
    Worker(Pipes()).run()
    # Not sys.exit: a model in the middle of a prompt would be waited for.
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
