"""Secrets and personal data leave the bodies of errors; what looks like them stays."""

import json
import re
from base64 import b64encode
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import orjson
import pytest

from ingest.identity import project_namespace
from ingest.scrubbing import BUILT_IN, Rules, scrub, scrub_text
from storage.error_groups.users import marker, user_key

CANARY = "c4n4ry/S3cret+value=9"
ONE = project_namespace("one")
CARD = "4111 1111 1111 1111"
IBAN = "DE89 3704 0044 0532 0130 00"


def test_what_is_removed_everywhere_is_what_people_are_told() -> None:
    table = [" | ".join(each) for each in BUILT_IN]
    page = (Path(__file__).parents[3] / "docs" / "privacy.md").read_text(encoding="utf-8")
    assert [line.strip("| ") for line in page.splitlines() if line.startswith("| ")][2:] == table
    event = {
        "message": f"password=hunter2-correct of ann@example.com, card {CARD}, account {IBAN}",
        "user": {"id": "4711"},
        "request": {"env": {"REMOTE_ADDR": "203.0.113.9"}},
        "extra": {"username": "ann-of-the-shop"},
    }
    told = set(re.findall(r"`(\[\w+\])`", "".join(table)))
    assert set(re.findall(r"\[\w+\]", dumped(event))) == told


def dumped(body: dict[str, Any]) -> str:
    return orjson.dumps(scrub(body)).decode()


@pytest.mark.parametrize(
    "name",
    [
        *("password", "Password", "passwd", "db_password", "newPassword2", "PGPASSWORD", "pwd"),
        *("secret", "clientSecret", "client-secret", "AWS_SECRET_ACCESS_KEY", "aws_access_key_id"),
        *(
            "token",
            "accessToken",
            "refresh_token",
            "id-token",
            "csrfmiddlewaretoken",
            "X-CSRFToken",
        ),
        *("api_key", "apiKey", "APIKey", "X-API-Key", "private_key", "signing.key", "x-auth-token"),
        *("Authorization", "HTTP_AUTHORIZATION", "Proxy-Authorization", "Cookie", "Set-Cookie"),
        *("sessionid", "session_key", "PHPSESSID", "connect.sid", "credentials", "auth", "jwt"),
        *("passphrase", "pin", "otp", "cvv", "mysql_pwd", "SENTRY_DSN", "Passwort", "пароль"),
    ],
)
def test_a_secret_name_hides_its_value(name: str) -> None:
    body = {"extra": {name: CANARY}, "tags": [[name, CANARY]], "contexts": {"a": {name: [CANARY]}}}
    assert CANARY not in dumped(body)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("author", "Ada Lovelace"), ("authors", "Ada"), ("authority", "example.org")],
        *[("tokenizer", "cl100k_base"), ("tokenize", "yes"), ("max_tokens", 4096)],
        *[("prompt_tokens", 12), ("tokens", 12), ("token_type", "bearer"), ("token_count", 17)],
        *[("keyboard", "qwerty"), ("monkey", "patched"), ("key", "user:17:profile")],
        *[("primary_key", "id"), ("cache_key", "v1:home"), ("sort_key", "name"), ("keyword", "x")],
        *[("password_reset_url", "https://example.org/reset"), ("passed", "yes"), ("bypass", "no")],
        *[("passenger", "Ada"), ("compass", "north"), ("secretary", "Ada"), ("pinned", "yes")],
        *[("is_authenticated", True), ("has_password", True), ("auth_method", "oidc")],
        *[("session_timeout_limit", 30), ("cookie_domain", "example.org"), ("public_key", "abc1")],
        *[("password", None), ("token", ""), ("secret", False), ("shipping", "Berlin")],
        *[("version", "10.2.34.567"), ("ipython", "8.1.2"), ("zip", "10115"), ("pass_rate", 0.5)],
    ],
)
def test_a_similar_name_keeps_its_value(name: str, value: Any) -> None:
    assert scrub({"extra": {name: value}}) == {"extra": {name: value}}


