/** One reason to refuse a host. */
export interface Finding {
  /** What was looked at: "virtualization", "port 80". */
  what: string;
  found: string;
  wanted: string;
  remedy: string;
}

export const refuseIf = (refused: boolean, finding: Finding): Finding[] => (refused ? [finding] : []);
