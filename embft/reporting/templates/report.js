"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data-questions").textContent);
  // A sentence of the page with its values; none of them is looked into for places again.
  const say = (name, values = {}) => data.words[name].replace(/\{(\w+)\}/g, (_, place) => String(values[place]));
  const byId = (id) => document.getElementById(id);
  const size = 25;
  const state = { page: 0, sort: "change", down: true };
  const has = (name) => data.systems.includes(name);
  for (const id of ["system", "baseline"]) {
    data.systems.forEach((name, index) => byId(id).add(new Option(name, index)));
  }
  const pair = has("tuned") && has("base") ? ["tuned", "base"] : [data.systems[1] ?? data.systems[0], data.systems[0]];
  byId("system").value = data.systems.indexOf(pair[0]);
  byId("baseline").value = data.systems.indexOf(pair[1]);
  if (data.systems.length < 2) byId("which").value = "all";

  // Text goes in as text nodes only: nothing of a corpus is ever parsed as markup.
  const element = (name, text, className) => {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    if (className) made.className = className;
    return made;
  };
  const rank = (found) => (found[0] === null ? "–" : String(found[0]));
  const order = (found) => (found[0] === null ? Infinity : found[0]);
  const signed = (value) => (value === 0 ? "0" : (value > 0 ? "+" : "") + value.toFixed(2));

  function selected() {
    const a = Number(byId("system").value), b = Number(byId("baseline").value);
    const words = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const rows = data.questions.map((row) => ({ row, a: row[3][a], b: row[3][b], change: row[3][a][1] - row[3][b][1] }));
    const keep = {
      changed: (r) => r.change !== 0, won: (r) => r.change > 0, lost: (r) => r.change < 0, all: () => true,
      missed: (r) => order(r.a) > 10 && order(r.b) > 10,
    }[byId("which").value];
    const found = rows.filter((r) => keep(r) && words.every((word) => r.row[0].toLowerCase().includes(word)));
    const key = {
      question: (r) => r.row[0].toLowerCase(), system: (r) => order(r.a), baseline: (r) => order(r.b), change: (r) => -Math.abs(r.change),
    }[state.sort];
    found.sort((x, y) => {
      const left = key(x), right = key(y);
      return (left === right ? 0 : left < right ? -1 : 1) * (state.down ? 1 : -1);
    });
    return { found, rows };
  }

  function passage(title, number) {
    const box = element("div", undefined, "passage");
    const text = number === null ? say("nothing") : data.passages[number][1] || say("absent", { chunk: data.passages[number][0] });
    box.append(element("b", title));
    const context = number === null ? "" : data.contexts[number];
    if (context) box.append(element("span", say("context", { text: context }), "context"));
    box.append(document.createTextNode(text));
    return box;
  }

  // A passage that answers the question or comes first for both systems is shown once.
  function passages(r, names) {
    const boxes = r.row[2].map((number) => {
      const first = [...new Set(names.filter((name, at) => [r.a, r.b][at][2] === number))];
      return passage(first.length ? say("answersFirst", { systems: first.join(say("and")) }) : say("answers"), number);
    });
    const shown = new Set(r.row[2]);
    [[r.a, r.b], [r.b, r.a]].forEach(([mine, other], at) => {
      if (shown.has(mine[2])) return;
      shown.add(mine[2]);
      const both = mine[2] === other[2] && names[0] !== names[1];
      boxes.push(passage(say("first", { systems: both ? names.join(say("and")) : names[at] }), mine[2]));
    });
    return boxes;
  }

  function line(r, names) {
    const made = element("tr"), cell = element("td"), details = element("details");
    details.append(element("summary", r.row[0]));
    details.addEventListener("toggle", () => {
      if (details.open && details.children.length === 1) details.append(...passages(r, names));
    });
    cell.append(details);
    const sense = r.change > 0 ? "won" : r.change < 0 ? "lost" : "";
    made.append(cell, element("td", rank(r.a), "n"), element("td", rank(r.b), "n"), element("td", signed(r.change), `n ${sense}`));
    return made;
  }

  function draw() {
    const { found, rows } = selected();
    const names = ["system", "baseline"].map((id) => data.systems[byId(id).value]);
    const count = (keep) => rows.filter(keep).length;
    byId("count").textContent = say("count", {
      metric: data.metric, system: names[0], baseline: names[1], shown: found.length,
      won: count((r) => r.change > 0), lost: count((r) => r.change < 0), tied: count((r) => r.change === 0),
    });
    document.querySelector('[data-sort="system"]').textContent = say("rank", { system: names[0] });
    document.querySelector('[data-sort="baseline"]').textContent = say("rank", { system: names[1] });
    document.querySelectorAll("[data-sort]").forEach((button) => {
      const heading = button.closest("th");
      if (button.dataset.sort !== state.sort) heading.removeAttribute("aria-sort");
      else heading.setAttribute("aria-sort", state.down === (state.sort !== "change") ? "ascending" : "descending");
    });
    const pages = Math.max(1, Math.ceil(found.length / size));
    state.page = Math.min(state.page, pages - 1);
    const here = found.slice(state.page * size, (state.page + 1) * size);
    document.querySelector("#explorer tbody").replaceChildren(...here.map((r) => line(r, names)));
    byId("page").textContent = say("page", { page: state.page + 1, pages });
    byId("previous").disabled = state.page === 0;
    byId("next").disabled = state.page >= pages - 1;
  }

  const restart = () => { state.page = 0; draw(); };
  for (const id of ["system", "baseline", "which"]) byId(id).addEventListener("change", restart);
  byId("search").addEventListener("input", restart);
  byId("controls").addEventListener("submit", (event) => event.preventDefault());
  byId("previous").addEventListener("click", () => { state.page -= 1; draw(); });
  byId("next").addEventListener("click", () => { state.page += 1; draw(); });
  document.querySelectorAll("[data-sort]").forEach((button) => button.addEventListener("click", () => {
    state.down = state.sort === button.dataset.sort ? !state.down : true;
    state.sort = button.dataset.sort;
    restart();
  }));
  draw();
})();
