from __future__ import annotations

import keyword
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsp_server.privacy.secret_scan import PLACEHOLDER, redact

CODE = """\
import os
import secrets
import getpass

token = tokenizer.next()
password = getpass.getpass()
password = getpass.getpass("Password: ")
secret_key = os.environ["SECRET_KEY"]
api_key = settings.api_key
auth = None
key: str
def login(user: str, password: str, token: Token | None = None) -> None: ...
login(user, password=password, token=token)
if token == "class" or token.type == "name": pass
token_type = "bearer"
password_help = "Your password cannot be too short"
PASSWORD_FIELD = "password"
API_KEY_VARIABLE = "MISTRAL_API_KEY"
api_key = "YOUR_API_KEY"
api_key = "<your api key>"
password = f"{password}"
password = "${PASSWORD}"
password = ""
headers = {"Authorization": f"Bearer {token}"}
headers = {"Authorization": "Bearer " + token}
run_id = "3f2a9c1b-4d5e-4f60-8123-123456789abc"
commit = "05619d7"
sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
url = "http://localhost:8080/path"
url = "https://example.org:443/a/b.html?page=2"
url = "http://{user}:{password}@{host}/"
url = "postgres://localhost:5432/db"
parser.add_argument("--token", help="the token to use")
parser.add_argument("--password", default=None)
getUserAuthenticationTokenFromRequest2(request_v2, http2_enabled)
colour = "#a1b2c3"
version = "1.22.333-rc4"
path = "/usr/lib/python3.11/site-packages/numpy/core/_multiarray_umath.so"
css = "sk-spinner sk-double-bounce"
from huggingface_hub import hf_hub_download
mask_token, tokens = "[MASK]", ["(", ")", "class"]
secretary = "Miss Moneypenny"
compass = "north"
"""


@pytest.mark.parametrize("line", CODE.splitlines())
def test_code_that_only_speaks_of_secrets_stays(line: str) -> None:
    assert redact(line, None).text == line


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('password = "hunter2"', 'password = "¤"'),
        ("password = 'hunter'", "password = '¤'"),
        ("password = 123456", "password = ¤"),
        ('password: str = "hunter"', 'password: str = "¤"'),
        ('let password: &str = "hunter";', 'let password: &str = "¤";'),
        ('password := "hunter"', 'password := "¤"'),
        ('const char *pwd = "hunter";', 'const char *pwd = "¤";'),
        ('private final String dbPassword = "hunter";', 'private final String dbPassword = "¤";'),
        ('$db_pass = "hunter";', '$db_pass = "¤";'),
        (':password => "hunter"', ':password => "¤"'),
        ('{"client_secret": "abc", "b": 1}', '{"client_secret": "¤", "b": 1}'),
        ('"{\\"password\\": \\"hunter\\"}"', '"{\\"password\\": \\"¤\\"}"'),
        ('connect(user="u", password="hunter", port=1)', 'connect(user="u", password="¤", port=1)'),
        ('password = b"hun\\"ter"', 'password = b"¤"'),
        ('password = "hun" + "ter"', 'password = "¤" + "¤"'),
        ('password = ("hun" "ter")', 'password = ("¤" "¤")'),
        ('passwords = ["hunter", "other"]', 'passwords = ["¤", "¤"]'),
        ('os.environ.get("DB_PASSWORD", "hunter")', 'os.environ.get("DB_PASSWORD", "¤")'),
        ('os.environ["API_TOKEN"] = "abc"', 'os.environ["API_TOKEN"] = "¤"'),
        ("define('DB_PASSWORD', 'hunter');", "define('DB_PASSWORD', '¤');"),
        ('client.set_password("hunter")', 'client.set_password("¤")'),
        ('if password == "hunter":', 'if password == "¤":'),
        ("export API_KEY=abc123 ; run", "export API_KEY=¤ ; run"),
        ("DB_PASSWORD=hunter", "DB_PASSWORD=¤"),
        ("export DB_PASSWORD=4-horses+-0000", "export DB_PASSWORD=¤"),
        ('pin_password = 1234  # "main"', 'pin_password = ¤  # "main"'),
        ("run --password hunter2 --verbose", "run --password ¤ --verbose"),
        ("curl -u bob:hunter https://x", "curl -u bob:¤ https://x"),
        ("//registry.example.org/:_authToken=abc", "//registry.example.org/:_authToken=¤"),
        ("# password: hunter2", "# password: ¤"),
        ('u = "https://h.org/?api_key=abc&x=1"', 'u = "https://h.org/?api_key=¤&x=1"'),
        ('c = "Server=x;User=sa;Password=abc;"', 'c = "Server=x;User=sa;Password=¤;"'),
        ("<password>hunter</password>", "<password>¤</password>"),
        ('<add name="Password" value="hunter"/>', '<add name="Password" value="¤"/>'),
        ('h = {"Authorization": "Bearer abc.def123"}', 'h = {"Authorization": "Bearer ¤"}'),
        ('u = "postgres://bob:hunter@db/x"', 'u = "postgres://bob:¤@db/x"'),
        ('u = "https://bob:hunt@er@db/x"', 'u = "https://bob:¤@db/x"'),
        ('u = "redis://:hunter@db"', 'u = "redis://:¤@db"'),
        ('x = "AKIAIOSFODNN7EXAMPLE"', 'x = "¤"'),
        ('x = "ghp_"', 'x = "¤"'),
        ('x = "sk-proj-a1"', 'x = "¤"'),
        ('x = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln"', 'x = "¤"'),
        ('x = "kF3jd92KDls02jfLSk29dkfLs0w2"', 'x = "¤"'),
        ('x = "b7e23ec29af22b0b4e41da31e868d572"', 'x = "¤"'),
    ],
)
def test_the_value_alone_is_left_out(line: str, expected: str) -> None:
    redaction = redact(line, None)
    assert redaction.text == expected.replace("¤", PLACEHOLDER)
    assert len(redaction.kinds) == expected.count("¤")


