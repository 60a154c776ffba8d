/** Lines over time: as text for a terminal, as SVG to keep. */

export interface Series {
  name: string;
  unit: string;
  /** [seconds, value], in order. */
  points: [number, number][];
}

const HEIGHT = 8;
const WIDTH = 72;

/** One block of bars per series, its largest value beside the top line. */
export function textPlot(series: Series[]): string {
  return series.map(textOf).join("\n");
}

function textOf({ name, unit, points }: Series): string {
  const last = points.at(-1)?.[0] ?? 0;
  const bars = columns(points, last);
  const top = Math.max(...bars, 1e-9);
  const lines = Array.from({ length: HEIGHT }, (_, row) => {
    const floor = ((HEIGHT - 1 - row) / HEIGHT) * top;
    const line = bars.map((value) => cell((value - floor) / (top / HEIGHT))).join("");
    const label = row === 0 ? top.toFixed(0) : row === HEIGHT - 1 ? "0" : "";
    return `${label.padStart(6)} |${line.trimEnd()}`;
  });
  const axis = `${" ".repeat(7)}+${"-".repeat(bars.length)} ${last.toFixed(1)} s`;
  return [`${name} (${unit})`, ...lines, axis, ""].join("\n");
}

const cell = (filled: number) =>
  filled <= 0 ? " " : (" ▁▂▃▄▅▆▇█"[Math.min(8, Math.ceil(filled * 8))] ?? "█");

/** The largest value of each column's time; the one before where there was no sample. */
function columns(points: [number, number][], last: number): number[] {
  const bars: number[] = [];
  for (let i = 0; i < WIDTH; i++) {
    const [from, to] = [(i / WIDTH) * last, ((i + 1) / WIDTH) * last];
    const inside = points
      .filter(([at]) => at >= from && (at < to || i === WIDTH - 1))
      .map(([, value]) => value);
    bars.push(inside.length > 0 ? Math.max(...inside) : (bars.at(-1) ?? 0));
  }
  return bars;
}

const COLOURS = ["#1f5fa8", "#b4541a", "#2c7a3f"];

/** Every series has a scale of its own: what they share is the time. */
export function svgPlot(title: string, series: Series[]): string {
  const [width, height, left, top] = [760, 300, 20, 48];
  const last = Math.max(...series.map(({ points }) => points.at(-1)?.[0] ?? 0), 1e-9);
  const drawn = series.map(({ name, unit, points }, i) => {
    const largest = Math.max(...points.map(([, value]) => value), 1e-9);
    const path = points
      .map(([at, value]) => {
        const x = left + (at / last) * (width - 2 * left);
        const y = height - 28 - (value / largest) * (height - 28 - top);
        return `${x.toFixed(1)},${y.toFixed(1)}`;
      })
      .join(" ");
    const colour = COLOURS[i % COLOURS.length];
    const legend = `${name}, largest ${largest.toFixed(0)} ${unit}`;
    return [
      `<polyline fill="none" stroke="${colour}" stroke-width="1.5" points="${path}"/>`,
      `<text x="${left + i * 250}" y="40" fill="${colour}">${escape(legend)}</text>`,
    ].join("\n");
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif" font-size="13">`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    `<text x="${left}" y="20" font-weight="bold">${escape(title)}</text>`,
    ...drawn,
    `<line x1="${left}" y1="${height - 28}" x2="${width - left}" y2="${height - 28}" stroke="#444"/>`,
    `<text x="${left}" y="${height - 10}">0 s</text>`,
    `<text x="${width - left}" y="${height - 10}" text-anchor="end">${last.toFixed(1)} s</text>`,
    "</svg>",
    "",
  ].join("\n");
}

const escape = (text: string) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
