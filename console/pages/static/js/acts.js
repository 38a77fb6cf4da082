// Forms with data-act send JSON to the API and show its answer in place.
import { ask, confirmed } from "./ask.js";
import { bodyOf } from "./body.js";
import { showPlan } from "./plan.js";
import { refreshNow } from "./refresh.js";

export function enableActs(within) {
  for (const fieldset of within.querySelectorAll("fieldset[data-enable]")) fieldset.disabled = false;
  for (const form of within.querySelectorAll("form[data-act]")) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      submit(form, event.submitter);
    });
    form.addEventListener("input", () => forgetPlan(form));
    watchNeeds(form);
    watchSwitches(form);
  }
}

async function submit(form, button) {
  let body;
  try {
    body = bodyOf(form, button);
  } catch (error) {
    return say(form, "bad", error.message);
  }
  const dry = body.dryRun === true;
  const question = button?.dataset.confirm ?? form.dataset.confirm;
  if (question && !dry && !(await confirmed(question))) return;
  say(form, "", "…");
  setBusy(form, true);
  try {
    const answer = await ask(form.dataset.method || "POST", form.action, body);
    if (dry || form.dataset.show) return planned(form, answer);
    done(form, body, answer);
  } catch (error) {
    say(form, "bad", error.message);
  } finally {
    setBusy(form, false);
  }
}

function planned(form, answer) {
  say(form, "", "");
  showPlan(form.querySelector("[data-plan-shown]"), answer, form.dataset.plan);
  const wrong = Boolean(answer.problems?.length);
  for (const b of form.querySelectorAll("[data-after-plan]")) b.dataset.was = b.disabled = wrong; // setBusy puts back what was
}

function forgetPlan(form) {
  for (const b of form.querySelectorAll("[data-after-plan]")) b.disabled = true;
}

function done(form, body, answer) {
  const known = { ...body, ...(answer ?? {}) };
  if (form.dataset.goto) {
    location.assign(fill(form.dataset.goto, known, encodeURIComponent));
    return;
  }
  form.querySelector("[data-plan-shown]")?.replaceChildren();
  forgetPlan(form);
  say(form, "ok", form.dataset.said ? fill(form.dataset.said, known, String) : "Done.");
  refreshNow(form.closest("[data-part]"));
}

const fill = (text, values, encode) => text.replace(/\{(\w+)\}/g, (_, name) => encode(values[name] ?? ""));

function say(form, tone, text) {
  const said = form.querySelector(".said");
  if (said) {
    said.className = "said " + tone;
    said.textContent = text;
  }
  if (text && text !== "…") document.getElementById("status").textContent = text;
}

function setBusy(form, busy) {
  form.setAttribute("aria-busy", String(busy));
  for (const b of form.querySelectorAll("button")) {
    if (busy) { b.dataset.was = b.disabled; b.disabled = true; } else { b.disabled = b.dataset.was === "true"; }
  }
  if (!busy) checkNeeds(form);
}

// A button with data-needs="ids" waits until one of those boxes is checked.
function watchNeeds(form) {
  if (!form.querySelector("[data-needs]")) return;
  form.addEventListener("change", () => checkNeeds(form));
  checkNeeds(form);
}

function checkNeeds(form) {
  for (const b of form.querySelectorAll("[data-needs]")) {
    b.disabled = !form.querySelector(`[name="${b.dataset.needs}"]:checked`);
  }
}

// A box with data-switch="value" turns the field of that name on.
function watchSwitches(form) {
  for (const box of form.querySelectorAll("[data-switch]")) {
    const field = form.elements[box.dataset.switch];
    const set = () => { field.disabled = !box.checked; };
    box.addEventListener("change", set);
    set();
  }
}
