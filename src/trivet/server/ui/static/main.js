// Starts what a page needs: the search key, live regions, charts.
import { drawCharts, refreshCharts, restyleCharts } from "/static/charts.js";
import { watchLive } from "/static/live.js";

document.addEventListener("keydown", (event) => {
  const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
  if (event.key === "/" && !typing && !event.metaKey && !event.ctrlKey) {
    event.preventDefault();
    document.querySelector(".search input").focus();
  }
  if (event.key === "Escape") closeActions(null);
});

document.addEventListener("click", (event) => closeActions(event.target.closest(".action")));

function closeActions(kept) {
  for (const action of document.querySelectorAll(".action[open]")) {
    if (action !== kept) action.open = false;
  }
}

function showCentres() {
  for (const centre of document.querySelectorAll(".graph .centre rect")) {
    const scroll = centre.closest(".scroll");
    scroll.scrollLeft = Number(centre.getAttribute("x")) + Number(centre.getAttribute("width")) / 2 - scroll.clientWidth / 2;
  }
}

showCentres();
drawCharts(document);
watchLive(refreshCharts);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", restyleCharts);
