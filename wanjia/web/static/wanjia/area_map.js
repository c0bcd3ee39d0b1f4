import { colour, draw, numbers, textSize, tip } from "./chart.js";

const { words, areas } = numbers("map-counts");
const shapes = numbers("map-shapes");
const small = textSize();
const byCode = new Map(areas.map((a) => [a.code, a]));
const counts = areas.map((a) => a.people).filter((n) => n !== null).sort((a, b) => a - b);
const whole = new Intl.NumberFormat(document.documentElement.lang);

// five classes of about equal size, their limits rounded so that a legend can be read aloud
function classes() {
  if (!counts.length) return [];
  const round = (n) => { const unit = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(n, 1))) - 1); return Math.floor(n / unit) * unit; };
  const limits = [0.2, 0.4, 0.6, 0.8].map((q) => round(counts[Math.min(counts.length - 1, Math.floor(q * counts.length))]));
  const edges = [...new Set(limits)].filter((n) => n > counts[0]);
  const shades = ["#edf4f2", "#cfe4e3", "#a3ccd1", "#6dadb9", "#378799"].slice(-(edges.length + 1));
  return shades.map((shade, i) => ({
    color: shade,
    ...(i > 0 ? { gte: edges[i - 1] } : {}), ...(i < edges.length ? { lt: edges[i] } : {}),
    label: i === 0 ? (edges.length ? `< ${whole.format(edges[0])}` : whole.format(counts[0]))
      : i === edges.length ? `≥ ${whole.format(edges[i - 1])}` : `${whole.format(edges[i - 1])} – ${whole.format(edges[i])}`,
  }));
}

const hatched = { areaColor: "#eceeec", decal: { symbol: "rect", dashArrayX: [1, 0], dashArrayY: [2, 5], rotation: Math.PI / 4, color: "rgba(82,97,107,0.5)" } };
window.echarts.registerMap("areas", shapes);
const place = document.getElementById("map");
const isNarrow = place.clientWidth < 480;
const isLabelled = shapes.features.length <= 24 && !isNarrow;

const chart = draw("map", {
  tooltip: tip(({ name }) => { const area = byCode.get(name); return area ? `${area.name}\n${area.shown}` : words.missing; }),
  visualMap: {
    type: "piecewise", pieces: classes(), left: 0, bottom: 0, itemWidth: 18, itemHeight: 12, itemGap: 5, showLabel: true,
    textStyle: { color: colour("--ink"), fontSize: small }, outOfRange: { color: "#eceeec" },
  },
  series: [{
    type: "map", map: "areas", nameProperty: "code", roam: false, selectedMode: false,
    left: isNarrow ? 4 : "16%", right: 4, top: 8, bottom: isNarrow ? 104 : 8, preserveAspect: "contain",
    label: { show: isLabelled, fontSize: Math.max(10, small - 1), color: colour("--ink"), textBorderColor: "#fff", textBorderWidth: 2.5, formatter: ({ name }) => byCode.get(name)?.name ?? "" },
    labelLayout: { hideOverlap: true },
    itemStyle: { borderColor: "#ffffff", borderWidth: 1.4 },
    emphasis: { label: { show: true, color: colour("--ink") }, itemStyle: { areaColor: "#f2c14e" } },
    data: areas.map((a) => ({ name: a.code, value: a.people ?? NaN, ...(a.people === null ? { itemStyle: hatched } : {}) })),
  }],
});

// pointing at a line of the list shows the area, and the other way round; following a link stays an ordinary link
const lines = new Map([...document.querySelectorAll("[data-area]")].map((row) => [row.dataset.area, row]));
const show = (code, is) => chart.dispatchAction({ type: is ? "highlight" : "downplay", seriesIndex: 0, name: code });
for (const [code, row] of lines) {
  for (const event of ["mouseenter", "focusin"]) row.addEventListener(event, () => show(code, true));
  for (const event of ["mouseleave", "focusout"]) row.addEventListener(event, () => show(code, false));
}
chart.on("mouseover", ({ name }) => lines.get(name)?.classList.add("is-pointed"));
chart.on("mouseout", ({ name }) => lines.get(name)?.classList.remove("is-pointed"));
chart.on("click", ({ name }) => lines.get(name)?.querySelector("a")?.click());
