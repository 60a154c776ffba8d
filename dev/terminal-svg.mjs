/**
 * Draws a terminal's output as SVG, for the pictures in the README: node dev/terminal-svg.mjs "COMMAND" < output > picture.svg
 * Record the output with its colors: script -qec COMMAND /dev/null > output
 */
import { readFileSync } from "node:fs";

const [, , command = ""] = process.argv;
const COLORS = { 31: "#ff7b72", 32: "#7ee787", 33: "#e3b341", 36: "#79c0ff", 2: "#8b949e", 1: "#ffffff" };
const [CHAR, LINE, MARGIN] = [7.8, 19, 16];

const escape = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

/** One line of text with SGR codes, as tspans. */
function spans(line) {
  let color = "#e6edf3";
  return line
    .split(/(\x1b\[[\d;]*m)/) // eslint-disable-line no-control-regex -- a terminal's codes
    .map((part) => {
      const code = /^\x1b\[([\d;]*)m$/.exec(part)?.[1]; // eslint-disable-line no-control-regex -- as above
      if (code !== undefined) color = COLORS[code] ?? "#e6edf3";
      return code !== undefined || part === "" ? "" : `<tspan fill="${color}">${escape(part)}</tspan>`;
    })
    .join("");
}

const output = readFileSync(0, "utf8").replaceAll("\r", "").trimEnd().split("\n");
const lines = [`\x1b[2m$\x1b[0m \x1b[1m${command}\x1b[0m`, ...output];
const widest = Math.max(...lines.map((line) => line.replace(/\x1b\[[\d;]*m/g, "").length)); // eslint-disable-line no-control-regex -- as above
const [width, height] = [Math.ceil(widest * CHAR) + 2 * MARGIN, lines.length * LINE + 2 * MARGIN];
const rows = lines.map(
  (line, i) => `<text x="${MARGIN}" y="${MARGIN + 14 + i * LINE}" xml:space="preserve">${spans(line)}</text>`,
);
process.stdout
  .write(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"
  font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="13">
<rect width="100%" height="100%" rx="8" fill="#0d1117"/>
${rows.join("\n")}
</svg>
`);
