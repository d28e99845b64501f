// Only runbooks have a page here: links to other documents become text.

import { scrollable } from "./pinwheel.js";

/** @type {NodeListOf<HTMLAnchorElement>} */
const links = document.querySelectorAll(".prose a");
for (const link of links) {
  const path = new URL(link.href).pathname;
  if (!/\/runbooks\/\w+$/.test(path)) link.replaceWith(document.createTextNode(link.textContent));
}
for (const table of document.querySelectorAll(".prose table")) {
  table.className = "data";
  const labels = [...table.querySelectorAll("th")].map((head) => head.textContent);
  for (const row of table.querySelectorAll("tbody tr"))
    for (const [n, cell] of [...row.children].entries()) cell.setAttribute("data-label", labels[n] ?? "");
}
for (const block of document.querySelectorAll(".prose pre")) scrollable(block);
