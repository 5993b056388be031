"""What people come to do, done with the mouse and the keyboard on a real server."""

import pytest
from playwright.sync_api import Browser, Page, expect
from seed import Site

from trivet.monitoring import AlertStatus
from trivet.rollout import Phase

pytestmark = pytest.mark.browser


def test_the_slash_key_leads_to_a_ref(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("/")
    page.keyboard.type("model:delay@2")
    page.keyboard.press("Enter")
    expect(page).to_have_url("/models/delay/versions/2")
    expect(page.get_by_role("heading", level=1)).to_contain_text("delay 2")


def test_a_name_is_found_and_what_nobody_is_called_is_said(page: Page) -> None:
    page.goto("/search?q=flights")
    expect(page).to_have_url("/data/flights")
    answer = page.request.get("/search?q=nobody", headers={"accept": "text/html"})
    assert answer.status == 404
    assert "Nothing is called" in answer.text()


def test_theme_and_language_stay_as_they_were_chosen(page: Page) -> None:
    page.goto("/data")
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.get_by_role("button", name="한국어").click()
    expect(page).to_have_url("/data")
    expect(page.get_by_role("heading", level=1)).to_have_text("데이터")
    page.goto("/models")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_from_the_first_page_to_the_run_a_model_came_of(page: Page) -> None:
    page.goto("/")
    page.get_by_role("link", name="model:delay@2").first.click()
    page.locator(".graph .node", has_text="run").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("train")


def test_runs_are_chosen_and_compared(page: Page) -> None:
    page.goto("/experiments/delay")
    for box in page.get_by_role("checkbox", name="lightgbm").all()[:2]:
        box.check()
    page.get_by_role("button", name="Compare the chosen").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("2 runs compared")
    expect(page.locator("figure canvas").first).to_be_visible()
    expect(page.get_by_role("row", name="learning_rate")).to_be_visible()


def test_the_data_of_a_chart_is_one_click_away(page: Page) -> None:
    page.goto("/monitoring/delay")
    expect(page.locator("figure canvas").first).to_be_visible()
    page.get_by_text("Data of this chart").first.click()
    expect(page.get_by_role("cell", name="2013-03-04 00:00").first).to_be_visible()


def test_the_ledger_is_filtered_and_verified(page: Page) -> None:
    page.goto("/ledger")
    page.get_by_label("Kind").fill("alert.*")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator("tbody tr").first).to_contain_text("alert.")
    page.get_by_role("button", name="Seal and verify").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("verified")


def test_an_alert_is_taken_up_and_dismissed_with_a_reason(page: Page, site: Site) -> None:
    page.goto("/alerts")
    page.get_by_role("link", name="Outcomes come in").first.click()
    page.locator("summary", has_text="I am looking at it").click()
    page.get_by_role("button", name="I am looking at it").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("triaged")
    page.locator("summary", has_text="Dismiss").click()
    page.get_by_label("Why").fill("The feed was late, and came")
    page.get_by_role("button", name="Dismiss").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("dismissed")
    with site.open() as app:
        assert app.alerts.list_alerts()[0].status is AlertStatus.DISMISSED


def test_a_playbook_shows_html_of_strangers_as_text(page: Page, site: Site) -> None:
    with site.open() as app:
        alert = app.alerts.list_alerts()[-1]
    page.goto(f"/alerts/{alert.id}")
    expect(page.locator(".prose")).to_contain_text("<script>alert(1)</script>")


def test_a_release_is_paused_resumed_and_aborted_and_the_page_shows_it(
    page: Page, site: Site
) -> None:
    page.goto("/deployments/delay")
    page.locator("summary", has_text="Pause").click()
    expect(page.get_by_text("The test for harm goes on")).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    page.locator("summary", has_text="Resume").click()
    page.get_by_role("button", name="Resume").click()
    page.locator("summary", has_text="Abort").click()
    expect(page.get_by_text("#2 answers everybody within a second")).to_be_visible()
    page.get_by_role("button", name="Abort").click()
    expect(page.get_by_text("asked to abort").first).to_be_visible()
    with site.open() as app:
        table = app.routing.find_table("delay")
        rollout = app.rollouts.list_rollouts("delay")[0]
    assert table is not None
    assert (table.stable, table.weight) == (2, 0.0)
    assert rollout.phase in (Phase.ABORTING, Phase.ROLLED_BACK)


def test_what_changes_elsewhere_comes_onto_the_page_by_itself(page: Page, site: Site) -> None:
    page.goto("/deployments/delay")
    expect(page.get_by_text("generation 9999")).to_have_count(0)
    with site.open() as app:
        app.routing.report("third", "http://127.0.0.1:1", {"delay": 1})
    expect(page.locator("code", has_text="third")).to_be_visible(timeout=8000)


def test_a_page_whose_server_fails_stays_and_says_that_it_is_stale(
    browser: Browser, site: Site
) -> None:
    context = browser.new_context(base_url=site.url, locale="en")
    opened = context.new_page()
    opened.clock.install()
    opened.goto("/deployments/delay")
    expect(opened.locator("#stale")).to_be_hidden()
    opened.route("**/deployments/delay", lambda route: route.fulfill(status=503, body="gone"))
    opened.clock.run_for(20_000)
    expect(opened.locator("#stale")).to_be_visible()
    expect(opened.get_by_role("heading", name="Traffic")).to_be_visible()
    context.close()
