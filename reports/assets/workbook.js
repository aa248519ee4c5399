(async () => {
"use strict";
const by = id => document.getElementById(id);
const HEIGHT = 36, SPARE = 4;
const numeral = n => n.toLocaleString("en");

async function inflate(id) {
  const place = by(id);
  const bytes = Uint8Array.from(atob(place.textContent), c => c.charCodeAt(0));
  place.remove();
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).json();
}

/* A text stands where it comes first; from then on its number stands for it. */
function unfold({ rows }) {
  const texts = [];
  const text = cell => typeof cell === "string" ? (texts.push(cell), cell) : texts[cell];
  return rows.map(row => row.map(pair => pair.map(text)));
}

function make(name, text, kind) {
  const element = document.createElement(name);
  element.textContent = text;
  if (kind) element.className = kind;
  return element;
}

/* The plan: the same exact knapsack, with the same ties, as the report was written with. */
const tiles = [...document.querySelectorAll(".tile")].map(tile => ({
  tile, card: by(tile.dataset.id), id: tile.dataset.id, cost: +tile.dataset.cost, gain: +tile.dataset.gain,
  must: tile.dataset.must === "1", score: +tile.dataset.score, owner: tile.dataset.owner, text: tile.dataset.search,
}));
const must = tiles.filter(t => t.must);
const rest = tiles.filter(t => !t.must).sort((a, b) => a.id < b.id ? -1 : 1);
const sum = (list, key) => list.reduce((total, t) => total + t[key], 0);

function knapsack(items, capacity) {
  if (capacity < 0) return [];
  capacity = Math.min(capacity, sum(items, "cost"));
  const best = [new Float64Array(capacity + 1)];
  for (let i = items.length - 1; i >= 0; i--) {
    const before = best[best.length - 1], after = before.slice(), { cost, gain } = items[i];
    if (gain > 0) for (let c = cost; c <= capacity; c++) after[c] = Math.max(before[c], before[c - cost] + gain);
    best.push(after);
  }
  const last = best[items.length];
  let left = last.indexOf(last[capacity]);
  return items.filter((item, i) => {
    const taken = item.gain > 0 && item.cost <= left
      && best[items.length - i - 1][left - item.cost] + item.gain === best[items.length - i][left];
    if (taken) left -= item.cost;
    return taken;
  });
}

function plan() {
  const budget = +by("budget").value;
  const capacity = Math.floor(budget * 10 + 1e-6) - sum(must, "cost");
  const chosen = new Set([...must, ...knapsack(rest, capacity)]);
  for (const t of tiles) {
    const yes = chosen.has(t);
    t.tile.classList.toggle("in", yes);
    t.tile.querySelector(".mark").textContent = yes ? "✓" : "–";
    t.tile.querySelector(".vh").textContent = yes ? " in the plan: " : " not in the plan: ";
  }
  const all = sum(tiles, "gain"), part = all ? sum([...chosen], "gain") / all : 0;
  by("bought").textContent = capacity < 0
    ? `${budget} h: ${-capacity / 10} h short of what must be done`
    : `${budget} h → −${Math.round(100 * part)}%`;
}

/* The findings: only the rows in sight are in the document, and text is only ever text. */
const data = await inflate("table-data");
const total = data.scores.length, { words, columns } = data;
const shown = new Uint32Array(total);
let count = 0, active = -1, details = null;

function matches() {
  const asked = by("search").value.trim().toLowerCase(), owner = by("owner").value, least = +by("least").value;
  const outcome = document.querySelector("input[name=outcome]:checked").value;
  const found = {};
  for (const name of ["asset", "title", "on", "owner"]) found[name] = words[name].map(w => w.toLowerCase().includes(asked));
  count = 0;
  for (let i = 0; i < total; i++) {
    if (outcome && words.outcome[columns.outcome[i]] !== outcome) continue;
    if (least && data.scores[i] < least * 10) continue;
    if (owner && words.owner[columns.owner[i]] !== owner) continue;
    if (asked && !["asset", "title", "on", "owner"].some(name => found[name][columns[name][i]])) continue;
    shown[count++] = i;
  }
  let visible = 0;
  for (const t of tiles) {
    const yes = (!asked || t.text.includes(asked)) && (!owner || t.owner === owner) && t.score >= least;
    t.tile.hidden = t.card.hidden = !yes;
    visible += yes;
  }
  by("nothing").hidden = visible > 0;
  by("space").style.height = `${count * HEIGHT}px`;
  by("grid").setAttribute("aria-rowcount", count + 1);
  by("count").textContent = `${numeral(count)} of ${numeral(total)}`;
  by("view").scrollTop = 0;
  choose(-1);
  draw();
}

function draw() {
  const view = by("view"), rows = document.createDocumentFragment();
  const first = Math.max(0, Math.floor(view.scrollTop / HEIGHT) - SPARE);
  const last = Math.min(count, first + Math.ceil(view.clientHeight / HEIGHT) + 2 * SPARE);
  for (let k = first; k < last; k++) {
    const i = shown[k], of = name => words[name][columns[name][i]], row = make("div", "", "r");
    row.id = `row-${k}`;
    row.setAttribute("role", "row");
    row.setAttribute("aria-rowindex", k + 2);
    row.setAttribute("aria-selected", k === active);
    const band = of("band"), risk = make("span", `${of("glyph")} ${of("risk")}`, `sc ${band === "open" ? "unrated" : band}`);
    risk.append(make("span", band === "open" ? " not rated" : ` ${band}`, "vh"));
    const cells = [risk, make("span", of("outcome"), "x"), make("span", of("asset")), make("span", of("title")),
      make("span", of("on"), "x"), make("span", of("status"), "x"), make("span", of("due"), "x")];
    for (const cell of cells) cell.setAttribute("role", "gridcell");
    row.append(...cells);
    row.addEventListener("click", () => { choose(k); open(); });
    rows.append(row);
  }
  by("rows").style.transform = `translateY(${first * HEIGHT}px)`;
  by("rows").replaceChildren(rows);
}

function choose(k) {
  active = k;
  const view = by("view");
  if (k < 0) { view.removeAttribute("aria-activedescendant"); by("detail").hidden = true; return; }
  const top = k * HEIGHT, bottom = top + HEIGHT;
  if (top < view.scrollTop) view.scrollTop = top;
  else if (bottom > view.scrollTop + view.clientHeight) view.scrollTop = bottom - view.clientHeight;
  draw();
  view.setAttribute("aria-activedescendant", `row-${k}`);
}

async function open() {
  if (active < 0) return;
  const asked = active;
  details = details || inflate("detail-data").then(unfold);
  const rows = await details;
  if (asked !== active) return;
  const i = shown[asked], list = document.createElement("dl");
  for (const [name, text] of rows[i]) list.append(make("dt", name), make("dd", text));
  by("detail").replaceChildren(make("h3", words.title[columns.title[i]]), list);
  by("detail").hidden = false;
}

const STEPS = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity };
by("view").addEventListener("keydown", event => {
  if (event.key in STEPS && count) {
    event.preventDefault();
    choose(Math.max(0, Math.min(count - 1, active + STEPS[event.key])));
  } else if (event.key === "Enter") {
    event.preventDefault();
    open();
  }
});
by("view").addEventListener("scroll", () => requestAnimationFrame(draw), { passive: true });
for (const name of ["search", "owner", "least", "tabs"]) by(name).addEventListener("input", matches);
if (tiles.length) by("budget").addEventListener("input", plan);
by("controls").addEventListener("submit", event => event.preventDefault());
by("controls").hidden = false;
if (total) {
  by("tabs").hidden = by("big").hidden = false;
  by("static").hidden = true;
}
matches();
plan();
document.documentElement.dataset.ready = "yes";
})();
