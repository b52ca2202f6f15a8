"""An API key that does not show itself."""

from __future__ import annotations


class Key:
    """A key and the place it came from; only `reveal` gives the key itself away."""

    __slots__ = ("_value", "place")

    def __init__(self, value: str, place: str) -> None:
        """Take `value`; `place` says in words where it was found, for errors and `keys list`."""
        self._value = value
        self.place = place

    def reveal(self) -> str:
        """Return the key, for a request's header and nothing else."""
        return self._value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Key) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return f"<Key from {self.place}>"

    def __reduce__(self) -> str:
        raise TypeError("keys are not pickled")
