/** The calls to the engine are exactly those in the README, which a filter of the socket can rely on. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Provider } from "./support";

const README = join(__dirname, "../../../../services/swarm-provider/README.md");

function documented(): string[] {
  const rows = readFileSync(README, "utf8").matchAll(
    /^\| `((?:GET|POST|DELETE) \/(?!system|healthz|metrics)\S+)`/gm,
  );
  return [...rows].map(([, route]) => route!).sort();
}

test("every kind of request together asks the engine for what is documented", async () => {
  const provider = await Provider.start();
  const { engine } = provider;
  const ask = (method: string, path: string, body?: object) => provider.call(method, path, body);
  engine.intercept = ({ path }) => {
    if (path.endsWith("/logs")) return { status: 200, body: Buffer.alloc(0) };
    if (path.includes("/containers/")) return { status: 200, body: {} };
    return undefined;
  };
  await ask("GET", "/healthz");
  await ask("POST", "/system/secrets", { name: "key", value: "1" });
  await ask("POST", "/system/functions", { service: "f", image: "a:1", secrets: ["key"] });
  engine.addService("f", engine.lastAsked("/services/create").body);
  // Each update is over at once.
  engine.services[0].UpdateStatus = { State: "completed" };
  const Spec = engine.services[0].Spec.TaskTemplate;
  const task = (ID: string, State: string) => {
    const Status = { State, Timestamp: new Date().toISOString(), ContainerStatus: { ContainerID: "c" } };
    return { ID, ServiceID: "id-f", DesiredState: "running", Spec, Status };
  };
  engine.tasks = [task("t1", "running"), task("t2", "failed"), task("t3", "failed")];
  for (const path of ["functions", "function/f", "logs?name=f", "info", "namespaces", "secrets"])
    await ask("GET", `/system/${path}${path.startsWith("function") ? "?usage=1" : ""}`);
  await ask("PUT", "/system/secrets", { name: "key", value: "2" });
  await ask("PUT", "/system/functions", { service: "f", image: "a:2" });
  await ask("POST", "/system/scale-function/f", { replicas: 2 });
  await ask("DELETE", "/system/functions", { functionName: "f" });
  expect((await ask("DELETE", "/system/secrets", { name: "key" })).status).toBe(200);
  await provider.stop();
  const routes = engine.asked.map(({ method, path }) => {
    const route = path.replace(/^\/v[\d.]+/, "");
    return `${method} ${route.replace(/\/(id-f|t\d|c|secret-\d)(?=\/|$)/, "/ID")}`;
  });
  expect([...new Set(routes)].sort()).toEqual(documented());
});
