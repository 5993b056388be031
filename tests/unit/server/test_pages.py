"""Pages and twins of an empty home, and what is wrong told in one shape."""

import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from trivet.app import App
from trivet.server.ui import addresses, page_list
from trivet.server.ui.rendering import make_environment, markdown
from trivet.server.ui.words import Words, choose_language, read_catalogue

TEMPLATES = Path(addresses.__file__).with_name("templates")
PLAIN = [page for page in page_list() if "{" not in page.address]
NAMED = [page for page in page_list() if "{" in page.address]


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("page", PLAIN, ids=lambda page: page.address)
def test_an_empty_home_has_every_page(client: TestClient, page: object, language: str) -> None:
    headers = {"accept": "text/html", "accept-language": language}
    answer = client.get(page.address, headers=headers)  # type: ignore[attr-defined]
    assert answer.status_code == 200
    assert f'<html lang="{language}"' in answer.text


@pytest.mark.parametrize("page", PLAIN, ids=lambda page: page.address)
def test_every_page_leads_to_its_twin(client: TestClient, page: object) -> None:
    text = client.get(page.address, headers={"accept": "text/html"}).text  # type: ignore[attr-defined]
    twin = re.search(r'type="application/json" href="([^"]+)"', text)
    assert twin is not None
    assert isinstance(client.get(twin[1]).json(), dict)


@pytest.mark.parametrize("page", NAMED, ids=lambda page: page.address)
def test_what_nobody_made_is_not_found_as_a_page_and_as_a_problem(
    client: TestClient, page: object
) -> None:
    names = {
        "{name:path}": "nobody",
        "{id}": "nobody",
        "{version}": "1",
        "{ref:path}": "run:nobody",
    }
    address, twin = page.address, page.twin  # type: ignore[attr-defined]
    for name, value in names.items():
        address, twin = address.replace(name, value), twin.replace(name, value)
    shown = client.get(address, headers={"accept": "text/html"})
    told = client.get(twin)
    assert (shown.status_code, told.status_code) == (404, 404)
    assert shown.headers["content-type"].startswith("text/html")
    assert told.headers["content-type"] == "application/problem+json"
    assert set(told.json()) == {"type", "title", "status", "detail"}


@pytest.mark.parametrize(
    "ref", ["nonsense", "thing:x", "model:delay#2", "run:", "model:../etc@1", "%00"]
)
def test_a_ref_that_is_none_is_a_problem(client: TestClient, ref: str) -> None:
    assert client.get(f"/ref/{ref}.json").status_code in (404, 422)


def test_a_database_that_has_gone_is_said_so(client: TestClient, app: App) -> None:
    app.database.url = "gone"
    file = app.settings.home / "trivet.db"
    app.database.close()
    file.unlink()
    answer = client.get("/data.json")
    assert answer.status_code == 503
    assert "did not answer" in answer.json()["detail"]


def test_both_languages_say_the_same_things() -> None:
    english, korean = read_catalogue("en"), read_catalogue("ko")

    def said(texts: object) -> dict[str, set[str]]:
        facts: dict[str, set[str]] = {}
        for key, text in dict(texts).items():  # type: ignore[call-overload]
            plain = re.sub(r"\.(one|other)$", "", key)
            facts[plain] = facts.get(plain, set()) | set(re.findall(r"\{(\w+)\}", text))
        return facts

    in_english, in_korean = said(english), said(korean)
    assert set(in_english) == set(in_korean)
    assert {key for key in in_english if in_korean[key] - in_english[key] - {"n"}} == set()
    assert {key for key in in_english if in_english[key] - in_korean[key]} == set()


def test_every_text_that_templates_use_is_in_the_catalogue() -> None:
    known = {re.sub(r"\.(one|other)$", "", key) for key in read_catalogue("en")}
    for file in TEMPLATES.rglob("*.html"):
        text = file.read_text(encoding="utf-8")
        used = set(re.findall(r'\bt\("([a-z_.0-9]+)"\s*[,)]', text))
        used |= set(re.findall(r'parts\.(?:fact|empty)\("([a-z_.0-9]+)"', text))
        assert used <= known, file


def test_no_template_holds_script_or_style_of_its_own() -> None:
    for file in TEMPLATES.rglob("*.html"):
        text = re.sub(r"\{[%{#].*?[%}#]\}", "", file.read_text(encoding="utf-8"), flags=re.DOTALL)
        assert not re.search(r"<script(?![^>]*\bsrc=)", text), file
        assert not re.search(r"\sstyle=|\son[a-z]+=|javascript:", text), file


def test_every_template_compiles_and_none_turns_escaping_off() -> None:
    environment = make_environment()
    for name in environment.list_templates():
        environment.get_template(name)
        assert "| safe" not in (TEMPLATES / name).read_text(encoding="utf-8")


def test_markdown_of_strangers_stays_text() -> None:
    assert "<script>" not in markdown("<script>alert(1)</script>")
    assert "javascript:" not in markdown("[x](javascript:alert(1))").replace("[x](javascript:", "")


def test_facts_are_escaped_in_sentences() -> None:
    assert "&lt;b&gt;" in Words("en")("deployments.owner", owner="<b>")


@pytest.mark.parametrize(
    ("cookie", "accepted", "language"),
    [
        (None, "", "en"),
        (None, "ko-KR,ko;q=0.9,en;q=0.8", "ko"),
        (None, "fr,ko;q=0.5", "ko"),
        ("en", "ko", "en"),
        ("xx", "ko", "ko"),
    ],
)
def test_the_language_is_the_chosen_one_or_the_first_that_is_accepted(
    cookie: str | None, accepted: str, language: str
) -> None:
    assert choose_language(cookie, accepted) == language
