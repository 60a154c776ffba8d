/** A document that fits: whole lines only, and a word about what was left out. */
import { fenced } from "./markdown";

/** A run of lines that belong together. In a `fence` they are a block of code, which is closed wherever it ends. */
export interface Piece {
  lines: string[];
  fence?: string;
}

/** Room for the word about what was left out. */
const NOTE = 200;

/**
 * @param pieces what is cut at its end where all is too long
 * @param last what comes after that, and stays, as long as it takes no more than a quarter of the room
 * @param limit UTF-16 units: never fewer than the characters that a forge counts. Infinity: everything
 */
export function fit(pieces: Piece[], last: Piece[], limit: number): string {
  const whole = document([...pieces, ...last].map(render));
  if (whole.length <= limit) return whole;
  const end = last.map(render);
  const size = end.reduce((sum, piece) => sum + piece.length + 1, 0);
  if (size > limit / 4) return cut([...pieces, ...last], [], limit - NOTE);
  return cut(pieces, end, limit - NOTE - size);
}

const document = (pieces: string[]): string => `${pieces.join("\n")}\n`;

function cut(pieces: Piece[], end: string[], room: number): string {
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
  const note = `**Shortened: ${left.toLocaleString("en")} more ${left === 1 ? "line does" : "lines do"} not fit here.** The whole report: \`npx oslo-faas preview --whole\`.`;
  return document([...kept, "", note, ...end]);
}

function render({ lines, fence }: Piece): string {
  return (fence === undefined ? lines : fenced(lines, fence)).join("\n");
}

function fitting(piece: Piece, room: number): string[] {
  // What the fence itself takes, with the backticks that the longest run among all lines asks for.
  const around = piece.fence === undefined ? 0 : render(piece).length - piece.lines.join("\n").length;
  const lines: string[] = [];
  let used = around;
  for (const line of piece.lines) {
    used += line.length + 1;
    if (used > room) break;
    lines.push(line);
  }
  return lines;
}
