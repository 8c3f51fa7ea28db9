"use strict";
/* Follows a run: each state changes the parts of the page, and the charts grow. Its source connects again by itself. */
(() => {
  const source = new EventSource("/events");

  /* Makes a node what another is and touches only what differs: what a reader holds, or has read aloud, stays itself. */
  const become = (node, wanted) => {
    if (node.nodeName !== wanted.nodeName) node.replaceWith(wanted);
    else if (node.nodeType === Node.ELEMENT_NODE) { describe(node, wanted); contain(node, wanted); }
    else if (node.data !== wanted.data) node.data = wanted.data;
  };
  const describe = (node, wanted) => {
    const gone = node.getAttributeNames().filter((name) => name !== "open" && !wanted.hasAttribute(name));
    gone.forEach((name) => node.removeAttribute(name));
    for (const { name, value } of wanted.attributes) {
      if (node.getAttribute(name) !== value) node.setAttribute(name, value);
    }
  };
  const contain = (node, wanted) => {
    const before = [...node.childNodes];
    const after = [...wanted.childNodes];
    after.forEach((child, index) => (before[index] ? become(before[index], child) : node.append(child)));
    before.slice(after.length).forEach((child) => child.remove());
  };

  /* Where an element was replaced all the same, the one in its place is unfolded, scrolled or focused as it was. */
  const unfolded = (part) => {
    const all = () => [...part.querySelectorAll("details, .scroll, pre")];
    const before = all().map((element) => [element, element.scrollLeft, element.scrollTop]);
    return () => {
      const after = all();
      before.forEach(([element, left, top], index) => {
        const heir = after[index];
        if (element.isConnected || heir?.localName !== element.localName) return;
        if (element.open) heir.open = true;
        heir.scrollTo({ left, top, behavior: "instant" });
      });
    };
  };
  const focused = () => {
    const holder = document.activeElement;
    const part = holder?.closest("[id^='part-']");
    const alike = () => [...part.querySelectorAll(holder.localName)].filter((element) => element.tabIndex >= 0);
    const index = part ? alike().indexOf(holder) : -1;
    return () => { if (index >= 0 && !holder.isConnected) alike()[index]?.focus({ preventScroll: true }); };
  };

  const fill = (id, html) => {
    const part = document.getElementById(`part-${id}`);
    if (!part || part.told === html) return;
    part.told = html;
    const again = unfolded(part);
    const wanted = part.cloneNode(false);
    wanted.innerHTML = html;
    if (id === "charts") part.replaceChildren(...wanted.childNodes); /* what draws them hangs on the elements */
    else contain(part, wanted);
    again();
  };
  const say = (text) => {
    const said = document.getElementById("said");
    if (said.textContent !== text) said.textContent = text;
  };
  source.addEventListener("state", (event) => {
    const state = JSON.parse(event.data);
    const again = focused();
    document.body.classList.remove("stale");
    say(state.said);
    Object.entries(state.parts).forEach(([id, html]) => fill(id, html));
    if (state.frame) fill("charts", state.frame);
    const detail = { data: state.data, anew: Boolean(state.frame) };
    if (state.data) document.dispatchEvent(new CustomEvent("lab-data", { detail }));
    again();
  });
  source.addEventListener("end", (event) => {
    source.close();
    if (JSON.parse(event.data).report) location.replace("/report");
    else document.body.classList.add("stale");
  });
  source.addEventListener("error", () => document.body.classList.add("stale"));
})();
