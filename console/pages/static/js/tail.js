// New messages of a topic as they come, the newest first; bounded.
const most = 200;

export function enableTail() {
  const bar = document.querySelector("[data-tail]");
  if (!bar) return;
  const list = document.querySelector("[data-tail-list]");
  const start = bar.querySelector("[data-tail-start]");
  const pause = bar.querySelector("[data-tail-pause]");
  const state = bar.querySelector("[data-tail-state]");
  bar.hidden = false;
  let stream = null, shown = 0;
  const stop = (text) => {
    stream?.close();
    stream = null;
    pause.hidden = true;
    start.hidden = false;
    start.textContent = "Tail again";
    state.textContent = text;
  };
  start.addEventListener("click", () => {
    stream = new EventSource(address(bar));
    start.hidden = true;
    pause.hidden = list.hidden = false;
    state.textContent = "waiting for messages";
    stream.addEventListener("message", (event) => {
      list.prepend(shape(JSON.parse(event.data)));
      while (list.children.length > most) list.lastElementChild.remove();
      state.textContent = `${++shown} shown${shown > most ? `, the last ${most} kept` : ""}`;
    });
    stream.addEventListener("problem", (event) => stop(JSON.parse(event.data).detail ?? "it ended"));
    stream.addEventListener("error", () => { if (stream?.readyState === EventSource.CLOSED) stop("the stream ended"); });
  });
  pause.addEventListener("click", () => stop("paused"));
  addEventListener("pagehide", () => stream?.close());
}

// address has the partition and filter of the form above.
function address(bar) {
  const url = new URL(bar.dataset.tail, location.href);
  const form = document.querySelector("form.browse");
  for (const name of ["partition", "filter"]) {
    const value = form?.elements[name]?.value.trim();
    if (value) url.searchParams.set(name, value);
  }
  return url;
}

function shape(m) {
  const one = document.getElementById("message").content.firstElementChild.cloneNode(true);
  const put = (name, text) => { const e = one.querySelector(`[data-f="${name}"]`); if (e) e.textContent = text; };
  put("partition", m.partition);
  put("offset", m.offset);
  put("time", m.timestamp.replace("T", " ").replace("Z", "").slice(0, 23));
  put("type", m.event?.type ?? "");
  put("key", text(m.key));
  put("text", text(m.value).slice(0, 160));
  put("value", pretty(m.value));
  put("schema", schema(m.value?.schema));
  const headers = one.querySelector('[data-f="headers"]');
  for (const h of m.headers ?? []) {
    const row = document.createElement("div"), dt = document.createElement("dt"), dd = document.createElement("dd");
    dt.textContent = h.key;
    dd.textContent = text(h.value);
    row.append(dt, dd);
    headers.append(row);
  }
  const link = one.querySelector('[data-f="trace"]');
  if (m.event?.correlationId) {
    link.href = link.dataset.path + encodeURIComponent(m.event.correlationId);
    link.hidden = false;
  }
  return one;
}

function text(data) {
  if (!data || data.format === "null") return "–";
  return data.format === "binary" ? `${data.size} bytes of binary data` : data.text ?? "";
}

// schema says what decoded a value, or why nothing did.
function schema(s) {
  if (!s) return "";
  const from = s.subject ? `Schema ${s.id}: ${s.subject}, version ${s.version}` : `Schema ${s.id}`;
  return s.problem ? `${from}. ${s.problem}` : from;
}

function pretty(data) {
  if (data?.format !== "json") return text(data);
  try { return JSON.stringify(JSON.parse(data.text), null, 2); } catch { return data.text; }
}
