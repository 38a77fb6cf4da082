// One JSON request, and an Error with the problem's words where it is refused.
export async function ask(method, url, body) {
  let answer;
  try {
    answer = await fetch(url, {
      method, credentials: "same-origin", cache: "no-store",
      headers: { "Content-Type": "application/json", Accept: "application/json" },
      body: method === "GET" ? undefined : JSON.stringify(body ?? {}),
    });
  } catch {
    throw new Error("The console does not answer. Is it still running?");
  }
  const text = await answer.text();
  let value = null;
  try { value = text ? JSON.parse(text) : null; } catch { /* not JSON: said below */ }
  if (!answer.ok) throw new Error(value?.detail || value?.title || `refused with status ${answer.status}`);
  return value;
}

let answered = () => {};

// confirmed asks in the page's own dialog. The browser tells of a dialog's end a little
// later; one that is opened again before that has its first answer by then.
export function confirmed(text) {
  const dialog = document.getElementById("confirm");
  answered();
  dialog.querySelector("[data-text]").textContent = text;
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((done) => {
    answered = () => {
      if (dialog.open) return;
      dialog.removeEventListener("close", answered);
      answered = () => {};
      done(dialog.returnValue === "yes");
    };
    dialog.addEventListener("close", answered);
  });
}
