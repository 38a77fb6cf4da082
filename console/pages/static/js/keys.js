// Shortcuts; the list is in the dialog that "?" opens.
export function enableKeys() {
  let g = -Infinity; // when "g" was pressed; times begin with the page
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const field = event.target.matches("input, select, textarea");
    if (field) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if (event.timeStamp - g < 1500 && go(event.key)) {
      g = -Infinity;
      event.preventDefault();
      return;
    }
    g = event.key === "g" ? event.timeStamp : -Infinity;
    const act = acts[event.key];
    if (act?.(event)) event.preventDefault();
  });
  document.getElementById("help-link")?.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (help()) event.preventDefault();
  });
}

const acts = {
  "/": () => focus("#find"),
  "?": () => help(),
  f: () => focus("main [data-filter]"),
  n: () => click('main a[rel="next"]'),
  j: () => line(1),
  k: () => line(-1),
  Enter: (event) => event.target.matches("body, main") && click(".chosen a"),
};

function go(key) {
  const link = document.querySelector(`.side a[data-key="${CSS.escape(key)}"]`);
  link?.click();
  return Boolean(link);
}

function help() {
  const dialog = document.getElementById("shortcuts");
  dialog?.showModal();
  return Boolean(dialog);
}

function focus(selector) {
  const e = document.querySelector(selector);
  e?.focus();
  e?.select?.();
  return Boolean(e);
}

function click(selector) {
  const e = document.querySelector(selector);
  e?.click();
  return Boolean(e);
}

function line(step) {
  const rows = [...document.querySelectorAll("main .lines tbody tr:not(.detail), main .message")];
  if (!rows.length) return false;
  const now = rows.findIndex((r) => r.classList.contains("chosen"));
  const next = rows[Math.min(rows.length - 1, Math.max(0, now + step))];
  rows[now]?.classList.remove("chosen");
  next.classList.add("chosen");
  next.scrollIntoView({ block: "nearest" });
  return true;
}
