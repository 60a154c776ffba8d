import type { StackFunction } from "./stack";

/** A function and the file that it stands in, relative to the project. */
export type FunctionOfFile = StackFunction & { file: string };
