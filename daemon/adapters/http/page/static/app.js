// The page: one overview when it opens, then whatever happens, as the daemon's stream tells it.
// Every text from the daemon is set as text, never as markup.

import { drawCandles, drawCurve, loadPlotly } from "/page/charts.js";

const by = (id) => document.getElementById(id);
const EVENTS_MAX = 200;
const LINES_MAX = 300;
const CLOSES_MAX = 5000;
const TOLD_MAX = 2000;
const OLD_S = 60;

const known = { status: null, closes: [], closed: new Set(), chosen: null, minutes: [], told: new Set(), find: "" };
const rows = new Map();

// -- Words and numbers ------------------------------------------------------------------------------

// As many digits behind the point for all prices of a row, so that the points stand below one another.
const digits = (like) => Math.min(10, Math.max(2, 6 - Math.ceil(Math.log10(Math.abs(like) || 1))));
const price = (value, like = value) => (value == null ? "" : Number(value).toFixed(digits(like ?? value)));
const percent = (value) => `${value > 0 ? "+" : ""}${value.toFixed(2)} %`;
const two = (value) => String(value).padStart(2, "0");

function clock(ms) {
  const at = new Date(ms);
  return `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())}`;
}

function day(ms) {
  return new Date(ms).toISOString().slice(0, 16).replace("T", " ");
}

