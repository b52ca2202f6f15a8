import assert from "node:assert/strict";

export type Align = "left" | "right";

export interface Column {
  name: string;
  align: Align;
}

export function pad(text: string, width: number, align: Align = "left"): string {
  return align === "left" ? text.padEnd(width) : text.padStart(width);
}

export function parseCsvLine(line: string, separator: string = ","): string[] {
  const cells: string[] = [];
  let cell = "";
  let quoted = false;
  for (let index = 0; index < line.length; index++) {
    const char = line[index];
    if (quoted && char === '"' && line[index + 1] === '"') {
      cell += '"';
      index++;
    } else if (char === '"') {
      quoted = !quoted;
    } else if (char === separator && !quoted) {
      cells.push(cell);
      cell = "";
    } else {
      cell += char;
    }
  }
  cells.push(cell);
  return cells;
}

export function columnWidths(rows: string[][]): number[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, index) => {
      widths[index] = Math.max(widths[index] ?? 0, cell.length);
    });
  }
  return widths;
}

export function renderTable(columns: Column[], rows: string[][]): string {
  const header = columns.map((column) => column.name);
  const widths = columnWidths([header, ...rows]);
  const lines = [header, ...rows].map((row) =>
    row.map((cell, index) => pad(cell, widths[index], columns[index].align)).join(" | ").trimEnd(),
  );
  return lines.join("\n");
}

export function repeatWord(word, count, separator) {
  return Array(count).fill(word).join(separator);
}

export function sumColumn(rows, index) {
  let sum = 0;
  for (const row of rows) {
    sum += Number(row[index]);
  }
  return sum;
}

function selfTest(): void {
  assert.equal(pad("a", 3), "a  ");
  assert.equal(pad("a", 3, "right"), "  a");
  assert.deepEqual(parseCsvLine('a,"b ""c"", d",'), ["a", 'b "c", d', ""]);
  assert.deepEqual(columnWidths([["a", "bbb"], ["cc", "d"]]), [2, 3]);
  const columns: Column[] = [
    { name: "name", align: "left" },
    { name: "n", align: "right" },
  ];
  assert.equal(renderTable(columns, [["tea", "12"]]), "name |  n\ntea  | 12");
  assert.equal(repeatWord("ab", 3, "-"), "ab-ab-ab");
  assert.equal(sumColumn([["a", "1"], ["b", "2.5"]], 1), 3.5);
}

selfTest();
