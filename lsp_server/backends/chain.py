"""Several backends as one: the first that can answer does, the next ones stand in for it.

Knows what a request's failure means for the others; what is known about each backend is in its `Member`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing

from lsp_server.backends.member import Change, Member, OnChange, tell
from lsp_server.backends.preparation import first_ready
from lsp_server.backends.protocol import Backend, ChatRequest, Chunk, FimRequest, Readiness
from lsp_server.errors import BackendUnavailable, RateLimited, ReplyTooLong, TextWithheld, UserFacingError

log = logging.getLogger(__name__)

Stream = Callable[[Backend], AsyncGenerator[Chunk, None]]


class Chain:
    """A `Backend` made of others, in the order in which they are wanted.

    Nobody waits for a dead server twice: a member that failed is left alone for a while, and then looked
    after in the background while the next one answers. A chain of one is that backend and a breaker.
    """

    def __init__(self, members: Sequence[Member], on_change: OnChange, *, use: str = "") -> None:
        """Take at least one member; `use` says in changes what this chain is for."""
        self._members = tuple(members)
        self._on_change = on_change
        self._use = use
        self._in_use: Member | None = None

    @property
    def name(self) -> str:
        """Return the name of the backend that is wanted most."""
        return self._members[0].name

    def fim(self, request: FimRequest) -> AsyncGenerator[Chunk, None]:
        """Stream the text between prefix and suffix."""
        return self._ask(lambda backend: backend.fim(request))

    def chat(self, request: ChatRequest) -> AsyncGenerator[Chunk, None]:
        """Stream the assistant's next turn."""
        return self._ask(lambda backend: backend.chat(request))

    async def prepare(self) -> AsyncGenerator[Readiness, None]:
        """Prepare all members side by side until one is ready; the others go on in the background.

        Reports of the first member that is not ready are passed on. Members that have just failed are left
        alone; if that leaves none, what stopped the first is raised.
        """
        wanted = [member for member in self._members if member.breaker.closed or member.breaker.pause_is_over]
        async with aclosing(first_ready(wanted)) as steps:
            async for step in steps:
                yield step
                if step.ready:
                    return
        raise self._failure({m: m.unready for m in wanted if m.unready is not None}).with_traceback(None)

    async def probe(self) -> None:
        """Look for a sign of life of any member; raises what the first says if there is none."""
        errors: dict[Member, UserFacingError] = {}
        for member in self._members:
            error = await _probe(member)
            if error is None:
                return
            errors[member] = error
        raise self._failure(errors).with_traceback(None)

    async def aclose(self) -> None:
        """Stop what goes on in the background and close the members."""
        for member in self._members:
            await member.aclose()

    async def _ask(self, stream: Stream) -> AsyncGenerator[Chunk, None]:
        errors: dict[Member, UserFacingError] = {}
        for member in self._askable() or await self._last_resort():
            begun = False
            try:
                async with aclosing(self._stream(member, stream)) as chunks:
                    async for chunk in chunks:
                        begun = True
                        yield chunk
            except UserFacingError as error:
                if begun or isinstance(error, ReplyTooLong):  # the others' replies may be no longer
                    raise
                log.info("No answer from %s: %s", member.name, error)
                errors[member] = error
            else:
                return
        raise self._failure(errors).with_traceback(None)

    async def _stream(self, member: Member, stream: Stream) -> AsyncGenerator[Chunk, None]:
        """Stream a member's reply, and nothing of one that fails before there is anything in it."""
        held: list[Chunk] = []
        begun = False
        member.asked()
        try:
            async with aclosing(stream(member.backend)) as chunks:
                async for chunk in chunks:
                    held.append(chunk)
                    if not begun and (chunk.text or chunk.finish_reason):
                        begun = True
                        self._answered(member)
                    while begun and held:
                        yield held.pop(0)
            if not begun:  # an empty reply is one, too
                self._answered(member)
                for chunk in held:
                    yield chunk
        except UserFacingError as error:
            member.failed(error)
            raise
        except asyncio.CancelledError:
            if not begun:
                member.given_up()
            raise

    def _askable(self) -> list[Member]:
        """Return who is to be asked in this order: those that are ready first, then those that will be."""
        if len(self._members) == 1:
            only = self._members[0]
            return [only] if only.breaker.closed or only.breaker.pause_is_over else []
        for member in self._members:
            if not member.breaker.closed and member.breaker.pause_is_over:
                member.probe()
        return sorted((m for m in self._members if m.breaker.closed), key=lambda member: not member.ready)

    async def _last_resort(self) -> list[Member]:
        """Return the first member that may be asked although all have failed."""
        for member in self._members:
            if await member.last_resort():
                return [member]
        return []

    def _answered(self, member: Member) -> None:
        is_back = member.answered()
        before = self._members[: self._members.index(member)]
        reasons = [other.why_out_of_use for other in before]
        if member is self._in_use or not all(reasons):
            return  # one that is in use had its reasons for this request alone
        self._in_use = member
        if before:
            sentence = f"{member.name} answers instead of {before[0].name}: {reasons[0]}"
            tell(self._on_change, Change(member.name, "fallback", sentence, self._use))
        elif not is_back:
            tell(self._on_change, Change(member.name, "in use", "", self._use))

    def _failure(self, errors: Mapping[Member, UserFacingError]) -> UserFacingError:
        """Return what to say when nobody answers: what is wrong, rather than that somebody wants a rest."""
        remembered = {m: m.breaker.error for m in self._members if not m.breaker.closed}
        known = {**remembered, **errors}
        said = [known[member] for member in self._members if member in known]
        if not said:  # asked after it was closed
            return BackendUnavailable(f"{self.name} has been closed.")
        passing = (RateLimited, TextWithheld)
        return next(
            (error for error in said if not isinstance(error, passing)),
            next((error for error in said if isinstance(error, RateLimited)), said[0]),
        )


async def _probe(member: Member) -> UserFacingError | None:
    try:
        await member.backend.probe()
    except UserFacingError as error:
        return error
    return None
