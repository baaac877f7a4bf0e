// The live page: reads events, draws them, and never shows what is no longer true.
"use strict";

const LABELS = ["neutral", "happy", "sad", "surprise", "fear", "disgust", "anger"];
const SVG = "http://www.w3.org/2000/svg";
const STALE_MS = 3000; // an older result says nothing about now
const DRAW_MS = 200; // calm: faster than an expression, slower than a camera
const POLL_MS = 5000;
const BIN_MS = 2000;
const BINS = 150; // five minutes
const LONGEST_WAIT_S = 15;
const GRACE_S = 30; // a window is shown until well after the next one was due
const LETTER_PX = 14; // of the names in the frame
const RATE_S = 5; // the frame rate is that of so many seconds

const PROMISES = {
  none: "Outlines only: no picture leaves the device.",
  boxes: "Outlines only: no picture leaves the device.",
  faces: "Blurred by the device, faces in coarse blocks: no face leaves it.",
};
const CAUSES = {
  cpu_fallback: "on the CPU only",
  thermal: "hot",
  power: "short of power",
  sink: "a receiver is away",
  storage: "the disk is full",
};

const at = (id) => document.getElementById(id);
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
const percent = (share) => `${Math.round(100 * share)} %`;

let source = null; // the open stream
let connected = false;
let wait = 1; // seconds before the next attempt
let due = 0; // when that attempt comes
let token = sessionStorage.getItem("token") || "";
let camera = "starting";
let update = null; // the last result, and when it came
let cameAt = 0;
let recent = []; // the updates of the last seconds
let numbers = new Map(); // track -> number on this page
let history = []; // per bin: {bin, faces, sums}; a bin without an update is absent
let span = STALE_MS; // how long the last result says something about now
let degraded = [];
let picture = ""; // URL of the preview; empty without one

// Connection

async function ask(path, options = {}) {
  const headers = { "X-Edge-Fer": "1", "Content-Type": "application/json" };
  if (token) headers.Authorization = `Bearer ${token}`;
  const signal = AbortSignal.timeout(4000);
  const answer = await fetch(path, { ...options, headers, signal, cache: "no-store" });
  if (!answer.ok) throw Object.assign(new Error(path), { status: answer.status });
  return answer.json();
}

async function connect() {
  say("wait", "Connecting");
  try {
    const config = await ask("/api/v1/config");
    introduce(config);
    recall(await ask("/api/v1/history"));
    at("sign-in").hidden = true;
    picture = config.preview ? await opened(`/api/v1/preview/${config.camera_id}`) : "";
    listen(await opened("/api/v1/events"));
  } catch (error) {
    if (error.status === 401 || error.status === 429) askForToken(error.status);
    else lose();
  }
}

async function opened(path) {
  if (!token) return path;
  const { ticket } = await ask("/api/v1/ticket", { method: "POST", body: "{}" });
  return `${path}?ticket=${ticket}`;
}

function listen(url) {
  source = new EventSource(url);
  source.onopen = () => {
    connected = true;
    if (picture) at("picture").src = picture;
    wait = 1;
    poll();
  };
  source.onmessage = (message) => take(JSON.parse(message.data));
  source.onerror = lose;
}

function lose() {
  if (source) source.close();
  source = null;
  connected = false;
  at("picture").removeAttribute("src"); // its last frame would stay
  forget();
  due = Date.now() + 1000 * wait;
  setTimeout(connect, 1000 * wait);
  wait = Math.min(2 * wait, LONGEST_WAIT_S);
  draw();
}

function askForToken(status) {
  at("sign-in").hidden = false;
  at("content").hidden = true;
  at("sign-in-error").textContent =
    status === 429 ? "Too many wrong tokens: wait a minute." : token ? "This is not the token." : "";
  token = "";
  sessionStorage.removeItem("token");
  say("wait", "Token needed");
  at("token").focus();
}

