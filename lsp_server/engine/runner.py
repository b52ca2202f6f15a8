"""Runs one job at a time on the model: slot, prefill, then token after token. For the owner thread.

Must not know which job comes next; it stops when the abort flag says so and can go on later.
"""

from __future__ import annotations

from lsp_server.engine.decoder import AbortFlag, Decoder, Logits, Outcome
from lsp_server.engine.generation import Generation
from lsp_server.engine.job import Text
from lsp_server.engine.model import LoadedModel
from lsp_server.engine.slots import Slot, Slots
from lsp_server.engine.ticket import Ticket
from lsp_server.engine.vocabulary import Vocabulary
from lsp_server.errors import BackendRejected, CodestralLspError


class NoRoomError(CodestralLspError):
    """The KV cache of a slot ended before its context length did."""


class Runner:
    """The model with its slots."""

    def __init__(self, model: LoadedModel, abort: AbortFlag) -> None:
        self.model = model
        self.vocabulary = Vocabulary(model.vocab)
        self.decoder = Decoder(model, abort)
        self._slots = Slots(model.slots, whole_only=not model.shortens)

    def warm_up(self) -> None:
        """Do now what the first job would otherwise wait for."""
        self.decoder.warm_up()
        # The tables for healing are built on first use: some 0.2 s for 150,000 tokens.
        self.vocabulary.starting_with(b" ")
        _ = self.vocabulary.ends

    def run(self, ticket: Ticket) -> bool:
        """Work on a job until it is finished (True) or the abort flag is set (False)."""
        ticket.enter("prefill")
        generation = ticket.generation or self._begin(ticket)
        slot = self._take_slot(ticket, generation)
        try:
            return self._generate(ticket, generation, slot)
        except Exception:
            slot.truncate(self.decoder.keep(slot.sequence, 0))
            raise

    def release(self, ticket: Ticket) -> None:
        """Let other jobs have the slot of one that has ended."""
        self._slots.release(ticket)

    def _begin(self, ticket: Ticket) -> Generation:
        job = ticket.job
        prompt = job.prompt(self.model, self.vocabulary) if callable(job.prompt) else job.prompt
        generation = Generation(prompt, job.sampling, self.vocabulary)
        length, room = len(prompt.tokens), self.model.slot_tokens
        if not length:
            raise BackendRejected("The prompt is empty.", 422)
        if length >= room:
            raise BackendRejected(
                f"The prompt has {length} tokens and the model has room for {room - 1}: "
                "shorten it, or raise context_tokens.",
                422,
            )
        ticket.generation = generation
        return generation

    def _take_slot(self, ticket: Ticket, generation: Generation) -> Slot:
        slot, reused = self._slots.acquire(generation.tokens, ticket.owner, ticket)
        slot.truncate(self.decoder.keep(slot.sequence, reused))
        if ticket.cached_tokens is None:
            ticket.cached_tokens = len(slot.tokens)
        return slot

    def _generate(self, ticket: Ticket, generation: Generation, slot: Slot) -> bool:
        logits = self._prefill(ticket, generation, slot)
        if logits is None:
            return False
        ticket.enter("decode")
        guesses: tuple[int, ...] = ()
        while not generation.finish_reason:
            for right, guess in enumerate((*guesses, None), 1):
                self._choose(ticket, generation, logits)
                if generation.finish_reason or generation.tokens[-1] != guess:
                    break
                logits = self.decoder.logits(len(guesses) - right)
            if guesses:
                self._drop_wrong(slot, generation)
            if generation.finish_reason:
                break
            room = self.model.slot_tokens - len(generation.tokens) if self.model.shortens else 0
            guesses = generation.guess(room)
            if not self._evaluate(slot, generation, guesses):
                return False
            logits = self.decoder.logits(len(guesses))
        return True

    def _choose(self, ticket: Ticket, generation: Generation, logits: Logits) -> None:
        text = generation.choose(logits)
        if len(generation.tokens) > self.model.slot_tokens and not generation.finish_reason:
            text += generation.cut()
        if text:
            ticket.job.emit(Text(text, ticket.stats()))

    def _drop_wrong(self, slot: Slot, generation: Generation) -> None:
        """Remove the guesses that did not come true: all up to the last token did."""
        right = min(len(slot.tokens), len(generation.tokens))
        if slot.tokens[right - 1] != generation.tokens[right - 1]:
            right -= 1
        if right < len(slot.tokens):
            slot.truncate(self.decoder.keep(slot.sequence, right))

    def _prefill(self, ticket: Ticket, generation: Generation, slot: Slot) -> Logits | None:
        """Evaluate what is missing in the slot; return the logits, or None if interrupted."""
        known = slot.outlook(len(generation.tokens))
        if known is not None:
            return known
        before = len(slot.tokens)
        complete = self._evaluate(slot, generation)
        ticket.evaluated_tokens += max(0, len(slot.tokens) - before)
        if not complete:
            return None
        logits = self.decoder.logits()
        if len(generation.tokens) == generation.prompt_tokens:
            slot.remember(logits)
        return logits

    def _evaluate(self, slot: Slot, generation: Generation, guesses: tuple[int, ...] = ()) -> bool:
        start = len(slot.tokens)
        missing = [*generation.tokens[start:], *guesses]
        done, outcome = self.decoder.evaluate(slot.sequence, missing, start, guessed=len(guesses))
        if done >= 0:
            slot.tokens += missing[:done]
        else:
            slot.truncate(start + done)
        if outcome is Outcome.NO_ROOM:
            raise NoRoomError(f"no room for {len(missing)} tokens at {start}")
        return outcome is Outcome.COMPLETE
