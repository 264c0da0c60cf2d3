"use strict";
(() => {
  const body = document.querySelector("#jobs tbody");
  const headings = [...document.querySelectorAll("#jobs thead th")];
  // Numbers by size, anything else by its letters; what is missing comes last either way.
  const key = (row, column) => {
    const cell = row.cells[column];
    const text = cell.dataset.key ?? cell.textContent;
    return text !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
  };
  const compare = (x, y) => (typeof x === typeof y ? (x < y ? -1 : x > y ? 1 : 0) : typeof x === "number" ? -1 : 1);
  headings.forEach((heading, column) => heading.querySelector("button").addEventListener("click", () => {
    const down = heading.getAttribute("aria-sort") !== "descending";
    headings.forEach((other) => other.removeAttribute("aria-sort"));
    heading.setAttribute("aria-sort", down ? "descending" : "ascending");
    const rows = [...body.rows].sort((a, b) => {
      const x = key(a, column), y = key(b, column);
      if (x === "" || y === "") return x === y ? 0 : x === "" ? 1 : -1;
      return compare(x, y) * (down ? -1 : 1);
    });
    body.replaceChildren(...rows);
  }));
})();