async function poll() {
  if (!connected) return;
  try {
    const now = await ask("/api/v1/latest");
    camera = now.camera_state;
    degraded = now.degraded.filter((reason) => reason !== "camera");
    const celsius = now.temperature_c;
    at("temperature").textContent = celsius === null ? "unknown" : `${celsius.toFixed(1)} °C`;
  } catch (error) {
    if (connected) lose();
  }
}

// Events

function introduce(config) {
  document.title = `${config.device} · edge-fer`;
  at("device").textContent = config.device;
  at("camera").textContent =
    config.camera_id === "camera" ? "facial expressions, live" : `camera ${config.camera_id}`;
  at("promise").textContent = PROMISES[config.preview] || PROMISES.none;
  at("notice-text").textContent = config.notice;
  at("purpose").textContent = config.purpose || "not stated";
  at("notice").hidden = false;
  at("content").hidden = false;
}

function take(event) {
  if (event.type === "hello") {
    at("model").textContent =
      `${event.model.id} (${event.model.sha256}), ${event.precision} on ${event.runtime}, ` +
      `faces by ${event.detector}, edge-fer ${event.version}`;
  } else if (event.type === "state") {
    camera = event.camera_state;
    if (camera !== "ok") forget();
  } else if (event.type === "aggregate") {
    update = event;
    cameAt = Date.now();
    span = 1000 * (event.window_s + GRACE_S);
    recallWindow(event);
  } else if (event.type === "update") {
    camera = "ok";
    update = event;
    cameAt = Date.now();
    span = STALE_MS;
    recent = [...recent.filter((one) => event.uptime_s - one.uptime_s < RATE_S), event];
    remember(event);
  }
}

function forget() {
  update = null;
  recent = [];
}

function recall({ bins }) {
  const now = Math.floor(Date.now() / BIN_MS);
  history = bins.map(({ age, mean }) => ({
    bin: now - age,
    faces: mean ? 1 : 0,
    sums: mean || new Array(LABELS.length).fill(0),
  }));
}

// A window's shares hold for all of its time.
function recallWindow({ window_s: seconds, distribution: shares }) {
  if (!shares) return;
  const now = Math.floor(cameAt / BIN_MS);
  const last = history.length ? history[history.length - 1].bin : 0;
  const sums = LABELS.map((label) => shares[label] || 0);
  const faces = sums.reduce((sum, one) => sum + one, 0);
  const first = Math.max(now - Math.floor((1000 * seconds) / BIN_MS) + 1, last + 1);
  for (let bin = first; bin <= now; bin += 1) history.push({ bin, faces, sums });
}

function remember(event) {
  const bin = Math.floor(cameAt / BIN_MS);
  let last = history[history.length - 1];
  if (!last || last.bin !== bin) {
    last = { bin, faces: 0, sums: new Array(LABELS.length).fill(0) };
    history.push(last);
    while (history[0].bin <= bin - BINS) history.shift();
  }
  for (const face of event.faces) {
    last.faces += 1;
    LABELS.forEach((label, i) => { last.sums[i] += face.probs[label]; });
  }
}

// Drawing

function say(kind, text) {
  if (at("status").textContent === text) return;
  at("status").textContent = text;
  at("status").dataset.kind = kind;
}

function draw() {
  if (update && Date.now() - cameAt > span) forget();
  if (!at("sign-in").hidden) return;
  drawStatus();
  const windows = Boolean(update && update.type === "aggregate");
  document.body.classList.toggle("windows", windows);
  drawFigures();
  drawWindow(windows ? update : null);
  drawFrame(update && !windows ? update.faces : []);
  drawFaces(update && !windows ? update.faces : [], windows);
  drawHistory();
}

