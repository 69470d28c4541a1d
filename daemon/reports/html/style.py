"""How a page looks: light and dark by the reader's own setting, one column on a phone."""

STYLE = """
:root {
  color-scheme: light dark;
  --back: #f4f6f9; --card: #ffffff; --line: #e1e6ee; --ink: #17202e; --soft: #5c6b80;
  --accent: #2563eb; --good: #0b8a5f; --bad: #d0313d; --warn-back: #fff6e0; --warn-ink: #7a4d00;
}
@media (prefers-color-scheme: dark) {
  :root {
    --back: #0e131b; --card: #171e29; --line: #283243; --ink: #e6ebf3; --soft: #94a3b8;
    --accent: #6ea0ff; --good: #34d399; --bad: #fb7185; --warn-back: #33280f; --warn-ink: #f6d58a;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--back); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
main { max-width: 1180px; margin: 0 auto; padding: 28px 20px 48px; }
header { margin: 0 0 20px; }
h1 { font-size: 1.65rem; line-height: 1.2; margin: 0 0 4px; letter-spacing: -0.01em; }
h2 {
  font-size: 1.2rem; margin: 36px 0 12px; display: flex; flex-wrap: wrap; gap: 4px 12px;
  align-items: baseline;
}
h2 small { font-weight: 400; color: var(--soft); font-size: 0.95rem; }
h3 { font-size: 1rem; margin: 0 0 10px; overflow-wrap: anywhere; }
p { margin: 0 0 8px; }
a { color: var(--accent); }
.subtitle, .hint, footer { color: var(--soft); }
.hint { font-size: 0.87rem; }
nav { display: flex; flex-wrap: wrap; gap: 8px; margin: 14px 0 0; }
nav a {
  text-decoration: none; background: var(--card); border: 1px solid var(--line);
  border-radius: 999px; padding: 4px 12px; font-size: 0.9rem;
}
.card {
  background: var(--card); border: 1px solid var(--line); border-radius: 12px;
  padding: 16px 18px; margin: 0 0 16px; min-width: 0;
}
.remarks {
  background: var(--warn-back); color: var(--warn-ink); border-radius: 12px;
  padding: 12px 18px; margin: 0 0 16px;
}
.remarks p:last-child { margin: 0; }
.tiles {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 10px;
  margin: 0 0 16px;
}
.tile {
  background: var(--card); border: 1px solid var(--line); border-radius: 12px;
  padding: 10px 12px; display: flex; flex-direction: column; min-width: 0;
}
.tile .name { color: var(--soft); font-size: 0.8rem; }
.tile .value {
  font-size: 1.35rem; font-weight: 600; letter-spacing: -0.01em;
  font-variant-numeric: tabular-nums;
}
.tile .below { color: var(--soft); font-size: 0.76rem; }
.good { color: var(--good); }
.bad { color: var(--bad); }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(320px, 1fr)); gap: 0 16px; }
.scroll { overflow-x: auto; -webkit-overflow-scrolling: touch; }
.tall { max-height: 560px; overflow: auto; }
table { border-collapse: collapse; width: 100%; font-size: 0.88rem; }
th, td {
  text-align: right; padding: 6px 9px; white-space: nowrap; border-bottom: 1px solid var(--line);
  font-variant-numeric: tabular-nums;
}
th { color: var(--soft); font-weight: 500; }
.tall th { position: sticky; top: 0; background: var(--card); z-index: 1; }
th:first-child, td:first-child { padding-left: 0; }
th:last-child, td:last-child { padding-right: 0; }
.word { text-align: left; }
tbody tr:last-child td { border-bottom: 0; }
td.word.note, .note { white-space: normal; min-width: 160px; }
.months td { padding: 2px; border: 0; }
.months tbody th { border: 0; }
.months td span.cell { display: block; border-radius: 6px; padding: 5px 6px; min-width: 52px; }
.facts {
  display: grid; grid-template-columns: minmax(120px, auto) 1fr; gap: 4px 16px; margin: 0;
  font-size: 0.9rem;
}
.facts dt { color: var(--soft); min-width: 0; overflow-wrap: anywhere; }
.facts dd { margin: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
.costs td:last-child { width: 45%; }
.bar { display: block; height: 8px; border-radius: 4px; background: var(--accent); }
.bar.good { background: var(--good); }
.bar.bad { background: var(--bad); }
.chart { width: 100%; }
.buttons { display: flex; gap: 6px; margin: 0 0 6px; flex-wrap: wrap; }
.buttons button {
  font: inherit; font-size: 0.82rem; color: var(--soft); background: none;
  border: 1px solid var(--line); border-radius: 999px; padding: 2px 12px; cursor: pointer;
}
.buttons button:hover, .buttons button[aria-pressed="true"] {
  color: var(--ink); border-color: var(--accent);
}
details summary { cursor: pointer; color: var(--accent); margin: 4px 0 10px; }
footer { font-size: 0.82rem; margin-top: 28px; }
@media (max-width: 640px) {
  main { padding: 18px 12px 32px; }
  .tiles { grid-template-columns: 1fr 1fr; gap: 8px; }
  .tile:first-child:nth-last-child(odd) { grid-column: 1 / -1; }
  .card { padding: 14px 12px; border-radius: 10px; }
  .pair { grid-template-columns: minmax(0, 1fr); }
  .facts { grid-template-columns: minmax(90px, 45%) 1fr; }
}
@media print {
  body { background: none; } .card, .tile { break-inside: avoid; } .buttons, nav { display: none; }
  .tall { max-height: none; }
}
"""

