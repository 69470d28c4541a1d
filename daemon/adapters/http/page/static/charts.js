// Candles and the curve of results: by plotly where the daemon has it, else as small SVG lines.

const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
let plotly = null;

export function loadPlotly() {
  return new Promise((resolve) => {
    const script = document.createElement("script");
    script.src = "/page/plotly.js";
    script.onload = () => { plotly = window.Plotly; resolve(Boolean(plotly)); };
    script.onerror = () => resolve(false);
    document.head.append(script);
  });
}

const SPELLED = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
const plain = (text) => String(text).replace(/[&<>"']/g, (sign) => SPELLED[sign]);

const iso = (ms) => new Date(ms).toISOString().slice(0, 19).replace("T", " ");

function layout(extra) {
  const grid = css("--line");
  const axis = { gridcolor: grid, linecolor: grid, zeroline: false, automargin: true };
  return {
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", showlegend: false,
    font: { color: css("--soft"), size: 12 }, margin: { l: 8, r: 8, t: 8, b: 8 },
    xaxis: { ...axis, type: "date", rangeslider: { visible: false } },
    yaxis: { ...axis, side: "right" }, hovermode: "x", dragmode: "pan", ...extra,
  };
}

const OPTIONS = { displayModeBar: false, responsive: true, scrollZoom: true };

// `levels`: [{price, name, color}], `marks`: [{ms, price, name, color}].
export function drawCandles(place, { minutes, levels, marks }) {
  if (!minutes.length) return drawNothing(place, "No minute has ended since the daemon began.");
  if (plotly) {
    const column = (index) => minutes.map((row) => row[index]);
    const traces = [{
      type: "candlestick", x: column(0).map(iso), open: column(1), high: column(2), low: column(3),
      close: column(4), increasing: { line: { color: css("--gain"), width: 1 } },
      decreasing: { line: { color: css("--loss"), width: 1 } }, name: "",
    }, {
      type: "scatter", mode: "markers", x: marks.map((mark) => iso(mark.ms)),
      y: marks.map((mark) => mark.price), text: marks.map((mark) => mark.name),
      hovertemplate: "%{text}<extra></extra>",
      marker: { size: 10, color: marks.map((mark) => css(mark.color)), symbol: marks.map((mark) => mark.symbol),
        line: { color: css("--card"), width: 1.5 } },
    }];
    const shapes = levels.map((level) => ({
      type: "line", xref: "paper", x0: 0, x1: 1, y0: level.price, y1: level.price,
      line: { color: css(level.color), width: 1.5, dash: "dot" },
    }));
    const annotations = levels.map((level) => ({
      xref: "paper", x: 0, y: level.price, text: level.name, showarrow: false, xanchor: "left",
      yanchor: "bottom", font: { color: css(level.color), size: 11 },
    }));
    clean(place);
    return plotly.react(place, traces, layout({ shapes, annotations, uirevision: place.dataset.of }), OPTIONS);
  }
  const shown = minutes.slice(-180);
  const prices = [...shown.flatMap((row) => [row[2], row[3]]), ...levels.map((level) => level.price)];
  const view = scales(place, shown[0][0], shown.at(-1)[0] + 60000, Math.min(...prices), Math.max(...prices), 380);
  const wide = Math.min(24, Math.max(1.5, 0.6 * (view.x(60000 + shown[0][0]) - view.x(shown[0][0]))));
  const parts = axes(view);
  for (const [ms, open, high, low, close] of shown) {
    const color = close >= open ? "var(--gain)" : "var(--loss)";
    const x = view.x(ms + 30000);
    const top = view.y(Math.max(open, close));
    const tall = Math.max(1, view.y(Math.min(open, close)) - top);
    parts.push(`<line x1="${x}" x2="${x}" y1="${view.y(high)}" y2="${view.y(low)}" stroke="${color}"/>`);
    parts.push(`<rect x="${x - wide / 2}" y="${top}" width="${wide}" height="${tall}" fill="${color}"/>`);
  }
  for (const level of levels) {
    const y = view.y(level.price);
    parts.push(`<line x1="0" x2="${view.right}" y1="${y}" y2="${y}" stroke="var(${level.color})" stroke-dasharray="3 4"/>`);
    parts.push(`<text x="4" y="${y - 4}" style="fill: var(${level.color})">${plain(level.name)}</text>`);
  }
  for (const mark of marks) {
    if (mark.ms < shown[0][0]) continue;
    parts.push(`<circle cx="${view.x(mark.ms)}" cy="${view.y(mark.price)}" r="5" fill="var(${mark.color})" stroke="var(--card)"><title>${plain(mark.name)}</title></circle>`);
  }
  svg(place, parts, view);
}

// `points`: [[ms, sum of percent]], oldest first.
export function drawCurve(place, points) {
  if (!points.length) return drawNothing(place, "Nothing has closed yet.");
  if (plotly) {
    clean(place);
    const trace = {
      type: "scatter", mode: "lines", line: { shape: "hv", color: css("--accent"), width: 2 },
      fill: "tozeroy", fillcolor: "rgba(15,118,110,.12)", x: points.map((point) => iso(point[0])),
      y: points.map((point) => point[1]), hovertemplate: "%{y:+.2f} %<extra></extra>",
    };
    return plotly.react(place, [trace], layout({}), OPTIONS);
  }
  const values = [0, ...points.map((point) => point[1])];
  const view = scales(place, points[0][0], points.at(-1)[0] + 1, Math.min(...values), Math.max(...values), 170);
  const path = points.map(([ms, value], index) =>
    index ? `H${view.x(ms)}V${view.y(value)}` : `M${view.x(ms)},${view.y(0)}V${view.y(value)}`).join("");
  const zero = view.y(0);
  svg(place, [...axes(view, " %"), `<line x1="0" x2="${view.right}" y1="${zero}" y2="${zero}" stroke="var(--soft)" stroke-dasharray="2 4"/>`,
    `<path d="${path}" fill="none" stroke="var(--accent)" stroke-width="2"/>`], view);
}

// Drawn as large as its place is, so that no letter is stretched; one that is not shown yet is `tall`.
function scales(place, x0, x1, y0, y1, tall) {
  const [width, height] = [place.clientWidth || 1000, place.clientHeight || tall];
  const pad = (y1 - y0 || Math.abs(y1) || 1) * 0.06;
  const [low, high] = [y0 - pad, y1 + pad];
  const right = width - 70;
  const round = (value) => Math.round(value * 100) / 100;
  return {
    x0, x1, low, high, right, width, height,
    x: (ms) => round(((ms - x0) / (x1 - x0 || 1)) * right),
    y: (value) => round((1 - (value - low) / (high - low)) * (height - 34) + 8),
  };
}

function axes(view, unit = "") {
  const parts = [];
  for (let step = 0; step <= 4; step += 1) {
    const value = view.low + ((view.high - view.low) * step) / 4;
    const y = view.y(value);
    parts.push(`<line x1="0" x2="${view.right}" y1="${y}" y2="${y}" stroke="var(--line)"/>`);
    parts.push(`<text x="${view.right + 6}" y="${y + 4}">${unit ? value.toFixed(1) : Number(value.toPrecision(6))}${unit}</text>`);
  }
  const times = view.right < 600 ? 2 : 4;
  for (let step = 0; step <= times; step += 1) {
    const ms = view.x0 + ((view.x1 - view.x0) * step) / times;
    const anchor = step === 0 ? "start" : step === times ? "end" : "middle";
    parts.push(`<text x="${view.x(ms)}" y="${view.height - 4}" text-anchor="${anchor}">${iso(ms).slice(5, 16)}</text>`);
  }
  return parts;
}

function svg(place, parts, view) {
  place.innerHTML = `<svg viewBox="0 0 ${view.width} ${view.height}">${parts.join("")}</svg>`;
}

function drawNothing(place, text) {
  if (plotly && place.classList.contains("js-plotly-plot")) plotly.purge(place);
  const words = document.createElement("p");
  words.className = "empty";
  words.textContent = text;
  place.replaceChildren(words);
}

function clean(place) {
  if (!place.classList.contains("js-plotly-plot")) place.textContent = "";
}