function drawStatus() {
  if (connected && camera === "ok" && update && degraded.length) {
    say("wait", `Live, but ${degraded.map((reason) => CAUSES[reason] || reason).join(", ")}`);
  } else if (connected && camera === "ok" && update) say("live", "Live");
  else if (connected) say("wait", camera === "ok" ? "No new frame" : `Camera ${camera}`);
  else if (due > Date.now()) {
    say("gone", `Disconnected, trying again in ${Math.ceil((due - Date.now()) / 1000)} s`);
  }
  document.body.classList.toggle("off", !connected);
}

function drawFigures() {
  const span = recent.length > 1 ? update.uptime_s - recent[0].uptime_s : 0;
  at("rate").textContent = span ? `${((recent.length - 1) / span).toFixed(1)} fps` : "–";
  const single = Boolean(update && update.type === "update");
  const latency = single && update.latency_ms;
  at("latency").textContent = latency ? `${Math.round(latency.detect + latency.classify)} ms` : "–";
  at("age").textContent = single ? `${update.frame.age_ms} ms` : "–";
  const lost = recent.reduce((sum, one) => sum + one.dropped_since_last, 0);
  at("dropped").textContent = single ? percent(lost / (lost + recent.length)) : "–";
  at("camera-state").textContent = connected ? camera : "–";
  if (!connected) at("temperature").textContent = "–";
}

function make(name, kind, text) {
  const element = document.createElement(name);
  if (kind) element.className = kind;
  if (text !== undefined) element.textContent = text;
  return element;
}

function shape(name, attributes, text) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

function numberOf(track) {
  if (!numbers.has(track)) numbers.set(track, numbers.size + 1);
  return numbers.get(track);
}

function drawFrame(faces) {
  const svg = at("frame");
  const shown = Boolean(picture && connected && update && camera === "ok");
  at("picture").hidden = !shown;
  const { width, height } = (update && update.frame) || { width: 640, height: 480 };
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const size = (LETTER_PX * width) / (svg.clientWidth || width);
  const drawn = faces.flatMap((face) => {
    const [x, y, w, h] = face.box;
    const left = x * width, top = y * height;
    const below = top < 1.5 * size;
    const box = { x: left, y: top, width: w * width, height: h * height, rx: size / 4, class: face.emotion };
    const place = { x: left, y: below ? top + h * height + 1.1 * size : top - 0.45 * size, "font-size": size };
    return [shape("rect", box), shape("text", place, `${numberOf(face.track)} ${face.emotion}`)];
  });
  if (!faces.length && !shown) {
    const middle = { x: width / 2, y: height / 2, "font-size": size, "text-anchor": "middle", class: "empty" };
    drawn.push(shape("text", middle, update ? "none" : "no result"));
  }
  svg.replaceChildren(...drawn);
  const more = update && update.truncated ? ` of ${update.faces_total}` : "";
  at("count").textContent = update ? `${faces.length}${more} ${faces.length === 1 ? "face" : "faces"}` : "";
}

function drawWindow(window) {
  at("window").hidden = !window;
  if (!window) return;
  const { window_s: seconds, suppressed, n_faces: faces, distribution: shares } = window;
  at("window-title").textContent = `Last ${Math.round(seconds)} seconds`;
  const many = `${faces} ${faces === 1 ? "face" : "faces"}`;
  at("window-said").textContent = suppressed ? "Too few faces to tell" : many;
  at("window-bars").hidden = !shares;
  if (!shares) return;
  const whole = Object.values(shares).reduce((sum, one) => sum + one, 0) || 1;
  if (!at("window-bars").children.length) at("window-bars").append(...newBars());
  fillBars(at("window-bars"), (label) => (shares[label] || 0) / whole, "");
}

function drawFaces(faces, windows) {
  const list = at("faces");
  const known = new Map([...list.children].map((card) => [card.dataset.track, card]));
  const ordered = [...faces].sort((one, other) => numberOf(one.track) - numberOf(other.track));
  for (const face of ordered) {
    const key = String(face.track);
    const card = known.get(key) || list.appendChild(newCard(face));
    known.delete(key);
    fill(card, face);
  }
  for (const card of known.values()) card.remove();
  at("nobody").hidden = faces.length > 0 || windows;
  at("nobody").textContent = update ? "No face in view" : "No result now";
}

