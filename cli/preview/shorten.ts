/** Shortens a document to a limit: whole lines only, with a note about the rest. */
import { fenced } from "./markdown";

/** Lines that belong together. With `fence` they are a code block, which is closed wherever it is cut. */
export interface Piece {
  lines: string[];
  fence?: string;
}

/** Room for the note. */
const NOTE = 200;

/**
 * @param pieces are cut at their end if everything is too long
 * @param last follows, and stays as long as it takes at most a quarter of the room
 * @param limit in UTF-16 units, which are never fewer than the characters that GitHub counts
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
    // Nothing follows the first gap, so that the shown part is the beginning.
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
