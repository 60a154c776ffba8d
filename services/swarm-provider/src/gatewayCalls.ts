/** How many calls of each function the gateway has begun and ended: its own metrics, since it calls functions past the provider. */
import { lookup } from "node:dns/promises";
import { get } from "node:http";

export interface Invocations {
  started: number;
  ended: number;
}

const LIMIT_MS = 3000;
const MOST_BYTES = 16 * 1024 * 1024;

/** By function, without its namespace. */
export function parseInvocations(text: string, network: string): Map<string, Invocations> {
  const found = new Map<string, Invocations>();
  for (const line of text.split("\n")) {
    const match = /^gateway_function_invocation_(started|total)\{([^}]*)\} ([\d.e+]+)/.exec(line);
    const full = match && /function_name="([^"]*)"/.exec(match[2]!)?.[1];
    if (!match || !full) continue;
    const name = full.endsWith(`.${network}`) ? full.slice(0, -network.length - 1) : full;
    const calls = found.get(name) ?? { started: 0, ended: 0 };
    calls[match[1] === "started" ? "started" : "ended"] += Number(match[3]);
    found.set(name, calls);
  }
  return found;
}

/**
 * The sum over every gateway that the address's name stands for.
 * @throws Error when one of them does not answer: to know half of the calls is to know nothing
 */
export async function readInvocations(url: string, network: string): Promise<Map<string, Invocations>> {
  const { hostname, port, pathname } = new URL(url);
  const addresses = await lookup(hostname, { all: true, family: 4 });
  const texts = await Promise.all(
    addresses.map(({ address }) => fetchText(address, Number(port || 80), pathname)),
  );
  return addInvocations(texts.map((text) => parseInvocations(text, network)));
}

/** The sum of what several have counted. */
export function addInvocations(all: Map<string, Invocations>[]): Map<string, Invocations> {
  const sum = new Map<string, Invocations>();
  for (const [name, { started, ended }] of all.flatMap((each) => [...each])) {
    const before = sum.get(name) ?? { started: 0, ended: 0 };
    sum.set(name, { started: before.started + started, ended: before.ended + ended });
  }
  return sum;
}

function fetchText(host: string, port: number, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(LIMIT_MS);
    const request = get({ host, port, path, signal, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
        if (text.length > MOST_BYTES) request.destroy(new Error("the gateway's metrics are too long"));
      });
      response.on("error", reject);
      response.on("end", () =>
        response.statusCode === 200
          ? resolve(text)
          : reject(new Error(`the gateway answered ${response.statusCode}`)),
      );
    });
    request.on("error", reject);
  });
}
