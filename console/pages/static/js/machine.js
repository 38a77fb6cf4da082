// The time machine's slider: the state changes while it is drawn.
import { refreshNow } from "./refresh.js";

const pause = 150; // milliseconds without a move before the state is asked for

export function enableMachine() {
  const form = document.querySelector("form[data-machine]");
  if (!form) return;
  const slider = form.querySelector(".slider");
  const range = slider.querySelector("input");
  const number = form.elements.at;
  slider.hidden = false;
  let timer = 0;
  range.addEventListener("input", () => {
    number.value = range.value;
    clearTimeout(timer);
    timer = setTimeout(() => show(range.value), pause);
  });
  number.addEventListener("input", () => { range.value = number.value; });
}

// show keeps the address true, so that it can be passed on and reloaded.
function show(n) {
  const url = new URL(location.href);
  url.searchParams.set("at", n);
  url.searchParams.delete("from");
  history.replaceState(null, "", url);
  refreshNow();
}
