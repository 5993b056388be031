"""Every page, in both themes and four widths: nothing sideways, no error, no serious axe issue."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from seed import Site

pytestmark = pytest.mark.browser

AXE = Path(__file__).parent / "axe" / "axe.min.js"
WIDTHS = (360, 980, 1400, 1920)
PAGES = (
    "/",
    "/answers",
    "/data",
    "/data/flights",
    "/data/airports",
    "/data/flights/diff",
    "/features",
    "/features/by_carrier",
    "/runs",
    "/experiments/delay",
    "/runs/{run}",
    "/runs/{failed}",
    "/runs/compare?run={run}&run={other}",
    "/pipelines",
    "/pipelines/{pipeline}",
    "/models",
    "/models/delay",
    "/models/delay/versions/champion",
    "/deployments",
    "/deployments/delay",
    "/monitoring",
    "/monitoring/delay",
    "/alerts",
    "/alerts/{alert}",
    "/ledger",
    "/ledger?verify=1",
    "/lineage",
    "/ref/model:delay@2",
    "/ref/prediction:{prediction}",
    "/evidence/{evidence}",
    "/ui/patterns",
    "/nowhere",
)


@pytest.fixture(scope="session")
def names(site: Site) -> dict[str, str]:
    """Return ids of the seeded home, to fill the addresses with."""
    with site.open() as app:
        runs = app.runs.list_runs(experiment="delay")
        lightgbm = [run.id for run in runs if run.name.startswith("lightgbm")]
        return {
            "run": lightgbm[0],
            "other": lightgbm[1],
            "failed": app.runs.list_runs(experiment="embeddings")[0].id,
            "pipeline": next(run.id for run in runs if run.kind == "pipeline"),
            "alert": app.alerts.list_alerts()[0].id,
            "prediction": app.alerts.list_alerts()[0].samples[1],
            "evidence": app.models.get_version("delay", 2).content.evidence[0],
        }


@dataclass
class Themed:
    """A page whose browser prefers one theme, and what its console said of the present address."""

    page: Page
    problems: list[str]


@pytest.fixture(scope="session", params=["light", "dark"])
def themed(request: pytest.FixtureRequest, browser: Browser, site: Site) -> Iterator[Themed]:
    context = browser.new_context(base_url=site.url, color_scheme=request.param, locale="en")
    context.add_init_script(path=AXE)
    opened = Themed(context.new_page(), [])
    opened.page.on("pageerror", lambda error: opened.problems.append(str(error)))
    opened.page.on(
        "console", lambda said: opened.problems.append(said.text) if said.type == "error" else None
    )
    yield opened
    context.close()


@pytest.mark.parametrize("address", PAGES)
def test_a_page_fits_every_width_without_errors_or_barriers(
    themed: Themed, names: dict[str, str], address: str
) -> None:
    page = themed.page
    themed.problems.clear()
    answer = page.goto(address.format(**names))
    assert answer is not None
    assert answer.status == (404 if address == "/nowhere" else 200)
    page.wait_for_load_state("networkidle")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, width
    assert _barriers(page) == []
    if address != "/nowhere":
        assert themed.problems == []


def _barriers(page: Page) -> list[str]:
    """Return the serious and critical findings of axe-core."""
    found: dict[str, Any] = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{issue['id']}: {issue['nodes'][0]['html'][:200]} {issue['nodes'][0]['failureSummary']}"
        for issue in found["violations"]
        if issue["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("address", PAGES[:-1])
def test_a_page_has_a_json_twin(page: Page, names: dict[str, str], address: str) -> None:
    path, _, query = address.format(**names).partition("?")
    twin = "/index.json" if path == "/" else f"{path}.json"
    answer = page.request.get(f"{twin}?{query}" if query else twin)
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert isinstance(answer.json(), dict)


@pytest.mark.parametrize("address", PAGES)
def test_a_page_can_be_read_in_korean_and_without_javascript(
    browser: Browser, site: Site, names: dict[str, str], address: str
) -> None:
    context = browser.new_context(base_url=site.url, locale="ko", java_script_enabled=False)
    opened = context.new_page()
    opened.goto(address.format(**names))
    assert opened.locator("html").get_attribute("lang") == "ko"
    assert opened.get_by_role("link", name="데이터", exact=True).is_visible()
    context.close()