@pytest.mark.parametrize(
    "line",
    [
        "password: hunter",
        "  api_key: abc def",
        "password = hunter",
        "DB_PASSWORD=hunter",
        "{password: hunter, a: 1}",
    ],
)
def test_values_of_configuration_files_need_no_quotes(line: str) -> None:
    text = redact(line, None, is_config=True).text
    assert "hunter" not in text
    assert "abc" not in text
    assert redact("password: ${PASSWORD}", None, is_config=True).kinds == ()
    assert redact("password: !vault x", None, is_config=True).kinds == ()


KEY = """\
-----BEGIN RSA PRIVATE KEY-----
Proc-Type: 4,ENCRYPTED

MIIEpAIBAAKCAQEAu1SU1LfVLPHCozMxH2Mo4lgOEePzNm0tRgeLezV6ffAt0gun
VTLw7onLRnrq0/IzW7yWR7QkrmBL7jTKEn5u+qKhbwKfBstIs+bMY2Zkp18gnTxK
LxoS2tFczGkPLPgizskuemMghRniWaoLcyehkd3qqGElvW==
-----END RSA PRIVATE KEY-----
"""


def _key_lines_in(text: str) -> list[str]:
    return [line for line in KEY.splitlines()[3:6] if line[:20] in text or line[-20:] in text]


@pytest.mark.parametrize(
    "wrapped",
    [
        KEY,
        'key = """\n' + KEY + '"""\n',
        "".join(f"    '{line}\\n' +\n" for line in KEY.splitlines()),
        "private_key: |\n" + "".join(f"  {line}\n" for line in KEY.splitlines()) + "other: 1\n",
        '{"private_key": "' + KEY.replace("\n", "\\n") + '"}',
    ],
)
def test_private_keys_are_left_out_with_their_lines_kept(wrapped: str) -> None:
    redaction = redact(wrapped + "after = 1\n", None)
    assert _key_lines_in(redaction.text) == []
    assert redaction.text.count("\n") == wrapped.count("\n") + 1
    assert redaction.text.endswith("after = 1\n")


@pytest.mark.parametrize("start", range(len(KEY)))
def test_a_private_key_cut_by_a_window_is_left_out(start: int) -> None:
    """The cut leaves a piece of the line it goes through; what is whole behind it is recognized."""
    lines = KEY[start:].splitlines()[1:]
    text = redact(KEY[start:] + "x = 1\n", None).text
    assert [line for line in lines[:-1] if len(line) > 40 and line in text] == []
    assert _key_lines_in(redact(KEY[:start], None).text) == []


