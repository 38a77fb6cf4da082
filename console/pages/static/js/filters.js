// Filters of the message browser that the reader keeps, by topic.
import { load, save } from "./storage.js";

const most = 20;

export function enableFilters() {
  const form = document.querySelector("form[data-saved]");
  if (!form) return;
  const name = "filters." + form.dataset.saved;
  const button = form.querySelector("[data-save]");
  button.hidden = false;
  button.addEventListener("click", () => {
    const query = new URLSearchParams([...new FormData(form)].filter(([, v]) => v !== "")).toString();
    const kept = load(name, []).filter((k) => k !== query);
    save(name, [query, ...kept].slice(0, most));
    show(form, name);
  });
  show(form, name);
}

function show(form, name) {
  const list = form.querySelector("[data-saved-list]");
  const kept = load(name, []);
  list.hidden = !kept.length;
  list.replaceChildren("Saved: ");
  for (const query of kept) {
    const link = document.createElement("a");
    link.href = form.action.split("?")[0] + "?" + query;
    link.textContent = words(query);
    const drop = document.createElement("button");
    drop.type = "button";
    drop.className = "quiet small";
    drop.textContent = "×";
    drop.setAttribute("aria-label", "Forget " + link.textContent);
    drop.addEventListener("click", () => { save(name, load(name, []).filter((k) => k !== query)); show(form, name); });
    list.append(link, " ", drop, "  ");
  }
}

function words(query) {
  const q = new URLSearchParams(query);
  return [q.get("filter"), [q.get("from"), q.get("at")].filter(Boolean).join(" "), q.get("partition") && `partition ${q.get("partition")}`]
    .filter(Boolean).join(", ");
}
