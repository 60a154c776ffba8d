/**
 * `${NAME}` and its relatives in a stack.yml, as faas-cli substitutes them before it reads the YAML (the rules of
 * github.com/drone/envsubst). Two things differ, so that nothing goes wrong in silence: a variable without a value and without a
 * default is an error, not an empty text; and what envsubst reads otherwise than a shell does is refused.
 */

export interface Substituted {
  text: string;
  /** One line each, "LINE: what is wrong". */
  problems: { line: number; text: string }[];
}

type Variables = Record<string, string | undefined>;

const NAME = /^[\p{L}\p{Nd}_]+/u;

/** Never throws: what is wrong is in `problems`. */
export function substitute(source: string, variables: Variables): Substituted {
  const reader = new Reader(source, variables);
  return { text: reader.all(), problems: reader.problems };
}

class Reader {
  readonly problems: Substituted["problems"] = [];
  private at = 0;
  /** Where a variable would only have stood for an unused default, nothing is missing. */
  private idle = 0;

  constructor(
    private readonly source: string,
    private readonly variables: Variables,
  ) {}

  all(): string {
    let text = "";
    while (this.at < this.source.length) {
      const [one, two] = [this.source[this.at]!, this.source.slice(this.at, this.at + 2)];
      if (two === "${") text += this.expression();
      else {
        // `$$` is a dollar sign, `\\` a backslash and `\/` a slash.
        const escaped = two === "$$" || two === "\\\\" || two === "\\/";
        text += escaped ? two[1]! : one;
        this.at += escaped ? 2 : 1;
      }
    }
    return text;
  }

  /** At "${". Stands behind the closing brace afterwards, or at the end of the line where there is none. */
  private expression(): string {
    const start = this.at;
    this.at += 2;
    const length = this.source[this.at] === "#";
    if (length) this.at++;
    const name = NAME.exec(this.source.slice(this.at, this.at + 256))?.[0];
    if (!name) return this.broken(start, "has no variable's name after ${; write $${ for the text ${");
    this.at += name.length;
    if (length) return this.close(start, () => String(Buffer.byteLength(this.value(start, name) ?? "")));
    return this.operation(start, name);
  }

  private operation(start: number, name: string): string {
    const rest = this.source.slice(this.at);
    const operator = /^(:[-=?+]|=|,,?|\^\^?|\/[/#%]?|:|##?|%%?|[-+?])/.exec(rest)?.[0] ?? "";
    this.at += operator.length;
    switch (operator) {
      case "":
        return this.close(start, () => this.value(start, name) ?? "");
      case ":-":
      case ":=":
      case "=":
        return this.withDefault(start, name);
      case ",":
      case ",,":
      case "^":
      case "^^":
        return this.close(start, () => changeCase(this.value(start, name) ?? "", operator));
      case ":":
      case "/":
      case "//":
      case "/#":
      case "/%":
        return this.withArguments(start, name, operator);
      default:
        return this.broken(
          start,
          `uses "${operator}", which is not supported; there is \${${name}:-default}, with a default for an empty value as well`,
        );
    }
  }

  /** Defaults may hold substitutions themselves. */
  private withDefault(start: number, name: string): string {
    const own = this.variables[name] ?? "";
    if (own !== "") this.idle++;
    let text = "";
    while (this.at < this.source.length && this.source[this.at] !== "}") {
      if (this.source.startsWith("${", this.at)) text += this.expression();
      else text += this.source[this.at++];
    }
    if (own !== "") this.idle--;
    return this.close(start, () => own || text);
  }

  private withArguments(start: number, name: string, operator: string): string {
    const end = this.source.indexOf("}", this.at);
    const text = this.source.slice(this.at, end < 0 ? this.at : end);
    if (text.includes("${")) return this.broken(start, "may not hold another substitution here");
    this.at += text.length;
    const separator = operator === ":" ? ":" : "/";
    const [first = "", ...more] = text.split(separator);
    if (operator !== ":" && more.length === 0)
      return this.broken(start, `has no second "/": \${${name}/text/other}`);
    const second = more.length > 0 ? more.join(separator) : undefined;
    return this.close(start, () => {
      const value = this.value(start, name) ?? "";
      return operator === ":" ? part(value, first, second) : replace(value, operator, first, second ?? "");
    });
  }

  private close(start: number, result: () => string): string {
    if (this.source[this.at] !== "}") return this.broken(start, "is not closed with }");
    this.at++;
    return result();
  }

  private value(start: number, name: string): string | undefined {
    const value = this.variables[name];
    if (value === undefined && this.idle === 0)
      this.problem(start, `\${${name}}: has no value and no default; write \${${name}:-default}`);
    return value;
  }

  private broken(start: number, why: string): string {
    const end = this.source.indexOf("\n", start);
    const line = this.source.slice(start, end < 0 ? undefined : end);
    const close = line.indexOf("}");
    this.problem(start, `${line.slice(0, close < 0 ? 40 : close + 1)}: ${why}`);
    this.at = close < 0 ? start + line.length : Math.max(this.at, start + close + 1);
    return "";
  }

  private problem(start: number, text: string): void {
    const before = this.source.slice(0, start).split("\n");
    const line = before.length;
    // What a comment says of variables is meant for people.
    if (before.at(-1)!.trimStart().startsWith("#")) return;
    if (!this.problems.some((known) => known.text === text)) this.problems.push({ line, text });
  }
}

function changeCase(value: string, operator: string): string {
  const change = (text: string) => (operator.startsWith(",") ? text.toLowerCase() : text.toUpperCase());
  if (operator.length === 2) return change(value);
  const [first = ""] = value;
  return change(first) + value.slice(first.length);
}

/** Counted in bytes, a negative start from the end; the whole value where a number is none. */
function part(value: string, start: string, length?: string): string {
  const bytes = Buffer.from(value);
  if (!/^\s*-?\d+$/.test(start) || (length !== undefined && !/^\d+$/.test(length))) return value;
  const from = Number(start) < 0 ? Math.max(0, bytes.length + Number(start)) : Number(start);
  return bytes
    .subarray(from, length === undefined ? undefined : Math.min(bytes.length, from + Number(length)))
    .toString();
}

function replace(value: string, operator: string, from: string, to: string): string {
  if (from === "") return value;
  if (operator === "//") return value.split(from).join(to);
  if (operator === "/#") return value.startsWith(from) ? to + value.slice(from.length) : value;
  if (operator === "/%") return value.endsWith(from) ? value.slice(0, -from.length) + to : value;
  const at = value.indexOf(from);
  return at < 0 ? value : value.slice(0, at) + to + value.slice(at + from.length);
}
