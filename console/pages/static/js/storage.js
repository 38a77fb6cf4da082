// localStorage that may be forbidden.
export function load(name, otherwise) {
  try { return JSON.parse(localStorage.getItem("pabal." + name)) ?? otherwise; } catch { return otherwise; }
}

export function save(name, value) {
  try { localStorage.setItem("pabal." + name, JSON.stringify(value)); } catch { /* it lasts as long as the page */ }
}
