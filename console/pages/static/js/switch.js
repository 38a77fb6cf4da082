// The button between light, dark and the system's choice.
const order = ["", "light", "dark"];
const words = { "": "Theme: system", light: "Theme: light", dark: "Theme: dark" };

export function enableTheme() {
  const button = document.getElementById("theme");
  if (!button) return;
  const root = document.documentElement;
  const show = () => {
    const word = words[root.dataset.theme ?? ""];
    button.querySelector("[data-text]").textContent = word.replace("Theme: ", "");
    button.setAttribute("aria-label", word);
    button.title = word;
  };
  button.addEventListener("click", () => {
    const next = order[(order.indexOf(root.dataset.theme ?? "") + 1) % order.length];
    if (next) root.dataset.theme = next; else delete root.dataset.theme;
    try {
      if (next) localStorage.setItem("pabal.theme", next); else localStorage.removeItem("pabal.theme");
    } catch { /* it lasts as long as the page */ }
    show();
  });
  show();
  button.hidden = false;
}
