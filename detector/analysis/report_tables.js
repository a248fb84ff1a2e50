// Tables: each heading with data-sort sorts its column, by mouse and keyboard; what is read aloud says how.

const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

/** The value of a cell by which it is sorted: a number, or its text. */
function sortValue(cell, kind) {
  const text = cell.dataset.v ?? cell.textContent;
  if (kind === "t") return text;
  const number = Number.parseFloat(text);
  return Number.isNaN(number) ? Number.NEGATIVE_INFINITY : number;
}

/** Sort a table by one heading: text from A, numbers from the largest; the other way round where it was so. */
function sortBy(table, heading) {
  const kind = heading.dataset.sort;
  const first = kind === "n" ? "descending" : "ascending";
  const other = first === "ascending" ? "descending" : "ascending";
  const order = heading.getAttribute("aria-sort") === first ? other : first;
  for (const each of heading.parentElement.children) each.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", order);
  const body = table.tBodies[0];
  const sign = order === "ascending" ? 1 : -1;
  const rows = [...body.rows].map((row) => [sortValue(row.cells[heading.cellIndex], kind), row]);
  const compare = kind === "t" ? collator.compare : (a, b) => a - b;
  rows.sort((a, b) => sign * compare(a[0], b[0]));
  body.append(...rows.map(([, row]) => row));
}

for (const table of document.querySelectorAll("table.sortable")) {
  for (const heading of table.querySelectorAll("th[data-sort]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    button.addEventListener("click", () => sortBy(table, heading));
    heading.append(button);
  }
}