def test_values_over_several_lines() -> None:
    for text in (
        'secret = """\nfirst\nsecond\n"""\nafter = 1',
        'secret = (\n    "first"\n    "second"\n)\nafter = 1',
        "secret = \\\n    'first'\nafter = 1",
        '{\n  "secret":\n    "first"\n}',
        "- name: DB_PASSWORD\n  value: 'first'\n- name: other\n  value: 'kept'",
        "passwords = [\n  'first',\n  'second',\n]\nafter = 1",
    ):
        redacted = redact(text, None).text
        assert "first" not in redacted, text
        assert "second" not in redacted, text
        assert redacted.count("\n") == text.count("\n")
        assert "after = 1" in redacted or "after" not in text
        assert "kept" in redacted or "kept" not in text


def test_the_cursor_moves_with_the_text() -> None:
    text = 'password = "hunter2"\nx = 1\npassword = "hunter3"\n'
    for at in range(len(text) + 1):
        redaction = redact(text, at)
        if redaction.cursor is None:
            assert text.find("hunter2") <= at <= text.find("hunter2") + 7 or at >= text.find("hunter3")
            continue
        before = redaction.text[: redaction.cursor]
        assert before.replace(PLACEHOLDER, "hunter2") == text[:at].replace("hunter3", "hunter2")


@pytest.mark.parametrize(
    "text", ['password = "|"', 'password = "a|', 'x = "ghp_|"', "secret = '''\n|", "a://b:c|"]
)
def test_a_cursor_inside_a_secret(text: str) -> None:
    at = text.index("|")
    assert redact(text.replace("|", ""), at).cursor is None


@pytest.mark.parametrize(
    "text", ["password = |", 'password = "x"|', "f(password=|)", '|password = "x"', 'x = "|"']
)
def test_a_cursor_beside_a_secret(text: str) -> None:
    at = text.index("|")
    assert redact(text.replace("|", ""), at).cursor is not None


def test_the_text_stays_the_same_whatever_the_secret() -> None:
    texts = {redact(f'password = "{value}"\nx = ', 0).text for value in ("a", "hunter2", "x y z", "\\n" * 30)}
    assert len(texts) == 1


@given(st.text(alphabet=string.printable + "äß€😀\u2028\x0c", max_size=300), st.integers(0, 300))
def test_any_text_keeps_its_lines_and_a_valid_cursor(text: str, at: int) -> None:
    redaction = redact(text, min(at, len(text)))
    assert redaction.text.count("\n") == text.count("\n")
    assert redaction.cursor is None or 0 <= redaction.cursor <= len(redaction.text)
    if not redaction.kinds:
        assert redaction.text == text


@settings(max_examples=50)
@given(st.sampled_from([word for word in keyword.kwlist if len(word) > 2]))
def test_words_of_a_language_are_no_secrets(word: str) -> None:
    assert redact(f"token = '{word}'", None).kinds == ()


def test_a_long_conversation() -> None:
    text = (CODE + 'password = "hunter2"\n') * 70
    assert len(text) > 100_000
    redaction = redact(text, None)
    assert redaction.text == (CODE + f'password = "{PLACEHOLDER}"\n') * 70
    assert len(redaction.kinds) == 70


@pytest.mark.parametrize("before", [0, 100, 700, 790, 810, 900, 960, 985, 999, 1000, 1700, 5000])
def test_a_file_in_one_line(before: int) -> None:
    filler = "f(a,b);" * 2000
    for literal in (
        'password="hunter2hunter2"',
        f'private_key="-----BEGIN PRIVATE KEY-----\\n{"Ab1/" * 500}"',
    ):
        text = filler[:before] + literal + filler[:3000]
        redacted = redact(text, None).text
        assert redacted.replace(PLACEHOLDER, "") != redacted
        assert "hunter2" not in redacted
        assert "Ab1/Ab1/" not in redacted
        assert redacted.startswith(filler[:before])
        assert redacted.endswith(filler[100:3000])


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "piece",
    [
        "://",
        "password=",
        "curl ",
        "mysql ",
        "a:b@://",
        'name="password" ',
        "password : ",
        "eyJ",
        "<a>",
        '"',
        "\\\\",
    ],
)
def test_no_line_takes_forever(piece: str) -> None:
    """Without pieces the worst of these take minutes."""
    redact(piece * (100_000 // len(piece)), None)
