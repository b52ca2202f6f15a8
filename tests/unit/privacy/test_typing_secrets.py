"""Secrets typed key by key: what the requests that are sent on the way tell of them, taken together."""

from __future__ import annotations

import random
import string
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lsp_server.errors import TextWithheld
from lsp_server.privacy.rules import PrivacyRules
from lsp_server.privacy.secret_names import is_spoken
from lsp_server.privacy.secret_scan import PLACEHOLDER
from lsp_server.settings import PrivacySettings

ABOVE = "import os\n\n\nclass Worker:\n    def run(self, argv):\n"
BELOW = "\n\n    def stop(self):\n        for it in self.them:\n            it.join()\n"
LETTERS_DIGITS = string.ascii_letters + string.digits
PRINTABLE = LETTERS_DIGITS + "!@#$%^&*()-_+=[]{}|;:,.<>?/~ "


@dataclass(frozen=True)
class Kind:
    """A line with a secret in it, and how many of its first characters a server may see."""

    before: str
    alphabet: str
    after: str = '"'
    size: int = 24
    document: str = "file:///project/a.py"
    closing: str = '"'
    """What the editor writes behind the cursor at the opening quote."""
    seen: int = 0


KINDS = {
    "password": Kind('        password = "', PRINTABLE, size=12),
    "single quotes": Kind("        db_password = '", PRINTABLE, "'", size=12, closing="'"),
    "argument": Kind('        connect(user="me", password="', PRINTABLE, '")', closing='")'),
    "dictionary": Kind('        config = {"client_secret": "', PRINTABLE, '"}', closing='"}'),
    "annotated": Kind('        api_key: str = "', PRINTABLE),
    "environment": Kind('        os.environ["API_TOKEN"] = "', PRINTABLE),
    "default": Kind('        os.environ.get("DB_PASSWORD", "', LETTERS_DIGITS, '")', closing='")'),
    "comparison": Kind('        if password == "', PRINTABLE, '":', closing='"'),
    "query": Kind('        url = "https://host.example/?api_key=', LETTERS_DIGITS, '&x=1"'),
    "connection string": Kind('        c = "Server=x;User=sa;Password=', LETTERS_DIGITS, ';"'),
    "header": Kind('        headers = {"Authorization": "Bearer ', LETTERS_DIGITS, '"}', closing='"}'),
    "database url": Kind('        url = "postgres://app:', LETTERS_DIGITS + "-_!*.~", '@db.example/x"'),
    "web url": Kind('        url = "https://bob:', string.ascii_letters, '@host.example/x"'),
    "web url with digits": Kind(
        '        url = "https://box.local:', string.digits, 'x@host.example"', seen=5
    ),
    "aws": Kind('        key = "AKIA', string.ascii_uppercase + string.digits, size=16),
    "github": Kind('        key = "ghp_', LETTERS_DIGITS, size=36),
    "gitlab": Kind('        key = "glpat-', LETTERS_DIGITS + "-_", size=20),
    "openai": Kind('        key = "sk-', LETTERS_DIGITS, size=48),
    "hugging face": Kind('        key = "hf_', string.ascii_letters, size=34),
    "google": Kind('        key = "AIza', LETTERS_DIGITS + "-_", size=35),
    "slack": Kind('        key = "xoxb-', LETTERS_DIGITS + "-", size=50),
    "jwt": Kind('        key = "eyJ', LETTERS_DIGITS + "-_.", size=120),
    "yaml": Kind("password: ", LETTERS_DIGITS + "!$%^*()_+=.", "", document="a.yaml", closing=""),
    "ini": Kind("api_key = ", LETTERS_DIGITS + "!$%^*()_+=.", "", document="a.ini", closing=""),
    "properties": Kind("db.password=", LETTERS_DIGITS, "", document="a.properties", closing=""),
    "shell": Kind("export DB_PASSWORD=", LETTERS_DIGITS + "-_.+", "", document="a.sh", closing=""),
    "flag": Kind("run --password=", LETTERS_DIGITS, " --verbose", document="a.sh", closing=""),
    "curl": Kind("curl -u bob:", LETTERS_DIGITS, " https://x", document="a.sh", closing=""),
    "npm": Kind("//npm.example/:_authToken=", LETTERS_DIGITS + "-", "", document="a.txt", closing=""),
    "xml": Kind("<password>", LETTERS_DIGITS, "</password>", document="a.xml", closing="</password>"),
    "key file": Kind("-----BEGIN PRIVATE KEY-----\n", LETTERS_DIGITS + "+/", "\n", size=64, closing=""),
}
RULES = PrivacyRules(PrivacySettings())


