"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  // A sentence of the page with its values; none of them is looked into for places again.
  const say = (name, values = {}) => data.words[name].replace(/\{(\w+)\}/g, (_, place) => String(values[place]));
  const byId = (id) => document.getElementById(id);
  const body = document.querySelector("#jobs tbody");
  const rows = [...body.rows]; // in the order of data.jobs
  const filters = new Map(); // what each control or plot keeps: (place of a job) => boolean
  let shown = data.jobs.map(() => true);

  // As in the rest of the page: .741, +4.2, p=0.013.
  const figure = (value) => value.toFixed(3).replace(/^(-?)0\./, "$1.");
  const points = (value) => { const rounded = (100 * value).toFixed(1); return Number(rounded) === 0 ? "+0.0" : (value > 0 ? "+" : "") + rounded; };
  const pValue = (p) => (p < 0.001 ? "p<0.001" : `p=${p.toFixed(3)}`);
  const unset = say("default");
  const orDefault = (value) => value || unset;
  const numeric = (text) => (text.trim() === "" || !Number.isFinite(Number(text)) ? null : Number(text));

  // The settings: each with its values in order, as numbers where all of them are.
  const settings = data.settings.map(([key, name], at) => {
    const values = data.jobs.map((job) => job.settings[at]);
    const numbers = values.every((value) => numeric(value) !== null);
    const distinct = [...new Set(values)].sort((a, b) => (numbers ? numeric(a) - numeric(b) : a < b ? -1 : a > b ? 1 : 0));
    return { key, name, values, numbers, distinct };
  });

  // Jobs that are kept by all filters: in the table, and strong in the plots.
  const redraws = [];
  let waiting = false;
  function apply() {
    const tests = [...filters.values()];
    shown = data.jobs.map((_, place) => tests.every((keeps) => keeps(place)));
    rows.forEach((row, place) => { row.hidden = !shown[place]; });
    byId("count").textContent = say("count", { shown: shown.filter(Boolean).length, jobs: data.jobs.length });
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; redraws.forEach((redraw) => redraw()); });
  }
  const keep = (name, test) => { if (test) filters.set(name, test); else filters.delete(name); apply(); };

  // Search: every word stands in the row, or names a setting's value: epochs=3.
  const texts = rows.map((row) => [...row.cells].slice(0, 2 + settings.length).map((cell) => cell.textContent).join(" ").toLowerCase());
  const pairsOf = data.jobs.map((job) => new Set(settings.flatMap(({ key, name }, at) => [key, name].map((each) => `${each}=${job.settings[at]}`.toLowerCase()))));
  byId("search").addEventListener("input", (event) => {
    const words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
    keep("search", words.length && ((place) => words.every((word) => pairsOf[place].has(word) || texts[place].includes(word))));
  });

  // A list of a setting's values, or its lowest and highest one.
  const labelled = (text, ...controls) => {
    const label = document.createElement("label");
    label.append(text.length > 40 ? `${text.slice(0, 39)}…` : text, ...controls);
    label.title = text;
    byId("clear").before(label);
  };
  settings.forEach(({ name, values, numbers, distinct }) => {
    if (distinct.length <= 20) {
      const select = document.createElement("select");
      select.setAttribute("aria-label", name);
      select.add(new Option(say("any"), ""));
      distinct.forEach((value, at) => select.add(new Option(orDefault(value), at)));
      select.addEventListener("change", () => keep(`value ${name}`, select.value !== "" && ((place) => values[place] === distinct[select.value])));
      labelled(name, select);
    } else if (numbers) {
      const ends = [say("from"), say("to")].map((end) => {
        const input = document.createElement("input");
        Object.assign(input, { type: "number", step: "any", placeholder: end });
        input.setAttribute("aria-label", `${name} ${end}`);
        return input;
      });
      const [low, high] = ends;
      const read = () => keep(`value ${name}`, (low.value || high.value) && ((place) =>
        (low.value === "" || numeric(values[place]) >= Number(low.value)) && (high.value === "" || numeric(values[place]) <= Number(high.value))));
      ends.forEach((input) => input.addEventListener("input", read));
      labelled(name, ...ends);
    }
  });
  byId("clear").addEventListener("click", () => {
    filters.clear();
    byId("filters").querySelectorAll("input, select").forEach((control) => { control.value = ""; });
    document.dispatchEvent(new Event("unbrush"));
    apply();
  });

  // Sorting: numbers by size, anything else by its letters; what is missing comes last either way.
  const headings = [...document.querySelectorAll("#jobs thead th")];
  const key = (row, column) => {
    const cell = row.cells[column];
    const text = cell.dataset.key ?? cell.textContent;
    return numeric(text) ?? text;
  };
  const compare = (x, y) => (typeof x === typeof y ? (x < y ? -1 : x > y ? 1 : 0) : typeof x === "number" ? -1 : 1);
  headings.forEach((heading, column) => heading.querySelector("button").addEventListener("click", () => {
    const down = heading.getAttribute("aria-sort") !== "descending";
    headings.forEach((other) => other.removeAttribute("aria-sort"));
    heading.setAttribute("aria-sort", down ? "descending" : "ascending");
    body.replaceChildren(...[...body.rows].sort((a, b) => {
      const x = key(a, column), y = key(b, column);
      if (x === "" || y === "") return x === y ? 0 : x === "" ? 1 : -1;
      return compare(x, y) * (down ? -1 : 1);
    }));
  }));

  // Two jobs, question by question: worked out when the page was written, as intervals need what questions share.
  function difference(first, second) {
    for (const { jobs, delta, half, p } of data.paired) {
      const [a, b] = [jobs.indexOf(first), jobs.indexOf(second)];
      if (a < 0 || b < 0 || a === b) continue;
      const [i, j] = a < b ? [a, b] : [b, a];
      const at = i * jobs.length - (i * (i + 1)) / 2 + (j - i - 1);
      const value = (a < b ? 1 : -1) * delta[at];
      return { delta: value, low: Math.max(-1, value - half[at]), high: Math.min(1, value + half[at]), p: p[at] };
    }
    return null;
  }
  // Holm, "A simple sequentially rejective multiple test procedure", 1979; as in embft.evaluation.multiple.
  function holm(values) {
    const order = values.map((_, at) => at).sort((a, b) => values[a] - values[b]);
    const adjusted = [];
    let highest = 0;
    order.forEach((at, place) => { adjusted[at] = highest = Math.max(highest, Math.min(1, (values.length - place) * values[at])); });
    return adjusted;
  }
  const ends = ({ low, high }) => `[${points(low)}, ${points(high)}]`;
  function pair() {
    const [first, second] = ["first", "second"].map((id) => Number(byId(id).value));
    const found = data.jobs.map((_, place) => difference(place, second));
    const places = data.jobs.map((_, place) => place).filter((place) => found[place]);
    holm(places.map((place) => found[place].p)).forEach((p, at) => { found[places[at]].holm = p; });
    byId("against").textContent = say("against", { system: data.system, job: data.jobs[second].name });
    rows.forEach((row, place) => {
      const cell = row.querySelector(".against"), each = found[place];
      cell.dataset.key = each ? each.delta : "";
      cell.replaceChildren(each ? points(each.delta) : place === second ? "–" : "");
      for (const text of each ? [ends(each), pValue(each.holm)] : []) {
        const small = document.createElement("span");
        small.className = "ci";
        small.textContent = text;
        cell.append(small);
      }
    });
    const chosen = found[first];
    byId("difference").textContent = first === second ? say("same") : !chosen ? say("unpaired") : say("difference", {
      first: data.jobs[first].name, second: data.jobs[second].name, metric: data.metric, system: data.system,
      delta: points(chosen.delta), ends: ends(chosen), p: pValue(chosen.p),
      adjusted: places.length > 1 ? say("adjusted", { p: pValue(chosen.holm), jobs: places.length, second: data.jobs[second].name }) : "",
    });
  }
  if (byId("pair")) {
    const places = data.paired.flatMap(({ jobs }) => jobs).sort((a, b) => a - b);
    for (const id of ["first", "second"]) {
      places.forEach((place) => byId(id).add(new Option(data.jobs[place].name, place)));
      byId(id).addEventListener("change", pair);
    }
    const second = places.includes(data.against) ? data.against : places[0];
    byId("second").value = second;
    byId("first").value = places.includes(data.best) && data.best !== second ? data.best : places.find((place) => place !== second);
    pair();
  }

  // Plots, drawn by Vega-Lite. Its expressions are interpreted, not compiled, so the page's policy can forbid eval; colours are
  // the page's own, so they follow light and dark. Whatever a job or a setting is called is data: no field, no expression.
  if (!window.vegaEmbed) return;
  const ink = { labelColor: "var(--soft)", titleColor: "var(--ink)", gridColor: "var(--line)", domainColor: "var(--line)", tickColor: "var(--line)" };
  // No expression for each mark that a field can stand for: interpreted ones take time. The table says to screen readers what plots show.
  const inEnglish = document.documentElement.lang === "en";
  const config = { background: null, font: "system-ui, sans-serif", view: { stroke: null }, mark: { invalid: null, aria: false }, axis: { ...ink, labelFontSize: 11, titleFontSize: 12, titleFontWeight: "normal", labelLimit: 110, titleLimit: 260 } };
  const brush = { name: "brush", select: { type: "interval", mark: { fill: "var(--soft)", fillOpacity: 0.15, stroke: "var(--soft)" } } };
  const as = (field, type = "nominal") => ({ field, type, scale: null });
  const link = { href: as("href"), tooltip: { field: "tip", type: "nominal" } };
  const split = () => byId("split").value;
  const about = { metric: data.metric, system: data.system };
  const isNumber = (value) => typeof value === "number";
  // From this ratio of largest to smallest, an axis is logarithmic.
  const isLog = (values) => Math.min(...values) > 0 && Math.max(...values) / Math.min(...values) > 30;
  const whiskers = data.jobs.length <= 40; // of more, they hide the points
  const extent = (values) => [Math.min(...values), Math.max(...values)];
  const word = (ends) => (ends ? `${figure(ends[0])} [${figure(ends[1])}, ${figure(ends[2])}]` : say("none"));

  const tips = data.jobs.map((job) => [say("job", { job: job.name }), ...settings.map(({ name }, at) => `${name}: ${orDefault(job.settings[at])}`),
    say("onDev", { figure: word(job.dev) }), say("onTest", { figure: word(job.test) })].join("\n"));

  // What all plots show of a job: the best one drawn last, so that it lies on top.
  function marks(make) {
    const places = data.jobs.map((_, place) => place).sort((a, b) => shown[a] - shown[b] || (a === data.best) - (b === data.best));
    return places.flatMap((place) => {
      const job = data.jobs[place];
      const best = place === data.best, on = shown[place];
      const common = { place, href: job.href ?? undefined, tip: tips[place], colour: best ? "var(--good-edge)" : "var(--accent)", on, best, whisker: whiskers && on };
      return make(job, place).map((own) => ({ ...common, ...own }));
    });
  }

  // A plot in its figure, which filters by what is brushed in it and is drawn anew when the filters change.
  function plot(parent, title, view) {
    const box = document.createElement("div"), caption = document.createElement("figcaption");
    box.className = "plot";
    caption.textContent = title;
    parent.append(caption, box);
    let drawn = null, turn = 0;
    async function draw() {
      const mine = ++turn;
      drawn?.finalize();
      drawn = null;
      filters.delete(box);
      const { spec, values, keeps } = view();
      const made = await vegaEmbed(box, { ...spec, description: title, config, data: { name: "jobs", values: values() } },
        { mode: "vega-lite", renderer: "svg", ast: true, actions: false, defaultStyle: false, tooltip: { disableDefaultStyle: true } });
      if (mine !== turn) return made.finalize();
      drawn = made;
      if (!inEnglish) { // in which alone Vega says what a plot and its axes are
        box.removeAttribute("aria-roledescription");
        box.querySelector("svg").setAttribute("aria-hidden", "true");
      }
      made.view.addSignalListener("brush", (_, ranges) => keep(box, Object.keys(ranges).length > 0 && ((place) => keeps(place, ranges))));
      drawn.values = values;
    }
    redraws.push(() => drawn?.view.data("jobs", drawn.values()).runAsync());
    document.addEventListener("unbrush", draw);
    byId("split")?.addEventListener("change", async () => { await draw(); apply(); });
    return draw();
  }
  const within = (value, range) => range === undefined || (isNumber(value) ? value >= range[0] && value <= range[1] : range.includes(value));

  // A figure over something: points with intervals. x gives a job's place, a number or a word; words: their order.
  const scatter = (x, axis, words) => () => {
    const y = (job) => job[split()];
    const value = (place) => x(data.jobs[place], place);
    const numbers = data.jobs.map(x).filter(isNumber), heights = data.jobs.filter(y).flatMap((job) => (whiskers ? y(job) : [y(job)[0]]));
    const across = words ? { field: "x", type: "ordinal", scale: { domain: words }, axis: { title: axis, grid: false, labelAngle: words.join("").length > 24 ? -40 : 0 } }
      : { field: "x", type: "quantitative", scale: isLog(numbers) ? { type: "log", domain: extent(numbers) } : { domain: extent(numbers), nice: 4 }, axis: { title: axis, tickCount: 4, grid: false } };
    const up = { field: "y", type: "quantitative", scale: { domain: extent(heights), nice: 4 }, axis: { title: split() === "dev" ? say("byDev", about) : say("byTest", about), tickCount: 4 } };
    const place = { x: across, ...(words ? { xOffset: { field: "jitter", type: "quantitative", scale: { domain: [-1, 2] } } } : {}) };
    return {
      values: () => marks((job, at) => (y(job) && x(job, at) !== null ? [{ x: x(job, at), y: y(job)[0], low: y(job)[1], high: y(job)[2], jitter: (at * 0.618) % 1,
        opacity: shown[at] ? 0.85 : 0.1, size: at === data.best ? 110 : 45 }] : [])),
      keeps: (at, ranges) => Boolean(y(data.jobs[at])) && value(at) !== null && within(value(at), ranges.x) && within(y(data.jobs[at])[0], ranges.y),
      spec: {
        width: "container", height: 190, autosize: { type: "fit", contains: "padding" },
        layer: [
          { transform: [{ filter: "datum.whisker" }], mark: { type: "rule", strokeWidth: 2, clip: true }, encoding: { ...place, y: { ...up, field: "low" }, y2: { field: "high" }, stroke: as("colour"), opacity: { value: 0.35 } } },
          { params: [brush], mark: { type: "circle" }, encoding: { ...place, y: up, color: as("colour"), opacity: as("opacity", "quantitative"), size: as("size", "quantitative"), ...link } },
        ],
      },
    };
  };

  // Parallel coordinates: a line for each job through its settings to its figures (Inselberg, "The plane with parallel
  // coordinates", The Visual Computer 1, 1985).
  const lines = () => {
    const figures = [["dev", say("devFigure")], ["test", say("testFigure")]].map(([part, name]) => ({ name, values: data.jobs.map((job) => job[part]?.[0] ?? null), numbers: true }));
    const axes = [...settings.slice(0, 10), ...figures].map(({ name, values, numbers, distinct }) => {
      const sorted = distinct ?? [...new Set(values.filter(isNumber))].sort((a, b) => a - b);
      const ends = sorted.map(Number), log = numbers && isLog(ends);
      const scaled = (value) => (log ? Math.log(value) : Number(value));
      const [low, high] = [scaled(ends[0]), scaled(ends[ends.length - 1])];
      const share = (value) => (value === null ? null : sorted.length < 2 ? 0.5 : numbers ? (scaled(value) - low) / (high - low) : sorted.indexOf(value) / (sorted.length - 1));
      const ticks = [];
      for (const value of [...sorted.slice(0, 1), ...sorted.slice(-1), ...sorted.slice(1, -1)]) {
        if (ticks.every((tick) => Math.abs(tick.share - share(value)) > 0.07)) ticks.push({ axis: name, share: share(value), label: isNumber(value) ? figure(value) : orDefault(value) });
      }
      return { name, share: values.map(share), ticks };
    });
    const names = axes.map(({ name }) => name);
    const x = { field: "axis", type: "ordinal", scale: { domain: names, padding: 0.4 }, axis: { orient: "top", title: null, labelAngle: 0, labelFontWeight: "bold", labelColor: "var(--ink)", ticks: false, domain: false, labelPadding: 12 } };
    const y = { field: "share", type: "quantitative", scale: { domain: [0, 1] }, axis: null };
    const tick = { data: { values: axes.flatMap(({ ticks }) => ticks) }, encoding: { x, y, text: { field: "label" } } };
    const mark = { type: "text", fontSize: 11, limit: 110, fill: "var(--ink)" };
    return {
      values: () => marks((job, place) => (job.test ? axes.filter(({ share }) => share[place] !== null).map(({ name, share }) => ({ axis: name, share: share[place],
        opacity: shown[place] ? (place === data.best ? 1 : 0.4) : 0.05, width: place === data.best ? 4 : 1.5 })) : [])),
      keeps: (place, ranges) => axes.every(({ name, share }) => !ranges.axis?.includes(name) || (share[place] !== null && within(share[place], ranges.share))),
      spec: {
        width: Math.max(byId("panels").clientWidth - 20, 105 * names.length), height: 280,
        layer: [
          { data: { values: names.map((axis) => ({ axis })) }, mark: { type: "rule", stroke: "var(--soft)" }, encoding: { x } },
          { params: [brush], mark: { type: "line" }, encoding: { x, y, detail: { field: "place" }, stroke: as("colour"), opacity: as("opacity", "quantitative"), strokeWidth: as("width", "quantitative"), ...link } },
          { ...tick, mark: { ...mark, stroke: "var(--paper)", strokeWidth: 4, strokeJoin: "round", tooltip: null } }, { ...tick, mark: { ...mark, tooltip: null } },
        ],
      },
    };
  };

  const panel = () => byId("panels").appendChild(document.createElement("figure"));
  const plots = settings.slice(0, 10).map(({ name, values, numbers, distinct }) => [panel(), name, numbers && distinct.length > 8
    ? scatter((_, place) => numeric(values[place]), null) : scatter((_, place) => orDefault(values[place]), null, distinct.map(orDefault))]);
  plots.push([panel(), say("devAgainstTest"), scatter((job) => job.test?.[0] ?? null, say("test"))]);
  plots.push([panel(), say("cost"), scatter((job) => job.cost, say("seconds"))]);
  if (settings.length) plots.push([byId("parallel"), say("parallel"), lines]);
  Promise.all(plots.map(([parent, title, view]) => plot(parent, title, view))).then(() => { document.body.dataset.drawn = Math.round(performance.now()); });
})();
