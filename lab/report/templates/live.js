"use strict";
/* Follows a run: each state replaces the parts of the page, and the charts grow. Its source connects again by itself. */
(() => {
  const source = new EventSource("/events");
  const fill = (id, html) => {
    const part = document.getElementById(`part-${id}`);
    if (!part || part.told === html) return;
    part.told = html;
    /* What a reader has opened or holds stays that way. */
    const open = [...part.querySelectorAll("details")].map((details) => details.open);
    if (part.contains(document.activeElement)) document.activeElement.blur();
    part.innerHTML = html;
    part.querySelectorAll("details").forEach((details, index) => { if (open[index]) details.open = true; });
  };
  source.addEventListener("state", (event) => {
    const state = JSON.parse(event.data);
    document.body.classList.remove("stale");
    Object.entries(state.parts).forEach(([id, html]) => fill(id, html));
    if (state.frame) fill("charts", state.frame);
    if (state.data) document.dispatchEvent(new CustomEvent("lab-data", { detail: { data: state.data, anew: Boolean(state.frame) } }));
  });
  source.addEventListener("end", (event) => {
    source.close();
    if (JSON.parse(event.data).report) location.replace("/report");
    else document.body.classList.add("stale");
  });
  source.addEventListener("error", () => document.body.classList.add("stale"));
})();
