"""Secrets that show by their own shape: issuers' prefixes, passwords in URLs, random words.

The patterns of `detect-secrets` are for complete keys. Those here begin with the issuer's prefix, so that a
key is known from its first character while it is typed. Nothing is ever verified over the network.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from importlib import import_module

from lsp_server.privacy.randomness import WORD, is_random, is_random_so_far
from lsp_server.privacy.spans import Line, Span

_PREFIXES = (
    *(r"AKIA[0-9A-Z]*", r"ASIA(?=[0-9A-Z]*[0-9])[0-9A-Z]+"),
    *(r"gh[pousr]_\w*", r"github_pat_\w*", r"gl(?:pat|dt|ft|soat|rt|cbt|ptt|imt|agent|oas)-[\w.-]*"),
    *(r"sk-[\w-]*", r"(?:sk|rk)_(?:live|test)_\w*", r"whsec_\w*", r"xox[abeoprs]-[\w-]*", r"xapp-[\w-]*"),
    *(
        r"AIza[\w-]*",
        r"ya29\.[\w.-]*",
        r"GOCSPX-[\w-]*",
        r"eyJ[\w=.-]*",
        r"dckr_pat_[\w-]*",
        r"do[por]_v1_\w*",
    ),
    *(
        r"pypi-AgE[\w-]*",
        r"shp(?:at|ca|pa|ss)_\w*",
        r"sq0(?:csp|atp)-[\w-]*",
        r"hv[sbr]\.[A-Z][\w.-]*",
        r"glsa_\w*",
    ),
    *(
        r"lin_api_\w*",
        r"figd_[\w-]*",
        r"AGE-SECRET-KEY-\w*",
        r"nvapi-[\w-]*",
        r"gsk_\w*",
        r"pplx-\w*",
        r"xai-\w*",
    ),
    *(
        r"tvly-[\w-]*",
        r"esecret_\w*",
        r"dapi[0-9a-f]{4,}\w*",
        r"PMAK-[\w-]*",
        r"NRAK-\w*",
        r"sntry[su]_[\w=+/-]*",
    ),
    *(
        r"xkeysib-[\w-]*",
        r"AT[AC]TT3x[\w=+/-]*",
        r"CCIPAT_\w*",
        r"ops_eyJ[\w=.-]*",
        r"pul-[0-9a-f]+",
        r"secret_ntn\w*",
    ),
)
_PREFIXED = re.compile(rf"(?<![A-Za-z0-9_-])(?:{'|'.join(_PREFIXES)})")
_PREFIX_OF_NAMES = re.compile(
    r"(?<![A-Za-z0-9_-])(?:hf|npm|r8|fw|rpa|ntn)_[A-Za-z0-9]*(?![\w(])|(?<!\w)SG\.[\w.-]*"
)
"""Identifiers begin so too (`hf_hub_download`): only in quotes, or as a complete key."""
_WORDS = re.compile(r"[a-z]{2,}(?:[-_][a-z]+)*[-_]?")
_CREDENTIALS_URL = re.compile(
    r"(?<![A-Za-z0-9])(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<user>(?:<[\w-]+>|[^\s:/@'\"`<>?#])*)"
    r":(?P<rest>(?:<[\w-]+>|[^\s'\"`<>])*)"
)
_LOGIN_SCHEMES = re.compile(
    r"postgres|mysql|maria|mongo|redis|amqp|mssql|sqlserver|oracle|ftp|smtp|imap|ldap|cockroach|clickhouse|nats"
)
_PORT = re.compile(r"\d{1,5}(?=$|[/?#,;)\]}\\])")
_HOST = re.compile(r"localhost|\[?[\da-fA-F.:]+\]?|(?:[\w-]+\.)+[\w-]+")
_INTERPOLATED = re.compile(
    r"\$?\{+[^}]*\}+|\$\w+|%\(?\w*\)?[sd]|<[^>]*>|\*+|x+|\.\.\.|password|passwd|pass|pwd|secret"
)
_HASHED = re.compile(
    r"sha\d|md5|hash|digest|checksum|integrity|commit|revision|\brev\b|etag|blob|uuid|@[0-9a-f]{40}\b"
)
_LONG = re.compile(r"[A-Za-z0-9+/=_.:-]{16}")
"""Every complete key has a stretch like this; most lines have none."""


def shapes(line: Line) -> Iterator[Span]:
    """Yield what shows by its own shape in `line`."""
    yield from _prefixed(line)
    if "://" in line.text:
        yield from _url_passwords(line)
    if _LONG.search(line.text):
        for kind, pattern in _detectors():
            for match in pattern.finditer(line.text):
                start, end = _value(match)
                if any(character.isdigit() for character in line.text[start:end]):
                    yield Span(start, end, kind)
    yield from _random_words(line)


def _prefixed(line: Line) -> Iterator[Span]:
    for match in _PREFIXED.finditer(line.text):
        start, end = match.span()
        token = line.text[start:end]
        # `sk-spinner` is no key; but while somebody is typing it may yet become one.
        if line.is_typed(start, end) or not (token.startswith("sk-") and _WORDS.fullmatch(token)):
            yield Span(start, end, "API Key")
    for match in _PREFIX_OF_NAMES.finditer(line.text):
        start, end = match.span()
        quoted = line.text[start - 1 : start] in {'"', "'", "`"}
        token = line.text[start:end]
        if (quoted and line.is_typed(start, end)) or (end - start >= 23 and not _WORDS.fullmatch(token)):
            yield Span(start, end, "API Key")


def _url_passwords(line: Line) -> Iterator[Span]:
    for match in _CREDENTIALS_URL.finditer(line.text):
        rest, user, start = match["rest"], match["user"], match.start("rest")
        at = rest.rfind("@")
        typed = line.is_typed(start, match.end())
        if at < 0 or (_PORT.match(rest) and "@" not in rest.split("/")[0]):
            # `scheme://host:5432` so far, or the beginning of a password?
            is_host = _HOST.fullmatch(user) is not None and not (user == "" and at < 0)
            port = _PORT.match(rest)
            if port and (is_host or not (typed and line.is_typed(start, start + port.end()))):
                continue
            if not rest or (not port and not (_LOGIN_SCHEMES.match(match["scheme"]) or typed)):
                continue
            end = match.end()
        else:
            end = start + at
        if line.is_typed(start, end) or not _INTERPOLATED.fullmatch(line.text[start:end]):
            yield Span(start, end, "Password in a URL", holds=True)


def _random_words(line: Line) -> Iterator[Span]:
    for match in WORD.finditer(line.text):
        start, end = match.span()
        word = match.group()
        if line.is_typed(start, end):
            found = is_random_so_far(word)
        else:
            found = is_random(word) and not _HASHED.search(line.text.lower())
        if found:
            yield Span(start, end, "High Entropy String")


_DETECTORS = {
    # Left out: basic_auth, keyword, private_key and the entropy ones (done here, also for what is being
    # typed), ip_public (an address is no secret).
    "artifactory": "ArtifactoryDetector",
    "aws": "AWSKeyDetector",
    "azure_storage_key": "AzureStorageKeyDetector",
    "cloudant": "CloudantDetector",
    "discord": "DiscordBotTokenDetector",
    "github_token": "GitHubTokenDetector",
    "gitlab_token": "GitLabTokenDetector",
    "ibm_cloud_iam": "IbmCloudIamDetector",
    "ibm_cos_hmac": "IbmCosHmacDetector",
    "jwt": "JwtTokenDetector",
    "mailchimp": "MailchimpDetector",
    "npm": "NpmDetector",
    "openai": "OpenAIDetector",
    "pypi_token": "PypiTokenDetector",
    "sendgrid": "SendGridDetector",
    "slack": "SlackDetector",
    "softlayer": "SoftlayerDetector",
    "square_oauth": "SquareOAuthDetector",
    "stripe": "StripeDetector",
    "telegram_token": "TelegramBotTokenDetector",
    "twilio": "TwilioKeyDetector",
}


@lru_cache(maxsize=1)
def _detectors() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Return kinds and patterns of detect-secrets' detectors.

    Their patterns and not their `analyze_string`: that one yields groups, for GitHub `ghp` alone, and does
    not say where they stand.
    """
    found = []
    for module, name in _DETECTORS.items():
        detector = getattr(import_module(f"detect_secrets.plugins.{module}"), name)()
        found += [(str(detector.secret_type), pattern) for pattern in detector.denylist]
    return tuple(found)


def _value(match: re.Match[str]) -> tuple[int, int]:
    """Return the part of a detector's match that is the secret: its longest group if that is long enough."""
    spans = [match.span(group) for group in range(1, match.re.groups + 1)]
    start, end = max(spans, key=lambda span: span[1] - span[0], default=(0, 0))
    if end - start >= 16:
        return start, end
    text, (start, end) = match.string, match.span()
    while start < end and text[start] in "\"' \t=:":
        start += 1
    while end > start and text[end - 1] in "\"' \t":
        end -= 1
    return start, end
