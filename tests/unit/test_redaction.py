"""Secrets that are known are hidden in every text, in whatever encoding they are in it."""

import base64
import json
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from sidelane.errors import InvalidInput, SidelaneError
from sidelane.helm.repositories import configured, is_private, require_open
from sidelane.support import redaction
from sidelane.support.harmless import in_line, in_lines, shortened
from sidelane.support.redaction import HIDDEN, redact
from sidelane.support.secrets import learn_objects, learn_values

SECRET = 'Tr0ub4dor&3 "x"/é'


@pytest.mark.parametrize(
    "written",
    [
        SECRET,
        SECRET.upper(),
        SECRET.lower(),
        json.dumps(SECRET),
        json.dumps(SECRET, ensure_ascii=False),
        quote(SECRET),
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        SECRET.encode().hex(),
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(SECRET.encode()).decode(),
        *(base64.b64encode(f"{'bob:'[:n]}{SECRET}{'@db'[:n]}".encode()).decode() for n in (1, 2, 3)),
        base64.b64encode(f"bob:{SECRET}@db".encode()).decode(),
    ],
)
def test_a_secret_is_hidden_in_every_encoding(written):
    redaction.learn([SECRET])
    shown = in_lines(f"before {written} after")
    assert HIDDEN in shown
    assert written.strip('"')[8:] not in shown
    assert shown.startswith("before ")
    assert shown.endswith(" after")


def test_a_secret_is_hidden_before_a_text_is_cut():
    redaction.learn([SECRET])
    for text in (shortened(f"{SECRET} and more", 9), in_line(f"{SECRET} and more", 9), in_lines(f"a {SECRET}", 9)):
        assert "Tr0ub4" not in text


def test_each_line_of_a_key_is_hidden():
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBgkq\nhkiG9w0BAQEFAASC\n-----END KEY-----\n"
    redaction.learn([key])
    assert "hkiG9w0" not in redact("log: hkiG9w0BAQEFAASC")
    assert "MIIE" not in redact(json.dumps({"a": key}))


def test_what_is_too_short_or_a_word_is_not_hidden():
    redaction.learn(["a1", "1", "abc", "true", "", "    ", "NULL"])
    assert redact("abc a1 10.0.1.1 true null") == "abc a1 10.0.1.1 true null"


@pytest.mark.parametrize(
    ("secret", "kept"),
    [
        ("test", "the latest test's testing, contest"),
        ("admin", "administrator"),
        ("1234", "sha256:a123456"),
        ("cafe", "sha256:0cafe1"),
    ],
)
def test_a_short_word_is_hidden_as_a_word_and_not_in_others(secret, kept):
    redaction.learn([secret])
    assert redact(kept) == kept.replace(f"{secret}'s", f"{HIDDEN}'s")
    encoded = base64.b64encode(secret.encode()).decode()
    for text in (secret, secret.upper(), f"bob:{secret}@db", f"a_{secret}", f"data: {encoded}"):
        assert secret not in redact(text).lower()
        assert encoded not in redact(text)


def test_a_secret_that_is_no_word_or_long_is_hidden_in_every_word():
    redaction.learn(["hunter2", "letmeinplease"])
    assert redact("xhunter2x andletmeinplease") == f"x{HIDDEN}x and{HIDDEN}"


def test_one_secret_that_begins_another_leaves_nothing_of_it():
    redaction.learn(["s3cr3t-one", "s3cr3t-one-and-more"])
    assert redact("s3cr3t-one-and-more s3cr3t-one") == f"{HIDDEN} {HIDDEN}"


def test_a_process_knows_so_many_secrets_and_no_more():
    for number in range(redaction.MOST + 500):
        redaction.learn([f"s3cr3t/{number}/{number * 7919:x}", "as-0ften-as-you-like"])
    assert len(redaction._known) == redaction.MOST
    assert redact("as-0ften-as-you-like") == HIDDEN
    last = redaction.MOST + 499
    assert redact(f"s3cr3t/{last}/{last * 7919:x}") == HIDDEN


def test_values_and_objects_teach_their_secrets():
    learn_values({"db": {"password": "hunter2", "host": "db.example"}})
    learn_objects([
        {"kind": "Secret", "data": {"token": base64.b64encode(b"t0k3n").decode(), "user": "Ym9i"}},
        {"kind": "Secret", "stringData": {"dsn": "postgres://u:dsn-secret@db"}},
        {"kind": "Deployment", "spec": {"env": [{"name": "API_KEY", "value": "env-secret"}]}},
    ])  # fmt: skip
    text = "hunter2 HUNTER2 aHVudGVyMg== t0k3n dDBrM24= env-secret postgres://u:dsn-secret@db db.example bob"
    assert redact(text).replace(HIDDEN, "").split() == ["db.example", "bob"]


def test_an_error_never_has_a_secret():
    redaction.learn(["hunter2"])
    error = SidelaneError("it said hunter2", remedy="write aHVudGVyMg== into it")
    assert "hunter2" not in f"{error} {error!r} {error.args} {error.to_json()}"
    assert "aHVudGVyMg" not in f"{error} {error!r}"


def test_credentials_in_addresses_are_hidden_though_nobody_knows_them():
    assert redact("at https://bob:pw@host/x?a=b#@ now") == f"at https://{HIDDEN}@host/x?a=b#@ now"
    assert redact("https://host/a@b") == "https://host/a@b"


def test_a_private_repository_is_given_to_helm_in_a_file_of_its_own():
    url = "https://bob:s%40cret@charts.example/stable?token=t0kenvalue"
    assert is_private(url)
    assert not is_private("https://charts.example/stable")
    with configured(url) as flags:
        file = Path(flags[1])
        entry = json.loads(file.read_text())["repositories"][0]
        assert entry["url"] == "https://charts.example/stable?token=t0kenvalue"
        assert (entry["username"], entry["password"]) == ("bob", "s@cret")
    assert redact("s@cret s%40cret t0kenvalue") == f"{HIDDEN} {HIDDEN} {HIDDEN}"
    assert not file.parent.exists()


@pytest.mark.parametrize("chart", ["oci://bob:hunter2@registry.example/x", "https://bob:hunter2@charts.example/x.tgz"])
def test_the_address_of_a_chart_itself_has_no_credentials(chart):
    with pytest.raises(InvalidInput) as refused:
        require_open(chart)
    assert "hunter2" not in str(refused.value)
    assert "credentials" in str(refused.value)
