"use strict";
/* Draws the charts of a report from the data in the page. Fetches nothing. */
(() => {
  const holder = document.getElementById("data");
  let data = holder ? JSON.parse(holder.textContent) : { speed: 1, phases: [], marks: [], charts: [] };
  const DASHES = [[], [7, 3], [2, 3], [9, 3, 2, 3], [4, 4], [1, 2]];
  const HEIGHT = 210;
  let charts = [];

  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();

  /* Figures as people read them. */
  const round = (value, digits) => Number(value.toPrecision(digits)).toLocaleString("en", { maximumFractionDigits: 6 });
  const bytes = (value) => {
    const units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let power = 0;
    while (Math.abs(value) >= 1024 && power < units.length - 1) { value /= 1024; power += 1; }
    return `${round(value, 3)} ${units[power]}`;
  };
  const seconds = (value) => (value !== 0 && Math.abs(value) < 1 ? `${round(value * 1000, 3)} ms` : `${round(value, 3)} s`);
  const say = {
    bytes, seconds,
    count: (value) => (Math.abs(value) >= 1000 ? Math.round(value).toLocaleString("en") : round(value, 3)),
    whole: (value) => Math.round(value).toLocaleString("en"),
    percent: (value) => `${round(value, 3)} %`,
    state: (value) => (value === 1 ? "up" : value === 0 ? "down" : round(value, 3)),
  };
  const moment = (t) => `${t.toFixed(1)} s (${((t * data.speed) / 60).toFixed(1)} min simulated)`;

  /* Ticks: bytes at powers of two, what is counted in ones at whole numbers. */
  const STEPS = { bytes: [], whole: [], state: [1] };
  for (let power = 0; power < 50; power += 1) STEPS.bytes.push(2 ** power);
  for (let power = 0; power < 12; power += 1) STEPS.whole.push(10 ** power, 2 * 10 ** power, 5 * 10 ** power);

  /* The phases lie under the lines; the marks and the limits over them. */
  const ground = (chart) => ({
    hooks: {
      drawClear: [(u) => {
        const { ctx, bbox } = u;
        for (const phase of data.phases) {
          const left = Math.max(u.valToPos(phase.start, "x", true), bbox.left);
          const right = Math.min(u.valToPos(phase.end, "x", true), bbox.left + bbox.width);
          if (right <= left) continue;
          ctx.fillStyle = colour(`shade-${phase.name}`);
          ctx.fillRect(left, bbox.top, right - left, bbox.height);
        }
      }],
      draw: [(u) => {
        const { ctx, bbox } = u;
        const dpr = devicePixelRatio || 1;
        ctx.save();
        ctx.lineWidth = dpr;
        for (const limit of chart.limits) {
          const y = Math.round(u.valToPos(limit, "y", true));
          if (y < bbox.top || y > bbox.top + bbox.height) continue;
          ctx.strokeStyle = ctx.fillStyle = colour("limit");
          ctx.setLineDash([6 * dpr, 4 * dpr]);
          ctx.beginPath(); ctx.moveTo(bbox.left, y); ctx.lineTo(bbox.left + bbox.width, y); ctx.stroke();
          ctx.font = `${11 * dpr}px system-ui, sans-serif`;
          ctx.textAlign = "right"; ctx.textBaseline = "bottom";
          ctx.fillText(`limit ${say[chart.unit](limit)}`, bbox.left + bbox.width - 4 * dpr, y - 2 * dpr);
        }
        ctx.setLineDash([2 * dpr, 3 * dpr]);
        ctx.font = `600 ${10 * dpr}px system-ui, sans-serif`;
        ctx.textAlign = "center"; ctx.textBaseline = "bottom";
        let free = -Infinity;
        for (const mark of data.marks) {
          const x = Math.round(u.valToPos(mark.t, "x", true));
          if (x < bbox.left || x > bbox.left + bbox.width) continue;
          ctx.strokeStyle = ctx.fillStyle = colour("muted");
          ctx.globalAlpha = 0.75;
          ctx.beginPath(); ctx.moveTo(x, bbox.top); ctx.lineTo(x, bbox.top + bbox.height); ctx.stroke();
          ctx.globalAlpha = 1;
          const at = Math.max(x, free);
          ctx.fillText(String(mark.n), at, bbox.top - 2 * dpr);
          free = at + 10 * dpr;
        }
        ctx.restore();
      }],
    },
  });

  /* Where answers come rarely a line between them would be invented: each is a point. */
  const sparse = (values) => values.filter((v) => v == null).length > values.length / 2;

  const line = (chart, label, index) => ({
    label,
    stroke: () => colour(`c${(index % 6) + 1}`),
    dash: DASHES[index % DASHES.length],
    width: 1.75,
    points: { show: sparse(chart.data[index + 1]), size: 5 },
    paths: chart.stepped ? uPlot.paths.stepped({ align: 1 }) : undefined,
    value: (u, value) => (value == null ? "" : say[chart.unit](value)),
  });

  const options = (chart, width) => ({
    width,
    height: HEIGHT,
    padding: [16, 10, 0, 0],
    cursor: { sync: { key: "run" }, y: false, points: { size: 7 }, drag: { x: true, y: false } },
    legend: { live: true, markers: { width: 2, dash: (u, i) => ["solid", "dashed", "dotted"][Math.min(2, (i - 1) % 6)] } },
    scales: {
      x: { time: false, range: (u, low, high) => [low, high > low ? high : low + 1] },
      y: { range: (u, low, high) => (chart.unit === "state" ? [-0.1, 1.25] : [Math.min(0, low ?? 0), ((high ?? 0) || 1) * 1.08]) },
    },
    axes: [
      { stroke: () => colour("muted"), grid: { stroke: () => colour("grid"), width: 1 }, ticks: { show: false }, size: 26, font: "12px system-ui, sans-serif", values: (u, ticks) => ticks.map((t) => `${t} s`) },
      { stroke: () => colour("muted"), grid: { stroke: () => colour("grid"), width: 1 }, ticks: { show: false }, size: 62, font: "12px system-ui, sans-serif",
        incrs: STEPS[chart.unit],
        values: (u, ticks) => ticks.map((v) => say[chart.unit](v)) },
    ],
    series: [{ label: "at", value: (u, t) => (t == null ? "" : moment(t)) }, ...chart.labels.map((label, i) => line(chart, label, i))],
    plugins: [ground(chart)],
  });

  /* A name in the legend is a switch, for the keyboard too. */
  const legend = (u) => {
    u.root.querySelectorAll(".u-legend .u-series").forEach((row, index) => {
      const name = row.querySelector("th");
      if (index === 0) return;
      const tell = () => name.setAttribute("aria-pressed", String(u.series[index].show));
      name.tabIndex = 0;
      name.setAttribute("role", "button");
      name.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        u.setSeries(index, { show: !u.series[index].show });
      });
      u.hooks.setSeries = [...(u.hooks.setSeries || []), tell];
      tell();
    });
  };

  const keys = (plot, u) => plot.addEventListener("keydown", (event) => {
    if (event.target !== plot) return;
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.key === "Escape") u().setData(u().data);
    if (!step) return;
    event.preventDefault();
    const chart = u();
    const last = chart.data[0].length - 1;
    const index = Math.min(last, Math.max(0, (chart.cursor.idx ?? (step > 0 ? -1 : last + 1)) + step));
    chart.setCursor({ left: chart.valToPos(chart.data[0][index], "x"), top: 10 });
  });

  const draw = (entry) => {
    const hidden = entry.u ? entry.u.series.map((s) => s.show) : null;
    if (entry.u) entry.u.destroy();
    entry.u = new uPlot(options(entry.chart, entry.plot.clientWidth), entry.chart.data, entry.plot);
    legend(entry.u);
    if (hidden) hidden.forEach((show, index) => { if (index && !show) entry.u.setSeries(index, { show }); });
  };

  const build = () => document.querySelectorAll("[data-chart]").forEach((figure) => {
    const entry = { plot: figure.querySelector(".plot"), chart: data.charts[Number(figure.dataset.chart)], u: null };
    charts.push(entry);
    draw(entry);
    keys(entry.plot, () => entry.u);
    new ResizeObserver(() => {
      const width = entry.plot.clientWidth;
      if (width && width !== entry.u.width) entry.u.setSize({ width, height: HEIGHT });
    }).observe(entry.plot);
  });
  build();

  /* A run that is followed: its charts grow, and where a line is new they are drawn anew. Who has zoomed in stays there. */
  document.addEventListener("lab-data", ({ detail }) => {
    data = detail.data;
    if (detail.anew) {
      charts.forEach((entry) => entry.u.destroy());
      charts = [];
      build();
      return;
    }
    charts.forEach((entry) => {
      const before = entry.u.data[0];
      const whole = entry.u.scales.x.min === before[0] && entry.u.scales.x.max === before[before.length - 1];
      const shown = entry.u.series.map((series) => series.show);
      entry.chart = data.charts[Number(entry.plot.closest("[data-chart]").dataset.chart)];
      entry.u.setData(entry.chart.data, whole);
      if (!whole) entry.u.redraw();
      shown.forEach((show, index) => { if (index && !show) entry.u.setSeries(index, { show }); });
    });
  });

  /* Colours are those of the page: light, dark, and light on paper. */
  const again = () => charts.forEach(draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
  let folded = [];
  addEventListener("beforeprint", () => {
    document.documentElement.classList.add("printing");
    folded = [...document.querySelectorAll("#channel details:not([open]), .held:not([open])")];
    folded.forEach((details) => { details.open = true; });
    again();
  });
  addEventListener("afterprint", () => {
    document.documentElement.classList.remove("printing");
    folded.forEach((details) => { details.open = false; });
    again();
  });
})();
