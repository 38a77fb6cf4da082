// Parts of a page (data-part) that are fetched anew every data-refresh seconds, but
// not while somebody is at work in them.
import { enableActs } from "./acts.js";
import { enableCopy } from "./copy.js";

let running = false;
let again = null; // a part to be replaced after the fetch under way

export function enableRefresh() {
  const holder = document.querySelector("[data-refresh]");
  if (!holder) return;
  const seconds = Number(holder.dataset.refresh);
  const next = () => setTimeout(async () => {
    if (!document.hidden) await refreshNow();
    if (document.querySelector("[data-refresh]")) next();
  }, seconds * 1000);
  next();
}

// refreshNow fetches the parts anew; the one named is done with, and replaced although
// the focus is in it.
export async function refreshNow(finished) {
  if (running) {
    again = finished ?? again;
    return;
  }
  running = true;
  try {
    const answer = await fetch(location.href, { credentials: "same-origin", cache: "no-store", headers: { Accept: "text/html" } });
    if (!answer.ok || answer.redirected) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of document.querySelectorAll("[data-part]")) {
      const other = fresh.querySelector(`[data-part="${part.dataset.part}"]`);
      if (other && (part === finished || !inUse(part))) replace(part, other);
    }
  } catch { /* the next time */ } finally {
    running = false;
  }
  if (again) {
    const next = again;
    again = null;
    await refreshNow(next);
  }
}

function inUse(part) {
  const at = document.activeElement;
  if (at && at !== part && part.contains(at) && at.matches("input, select, textarea, button, summary")) return true;
  if (part.querySelector("[data-plan-shown] > *")) return true; // what somebody asked for and reads now
  return Boolean(part.querySelector("[aria-busy=true]")) || written(part) || selects(part);
}

// written says that somebody has begun to fill in a field of text.
function written(part) {
  return [...part.querySelectorAll("input:not([type]), textarea")].some((field) => field.value !== field.defaultValue);
}

function selects(part) {
  const s = document.getSelection();
  return Boolean(s && !s.isCollapsed && part.contains(s.anchorNode));
}

function replace(part, other) {
  if (part.innerHTML === other.innerHTML) return;
  const open = new Set([...part.querySelectorAll("details[open][data-key]")].map((d) => d.dataset.key));
  const scrolled = [...part.querySelectorAll(".scroll")].map((s) => s.scrollLeft);
  if (!other.hasAttribute("data-refresh")) part.removeAttribute("data-refresh");
  const chosen = part.querySelector(".chosen a")?.getAttribute("href");
  const focused = part.contains(document.activeElement);
  part.replaceChildren(...other.childNodes);
  for (const d of part.querySelectorAll("details[data-key]")) if (open.has(d.dataset.key)) d.open = true;
  part.querySelectorAll(".scroll").forEach((s, i) => { s.scrollLeft = scrolled[i] ?? 0; });
  if (chosen) part.querySelector(`.lines a[href="${CSS.escape(chosen)}"]`)?.closest("tr").classList.add("chosen");
  enableActs(part);
  enableCopy(part);
  if (focused) {
    part.tabIndex = -1; // the keyboard goes on from here
    part.focus({ preventScroll: true });
  }
}
