const columnsOf = {
  moves: [["Topic", (m) => m.topic], ["Partition", (m) => m.partition], ["From", (m) => m.from], ["To", (m) => m.to], ["", (m) => m.problem ?? ""]],
  preview: [["Letter", (l) => l.id], ["Event", (l) => l.event?.type ?? ""], ["Key", (l) => l.event?.key ?? ""], ["", (l) => l.obstacle ?? "would be sent"]],
  differences: [
    ["Table", (d) => d.table], ["Live rows", (d) => d.live], ["Rebuilt rows", (d) => d.copy], ["Only live", (d) => d.onlyLive], ["Only rebuilt", (d) => d.onlyCopy],
    ["Examples", (d) => [...(d.liveRows ?? []).map((r) => "live: " + r), ...(d.copyRows ?? []).map((r) => "rebuilt: " + r)].join("\n")],
  ],
};
columnsOf.reasons = [["What it would break", (r) => r.detail]];
columnsOf.problems = [["Setting", (p) => p.setting], ["What is wrong", (p) => p.detail]];
const none = { problems: "Nothing is wrong with it.", moves: "Nothing would change.", differences: "There are no tables to compare." };

// The answer of a dry run or a comparison, as a table.
export function showPlan(into, answer, name) {
  into.replaceChildren();
  if (answer.warning) into.append(element("p", answer.warning, "hint"));
  for (const warning of answer.warnings ?? []) into.append(element("p", warning, "hint"));
  if (name === "reasons") into.append(element("p", answer.said, answer.compatible ? "ok-text" : "bad-text"));
  if (name === "preview") into.append(element("p", summary(answer)));
  const rows = answer[name] ?? [];
  if (!rows.length) {
    if (none[name]) into.append(element("p", none[name], "faint"));
    return;
  }
  const columns = columnsOf[name];
  const table = document.createElement("table");
  table.append(row("th", columns.map(([head]) => head)), ...rows.map((r) => row("td", columns.map(([, of]) => String(of(r))))));
  const scroll = element("div", "", "scroll");
  scroll.append(table);
  into.append(scroll);
}

function summary(redrive) {
  const skipped = redrive.skipped ? `, ${redrive.skipped} cannot be sent` : "";
  return `A dry run: of ${redrive.total} letters ${redrive.total - (redrive.skipped ?? 0)} would be sent${skipped}. Nothing was sent.`;
}

function row(tag, texts) {
  const tr = document.createElement("tr");
  tr.append(...texts.map((t) => element(tag, t)));
  return tr;
}

function element(tag, text, className) {
  const e = document.createElement(tag);
  e.textContent = text;
  if (className) e.className = className;
  return e;
}
