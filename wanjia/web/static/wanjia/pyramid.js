import { colour, draw, numbers, textSize, tip } from "./chart.js";

const { words, groups } = numbers("pyramid-groups");
const small = textSize();
const whole = new Intl.NumberFormat(document.documentElement.lang);
const shown = (people, text) => (people === null ? text : whole.format(people));
const most = Math.max(1, ...groups.flatMap((g) => [g.men ?? 0, g.women ?? 0]));
const narrow = document.getElementById("pyramid").clientWidth < 480;
// a round step, so that both ends of the axis are whole steps from the middle
const rough = most / (narrow ? 2 : 4);
const unit = 10 ** Math.floor(Math.log10(rough));
const step = [1, 2, 2.5, 5, 10].map((n) => n * unit).find((n) => n >= rough);
const edge = Math.ceil(most / step) * step;

// stripes for men, plain for women: the two sides are told apart without colour
const stripes = { symbol: "rect", dashArrayX: [1, 0], dashArrayY: [2, 4], rotation: -Math.PI / 4, color: "rgba(255,255,255,0.55)" };
const side = (name, key, sign, shade, decal) => ({
  name, type: "bar", stack: "people", barCategoryGap: "18%",
  data: groups.map((g) => ({ value: g[key] === null ? 0 : sign * g[key], itemStyle: { color: shade, decal } })),
  itemStyle: { color: shade, decal },
});

draw("pyramid", {
  grid: { left: 8, right: 16, top: 40, bottom: 12, containLabel: true },
  legend: { top: 4, textStyle: { color: colour("--ink"), fontSize: small }, itemWidth: 26, itemHeight: 14 },
  tooltip: { ...tip((lines) => {
    const group = groups[lines[0].dataIndex];
    return [`${group.label} ${words.years}`, `${words.men}  ${shown(group.men, group.men_text)}`, `${words.women}  ${shown(group.women, group.women_text)}`].join("\n");
  }, "axis"), axisPointer: { type: "shadow" } },
  xAxis: {
    type: "value", min: -edge, max: edge, interval: step,
    axisLabel: { color: colour("--ink-soft"), fontSize: small, hideOverlap: true, formatter: (v) => whole.format(Math.abs(v)) },
    splitLine: { lineStyle: { color: colour("--line") } },
  },
  yAxis: { type: "category", data: groups.map((g) => g.label), axisTick: { show: false }, axisLine: { show: false },
    axisLabel: { color: colour("--ink-soft"), fontSize: small, interval: 0 } },
  series: [
    side(words.men, "men", -1, colour("--teal"), stripes),
    side(words.women, "women", 1, "#c9785f", { symbol: "none" }),
  ],
});
