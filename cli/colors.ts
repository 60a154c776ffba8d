import pc from "picocolors";

/** Colors for a terminal. Anything else, and anybody who sets NO_COLOR, gets plain text; picocolors alone would also color a CI log. */
export const colors = pc.createColors(Boolean(process.stdout.isTTY) && !process.env.NO_COLOR);
