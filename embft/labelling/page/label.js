"use strict";
const at = (id) => document.getElementById(id);
const state = { words: {}, overview: null, tab: "judge", question: null, place: 0, chunk: null, results: [], chosen: 0, busy: false, traced: 0 };

function say(name, values = {}) {
  return (state.words[name] || name).replace(/\{(\w+)\}/g, (_, key) => values[key] ?? "");
}

function tell(text) {
  at("message").textContent = text;
  at("message").hidden = !text;
}

async function ask(name, given, post = false) {
  const query = post || !given ? "" : "?" + new URLSearchParams(given);
  const options = post ? { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(given || {}) } : {};
  let response;
  try {
    response = await fetch(name + query, options);
  } catch {
    throw new Error(say("gone"));
  }
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  if (answer.overview) state.overview = answer.overview;
  return post && answer.overview ? answer.said : answer;
}

// One key after the other: what is pressed while an answer is awaited waits for it, and is not lost.
let last = Promise.resolve();
function after(act) {
  last = last.then(act).catch((error) => tell(error.message));
  return last;
}

function showText(element, passage) {
  element.replaceChildren();
  const letters = Array.from(passage.text); // positions count characters, not UTF-16 units
  let end = 0;
  for (const [from, to] of passage.marks) {
    element.append(letters.slice(end, from).join(""));
    const mark = document.createElement("mark");
    mark.textContent = letters.slice(from, to).join("");
    element.append(mark);
    end = to;
  }
  element.append(letters.slice(end).join(""));
  element.scrollTop = 0;
}

function whence(passage) {
  return [passage.document, passage.page ? say("page", { page: passage.page }) : ""].filter(Boolean).join(", ");
}

function showProgress() {
  const name = state.tab === "judge" && state.overview.questions ? "progress" : "progressWrite";
  at("progress").textContent = say(name, state.overview);
}

function showJudge() {
  showProgress();
  const has = state.question !== null;
  at("no-questions").hidden = has;
  for (const id of ["question", "place", "passage", "grades"]) at(id).hidden = !has;
  at("judge").querySelector(".moves").hidden = !has;
  if (!has) return;
  const chunks = state.question.chunks;
  const passage = chunks[state.place];
  at("question").textContent = state.question.question;
  const values = { at: state.place + 1, count: chunks.length, question: state.question.at + 1, questions: state.overview.questions };
  at("place").textContent = passage ? [say("place", values), whence(passage)].filter(Boolean).join(" · ") : say("noneFound");
  at("passage").hidden = !passage;
  at("grades").hidden = !passage;
  if (!passage) return;
  showText(at("passage"), passage);
  at("grades").querySelectorAll("button").forEach((button, grade) => button.setAttribute("aria-pressed", passage.grade === grade));
}

async function openQuestion(number, place) {
  if (!state.overview.questions) {
    state.question = null;
    return showJudge();
  }
  const count = state.overview.questions;
  state.question = await ask("question", { at: ((number % count) + count) % count });
  const open = state.question.chunks.findIndex((chunk) => chunk.grade === null);
  state.place = place ?? (open < 0 ? 0 : open);
  showJudge();
}

async function goOn() {
  const open = state.question.chunks.findIndex((chunk) => chunk.grade === null);
  if (open >= 0) {
    const later = state.question.chunks.findIndex((chunk, place) => chunk.grade === null && place > state.place);
    state.place = later >= 0 ? later : open;
    return showJudge();
  }
  if (state.overview.done >= state.overview.questions) {
    showJudge();
    return tell(say("allDone", state.overview));
  }
  await openQuestion(state.overview.next);
}

async function grade(value) {
  const passage = state.question && state.question.chunks[state.place];
  if (!passage) return;
  await ask("judge", { at: state.question.at, chunk: passage.id, grade: value }, true);
  passage.grade = value;
  tell("");
  await goOn();
}

async function nothing() {
  if (!state.question) return;
  await ask("nothing", { at: state.question.at }, true);
  state.question = await ask("question", { at: state.question.at });
  tell("");
  if (state.question.chunks.length) return goOn();
  await openQuestion(state.question.at + 1);
}

async function undo() {
  const undone = await ask("undo", {}, true);
  tell(undone.undone ? say("undone", undone) : say("nothingUndone"));
  if (state.tab === "judge" && undone.at !== null) await openQuestion(undone.at);
  else if (state.tab === "write") await openChunk(state.chunk.at);
  else showJudge();
}

function step(by) {
  if (!state.question || !state.question.chunks.length) return;
  const count = state.question.chunks.length;
  state.place = (state.place + by + count) % count;
  showJudge();
}

function openSearch(open) {
  at("search").hidden = !open;
  if (!open) return at("passage").focus();
  at("search-text").value = "";
  state.results = [];
  showResults();
  at("search-text").focus();
}

function showResults() {
  at("results").replaceChildren(
    ...state.results.map((passage, place) => {
      const item = document.createElement("li");
      const button = document.createElement("button");
      button.setAttribute("aria-selected", place === state.chosen);
      showText(button, passage);
      button.addEventListener("click", () => after(() => take(place)));
      item.append(button);
      return item;
    }),
  );
}

async function searched() {
  const text = at("search-text").value;
  const results = text.trim() ? await ask("search", { at: state.question.at, text }) : [];
  if (text !== at("search-text").value) return;
  state.results = results;
  state.chosen = 0;
  showResults();
  tell(text.trim() && !state.results.length ? say("nothingFound") : "");
}