@pytest.mark.parametrize(
    "text",
    [
        *("version 4.11.1111.11111111", "commit d670460b4b4aece5915caf5c68d12f560a9fe3e4"),
        *(
            "550e8400-e29b-41d4-a716-446655440000",
            "4111-1111",
            "12345678-1234-4234-8234-123456789012",
        ),
        *("order 4111111111111112 not found", "at 1700000000123456 us", "0.4111111111111111"),
        *(
            "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "DE89370400440532013001",
        ),
        *("git@github.com:owner/repo.git", "@sentry/node@9.1.0", "frontend@1.2.3+build.five"),
        *("Unexpected token < in JSON at position 0", "Invalid token: unexpected character"),
        *("SELECT 1 FROM t WHERE password = %s AND token = $1", "GET /users/1234567890123456 500"),
        *("connect to 10.1.2.3:5432 refused", "Basic authentication required", "key=value"),
        *(
            "bearer token missing",
            "http://localhost:8000/path?page=2&sort=name",
            "password: required",
        ),
        *("KeyError: 'author'", "monkey=see", "<User object at 0x7fc4b9f92580>", "T@1, x@y"),
        *("http://host:8080/a@b", "fooBar@https://example.com/app.js:10:5", "1/2/2024 10:11:12"),
    ],
)
def test_a_text_that_looks_like_a_secret_stays(text: str) -> None:
    body = {"message": text, "breadcrumbs": {"values": [{"message": text}]}, "extra": {"a": [text]}}
    assert scrub(body) == body


@pytest.mark.parametrize(
    "line",
    [
        *("    token = request.POST.get(name)", "    def login(self, password: str) -> None:"),
        *(
            "    if password == expected:",
            "    key = self.key_of(session)",
            "    return token(secret)",
        ),
        "    user = authenticate(username=username, password=password)",
    ],
)
def test_source_lines_stay_readable(line: str) -> None:
    frame = {"context_line": line, "pre_context": [line], "post_context": [line]}
    body = {"exception": {"values": [{"stacktrace": {"frames": [frame]}}]}}
    assert scrub(body) == body


def test_literals_in_source_lines_are_removed() -> None:
    frame = {"context_line": f'API_KEY = "{CANARY}"', "pre_context": [f"x = '{CANARY}'"]}
    assert CANARY not in dumped({"exception": {"values": [{"stacktrace": {"frames": [frame]}}]}})


@pytest.mark.parametrize(
    "text",
    [
        *("login failed: password={}", "password: {}", 'could not parse {{"password": "{}"}}'),
        *("{{'token': '{}', 'a': 1}}", "User(name='x', password='{}')"),
        "headers: Authorization: Bearer {}",
        *("GET https://example.org/a?page=1&access_token={}&b=2", "https://user:{}@example.org/a"),
        *("postgresql://admin:{}@db.example.org:5432/app", "run --password {} --verbose"),
        *("<password>{}</password>", 'name="password"\r\n\r\n{}\r\n--x', "curl -H 'X-Api-Key: {}'"),
        *('{{"a": "{{\\"password\\": \\"{}\\"}}"}}', "Cookie: theme=dark; sessionid={}; a=b"),
        *("DB_PASSWORD={}\nDEBUG=1", "client_secret=>{}", "b'password={}'", "password=b'{}'"),
        *("https://hooks.example.org/x?a=1&code={}", "redis://:{}@cache:6379/0", "password='{}"),
    ],
)  # fmt: skip
def test_a_text_that_names_a_secret_loses_it_everywhere(text: str) -> None:
    secret = "Zx9-kQ4_mV7wTr2p"
    body = {
        "message": text.format(secret),
        "extra": {"elsewhere": f"got {secret} from the caller"},
        "breadcrumbs": {"values": [{"data": {"x": [secret]}}]},
    }
    assert secret not in dumped(body)


@pytest.mark.parametrize(
    "written",
    [
        *(CANARY, quote(CANARY, safe=""), quote_plus(CANARY), json.dumps(CANARY)[1:-1]),
        *(json.dumps(json.dumps({"a": CANARY})), b64encode(CANARY.encode()).decode()),
        *(b64encode(f"{pad}{CANARY}:x".encode()).decode() for pad in ("", "a", "ab")),
    ],
)
def test_a_value_seen_in_a_secret_place_is_removed_in_every_encoding(written: str) -> None:
    body = {
        "request": {"headers": {"Authorization": f"Bearer {CANARY}"}},
        "message": f"rejected {written} today",
        "extra": {f"for {CANARY}": 1},
    }
    text = dumped(body)
    assert CANARY not in text
    assert written not in text
    assert "today" in text


def test_the_password_of_basic_authentication_is_removed_elsewhere() -> None:
    header = b64encode(b"ada:correct-horse-7").decode()
    body = {
        "request": {"headers": [["Authorization", f"Basic {header}"]]},
        "message": "correct-horse-7 is wrong",
    }
    assert "correct-horse-7" not in dumped(body)