function span(seconds) {
  if (seconds == null) return "";
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86400)} d`;
}

function element(name, text = "", className = "") {
  const made = document.createElement(name);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

const keyOf = (task) => `${task.symbol} ${task.strategy_name}`;

// -- Status: header, tiles, tasks, outlets ------------------------------------------------------------

function showStatus(status) {
  known.status = status;
  const speed = status.speed === 1 ? "" : `, ${status.speed}× real time`;
  by("where").textContent = `${status.exchange} · ${status.mode} mode${speed}`;
  by("clock").textContent = `${day(status.market_time_ms).slice(0, 10)} ${clock(status.market_time_ms)} UTC`;
  by("version").textContent = `tickd ${status.version}`;
  const ready = by("ready");
  ready.textContent = status.is_ready ? "ready" : "not ready";
  ready.className = `pill ${status.is_ready ? "good" : "bad"}`;
  document.title = `${status.is_ready ? "" : "⚠ "}tickd · ${status.exchange}`;
  const { tasks } = status;
  by("tile-open").textContent = tasks.filter((task) => task.state === "active").length;
  by("tile-waiting").textContent = `${tasks.filter((task) => task.state === "scheduled").length} waiting`;
  by("tile-tasks").textContent = `${tasks.filter((task) => task.is_ready).length} / ${tasks.length}`;
  const paused = tasks.filter((task) => task.is_paused || task.condition === "stopped").length;
  by("tile-paused").textContent = paused ? `${paused} paused or stopped` : "";
  const oldest = Math.max(...tasks.map((task) => task.price_age_s ?? 0), 0);
  by("tile-age").textContent = span(oldest);
  by("tile-age").className = oldest > OLD_S ? "loss" : "";
  by("tile-lag").textContent = span(status.loop_lag_s);
  by("tile-uptime").textContent = `up ${span(status.uptime_s)}`;
  showTasks(tasks, status);
  by("sinks").replaceChildren(...status.sinks.map((sink) => {
    const row = document.createElement("tr");
    row.append(element("td", sink.name));
    for (const name of ["sent", "queued", "failed", "dropped"]) {
      const bad = (name === "failed" || name === "dropped") && sink[name] > 0;
      row.append(element("td", sink[name].toLocaleString("en"), bad ? "n old" : "n"));
    }
    return row;
  }));
  by("reasons").replaceChildren(...status.reasons.slice(0, 20).map((reason) => element("li", reason)));
}

function showTasks(tasks, status) {
  const names = new Set();
  for (const task of tasks) {
    const name = keyOf(task);
    names.add(name);
    let row = rows.get(name);
    if (!row) rows.set(name, row = makeRow(name));
    fillRow(row, task, status);
    if (row.tr.parentNode !== by("rows")) by("rows").append(row.tr);
  }
  for (const [name, row] of rows) {
    if (names.has(name)) continue;
    row.tr.remove();
    rows.delete(name);
  }
  if (!known.chosen && tasks.length) {
    choose(keyOf(tasks.find((task) => task.state === "active") ?? tasks[0]));
  }
}

function makeRow(name) {
  const tr = document.createElement("tr");
  const cells = {};
  for (const [key, title, className] of [
    ["market", "", ""], ["strategy", "", ""], ["state", "", ""], ["price", "price", "n"], ["vwap", "VWAP", "n"],
    ["entry", "entry", "n"], ["stop", "stop", "n"], ["target", "target", "n"], ["way", "", "bar"],
    ["data", "data", "n"], ["next", "next signal", "n"],
  ]) {
    const cell = cells[key] = element("td", "", className);
    if (title) cell.dataset.name = title;
    tr.append(cell);
  }
  const button = document.createElement("button");
  button.type = "button";
  cells.market.append(button);
  cells.pill = element("span", "", "pill");
  cells.state.append(cells.pill);
  cells.bar = element("div", "", "way");
  cells.bar.append(document.createElement("s"), document.createElement("b"));
  cells.way.append(cells.bar);
  tr.addEventListener("click", () => choose(name));
  return { tr, cells, button };
}

function fillRow({ tr, cells, button }, task, status) {
  button.textContent = task.symbol;
  button.setAttribute("aria-pressed", String(keyOf(task) === known.chosen));
  cells.strategy.textContent = task.strategy_name;
  const [word, tone] = standing(task);
  cells.pill.textContent = word;
  cells.pill.className = `pill ${tone}`;
  cells.pill.title = task.reason;
  cells.price.textContent = price(task.last_price, task.price);
  cells.vwap.textContent = price(task.price);
  cells.entry.textContent = price(task.price_open, task.price);
  cells.stop.textContent = price(task.price_stop_loss, task.price);
  cells.target.textContent = price(task.price_take_profit, task.price);
  fillWay(cells.bar, task);
  cells.data.textContent = span(task.price_age_s);
  cells.data.className = task.price_age_s > OLD_S ? "n old" : "n";
  const left_s = task.next_ask_ms == null ? null : (task.next_ask_ms - status.market_time_ms) / 1000;
  cells.next.textContent = left_s == null ? "" : left_s <= 0 ? "now" : `${clock(task.next_ask_ms).slice(0, 5)}, in ${span(left_s)}`;
  tr.className = keyOf(task) === known.chosen ? "chosen" : "";
  const text = `${task.symbol} ${task.strategy_name} ${word} ${task.state}`.toLowerCase();
  tr.hidden = !known.find.split(/\s+/).every((part) => text.includes(part));
}

function standing(task) {
  if (task.is_blocked) return ["blocked", "bad"];
  if (task.condition !== "running") return [task.condition.replace("_", " "), task.condition === "stopped" ? "warn" : "bad"];
  if (!task.is_ready) return ["not ready", "bad"];
  const paused = task.is_paused ? ", paused" : "";
  if (task.state === "active") return [`${task.position}${paused}`, "good"];
  if (task.state === "scheduled") return [`waits ${task.position}${paused}`, "warn"];
  return task.is_paused ? ["paused", "warn"] : [task.state, ""];
}

// The way from stop to target: a mark at the entry, a knob at the price that decides.
function fillWay(bar, task) {
  const has = task.price_open != null && task.price != null;
  bar.hidden = !has;
  if (!has) return;
  const width = task.price_take_profit - task.price_stop_loss;
  const place = (value) => Math.min(100, Math.max(0, ((value - task.price_stop_loss) / width) * 100));
  bar.children[0].style.left = `${place(task.price_open)}%`;
  bar.children[1].style.left = `${place(task.price)}%`;
  const gains = task.state === "active" && place(task.price) >= place(task.price_open);
  bar.className = `way ${task.state !== "active" ? "" : gains ? "gains" : "loses"}`;
  bar.title = task.state === "active"
    ? `${task.percent_tp.toFixed(0)} % of the way to the target, ${task.percent_sl.toFixed(0)} % to the stop`
    : "waits for its entry";
}

// -- The chosen task ------------------------------------------------------------------------------------

async function choose(name) {
  known.chosen = name;
  by("market").dataset.of = name;
  for (const [each, row] of rows) {
    row.tr.className = each === name ? "chosen" : "";
    row.button.setAttribute("aria-pressed", String(each === name));
  }
  await showMarket();
}

const chosenTask = () => known.status?.tasks.find((task) => keyOf(task) === known.chosen);

async function showMarket() {
  const task = chosenTask();
  if (!task) return;
  by("market-title").textContent = `${task.symbol} · ${task.strategy_name}`;
  try {
    const answer = await fetch(`/page/candles.json?symbol=${encodeURIComponent(task.symbol)}`);
    if (!answer.ok) return;
    known.minutes = (await answer.json()).minutes;
  } catch {
    return; // the stream says that the daemon is gone
  }
  drawMarket();
}

function drawMarket() {
  const task = chosenTask();
  if (!task) return;
  const levels = task.price_open == null ? [] : [
    { price: task.price_take_profit, name: "target", color: "--gain" },
    { price: task.price_open, name: "entry", color: "--accent" },
    { price: task.price_stop_loss, name: "stop", color: "--loss" },
  ];
  const own = known.closes.filter((close) => close.symbol === task.symbol && close.strategy === task.strategy_name);
  const begun_ms = known.minutes[0]?.[0] ?? 0;
  const marks = own.filter((close) => close.closed_ms >= begun_ms).flatMap((close) => [
    { ms: close.opened_ms, price: close.price_open, color: "--accent",
      symbol: close.position === "long" ? "triangle-up" : "triangle-down", name: `${close.position} at ${price(close.price_open)}` },
    { ms: close.closed_ms, price: close.price_close, symbol: "x", color: close.pnl_percent > 0 ? "--gain" : "--loss",
      name: `${close.reason} at ${price(close.price_close)}, ${percent(close.pnl_percent)}` },
  ]).filter((mark) => mark.ms >= begun_ms);
  by("market-hint").textContent = `${known.minutes.length} minutes · ${own.length} closed trades`;
  drawCandles(by("market"), { minutes: known.minutes, levels, marks });
}

// -- Closed trades ----------------------------------------------------------------------------------------

function showCloses() {
  hasNewCloses = false;
  known.closes.sort((one, other) => one.closed_ms - other.closed_ms);
  let sum = 0;
  let peak = 0;
  let drop = 0;
  const points = known.closes.map((close) => {
    sum += close.pnl_percent;
    peak = Math.max(peak, sum);
    drop = Math.max(drop, peak - sum);
    return [close.closed_ms, sum];
  });
  const count = known.closes.length;
  const won = known.closes.filter((close) => close.pnl_percent > 0).length;
  by("tile-pnl").textContent = count ? percent(sum) : "–";
  by("tile-pnl").className = sum > 0 ? "gain" : sum < 0 ? "loss" : "";
  by("tile-closed").textContent = `${count.toLocaleString("en")} closed`;
  by("tile-won").textContent = count ? `${Math.round((won / count) * 100)} %` : "–";
  by("tile-drawdown").textContent = count ? `deepest fall ${drop.toFixed(2)} %` : "";
  drawCurve(by("equity"), points);
  by("closes").replaceChildren(...known.closes.slice(-50).reverse().map((close) => {
    const row = document.createElement("tr");
    row.title = `signal ${close.id}`;
    const when = element("td", "", "soft");
    when.append(element("span", day(close.closed_ms).slice(0, 11), "date"), day(close.closed_ms).slice(11));
    row.append(when,
      element("td", `${close.symbol} ${close.strategy} ${close.position}`), element("td", close.reason.replace("_", " ")),
      element("td", percent(close.pnl_percent), `n ${close.pnl_percent > 0 ? "gain" : "loss"}`));
    return row;
  }));
}

// -- Events and log -----------------------------------------------------------------------------------------

const WORDS = {
  signal_scheduled: ["waits", "warn", (event) => `${event.position}, entry ${price(event.price_open)}, now ${price(event.current_price)}`],
  signal_opened: ["opened", "good", (event) => `${event.position} at ${price(event.price_open)}, target ${price(event.price_take_profit)}, stop ${price(event.price_stop_loss)}`],
  signal_closed: ["closed", "", (event) => `${percent(event.pnl_percent)} by ${event.reason.replace("_", " ")} at ${price(event.current_price)} after ${Math.round(event.held_minutes)} min`],
  signal_cancelled: ["cancelled", "", (event) => `by ${event.reason.replace("_", " ")} at ${price(event.current_price)}`],
  partial_profit: ["level", "good", (event) => `${event.level_percent} % of the way to the target, at ${price(event.current_price)}`],
  partial_loss: ["level", "bad", (event) => `${event.level_percent} % of the way to the stop, at ${price(event.current_price)}`],
  risk_refused: ["refused", "warn", (event) => `by ${event.risk}: ${event.reason}`],
  error: ["error", "bad", (event) => `${event.where}: ${event.message}`],
  exit: ["exit", "bad", (event) => `${event.where}: ${event.message}`],
};

function showEvent(event, isNew) {
  if (known.told.has(event.id)) return;
  known.told.add(event.id);
  if (known.told.size > TOLD_MAX) known.told.delete(known.told.values().next().value);
  const [word, tone, words] = WORDS[event.name] ?? [event.name, "", () => ""];
  const closedTone = event.name === "signal_closed" ? (event.pnl_percent > 0 ? "good" : "bad") : tone;
  const item = document.createElement("li");
  if (isNew) item.className = "new";
  const when = element("time", clock(event.at_ms));
  when.title = day(event.at_ms);
  const task = event.strategy ? `${event.symbol} ${event.strategy}` : event.symbol || "daemon";
  item.append(when, element("span", word, `pill ${closedTone}`), element("b", task), element("small", words(event)));
  const list = by("events");
  list.prepend(item);
  while (list.children.length > EVENTS_MAX) list.lastChild.remove();
  if (isNew && event.name === "signal_closed") addClose(event);
}

// Closes come in bursts too: they are drawn once, before the next picture.
let hasNewCloses = false;

function addClose(event) {
  if (known.closed.has(event.signal_id)) return;
  known.closed.add(event.signal_id);
  known.closes.push({
    ...event, id: event.signal_id, closed_ms: event.at_ms, price_close: event.current_price,
    opened_ms: event.at_ms - event.held_minutes * 60000,
  });
  if (known.closes.length > CLOSES_MAX) known.closed.delete(known.closes.shift().id);
  if (!hasNewCloses) requestAnimationFrame(showCloses);
  hasNewCloses = true;
}

// As a service the daemon logs JSON; here people read it.
const UNSAID = new Set(["timestamp", "level", "event", "exchange", "mode", "id", "signal_id", "at_ms"]);

function spoken(line) {
  let told;
  try { told = JSON.parse(line); } catch { return line; }
  if (!told?.event || !told.timestamp) return line;
  const level = told.level === "info" ? "" : `${told.level} `.toUpperCase();
  const fields = Object.entries(told).filter(([name, value]) => !UNSAID.has(name) && value !== "" && value != null);
  const words = fields.map(([name, value]) => {
    const text = typeof value === "object" ? JSON.stringify(value) : String(value);
    return name === "symbol" || name === "strategy" ? text : `${name}=${text}`;
  });
  return [told.timestamp.slice(11, 19), level + told.event, ...words].join("  ");
}

// Lines come in bursts, and measuring the box for each would lay out all of it each time.
let waiting = [];

function showLine(line) {
  if (!waiting.length) requestAnimationFrame(showLines);
  waiting.push(`${line.startsWith("{") ? spoken(line) : line}\n`);
  // Nothing is drawn in a tab that nobody looks at.
  if (waiting.length > 2 * LINES_MAX) waiting = waiting.slice(-LINES_MAX);
}

function showLines() {
  const log = by("log");
  const atEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 8;
  log.append(...waiting.slice(-LINES_MAX));
  waiting = [];
  while (log.childNodes.length > LINES_MAX) log.firstChild.remove();
  if (atEnd) log.scrollTop = log.scrollHeight;
}

// -- Talking to the daemon -------------------------------------------------------------------------------------

async function showOverview() {
  const answer = await fetch("/page/overview.json");
  if (!answer.ok) throw new Error(`the daemon answers ${answer.status}`);
  const overview = await answer.json();
  if (overview.has_plotly && !window.Plotly) await loadPlotly();
  known.closes = overview.closes;
  known.closed = new Set(known.closes.map((close) => close.id));
  showStatus(overview.status);
  showCloses();
  for (const event of overview.happenings) showEvent(event, false);
  await showMarket();
}

function trouble(text) {
  by("trouble").textContent = text;
  by("trouble").hidden = !text;
}

function listen() {
  const stream = new EventSource("/page/stream");
  stream.addEventListener("open", () => {
    trouble("");
    document.body.classList.remove("stale");
    by("log").textContent = "";
    showOverview().catch((error) => trouble(error.message));
  });
  stream.addEventListener("error", () => {
    // Not for each of the tries that follow: what stands here gets no younger.
    if (!document.body.classList.contains("stale")) {
      trouble(`The daemon does not answer: what stands here is of ${new Date().toLocaleTimeString()}. Trying again …`);
    }
    document.body.classList.add("stale");
    by("ready").className = "pill bad";
    by("ready").textContent = "no answer";
    if (stream.readyState === EventSource.CLOSED) setTimeout(listen, 3000);
  });
  stream.addEventListener("status", (message) => showStatus(JSON.parse(message.data)));
  stream.addEventListener("happened", (message) => showEvent(JSON.parse(message.data), true));
  stream.addEventListener("log", (message) => showLine(JSON.parse(message.data).line));
}

// -- Hands ---------------------------------------------------------------------------------------------------------

function step(by_) {
  const shown = [...rows].filter(([, row]) => !row.tr.hidden);
  const at = shown.findIndex(([name]) => name === known.chosen);
  const next = shown[Math.min(shown.length - 1, Math.max(0, at + by_))];
  if (!next) return;
  choose(next[0]);
  next[1].button.focus({ preventScroll: true });
  next[1].tr.scrollIntoView({ block: "nearest" });
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const isTyping = event.target instanceof HTMLInputElement;
  if (event.key === "Escape" && isTyping) event.target.blur();
  if (isTyping) return;
  if (event.key === "j") step(1);
  if (event.key === "k") step(-1);
  if (event.key === "/") { event.preventDefault(); by("find").focus(); }
});

by("find").addEventListener("input", (event) => {
  known.find = event.target.value.trim().toLowerCase();
  if (known.status) showTasks(known.status.tasks, known.status);
  by("no-tasks").hidden = [...rows.values()].some((row) => !row.tr.hidden);
});

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  drawMarket();
  showCloses();
}

by("theme").addEventListener("click", () => {
  const isDark = matchMedia("(prefers-color-scheme: dark)").matches;
  const now = document.documentElement.dataset.theme || (isDark ? "dark" : "light");
  const theme = now === "dark" ? "light" : "dark";
  localStorage.setItem("tickd-theme", theme);
  setTheme(theme);
});

const stored = localStorage.getItem("tickd-theme");
if (stored) document.documentElement.dataset.theme = stored;
setInterval(showMarket, 5000);
// plotly follows the window by itself; the small drawings are drawn anew.
addEventListener("resize", () => { if (!window.Plotly) { drawMarket(); showCloses(); } });
listen();
