"""How much the name of a value says about the value being a secret. Knows names only."""

from __future__ import annotations

import re
from enum import IntEnum
from functools import lru_cache


class Secrecy(IntEnum):
    """What a name says; each level includes those below it."""

    NONE = 0
    MENTIONED = 1
    """A secret is spoken of, as in `password_help`: the value has to look random itself."""
    LIKELY = 2
    """`token`, `auth`: a key, or a word of a grammar; prose and single words are not taken for secrets."""
    CERTAIN = 3
    """`api_key`, `client_secret`: whatever literal stands there is kept back."""
    PASSWORD = 4
    """`password`: so is a number."""


HINT = re.compile(
    r"pass|pwd|secret|token|key|cred|auth|jwt|salt|pin\b|otp|geheim|kennwort|contrase|senha|signature|sessionid",
    re.IGNORECASE,
)
"""What each name with a secrecy contains: a cheap look before a careful one."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-zà-ÿ]+|[0-9]+")
_PASSWORDS = (
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "passwort",
    "kennwort",
    "contraseña",
    "contrasena",
)
_PASSWORD_ENDS = (*_PASSWORDS, "pwd")
_SECRET_ENDS = (
    *("secret", "apikey", "authkey", "privatekey", "secretkey", "accesskey", "encryptionkey", "signingkey"),
    *("masterkey", "accountkey", "authtoken", "accesstoken", "refreshtoken", "bearertoken", "apitoken"),
)
_PASS_OF = _words(
    """
    db database user admin root my smtp mail email imap mysql pg postgres redis ftp auth key ldap
    proxy login sudo ssh vpn wifi wpa account bind keystore truststore mongo rabbitmq http
    """
)
_KEY_OF = _words(
    """
    api access secret private priv client account auth service encryption crypto cipher signing sign
    master ssh storage shared deploy session app application admin db database webhook subscription
    hmac aes rsa jwt cookie consumer write ingest integration server license licence openai
    anthropic mistral stripe aws gcp azure github gitlab sendgrid twilio maps google
    """
)
_TOKEN_OF = _words(
    """
    access auth api bearer refresh oauth github gitlab gh gl slack bot hf npm pypi personal private
    secret session device csrf xsrf push deploy registration service security user admin discord
    telegram vault jwt id web sas account app client login reset verification huggingface cloudflare
    digitalocean heroku circleci
    """
)
_LIKELY = _words(
    """
    token auth authorization credential cred creds jwt salt pin otp signature sessionid pass
    """
)
_SUFFIXES = _words(
    """
    prod production dev development test testing staging stage old new backup default value str
    string text raw plain hash base base64 b64 hex bytes live sandbox main primary secondary root
    user a b c x y z confirmation confirm again repeat
    """
)


@lru_cache(maxsize=4096)
def secrecy(name: str) -> Secrecy:
    """Return what `name`, in any style of writing, says about its value."""
    words = [word.lower() for word in _WORD.findall(name)]
    while len(words) > 1 and (words[-1] in _SUFFIXES or words[-1].isdigit()):
        words.pop()
    if not words:
        return Secrecy.NONE
    found = _by_last(words)
    if found is Secrecy.NONE and any(
        _by_last(words[: end + 1]) > Secrecy.LIKELY for end in range(len(words) - 1)
    ):
        return Secrecy.MENTIONED
    return found


def _by_last(words: list[str]) -> Secrecy:
    last, before = words[-1], words[-2] if len(words) > 1 else ""
    if last.isdigit() and before:
        last = before
    if last.endswith(_PASSWORD_ENDS) or (last == "pass" and before in _PASS_OF):
        return Secrecy.PASSWORD
    if last.endswith(_SECRET_ENDS) or (last == "key" and before in _KEY_OF):
        return Secrecy.CERTAIN
    if (last == "token" and before in _TOKEN_OF) or words[-3:] == ["access", "key", "id"]:
        return Secrecy.CERTAIN
    return Secrecy.LIKELY if last in _LIKELY or last.endswith("token") else Secrecy.NONE


def singular(name: str) -> str | None:
    """Return a plural name in the singular; None if it is not one."""
    return name[:-1] if name[-1:] in {"s", "S"} and name[-2:-1] not in {"s", "S"} else None


_SPOKEN = _words(
    """
    password passwords passwd pwd pass passphrase secret secrets token tokens key keys api apikey
    access auth oauth authorization bearer basic client user username private public id refresh
    session credential credentials your my the a an enter new old current confirm repeat here goes
    is and or of for insert replace with this me none null nil true false undefined required
    optional field name type value string str text hash bytes digest redacted hidden placeholder
    withheld header cookie csrf xsrf jwt code grant login hint label input env app aws github gitlab
    slack openai mistral
    """
)
_PLACEHOLDER = re.compile(
    r"\$\{[^}]*\}|\$\(?\w+\)?|#?\{\{?[^}]*\}\}?|<[^>]*>|%\(?\w*\)?[sdr]|%[A-Za-z_]+%|@\w+@"
    r"|[*xX.•?_ -]+|\[[^\]]*\]"
)


_NOTHING = _words(
    "none null nil true false undefined required optional redacted hidden placeholder withheld string str"
)
_VARIABLE = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
"""The name of an environment variable."""


def is_spoken(value: str) -> bool:
    """Return whether a value only speaks of a secret: a placeholder, a field's name, no letters at all."""
    if not any(character.isalnum() for character in value) or _PLACEHOLDER.fullmatch(value.strip()):
        return True
    if _VARIABLE.fullmatch(value) and HINT.search(value):
        return True
    words = [word.lower() for word in _WORD.findall(value)]
    if not HINT.search(value) and not set(words) <= _NOTHING:
        return False
    return bool(words) and set(words) <= _SPOKEN and not re.search(r"[^\w\s.,:;!?<>()\x27-]", value)
