import { colour, draw, numbers, textSize, tip } from "./chart.js";

const { words, points: all, limits } = numbers("curve-points");
// where nothing is linked any more, precision is not a number
const linked = all.filter((p) => p.links > 0);
const points = linked.length ? linked : all;
const percent = (value) => `${(value * 100).toFixed(2)}%`;
const lowest = Math.min(...points.map((p) => Math.min(p.precision, p.recall)));
const floor = Math.max(0, Math.floor(lowest * 10) / 10);
const small = textSize();
const narrow = document.getElementById("curve").clientWidth < 480;

const line = (name, key, style, symbol, shade) => ({
  name, type: "line", data: points.map((p) => [p.weight, p[key]]), symbol, symbolSize: 6, showSymbol: false,
  lineStyle: { width: 2.5, type: style, color: shade }, itemStyle: { color: shade },
});

draw("curve", {
  grid: { left: 12, right: 20, top: 44, bottom: 40, containLabel: true },
  legend: { top: 4, left: 4, textStyle: { color: colour("--ink"), fontSize: small }, itemWidth: 36 },
  tooltip: {
    ...tip((lines) => [`${words.evidence} ${lines[0].value[0]}`, ...lines.map((l) => `${l.seriesName}  ${percent(l.value[1])}`)].join("\n"), "axis"),
    axisPointer: { lineStyle: { color: colour("--line-strong") } },
  },
  xAxis: {
    type: "value", name: words.evidence, nameLocation: "middle", nameGap: 28, min: Math.floor(points[0].weight / 5) * 5, max: Math.ceil(points.at(-1).weight / 5) * 5,
    axisLabel: { color: colour("--ink-soft"), fontSize: small }, nameTextStyle: { color: colour("--ink-soft"), fontSize: small },
    splitLine: { show: false }, interval: narrow ? 10 : 5, axisLine: { onZero: false, lineStyle: { color: colour("--line-strong") } },
  },
  yAxis: {
    type: "value", min: floor, max: 1, axisLine: { show: false, onZero: false }, axisLabel: { color: colour("--ink-soft"), fontSize: small, formatter: (v) => `${Math.round(v * 100)}%` },
    splitLine: { lineStyle: { color: colour("--line") } },
  },
  series: [
    {
      ...line(words.precision, "precision", "solid", "circle", colour("--teal")),
      markLine: {
        silent: true, symbol: "none", lineStyle: { color: colour("--ink-soft"), type: "dotted", width: 1.5 },
        label: { fontSize: small, color: colour("--ink"), formatter: "{b}", position: "insideMiddleBottom" },
        data: limits.map(({ name, weight }) => ({ name, xAxis: weight })),
      },
    },
    line(words.recall, "recall", "dashed", "rect", colour("--seal")),
  ],
});
