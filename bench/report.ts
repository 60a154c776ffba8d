/** What a benchmark returns: rows to print, and ratios to compare. */

export interface Row {
  name: string;
  /** Median of the runs, in `unit`. */
  median: number;
  min: number;
  max: number;
  unit: string;
  runs: number;
}

export interface Report {
  title: string;
  rows: Row[];
  /** What is compared: machines are noisy, so only ratios within one run mean something. */
  ratios: Record<string, number>;
  /** What was promised and not kept, one sentence each: then the command ends with 1. Default: nothing. */
  missed?: string[];
  /** What is shown below the table, such as a plot; not in the JSON. */
  text?: string;
}
