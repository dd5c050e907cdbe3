"use strict";

// Tables: sort by a click on a heading, filter by words, copy what is shown as LaTeX.

const LATEX = {
  "\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "±": "$\\pm$", "–": "--",
  "−": "$-$", "×": "$\\times$", "↑": "$\\uparrow$", "↓": "$\\downarrow$",
};

function latex(text) {
  return text.trim().replace(/[\\~^±–−×↑↓]|[_%&#${}]/g, (c) => LATEX[c] ?? "\\" + c);
}

function tableAsLatex(table) {
  const line = (row) => [...row.cells].map((cell) => {
    const text = latex(cell.textContent);
    return cell.querySelector("b") ? `\\textbf{${text}}` : text;
  }).join(" & ") + " \\\\";
  const rows = [...table.tBodies[0].rows].filter((row) => !row.hidden);
  const columns = "l".repeat(2) + "r".repeat(table.tHead.rows[0].cells.length - 2);
  return [
    "% \\usepackage{booktabs}", `\\begin{tabular}{${columns}}`, "\\toprule", line(table.tHead.rows[0]), "\\midrule",
    ...rows.map(line), "\\bottomrule", "\\end{tabular}", "",
  ].join("\n");
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch { // a page from disk may not be allowed to
    const area = Object.assign(document.createElement("textarea"), { value: text });
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}

function sortBy(table, column, heading) {
  const descending = heading.getAttribute("aria-sort") === "ascending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
  const key = (row) => {
    const text = row.cells[column].textContent.trim();
    const value = parseFloat(text.replace(/,/g, "").replace("−", "-"));
    return [text, /^[+−-]?[\d.]/.test(text) ? value : NaN];
  };
  const rows = [...table.tBodies[0].rows].map((row) => [row, ...key(row)]);
  const numeric = rows.some(([, , value]) => !isNaN(value));
  const sign = descending ? -1 : 1;
  rows.sort(([, x, p], [, y, q]) => {
    if (!numeric) return sign * x.localeCompare(y);
    if (isNaN(p) || isNaN(q)) return isNaN(p) - isNaN(q); // what has no number stays last
    return sign * (p - q);
  });
  table.tBodies[0].append(...rows.map(([row]) => row));
}

function filterBy(table, words, said) {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  const rows = [...table.tBodies[0].rows];
  for (const row of rows) row.hidden = !wanted.every((word) => row.textContent.toLowerCase().includes(word));
  said.textContent = wanted.length ? `${rows.filter((row) => !row.hidden).length} of ${rows.length} rows` : "";
}

function element(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

for (const holder of document.querySelectorAll(".table")) {
  const table = holder.querySelector("table");
  const said = element("output", {});
  const button = element("button", { type: "button" }, "Copy LaTeX");
  button.addEventListener("click", async () => {
    await copy(tableAsLatex(table));
    said.textContent = "copied";
  });
  const tools = element("div", { className: "tools" });
  if (table.tBodies[0].rows.length > 5) {
    const input = element("input", { type: "search", placeholder: "filter rows, e.g. modl" });
    input.setAttribute("aria-label", `Filter rows: ${holder.dataset.name}`);
    input.addEventListener("input", () => filterBy(table, input.value, said));
    tools.append(input);
  }
  tools.append(button, said);
  holder.prepend(tools);
  [...table.tHead.rows[0].cells].forEach((heading, column) => {
    const sorter = element("button", { type: "button" }, ...heading.childNodes);
    sorter.addEventListener("click", () => sortBy(table, column, heading));
    heading.replaceChildren(sorter);
  });
}

// Provenance: a link to a closed element opens it.

function plain(text) { // of a link that may have been cut
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function openTarget() {
  const target = document.getElementById(plain(location.hash.slice(1)));
  for (let part = target; part; part = part.parentElement) if (part.tagName === "DETAILS") part.open = true;
  if (target) target.scrollIntoView();
}
addEventListener("hashchange", openTarget);
if (location.hash) openTarget();

addEventListener("beforeprint", () => {
  for (const part of document.querySelectorAll("section details:not(.provenance, .provenance details)")) part.open = true;
});