def _requests(kind: Kind, secret: str, rules: PrivacyRules) -> Iterator[tuple[str, str]]:
    """Yield what is sent while the line is typed at its end, and from everywhere else when it is there."""
    line = kind.before + secret + kind.after
    typed = range(len(line) + 1)
    pairs = [(ABOVE + line[:at], BELOW) for at in typed]
    pairs += [
        (ABOVE + line[:at], kind.closing + BELOW)
        for at in typed
        if len(kind.before) <= at <= len(kind.before) + len(secret)
    ]
    text = ABOVE + line + BELOW
    pairs += [(text[:at], text[at:]) for at in range(0, len(text), 5)]
    for prefix, suffix in pairs:
        try:
            cleared = rules.clear_fim(prefix, suffix, kind.document)
        except TextWithheld:
            continue
        yield cleared.prefix, cleared.suffix


def _can_be_told_apart(secret: str, kind: Kind) -> bool:
    """Return whether a secret begins with what stands neither around it nor in the placeholder.

    A mask of `x` and the like is none: it only shows where one goes.
    """
    beginning, around = secret[: kind.seen + 1], ABOVE + kind.before + kind.after + BELOW
    letters = sum(character.isalnum() for character in secret)
    return (
        letters > 8
        and not is_spoken(secret)
        and beginning not in around
        and not PLACEHOLDER.startswith(beginning)
    )


def _seen(secret: str, texts: list[str]) -> int:
    """Return how many characters of the secret any text has, from its start; the first stand there anyway."""
    most = 0
    for text in texts:
        while most < len(secret) and secret[: most + 1] in text:
            most += 1
    return most


@pytest.mark.parametrize("name", KINDS)
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_secret_is_not_seen_while_it_is_typed_nor_later(name: str, data: st.DataObject) -> None:
    kind = KINDS[name]
    drawn = st.one_of(
        st.text(kind.alphabet, min_size=kind.size, max_size=kind.size),
        st.randoms(use_true_random=False).map(lambda it: "".join(it.choices(kind.alphabet, k=kind.size))),
    )
    secret = data.draw(drawn.map(str.strip).filter(lambda it: _can_be_told_apart(it, kind)))
    sent = list(_requests(kind, secret, RULES))
    assert sent, "completions go on elsewhere"
    place = kind.before.splitlines()[-1] if "\n" not in kind.before else ""
    for prefix, suffix in sent:
        text = prefix + suffix
        at = text.find(place) + len(place)
        assert not text.startswith(secret[: kind.seen + 1], at) or "PRIVATE" in kind.before, text
    texts = [prefix + suffix for prefix, suffix in sent]
    assert [text for text in texts if secret[:8] in text or secret[-8:] in text] == []


@pytest.mark.parametrize("name", KINDS)
def test_without_the_scan_all_is_sent(name: str) -> None:
    kind = KINDS[name]
    secret = (kind.alphabet * 8)[: kind.size]
    rules = PrivacyRules(PrivacySettings(scan_secrets=False))
    text = ABOVE + kind.before + secret + kind.after + BELOW
    sent = {prefix + suffix for prefix, suffix in _requests(kind, secret, rules)}
    assert text in sent


RANDOM = {
    "mixed case": (LETTERS_DIGITS, 32),
    "base64": (LETTERS_DIGITS + "+/", 44),
    "small letters and digits": (string.ascii_lowercase + string.digits, 40),
    "hexadecimal": ("0123456789abcdef", 32),
}


@pytest.mark.parametrize("name", RANDOM)
def test_keys_without_a_name_or_prefix_are_mostly_recognized(name: str) -> None:
    """Chance decides: of a thousand keys a few look like words, and more do so in their first characters."""
    drawn = random.Random(7)
    alphabet, size = RANDOM[name]
    kind = Kind('        key = "', alphabet, size=size)
    whole, seen = 0, []
    for _ in range(40):
        secret = "".join(drawn.choices(alphabet, k=size))
        texts = [prefix + suffix for prefix, suffix in _requests(kind, secret, RULES)]
        whole += any(secret in text for text in texts)
        seen.append(_seen(secret, texts))
    assert whole <= 2
    assert sorted(seen)[20] <= 10


def test_a_name_without_secrecy_and_short_words_are_not_recognized() -> None:
    """What the scan cannot know, said aloud."""
    sent = list(_requests(Kind('        favourite = "', string.ascii_lowercase), "swordfish", RULES))
    assert any('"swordfish"' in prefix + suffix for prefix, suffix in sent)
