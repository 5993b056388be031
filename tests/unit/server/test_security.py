import json

import pytest
from starlette.routing import Route
from starlette.testclient import TestClient

from trivet.server.security import MAX_BODY_BYTES, PublicAddressRefused, check_loopback

TOKEN = "a-token-of-this-test"  # noqa: S105 - as conftest hands it to the server


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "localhost", "::1", "[::1]"])
def test_a_loopback_address_is_listened_on(host: str) -> None:
    assert check_loopback(host) == host


@pytest.mark.parametrize(
    "host",
    ["0.0.0.0", "::", "192.168.1.4", "example.org", "", "127.0.0.1.nip.io"],  # noqa: S104
)
def test_an_address_that_others_reach_is_refused(host: str) -> None:
    with pytest.raises(PublicAddressRefused, match="no tokens"):
        check_loopback(host)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:5050",
        "127.0.0.1.evil.example",
        "localhost.evil:80",
        "",
        "127.0.0.1@evil",
    ],
)
def test_a_name_that_is_not_ours_is_turned_away(client: TestClient, host: str) -> None:
    answer = client.get("/health", headers={"host": host})
    assert answer.status_code == 421
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("host", ["localhost:5050", "LOCALHOST", "127.0.0.1:9", "[::1]:5050"])
def test_our_own_names_are_answered(client: TestClient, host: str) -> None:
    assert client.get("/health", headers={"host": host}).json() == {"status": "ready"}


def routes_that_change(client: TestClient) -> list[str]:
    found = [
        route.path
        for route in client.app.routes  # type: ignore[attr-defined]  # a Starlette in fact
        if isinstance(route, Route) and "POST" in (route.methods or ())
    ]
    assert len(found) >= 9
    return [path.replace("{name:path}", "delay").replace("{id}", "1") for path in found]


def test_no_route_takes_a_form_without_the_token(browser: TestClient) -> None:
    for path in routes_that_change(browser):
        for token in ("", "wrong", TOKEN.upper()):
            answer = browser.post(path, data={"token": token})
            assert (answer.status_code, answer.json()["type"]) == (403, "about:trivet#token"), path


def test_a_token_is_of_no_use_without_its_cookie(client: TestClient) -> None:
    assert client.post("/preferences", data={"token": TOKEN, "theme": "dark"}).status_code == 403
    assert client.post("/preferences", data={"token": "", "theme": "dark"}).status_code == 403


@pytest.mark.parametrize(
    "content_type", ["text/plain", "multipart/form-data; boundary=x", "", "application/jsonx"]
)
def test_no_route_takes_what_a_foreign_page_can_send_unasked(
    browser: TestClient, content_type: str
) -> None:
    for path in routes_that_change(browser):
        answer = browser.post(path, content=b"{}", headers={"content-type": content_type})
        assert answer.status_code == 415, path


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "http://127.0.0.1:8080"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_no_route_takes_a_request_of_a_foreign_page(
    browser: TestClient, headers: dict[str, str]
) -> None:
    for path in routes_that_change(browser):
        answer = browser.post(path, json={}, headers=headers)
        assert (answer.status_code, answer.json()["type"]) == (403, "about:trivet#foreign-origin")


def test_a_form_of_our_own_is_taken_and_leads_back(browser: TestClient) -> None:
    answer = browser.post(
        "/preferences",
        data={"token": TOKEN, "theme": "dark", "back": "/data?x=1"},
        headers={"origin": "http://127.0.0.1:5050", "sec-fetch-site": "same-origin"},
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/data?x=1")
    assert "trivet-theme=dark" in answer.headers["set-cookie"]


@pytest.mark.parametrize(
    "back", ["https://evil.example", "//evil.example", "/\\evil", "javascript:1", ""]
)
def test_a_form_leads_nowhere_else(browser: TestClient, back: str) -> None:
    answer = browser.post("/preferences", data={"token": TOKEN, "theme": "dark", "back": back})
    assert answer.headers["location"] == "/"


def test_a_body_that_is_too_long_is_refused(browser: TestClient) -> None:
    answer = browser.post("/ledger/verify", content=b" " * (MAX_BODY_BYTES + 1))
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[1]", b'"x"', b"\xff", b"[" * 50_000, b'{"reason": 3}']
)
def test_a_malformed_body_is_a_problem_and_never_an_error_of_ours(
    client: TestClient, body: bytes
) -> None:
    for path in routes_that_change(client):
        answer = client.post(path, content=body, headers={"content-type": "application/json"})
        assert answer.status_code < 500, path


def test_a_tool_verifies_the_ledger_by_json(client: TestClient) -> None:
    answer = client.post("/ledger/verify", json={})
    assert answer.status_code == 200
    assert json.loads(answer.text)["problems"] == []


def test_every_answer_carries_the_headers_that_keep_scripts_out(client: TestClient) -> None:
    for path in ("/", "/index.json", "/nowhere", "/static/main.js", "/health"):
        headers = client.get(path, headers={"accept": "text/html"}).headers
        assert "script-src 'self';" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize(
    "path",
    [
        "/static/../errors.py",
        "/static/%2e%2e/words.py",
        "/static/..%2fwords.py",
        "/static/%2e%2e%2f%2e%2e%2fasgi.py",
        "/static//etc/passwd",
        "/static/..%5cwords.py",
        "/static/vendor/../../words.py",
        "/static/%00",
    ],
)
def test_no_file_outside_the_static_folder_is_served(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code in (400, 404)
    assert b"import" not in answer.content


def test_an_unforeseen_error_tells_no_details_and_carries_the_headers_too(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a secret of the machine")

    monkeypatch.setattr("trivet.server.asgi._touch", fail)
    answer = client.get("/health")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "script-src 'self'" in answer.headers["content-security-policy"]
