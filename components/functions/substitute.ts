/**
 * `${NAME}` in a stack.yml, as faas-cli substitutes it before it reads the YAML (the results of github.com/drone/envsubst). Two things
 * differ, so that nothing goes wrong in silence: a variable without a value and without a default is an error, not an empty text, and of
 * envsubst's other operators only the replacing ones are taken.
 */
import { Lexer } from "yaml";

export interface Substituted {
  text: string;
  /** `missing`: nothing is wrong but that a variable is not set. */
  problems: { line: number; text: string; missing?: true }[];
}

type Variables = Record<string, string | undefined>;

const HEAD = /\$\{([\p{L}\p{Nd}_]*)(:[-=?+]?|\/[/#%]?|##?|%%?|,,?|\^\^?|[^}\n]?)/uy;
/** The pattern up to a slash, and the replacement up to the brace, with their escapes. */
const REPLACE = /((?:\$\$|\\[\\/]|[^/}])+)\/+((?:\$\$|\\[\\/]|[^}])*)\}/y;

/** Never throws: what is wrong is in `problems`. */
export function substitute(source: string, variables: Variables): Substituted {
  const reader = new Reader(source, variables);
  return { text: reader.all(), problems: reader.problems };
}

class Reader {
  readonly problems: Substituted["problems"] = [];
  private at = 0;
  /** In a default that is not used nothing is missing. */
  private idle = 0;

  constructor(
    private readonly source: string,
    private readonly variables: Variables,
  ) {}

  all(): string {
    const comments = commentsOf(this.source);
    let text = "";
    while (this.at < this.source.length) {
      const comment = comments.get(this.at);
      const two = this.source.slice(this.at, this.at + 2);
      if (comment !== undefined) text += this.take(comment);
      else if (two === "${") text += this.expression();
      else if (two === "$$" || two === "\\\\" || two === "\\/") text += this.take(2).slice(1);
      else text += this.take(1);
    }
    return text;
  }

  private take(length: number): string {
    this.at += length;
    return this.source.slice(this.at - length, this.at);
  }

  /** Called at "${". Ends behind the closing brace, or at the end of the line if there is none. */
  private expression(): string {
    const start = this.at;
    const [head, name, operator] = this.match(HEAD) as unknown as [string, string, string];
    if (!name) return this.broken(start, "has no variable's name after ${; write $${ for the text ${");
    this.at += head.length;
    if (operator === ":-") return this.withDefault(start, name);
    if (operator === "/" || operator === "//") return this.replaced(start, name, operator);
    if (operator !== "")
      return this.broken(
        start,
        `uses "${operator}", which is not supported; there is \${${name}}, \${${name}:-default}, \${${name}/text/other} and \${${name}//text/other}`,
      );
    return this.close(start, () => this.value(start, name));
  }

  private match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.at;
    return pattern.exec(this.source);
  }

  /** Defaults may hold substitutions themselves. */
  private withDefault(start: number, name: string): string {
    const own = this.variables[name] ?? "";
    if (own !== "") this.idle++;
    let text = "";
    while (this.at < this.source.length && this.source[this.at] !== "}")
      text += this.source.startsWith("${", this.at) ? this.expression() : this.take(1);
    if (own !== "") this.idle--;
    return this.close(start, () => own || text);
  }

  private replaced(start: number, name: string, operator: string): string {
    const found = this.match(REPLACE);
    if (!found || found[0].includes("\n"))
      return this.broken(start, `is not \${${name}${operator}text/other}`);
    if (found[0].includes("${")) return this.broken(start, "may not hold another substitution here");
    const [from, to] = found.slice(1).map((text) => text.replace(/\$(\$)|\\([\\/])/g, "$1$2")) as [
      string,
      string,
    ];
    this.at += found[0].length;
    const value = this.value(start, name);
    return operator === "//" ? value.replaceAll(from, () => to) : value.replace(from, () => to);
  }

  private close(start: number, result: () => string): string {
    if (this.source[this.at] !== "}") return this.broken(start, "is not closed with }");
    this.at++;
    return result();
  }

  private value(start: number, name: string): string {
    const value = this.variables[name];
    if (value === undefined && this.idle === 0)
      this.problem(
        start,
        `\${${name}}: is not set and has no default; set it, or write \${${name}:-default}`,
        true,
      );
    return value ?? "";
  }

  private broken(start: number, why: string): string {
    const end = this.source.indexOf("\n", start);
    const line = this.source.slice(start, end < 0 ? undefined : end);
    const close = line.indexOf("}");
    this.problem(start, `${line.slice(0, close < 0 ? 40 : close + 1)}: ${why}`);
    this.at = close < 0 ? start + line.length : Math.max(this.at, start + close + 1);
    return "";
  }

  private problem(start: number, text: string, missing?: true): void {
    const line = this.source.slice(0, start).split("\n").length;
    const known = this.problems.some((one) => one.text === text && one.line === line);
    if (!known) this.problems.push({ line, text, ...(missing && { missing }) });
  }
}

/** Where the comments of a YAML text begin, and how long each is. What they say of variables is meant for people. */
function commentsOf(source: string): Map<number, number> {
  const found = new Map<number, number>();
  let at = 0;
  let isScalar = false;
  for (const lexeme of new Lexer().lex(source)) {
    // The lexer's marks stand for no text; after the last of these comes a scalar, which may begin with #.
    if (["\u0002", "\u0018", "\u001f"].includes(lexeme)) {
      isScalar = lexeme === "\u001f";
      continue;
    }
    if (lexeme.startsWith("#") && !isScalar) found.set(at, lexeme.length);
    isScalar = false;
    at += lexeme.length;
  }
  return found;
}
