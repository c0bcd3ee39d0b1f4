// What all charts share: reading the page's own numbers, its colours, and saying in the DOM when drawing is done.

/** The object in a <script type="application/json"> block. */
export function numbers(id) {
  return JSON.parse(document.getElementById(id).textContent);
}

/** A colour of the house by its custom property, so that charts and pages cannot drift apart. */
export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** Size of chart text in pixels; follows the large-text switch. */
export function textSize() {
  return Math.round(parseFloat(getComputedStyle(document.documentElement).fontSize) * 0.78);
}

export const calm = !window.matchMedia("(prefers-reduced-motion: no-preference)").matches;

/**
 * Draw `option` into the element and keep it fitting. Tool tips are drawn on the canvas ("richText"): HTML ones carry inline styles,
 * which the page's policy refuses. `data-ready` tells tests that the picture stands.
 */
export function draw(id, option) {
  const place = document.getElementById(id);
  const chart = window.echarts.init(place, null, { renderer: "canvas" });
  chart.on("finished", () => { place.dataset.ready = "1"; });
  chart.setOption({
    animation: false,
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, fontSize: textSize(), color: colour("--ink") },
    ...option,
  });
  new ResizeObserver(() => chart.resize()).observe(place);
  return chart;
}

/** Tool tip on the canvas, in the house's colours. */
export function tip(formatter, trigger = "item") {
  return {
    trigger, renderMode: "richText", confine: true, formatter,
    backgroundColor: colour("--surface"), borderColor: colour("--line-strong"), padding: [6, 10],
    textStyle: { color: colour("--ink"), fontSize: textSize() },
  };
}
