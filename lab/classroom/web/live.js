"use strict";
/* The live page: told by server-sent events what to draw, asks for a switch with the token behind the address's #. */
(() => {
  const token = location.hash.slice(1);
  const KEPT = 1800;
  const HEIGHT = 210;
  const DASHES = [[], [7, 3], [2, 3], [9, 3, 2, 3], [4, 4], [1, 2]];
  const byId = (id) => document.getElementById(id);
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  let charts = [];
  let zero = 0;
  let marks = [];
  let bands = [];
  let offers = [];
  let fault = null;
  let busy = false;

  /* Everything that is told goes in as text, never as markup. */
  const make = (tag, text, kind) => {
    const found = document.createElement(tag);
    if (text !== undefined) found.textContent = text;
    if (kind) found.className = kind;
    return found;
  };
  const fill = (id, nodes) => byId(id).replaceChildren(...nodes);
  const clock = (t) => new Date(t * 1000).toLocaleTimeString("en-GB");

  const round = (value, digits) => Number(value.toPrecision(digits)).toLocaleString("en", { maximumFractionDigits: 6 });
  const bytes = (value) => {
    const units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let power = 0;
    while (Math.abs(value) >= 1024 && power < units.length - 1) { value /= 1024; power += 1; }
    return `${round(value, 3)} ${units[power]}`;
  };
  const count = (value) => (Math.abs(value) >= 1000 ? Math.round(value).toLocaleString("en") : round(value, 3));
  const say = {
    bytes, count,
    seconds: (v) => (v !== 0 && Math.abs(v) < 1 ? `${round(v * 1000, 3)} ms` : `${round(v, 3)} s`),
    whole: (v) => Math.round(v).toLocaleString("en"),
    percent: (v) => `${round(v, 3)} %`,
    state: (v) => (v === 1 ? "up" : v === 0 ? "down" : round(v, 3)),
  };
  const SHADES = { healthy: "shade-steady", broken: "shade-broken", fixed: "shade-fixed" };

  /* What is live lies under the lines; when people were told stands over them. */
  const ground = { hooks: { draw: [(u) => {
    const { ctx, bbox } = u;
    ctx.save();
    ctx.lineWidth = devicePixelRatio || 1;
    ctx.setLineDash([3, 3]);
    marks.forEach((mark) => {
      const x = Math.round(u.valToPos(mark.at - zero, "x", true));
      if (x < bbox.left || x > bbox.left + bbox.width) return;
      ctx.strokeStyle = colour(mark.status === "resolved" ? "fixed" : "firing");
      ctx.beginPath(); ctx.moveTo(x, bbox.top); ctx.lineTo(x, bbox.top + bbox.height); ctx.stroke();
    });
    ctx.restore();
  }], drawClear: [(u) => {
    const { ctx, bbox } = u;
    bands.forEach((band, index) => {
      const end = index + 1 < bands.length ? bands[index + 1].at : Infinity;
      const left = Math.max(u.valToPos(band.at - zero, "x", true), bbox.left);
      const right = end === Infinity ? bbox.left + bbox.width : Math.min(u.valToPos(end - zero, "x", true), bbox.left + bbox.width);
      if (right <= left) return;
      ctx.fillStyle = colour(SHADES[band.what]);
      ctx.fillRect(left, bbox.top, right - left, bbox.height);
    });
  }] } };

  /* Ticks: bytes at powers of two, states at whole numbers. */
  const STEPS = { bytes: Array.from({ length: 50 }, (_, power) => 2 ** power), state: [1] };

  const axis = (size, values, incrs) => ({
    stroke: () => colour("muted"), grid: { stroke: () => colour("grid"), width: 1 }, ticks: { show: false }, size,
    font: "12px system-ui, sans-serif", values: (u, ticks) => ticks.map(values), ...(incrs ? { incrs } : {}),
  });
  const options = (chart, width) => ({
    width, height: HEIGHT, padding: [16, 10, 0, 0],
    cursor: { sync: { key: "live" }, y: false, drag: { x: false, y: false } },
    scales: {
      x: { time: false, range: (u, low, high) => [low, high > low ? high : low + 1] },
      y: { range: (u, low, high) => (chart.unit === "state" ? [-0.1, 1.25] : [Math.min(0, low ?? 0), ((high ?? 0) || 1) * 1.08]) },
    },
    axes: [axis(26, (t) => clock(zero + t)), axis(62, (v) => say[chart.unit](v), STEPS[chart.unit])],
    series: [{ label: "at", value: (u, t) => (t == null ? "" : clock(zero + t)) }, ...chart.labels.map((label, index) => ({
      label, stroke: () => colour(`c${(index % 6) + 1}`), dash: DASHES[index % 6], width: 1.75, points: { show: false },
      paths: chart.stepped ? uPlot.paths.stepped({ align: 1 }) : undefined,
      value: (u, v) => (v == null ? "" : say[chart.unit](v)),
    }))],
    plugins: [ground],
  });

  const draw = (told) => {
    zero = told.zero;
    charts.forEach((entry) => { entry.watch.disconnect(); entry.u.destroy(); });
    charts = told.charts.map((chart) => {
      const figure = make("figure", undefined, "chart");
      const plot = make("div", undefined, "plot");
      figure.id = `chart-${chart.id}`;
      figure.append(make("figcaption", chart.title), plot);
      return { chart, figure, plot };
    });
    fill("charts", charts.map((entry) => entry.figure));
    charts.forEach((entry) => {
      entry.u = new uPlot(options(entry.chart, entry.plot.clientWidth || 480), entry.chart.data, entry.plot);
      entry.watch = new ResizeObserver(() => {
        const width = entry.plot.clientWidth;
        if (width && width !== entry.u.width) entry.u.setSize({ width, height: HEIGHT });
      });
      entry.watch.observe(entry.plot);
    });
  };

  const grow = (row) => charts.forEach((entry, index) => {
    const data = entry.chart.data;
    [row.t, ...row.values[index]].forEach((value, column) => {
      data[column].push(value);
      if (data[column].length > KEPT) data[column].shift();
    });
    entry.u.setData(data);
  });

  const ask = async (offer, what) => {
    busy = true;
    switches();
    byId("said").className = "said";
    byId("said").textContent = `${offer.label}: ${what} …`;
    try {
      const asked = new URLSearchParams({ target: offer.name, variant: offer.variant, switch: what });
      const answer = await fetch(`/fault?${asked}`, { method: "POST", headers: { Authorization: `Bearer ${token}` } });
      const told = await answer.json();
      byId("said").textContent = told.said || told.error || told.detail;
      if (!answer.ok) byId("said").className = "said refused";
    } catch (error) {
      byId("said").className = "said refused";
      byId("said").textContent = `the stack does not answer: ${error.message}`;
    }
    busy = false;
    switches();
  };

  const switches = () => {
    const focused = document.activeElement?.dataset?.key;
    fill("faults", offers.map((offer) => {
      const mine = fault !== null && fault.name === offer.label;
      const state = mine ? fault.what : "healthy";
      const item = make("li", undefined, mine ? state : "");
      item.append(make("span", offer.label, "name"));
      [["on", "broken"], ["fix", "fixed"], ["off", "healthy"]].forEach(([what, live]) => {
        const button = make("button", what);
        button.type = "button";
        button.dataset.key = `${offer.label} ${what}`;
        button.setAttribute("aria-label", `${offer.label}: ${what}`);
        button.setAttribute("aria-pressed", String(mine && state === live));
        const other = fault !== null && !mine;
        button.disabled = busy || (what === "on" ? offer.needs !== "" || (other && fault.what === "broken") : !mine);
        button.addEventListener("click", () => ask(offer, what));
        item.append(button);
      });
      item.append(make("span", offer.needs ? `needs ${offer.needs}: lab up ${offer.label}` : offer.title, "about"));
      return item;
    }));
    if (focused) document.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  };

  const message = (told) => {
    const item = make("li", undefined, `message ${told.status === "resolved" ? "resolved" : "firing"}`);
    const avatar = make("span", "A", "avatar");
    avatar.setAttribute("aria-hidden", "true");
    const from = make("p", undefined, "from");
    from.append(make("strong", `#${told.route}`), " ", make("time", clock(told.at)));
    const said = make("div", undefined, "attachment");
    said.append(make("p", `[${told.status.toUpperCase()}] ${told.alert}`, "headline"), make("p", told.summary));
    const body = make("div");
    body.append(from, said);
    item.append(avatar, body);
    return item;
  };

  const tell = (status) => {
    const drawn = JSON.stringify([bands, marks]);
    bands = status.turns;
    marks = status.notifications.map(({ at, status }) => ({ at, status }));
    if (JSON.stringify([bands, marks]) !== drawn) charts.forEach((entry) => entry.u.redraw(false));
    const before = JSON.stringify(fault);
    fault = status.fault;
    if (JSON.stringify(fault) !== before) switches();
    const what = fault ? fault.what : "healthy";
    byId("masthead").className = `masthead ${{ healthy: "pass", fixed: "pass", broken: "fail" }[what]}`;
    byId("what").textContent = what;
    byId("since").textContent = `since ${clock(bands.length ? bands[bands.length - 1].at : status.since)}`;
    byId("title").textContent = fault ? fault.name : "The teaching stack";
    const served = status.requests_per_s === null ? "no figures" : `${round(status.requests_per_s, 4)} requests/s`;
    byId("head").textContent = `${status.runtime}, speed ${status.speed}, ${status.users} users, ${served}`;
    const alerts = status.alerts.map((alert) => {
      const item = make("li", undefined, alert.state);
      item.append(make("b", alert.state), ` ${alert.name} at ${alert.server}`);
      return item;
    });
    const silent = status.silent.map((server) => make("li", `${server} does not answer`));
    fill("alerts", alerts.length + silent.length ? [...alerts, ...silent] : [make("li", "None.", "muted")]);
    const told = [...status.notifications].reverse().map(message);
    fill("messages", told.length ? told : [make("li", "Quiet. Nobody was told of anything.", "quiet")]);
    fill("services", status.services.map((service) => {
      const item = make("li", undefined, service.up ? "" : "down");
      const name = service.url.startsWith("http://127.0.0.1:") ? make("a", service.name) : make("span", service.name);
      if (service.url) name.href = service.url;
      item.append(name, service.up ? "" : " down");
      return item;
    }));
    fill("happened", status.happened.map((one) => make("li", `${clock(one.at)} ${one.what}`)));
  };

  if (!token) {
    byId("what").textContent = "no token";
    byId("head").textContent = "Open the address that `lab up` and `lab status` print, with what stands behind its #.";
    return;
  }
  const source = new EventSource(`/events?token=${encodeURIComponent(token)}`);
  const on = (name, does) => source.addEventListener(name, (event) => does(JSON.parse(event.data)));
  on("offers", (told) => { offers = told; switches(); });
  on("charts", draw);
  on("row", grow);
  on("status", tell);
  source.addEventListener("open", () => byId("main").classList.remove("stale"));
  source.addEventListener("error", () => {
    byId("main").classList.add("stale");
    byId("what").textContent = source.readyState === EventSource.CLOSED ? "refused" : "no answer";
    byId("head").textContent = "The stack does not answer; this page asks again by itself. `lab status` says whether it is up.";
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => charts.forEach((entry) => entry.u.redraw()));
})();