function newCard(face) {
  const card = make("li", "card face");
  card.dataset.track = face.track;
  const who = make("p", "who quiet small");
  who.append(make("span", "", `Face ${numberOf(face.track)}`), make("span", "quality"));
  card.append(who, make("p", "said"), ...newBars());
  return card;
}

function newBars() {
  return LABELS.map((label) => {
    const bar = make("div", `bar ${label}`);
    const track = make("i");
    track.append(make("span"));
    bar.append(make("b", "", label), track, make("em"));
    return bar;
  });
}

function fillBars(parent, share, best) {
  const bars = parent.querySelectorAll(".bar");
  LABELS.forEach((label, i) => {
    bars[i].querySelector("span").style.width = `${100 * share(label)}%`;
    bars[i].querySelector("em").textContent = percent(share(label));
    bars[i].classList.toggle("best", label === best);
  });
}

function fill(card, face) {
  const said = card.querySelector(".said");
  const best = LABELS.reduce((one, other) => (face.probs[other] > face.probs[one] ? other : one));
  const told = face.emotion === "uncertain" ? `perhaps ${best}` : percent(face.score);
  said.replaceChildren(capital(face.emotion), make("span", "", told));
  card.classList.remove(...LABELS, "uncertain");
  card.classList.add(face.emotion);
  card.querySelector(".quality").textContent = quality(face.quality);
  fillBars(card, (label) => face.probs[label], face.emotion);
}

function quality({ ok, size_px: size }) {
  if (ok) return "";
  return size < 48 ? `only ${size} px: less sure` : "blurred: less sure";
}

// A mean over neighbours too: an expression changes slower than a bin.
function smoothed(at) {
  const near = history.slice(Math.max(at - 1, 0), at + 2);
  const seen = near.filter((one) => one.faces && Math.abs(one.bin - history[at].bin) < 2);
  return LABELS.map((_, i) => seen.reduce((sum, one) => sum + one.sums[i] / one.faces, 0) / (seen.length || 1));
}

function drawHistory() {
  const first = Math.floor(Date.now() / BIN_MS) - BINS + 1;
  const paths = LABELS.map(() => "");
  let idle = "";
  const totals = LABELS.map(() => 0);
  let seen = 0;
  for (const [place, { bin, faces }] of history.entries()) {
    const x = bin - first;
    if (x < 0) continue;
    if (!faces) idle += `M${x} 98h1v2h-1z`;
    let y = 100;
    (faces ? smoothed(place) : []).forEach((share, i) => {
      const tall = 100 * share;
      if (tall > 0.05) paths[i] += `M${x} ${(y - tall).toFixed(1)}h1.02v${tall.toFixed(1)}h-1.02z`;
      y -= tall;
      totals[i] += share;
    });
    seen += faces > 0;
  }
  const shapes = paths.map((d, i) => shape("path", { d, class: LABELS[i] }));
  at("history").replaceChildren(shape("path", { d: idle, class: "idle" }), ...shapes);
  [...at("legend").children].forEach((entry, i) => {
    entry.querySelector("em").textContent = seen ? percent(totals[i] / seen) : "";
  });
}

// Start

for (const label of LABELS) {
  const entry = make("li", label);
  entry.append(make("i"), make("span", "", label), make("em"));
  at("legend").append(entry);
}
at("sign-in").addEventListener("submit", (event) => {
  event.preventDefault();
  token = at("token").value.trim();
  sessionStorage.setItem("token", token);
  at("token").value = "";
  at("sign-in").hidden = true;
  connect();
});
setInterval(draw, DRAW_MS);
setInterval(poll, POLL_MS);
connect();
