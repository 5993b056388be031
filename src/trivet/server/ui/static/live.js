// Regions that htmx refreshes in place: what changed glows once, and a stale page says so.

const STALE_AFTER_MS = 15_000;

export function watchLive(afterSwap) {
  if (!document.querySelector("[data-live]")) return;
  let fresh = Date.now();
  let before = new Map();

  document.addEventListener("htmx:before:swap", () => { before = readValues(); });
  document.addEventListener("htmx:after:swap", (event) => {
    const status = event.detail?.ctx?.response?.status ?? 200;
    if (status >= 400) return; // the page stays as it was, and grows stale
    fresh = Date.now();
    showAge(0);
    glow(before);
    afterSwap();
  });
  // What the reader opened stays open, though the server's copy of it is closed.
  document.addEventListener("htmx:before:morph:attr", (event) => {
    if (event.detail?.name === "open" || event.detail?.attributeName === "open") event.preventDefault();
  });
  setInterval(() => showAge(Date.now() - fresh), 1000);
}

function readValues() {
  return new Map([...document.querySelectorAll("[data-glow]")].map((el) => [el.dataset.glow, el.textContent]));
}

function glow(before) {
  for (const element of document.querySelectorAll("[data-glow]")) {
    const old = before.get(element.dataset.glow);
    if (old === undefined || old === element.textContent) continue;
    element.classList.remove("glow");
    void element.offsetWidth; // starts the animation anew
    element.classList.add("glow");
  }
}

function showAge(age) {
  const isStale = age > STALE_AFTER_MS;
  const mark = document.getElementById("stale");
  mark.hidden = !isStale;
  mark.querySelector("[data-age]").textContent = isStale ? `${Math.round(age / 1000)} s` : "";
  document.body.classList.toggle("is-stale", isStale);
}