async function take(place) {
  const passage = state.results[place];
  if (!passage) return;
  await ask("pool", { at: state.question.at, chunk: passage.id }, true);
  await openQuestion(state.question.at);
  state.place = state.question.chunks.findIndex((chunk) => chunk.id === passage.id);
  showJudge();
  openSearch(false);
}

async function openChunk(number) {
  state.chunk = await ask("chunk", { at: Math.max(0, number) });
  showProgress();
  at("chunk-place").textContent = whence(state.chunk);
  showText(at("chunk"), state.chunk);
  at("written").replaceChildren(
    ...state.chunk.written.map((text) => {
      const item = document.createElement("li");
      item.textContent = text;
      return item;
    }),
  );
}

async function trace() {
  const text = at("own").value;
  if (!text.trim()) return void (at("trace").textContent = "");
  const found = await ask("trace", { chunk: state.chunk.id, text }, true);
  if (text !== at("own").value) return;
  const name = found.rank === null ? "traceNone" : found.rank === 1 ? "traceFirst" : "traceRank";
  at("trace").textContent = say(name, found);
}

// The field is emptied as the key is pressed, not when the answer comes: what is typed meanwhile is the next question.
function emptied() {
  const text = at("own").value;
  at("own").value = "";
  at("trace").textContent = "";
  at("own").focus();
  return text;
}

function save() {
  const chunk = state.chunk;
  const text = emptied();
  if (!text.trim()) return;
  after(async () => {
    try {
      await ask("write", { chunk: chunk.id, text }, true);
    } catch (error) {
      at("own").value = text + (at("own").value ? "\n" + at("own").value : "");
      throw error;
    }
    tell(say("saved"));
    await openChunk(chunk.at);
  });
}

function skip() {
  tell("");
  emptied();
  after(() => openChunk(state.chunk.at + 1));
}

async function openTab(name) {
  state.tab = name;
  for (const tab of ["judge", "write"]) {
    at(tab).hidden = tab !== name;
    at("tab-" + tab).setAttribute("aria-selected", tab === name);
  }
  tell("");
  if (name === "judge") return openQuestion(state.overview.next);
  await openChunk(state.chunk ? state.chunk.at : 0);
  at("own").focus();
}

function speak(language) {
  state.words = state.every[language];
  document.documentElement.lang = language;
  at("language").value = language;
  for (const element of document.querySelectorAll("[data-word]")) {
    const key = element.dataset.key;
    element.replaceChildren(...(key ? [Object.assign(document.createElement("kbd"), { textContent: key })] : []), say(element.dataset.word));
  }
  at("search-text").placeholder = say("searchHint");
  at("grades").replaceChildren(
    ...[0, 1, 2, 3].map((value) => {
      const button = document.createElement("button");
      button.append(Object.assign(document.createElement("kbd"), { textContent: value }), say("grade" + value));
      button.addEventListener("click", () => after(() => grade(value)));
      return button;
    }),
  );
}

function pressed(event) {
  if (event.isComposing) return; // an input method is choosing a character
  const typing = ["INPUT", "TEXTAREA", "SELECT"].includes(event.target.tagName);
  const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
  let act = null;
  if (state.tab === "write") {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) act = save;
    else if (event.altKey && event.code === "KeyN") act = skip;
    else if (event.altKey && event.code === "KeyU") act = undo;
    else if (event.altKey && event.code === "KeyJ") act = () => openTab("judge");
  } else if (event.altKey && event.code === "KeyW") act = () => openTab("write");
  else if (event.target === at("search-text")) {
    if (event.key === "Escape") act = () => openSearch(false);
    else if (event.key === "Enter") act = () => take(state.chosen);
    else if (["ArrowDown", "ArrowUp"].includes(event.key) && state.results.length) {
      state.chosen = (state.chosen + (event.key === "ArrowDown" ? 1 : -1) + state.results.length) % state.results.length;
      act = showResults;
    }
  } else if (!typing && plain) {
    act = {
      0: () => grade(0), 1: () => grade(1), 2: () => grade(2), 3: () => grade(3), x: nothing, u: undo,
      n: () => openQuestion(state.question.at + 1), p: () => openQuestion(state.question.at - 1),
      "/": () => openSearch(true), ArrowRight: () => step(1), ArrowLeft: () => step(-1),
    }[event.key];
  }
  if (!act) return;
  event.preventDefault();
  if (act === save || act === skip) act();
  else after(act);
}

function later(act, milliseconds) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(() => after(act), milliseconds);
  };
}

async function start() {
  state.every = await ask("words.json");
  speak(navigator.language.startsWith("zh") ? "zh" : "en");
  state.overview = await ask("overview");
  at("language").addEventListener("change", (event) => {
    speak(event.target.value);
    tell("");
    event.target.blur();
    state.tab === "judge" ? showJudge() : after(trace);
    showProgress();
  });
  const clicks = {
    "tab-judge": () => openTab("judge"), "tab-write": () => openTab("write"), nothing, undo, "undo-written": undo,
    next: () => openQuestion(state.question.at + 1), previous: () => openQuestion(state.question.at - 1), "open-search": () => openSearch(at("search").hidden),
  };
  for (const [id, act] of Object.entries(clicks)) at(id).addEventListener("click", () => after(act));
  at("save").addEventListener("click", save);
  at("skip").addEventListener("click", skip);
  at("own").addEventListener("input", later(trace, 250));
  at("search-text").addEventListener("input", later(searched, 200));
  document.addEventListener("keydown", pressed);
  await openTab(state.overview.questions ? "judge" : "write");
}

after(start);
