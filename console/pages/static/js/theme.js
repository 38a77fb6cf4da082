// The reader's choice of light or dark, before anything is painted: no module.
(() => {
  try {
    const theme = localStorage.getItem("pabal.theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch { /* storage is forbidden: the system's choice stays */ }
})();
