// The twin of a figure in numbers.

export function fillTable(table, { header, rows }) {
  table.replaceChildren(rowOf(header, "th"), ...rows.map((cells) => rowOf(cells, "td")));
}

function rowOf(cells, name) {
  const row = document.createElement("tr");
  for (const text of cells) {
    const cell = document.createElement(name);
    cell.textContent = text;
    row.append(cell);
  }
  return row;
}