SCRIPT = """
(function () {
  "use strict";
  var root = document.documentElement;
  function colour(name) { return getComputedStyle(root).getPropertyValue(name).trim(); }
  function painted(value) {
    if (typeof value === "string") { return /^--[a-z-]+$/.test(value) ? colour(value) : value; }
    if (Array.isArray(value)) { return value.map(painted); }
    if (value && typeof value === "object") {
      var copy = {};
      Object.keys(value).forEach(function (key) { copy[key] = painted(value[key]); });
      return copy;
    }
    return value;
  }
  var isPhone = window.matchMedia("(max-width: 640px)").matches;
  function draw(box) {
    var spec = painted(JSON.parse(document.getElementById(box.id + "-data").textContent));
    var layout = spec.layout;
    layout.font = { family: getComputedStyle(document.body).fontFamily, size: 12,
                    color: colour("--soft") };
    layout.paper_bgcolor = layout.plot_bgcolor = "rgba(0,0,0,0)";
    layout.hoverlabel = { bgcolor: colour("--card"), bordercolor: colour("--line"),
                          font: { color: colour("--ink") } };
    if (isPhone) { layout.dragmode = false; }
    return Plotly.react(box, spec.data, layout,
      { responsive: true, displayModeBar: false, scrollZoom: false, doubleClick: "reset" });
  }
  function fit(box) {
    var bars = box.data.filter(function (trace) { return trace.type === "candlestick"; })[0];
    var range = box.layout.xaxis.range;
    if (!bars || !range) { return; }
    var from = Date.parse(String(range[0]).replace(" ", "T") + "Z");
    var to = Date.parse(String(range[1]).replace(" ", "T") + "Z");
    var low = Infinity, high = -Infinity;
    for (var i = 0; i < bars.x.length; i += 1) {
      var at = Date.parse(bars.x[i].replace(" ", "T") + "Z");
      if (at >= from && at <= to) {
        low = Math.min(low, bars.low[i]); high = Math.max(high, bars.high[i]);
      }
    }
    if (low < high) {
      var room = (high - low) * 0.08;
      Plotly.relayout(box, { "yaxis.range": [low - room, high + room] });
    }
  }
  function wire(box) {
    var isFitting = false;
    box.on("plotly_relayout", function (change) {
      if (isFitting || !Object.keys(change).some(function (key) {
        return key.indexOf("xaxis") === 0; })) { return; }
      isFitting = true;
      fit(box);
      isFitting = false;
    });
    var buttons = box.parentNode.querySelectorAll("button[data-hours]");
    function show(hours) {
      var end = Date.parse(box.dataset.end), start = Date.parse(box.dataset.start);
      var from = hours ? Math.max(start, end - hours * 3600000) : start;
      Plotly.relayout(box, { "xaxis.range": [stamp(from), stamp(end)] });
    }
    buttons.forEach(function (button) {
      button.addEventListener("click", function () {
        buttons.forEach(function (other) {
          other.setAttribute("aria-pressed", String(other === button));
        });
        show(Number(button.dataset.hours));
      });
    });
    if (Number(box.dataset.hours)) { show(Number(box.dataset.hours)); }
  }
  function stamp(at) { return new Date(at).toISOString().slice(0, 19).replace("T", " "); }
  var boxes = Array.prototype.slice.call(document.querySelectorAll(".chart"));
  function begin(box) { box.dataset.drawn = "yes"; draw(box).then(function () { wire(box); }); }
  if ("IntersectionObserver" in window) {
    var watch = new IntersectionObserver(function (seen) {
      seen.forEach(function (entry) {
        if (entry.isIntersecting) { watch.unobserve(entry.target); begin(entry.target); }
      });
    }, { rootMargin: "600px" });
    boxes.forEach(function (box) { watch.observe(box); });
    window.addEventListener("beforeprint", function () {
      boxes.forEach(function (box) { if (!box.dataset.drawn) { begin(box); } });
    });
  } else { boxes.forEach(begin); }
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", function () {
    boxes.forEach(function (box) { if (box.dataset.drawn) { draw(box); } });
  });
}());
"""
