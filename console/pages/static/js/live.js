// Figures of the overview from the one stream of events of this tab.
export function enableLive() {
  const holder = document.querySelector("[data-live]");
  const sign = document.getElementById("live");
  if (!holder || !sign) return;
  const stream = new EventSource(holder.dataset.live);
  stream.addEventListener("overview", (event) => {
    show(JSON.parse(event.data));
    state(sign, "live", false);
  });
  stream.addEventListener("error", () => state(sign, "connection lost, trying again", true));
  addEventListener("pagehide", () => stream.close());
}

function state(sign, text, lost) {
  sign.hidden = false;
  sign.textContent = text;
  sign.classList.toggle("lost", lost);
}

function show(o) {
  let pending = 0, waiting = 0, projectionLag = 0, lagUnknown = false;
  const counted = new Set();
  for (const s of o.services ?? []) {
    for (const c of s.status?.consumers ?? []) waiting += c.stats?.waiting ?? 0;
    for (const p of s.status?.projections ?? []) {
      if (p.lagEvents < 0) lagUnknown = true; else projectionLag += p.lagEvents;
    }
    if (!s.status?.outbox || counted.has(s.name)) continue;
    counted.add(s.name); // the instances of a service share one outbox
    pending += s.status.outbox.backlog.started ?? 0;
  }
  // What could not be asked is not known, rather than none.
  const known = (part, value) => (o.problems ?? []).some((p) => p.startsWith(part + ":")) ? undefined : value;
  const figures = {
    pending: known("services", pending), waiting: known("services", waiting), projectionLag: known("services", lagUnknown && !projectionLag ? -1 : projectionLag), deadLetters: o.deadLetters, topics: o.topics, groups: o.groups,
    events: known("index", o.lens?.events), behind: known("index", o.lens?.behind),
  };
  for (const [name, value] of Object.entries(figures)) set(`[data-live-figure="${name}"]`, count(value));
  set('[data-live-figure="perSecond"]', rate(o.lens?.perSecond ?? 0));
  set('[data-live-count="services"]', count(known("services", (o.services ?? []).length)));
}

const count = (n) => (n === undefined || n < 0 ? "?" : n.toLocaleString("en-US"));
const rate = (r) => r.toFixed(r < 10 ? 1 : 0);

function set(selector, text) {
  const e = document.querySelector(selector);
  if (e && e.textContent !== text) e.textContent = text;
}