@pytest.mark.parametrize("value", ["true", "1", "none", "admin", "default", "12345", "postgres"])
def test_ordinary_values_of_secret_fields_stay_elsewhere(value: str) -> None:
    body = {"extra": {"password": value, "setting": value}, "environment": value}
    scrubbed = scrub(body)
    assert scrubbed["extra"]["setting"] == value
    assert scrubbed["environment"] == value


@pytest.mark.parametrize(
    "text",
    [
        *(CARD, CARD.replace(" ", ""), CARD.replace(" ", "-"), "378282246310005"),
        *("3782 822463 10005", IBAN, IBAN.replace(" ", "")),
    ],
)
def test_card_numbers_and_ibans_are_removed(text: str) -> None:
    body = {"message": f"payment with {text} failed", "extra": {text: text, "rows": [f"({text})"]}}
    assert text not in dumped(body)


def test_a_card_number_that_is_a_number_is_removed() -> None:
    assert scrub({"extra": {"n": 4111111111111111, "m": 4111111111111112}}) == {
        "extra": {"n": "[card]", "m": 4111111111111112}
    }


@pytest.mark.parametrize(
    "address", ["ada@example.org", "Ada.Lovelace+x@mail.example.co.uk", "jörg@exämple.de"]
)
def test_addresses_of_mail_are_removed(address: str) -> None:
    body = {"message": f"no user <{address}>", "extra": {address: 1}, "tags": {"a": quote(address)}}
    text = json.dumps(scrub(body), ensure_ascii=False)
    assert address not in text
    assert quote(address) not in text


def test_of_a_user_only_a_hash_of_the_id_stays() -> None:
    user = {"id": "customer-8812", "email": "a@example.org", "username": "ada.lovelace",
            "ip_address": "203.0.113.9", "name": "Ada Lovelace", "plan": "pro"}  # fmt: skip
    body = {
        "user": user,
        "message": "ada.lovelace (customer-8812) from 203.0.113.9",
        "request": {
            "env": {"REMOTE_ADDR": "203.0.113.9"},
            "headers": {"X-Forwarded-For": "1.2.3.4"},
        },
    }
    scrubbed = scrub(body, Rules(project=ONE))
    expected = marker(user_key(ONE, "customer-8812"))
    assert scrubbed["user"] == {"id": expected}
    assert scrubbed["message"] == f"[user] ({expected}) from [ip]"
    assert scrubbed["request"]["env"] == {"REMOTE_ADDR": "[ip]"}
    assert scrubbed["request"]["headers"] == {"X-Forwarded-For": "[ip]"}
    assert expected == f"user:{user_key(ONE, 'customer-8812') % 2**64:016x}"
    assert expected != marker(user_key(project_namespace("two"), "customer-8812"))


def test_a_user_without_an_id_is_known_by_name_or_address() -> None:
    name = {"username": "ada.lovelace", "email": "ada@example.org"}
    expected = marker(user_key(ONE, name["username"]))
    assert scrub({"user": name}, Rules(project=ONE))["user"]["id"] == expected
    assert scrub({"user": {"ip_address": "203.0.113.9"}}) == {}


@pytest.mark.parametrize(
    "user",
    [
        *({}, {"id": None}, {"id": True}, {"id": ""}, {"id": {"a": 1}}, None),
        *({"ip_address": "{{auto}}"}, []),
    ],
)
def test_a_user_without_an_id_leaves_nothing(user: Any) -> None:
    assert scrub({"message": "m", "user": user}) == {"message": "m"}


@pytest.mark.parametrize(
    "token",
    [
        *("ghp_" + "a1B2" * 9, "sk_live_" + "a1B2" * 6, "AKIA" + "A1B2" * 4),
        "xoxb-123456789012-abcdefABCDEF",
        *("AIza" + "a1B2-" * 7, "SG." + "a1B2" * 5 + "xx." + "c3D4" * 10, "glpat-" + "a1B2" * 5),
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA\n-----END RSA PRIVATE KEY-----",
    ],
)  # fmt: skip
def test_tokens_are_known_by_their_shape(token: str) -> None:
    text = dumped({"message": f"failed with {token}, sorry", "extra": {"a": {"b": [f"x={token}"]}}})
    assert token not in text
    assert "sorry" in text


