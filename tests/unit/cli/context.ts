import path from "node:path";
import type { Context } from "../../../cli/context";

/** This project, with no engine to be had. */
export const someContext = (more: Partial<Context> = {}): Context => ({
  name: "oslo-faas",
  root: path.resolve(__dirname, "../../.."),
  engine: () => Promise.reject(new Error("no engine is to be started here")),
  code: 0,
  ...more,
});
