// What a form sends: its fields by name, each of the type that data-type says.
export function bodyOf(form, button) {
  if (form.dataset.body) return JSON.parse(form.dataset.body);
  const body = {};
  for (const field of form.elements) {
    if (!field.name || field.disabled || field === button || field.tagName === "BUTTON") continue;
    if ((field.type === "checkbox" || field.type === "radio") && !field.checked) continue;
    put(body, field.name, field.dataset.type, field.value);
  }
  joinPlaces(form, body);
  if (button?.name) put(body, button.name, button.dataset.type ?? "bool", button.value);
  if (body.all === true) delete body.ids;
  return body;
}

function put(body, name, type, value) {
  switch (type) {
    case "bool": body[name] = value === "true"; break;
    case "number": if (value !== "") body[name] = Number(value); break;
    case "numbers": (body[name] ??= []).push(Number(value)); break;
    case "texts": (body[name] ??= []).push(value); break;
    case "json": body[name] = jsonOf(value); break;
    case "settings": putSettings(body, jsonOf(value)); break;
    case "setting": if (value !== "") (body.config ??= {})[name.replace(/^config\./, "")] = value; break;
    case "pairs": { const pairs = pairsOf(value); if (Object.keys(pairs).length) body[name] = pairs; break; }
    default: if (value !== "" || name === "value") body[name] = value;
  }
}

function jsonOf(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error("This is not JSON: " + error.message);
  }
}

// putSettings takes a configuration alone, or with its connector's name as Kafka Connect does.
function putSettings(body, given) {
  const whole = given !== null && typeof given === "object" && typeof given.config === "object";
  if (whole && given.name) body.connector ||= given.name;
  const settings = whole ? given.config : given;
  if (settings === null || typeof settings !== "object" || Array.isArray(settings)) throw new Error("A configuration is a JSON object: {\"connector.class\": …}");
  body.config = {};
  for (const [key, value] of Object.entries(settings)) body.config[key] = typeof value === "string" ? value : JSON.stringify(value);
}

// pairsOf reads lines "name: value".
function pairsOf(text) {
  const pairs = {};
  for (const line of text.split("\n")) {
    const at = line.indexOf(":");
    if (at > 0) pairs[line.slice(0, at).trim()] = line.slice(at + 1).trim();
  }
  return pairs;
}

// joinPlaces makes "offset:12" of a choice (data-to) and the field beside it.
function joinPlaces(form, body) {
  for (const choice of form.querySelectorAll("[data-to]")) {
    const at = form.querySelector(`[data-at="${choice.name}"]`);
    delete body[at.name];
    if (choice.value !== "offset" && choice.value !== "time") continue;
    const value = at.value.trim();
    body[choice.name] = `${choice.value}:${choice.value === "time" ? utc(value) : value}`;
  }
}

// utc completes "2026-01-31 12:00"; what it does not know the API refuses.
function utc(text) {
  const m = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(:\d\d(?:\.\d+)?)?(Z|[+-]\d\d:\d\d)?$/.exec(text);
  return m ? `${m[1]}T${m[2]}${m[3] ?? ":00"}${m[4] ?? "Z"}` : text;
}
