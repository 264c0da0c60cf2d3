"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data-questions").textContent);
  const byId = (id) => document.getElementById(id);
  const size = 25;
  const state = { page: 0, sort: "change", down: true };
  const choose = (wanted, fallback) => Math.max(0, data.systems.includes(wanted) ? data.systems.indexOf(wanted) : fallback);
  for (const id of ["system", "baseline"]) {
    data.systems.forEach((name, index) => byId(id).add(new Option(name, index)));
  }
  byId("system").value = choose("tuned", data.systems.length - 1);
  byId("baseline").value = choose("base", 0);

  // Text goes in as text nodes only: nothing of a corpus is ever parsed as markup.
  const element = (name, text, className) => {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    if (className) made.className = className;
    return made;
  };
  const rank = (found) => (found[0] === null ? "–" : String(found[0]));
  const order = (found) => (found[0] === null ? Infinity : found[0]);

  function selected() {
    const a = Number(byId("system").value), b = Number(byId("baseline").value);
    const which = byId("which").value;
    const words = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const rows = data.questions.map((row) => ({ row, a: row[3][a], b: row[3][b], change: row[3][a][1] - row[3][b][1] }));
    const keep = {
      changed: (r) => r.change !== 0, won: (r) => r.change > 0, lost: (r) => r.change < 0, all: () => true,
      missed: (r) => order(r.a) > 10 && order(r.b) > 10,
    }[which];
    const found = rows.filter((r) => keep(r) && words.every((word) => r.row[0].toLowerCase().includes(word)));
    const key = { system: (r) => order(r.a), baseline: (r) => order(r.b), change: (r) => -Math.abs(r.change) }[state.sort];
    found.sort((x, y) => (key(x) === key(y) ? 0 : key(x) < key(y) ? -1 : 1) * (state.down ? 1 : -1));
    return { found, rows };
  }

  function passage(title, number) {
    const box = element("div", undefined, "passage");
    box.append(element("b", title), document.createTextNode(number === null ? "nothing was retrieved" : data.passages[number][1]));
    return box;
  }

  function draw() {
    const { found, rows } = selected();
    const names = [byId("system"), byId("baseline")].map((node) => data.systems[node.value]);
    const count = (keep) => rows.filter(keep).length;
    byId("count").textContent = `By ${data.metric}, ${names[0]} wins ${count((r) => r.change > 0)}, loses ${count((r) => r.change < 0)} and ties ${count((r) => r.change === 0)} against ${names[1]}. ${found.length} shown.`;
    document.querySelector('[data-sort="system"]').textContent = `Rank, ${names[0]}`;
    document.querySelector('[data-sort="baseline"]').textContent = `Rank, ${names[1]}`;
    const pages = Math.max(1, Math.ceil(found.length / size));
    state.page = Math.min(state.page, pages - 1);
    const body = document.querySelector("#explorer tbody");
    body.replaceChildren();
    for (const r of found.slice(state.page * size, (state.page + 1) * size)) {
      const line = element("tr");
      const cell = element("td");
      const details = element("details");
      details.append(element("summary", r.row[0]));
      details.addEventListener("toggle", () => {
        if (!details.open || details.children.length > 1) return;
        r.row[2].forEach((number) => details.append(passage("Answers it", number)));
        details.append(passage(`First for ${names[0]}`, r.a[2]), passage(`First for ${names[1]}`, r.b[2]));
      });
      cell.append(details);
      const sign = r.change > 0 ? "won" : r.change < 0 ? "lost" : "";
      line.append(cell, element("td", rank(r.a), "n"), element("td", rank(r.b), "n"), element("td", `${r.change > 0 ? "+" : ""}${r.change.toFixed(2)}`, `n ${sign}`));
      body.append(line);
    }
    byId("page").textContent = `${state.page + 1} of ${pages}`;
    byId("previous").disabled = state.page === 0;
    byId("next").disabled = state.page >= pages - 1;
  }

  const restart = () => { state.page = 0; draw(); };
  for (const id of ["system", "baseline", "which"]) byId(id).addEventListener("change", restart);
  byId("search").addEventListener("input", restart);
  byId("previous").addEventListener("click", () => { state.page -= 1; draw(); });
  byId("next").addEventListener("click", () => { state.page += 1; draw(); });
  document.querySelectorAll("[data-sort]").forEach((button) => button.addEventListener("click", () => {
    state.down = state.sort === button.dataset.sort ? !state.down : true;
    state.sort = button.dataset.sort;
    restart();
  }));
  draw();
})();