def test_own_rules_add_names_and_patterns() -> None:
    rules = Rules(names=("customer ref",), patterns=("acct-*", "KD-######"))
    body = {
        "extra": {
            "oldCustomerRef": "abc",
            "text": "customer_ref=xyz12 acct-77/9 (KD-123456) KD-12",
        },
        "message": "acct-77/9",
    }
    assert scrub(body, rules) == {
        "extra": {
            "oldCustomerRef": "[secret]",
            "text": "customer_ref=[secret] [secret] ([secret]) KD-12",
        },
        "message": "[secret]",
    }


def test_a_pattern_is_found_behind_a_beginning_that_goes_on_otherwise() -> None:
    rules = Rules(patterns=("acct-*-x", "aaa*b"))
    assert scrub({"message": "acct-1 acct-2-x aaaac aaab"}, rules) == {
        "message": "acct-1 [secret] aaaac [secret]"
    }


def test_what_cannot_be_stored_is_replaced() -> None:
    body = {"message": "a\0b\ud800c", "extra": {"k\0": "x\x1fy"}, "user": {"id": "\udfff"}}
    scrubbed = scrub(body)
    assert scrubbed["message"] == "a�b�c"
    assert list(scrubbed["extra"]) == ["k�"]
    orjson.dumps(scrubbed)


def test_a_text_alone_is_scrubbed_in_the_same_way() -> None:
    text = f"step failed: TOKEN={CANARY}\nmail ada@example.org\n\0"
    assert scrub_text(text) == "step failed: TOKEN=[secret]\nmail [email]\n�"
    assert scrub_text("exit code 1: npm ERR! missing script: build") == (
        "exit code 1: npm ERR! missing script: build"
    )


def test_the_given_body_stays_as_it_was() -> None:
    body = {"user": {"id": 1}, "extra": {"password": "x", "list": [1, {"a": "b\0"}]}}
    before = json.dumps(body)
    scrub(body)
    assert json.dumps(body) == before


def test_lists_of_arguments_lose_the_values_of_options() -> None:
    body = {
        "extra": {"sys.argv": ["run", "--password", CANARY, "--token=abc123def", "--name", "x"]}
    }
    assert scrub(body) == {
        "extra": {"sys.argv": ["run", "--password", "[secret]", "--token=[secret]", "--name", "x"]}
    }


def test_versions_of_packages_stay_and_secrets_that_begin_like_one_do_not() -> None:
    packages = {"python-secrets": "1.2.3", "jwt": "2.10.0rc1"}
    body = {"modules": packages, "extra": {"password": "0aW00000.Zx8v"}, "tags": {"pin": "1.234"}}
    assert scrub(body) == {
        "modules": packages,
        "extra": {"password": "[secret]"},
        "tags": {"pin": "[secret]"},
    }


@pytest.mark.parametrize("start", ["ya29.", "SG.", "hvs.", "ghp_"])
@pytest.mark.parametrize("before", ["token is ", "%3D", "state%3D", "x="])
def test_tokens_are_known_after_what_urls_encode(start: str, before: str) -> None:
    token = start + "a1B2" * 6
    assert token not in dumped({"message": f"{before}{token}"})


def test_types_in_source_lines_are_no_elements() -> None:
    frame = {"context_line": "List<Token> tokens = read();", "pre_context": ["<pin>12ab</pin>"]}
    body = {"exception": {"values": [{"stacktrace": {"frames": [frame]}}]}}
    cleaned = scrub(body)["exception"]["values"][0]["stacktrace"]["frames"][0]
    assert cleaned == {**frame, "pre_context": ["<pin>[secret]</pin>"]}


def test_what_is_known_to_be_clean_still_loses_values_seen_elsewhere() -> None:
    text = "no row for Zx9-kQ4_mV7wTr2p"
    assert scrub({"message": text}) == {"message": text}
    assert scrub({"message": text, "extra": {"token": "Zx9-kQ4_mV7wTr2p"}}) == {
        "message": "no row for [secret]",
        "extra": {"token": "[secret]"},
    }


def test_pairs_with_a_name_and_a_value_are_fields() -> None:
    pairs = [{"name": "Cookie", "value": CANARY}, {"key": "browser", "value": "Firefox 9"}]
    assert scrub({"extra": {"headers": pairs}}) == {
        "extra": {"headers": [{"name": "Cookie", "value": "[secret]"}, pairs[1]]}
    }
