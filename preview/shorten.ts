/** A document that fits: whole lines only, and a word about what was left out. */

/** A run of lines that belong together. In a `fence` they are a block of code, which is closed wherever it ends. */
export interface Piece {
  lines: string[];
  fence?: string;
}

const NOTE = 200;

/** @param limit characters, as the forge counts them */
export function fit(pieces: Piece[], limit: number): string {
  const whole = pieces.map(render).join("\n");
  if (whole.length + 1 <= limit) return `${whole}\n`;
  const room = limit - NOTE;
  const kept: string[] = [];
  let used = 0;
  let left = 0;
  for (const piece of pieces) {
    const all = render(piece);
    if (left === 0 && used + all.length + 1 <= room) {
      kept.push(all);
      used += all.length + 1;
      continue;
    }
    // Nothing after the first gap, so that what is there can be read as what comes first.
    const lines = left === 0 ? fitting(piece, room - used) : [];
    if (lines.length > 0) kept.push(render({ ...piece, lines }));
    left += piece.lines.length - lines.length;
  }
  const note = `**Shortened: ${left.toLocaleString("en")} more lines do not fit here.** The whole report: \`npm run preview:pr\`.`;
  return `${kept.join("\n")}\n\n${note}\n`;
}

function render({ lines, fence }: Piece): string {
  if (fence === undefined) return lines.join("\n");
  const marks = fenceFor(lines);
  return [`${marks}${fence}`, ...lines, marks].join("\n");
}

/** Longer than any run of backticks inside. */
function fenceFor(lines: string[]): string {
  const longest = Math.max(2, ...lines.flatMap((line) => (line.match(/`+/g) ?? []).map((run) => run.length)));
  return "`".repeat(longest + 1);
}

function fitting(piece: Piece, room: number): string[] {
  const overhead = piece.fence === undefined ? 0 : 2 * fenceFor(piece.lines).length + piece.fence.length + 2;
  const lines: string[] = [];
  let used = overhead;
  for (const line of piece.lines) {
    used += line.length + 1;
    if (used > room) break;
    lines.push(line);
  }
  return lines;
}
