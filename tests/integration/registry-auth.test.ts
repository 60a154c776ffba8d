/** A registry that asks for a login, a real engine and a real provider: whoever has the login gets the image, and nobody is shown it. */
import { once } from "node:events";
import * as fs from "node:fs";
import * as net from "node:net";
import * as path from "node:path";
import type { Duplex } from "node:stream";
import { faasFunction } from "../../providers/openfaas/src/resources/function";
import type { FunctionInputs } from "../../providers/openfaas/src/resources/functionSpec";
import type { HostError } from "../../providers/host/src/session";
import { LocalSession } from "../unit/providers/host/localSession";
import { gatewayContext } from "../unit/providers/openfaas/gatewayContext";
import { PrivateRegistry, REGISTRY } from "./privateRegistry";
import { PulumiProject } from "./pulumiProject";
import { type Sshd, startSshd } from "./sshd";
import { IMAGE, PASSWORD, Testbed, until, USER } from "../../lab/testbed";

const CANARY = "canary:pass-77d1";
const LOGIN = `ci:${CANARY}`;
const NEW_CANARY = "canary:new-2b9e";
const NEW_LOGIN = `ci:${NEW_CANARY}`;
/** As they are, and as they travel. */
const SHOWN = [LOGIN, NEW_LOGIN].flatMap((login) => [
  login.slice(3),
  Buffer.from(login).toString("base64"),
  Buffer.from(login.slice(3)).toString("base64"),
]);

let bed: Testbed;
let registry: PrivateRegistry;
/** By its tag: so the engine asks the registry each time, where it has forgotten the image. */
let image: string;

beforeAll(async () => {
  bed = await Testbed.withProvider();
  registry = await PrivateRegistry.start(bed, LOGIN);
  [image] = (await registry.push(IMAGE, "private/function")).split("@") as [string];
}, 240_000);

afterAll(async () => {
  registry?.stop();
  await bed?.stop();
}, 60_000);

const expectNoLogin = (text: string) => {
  for (const secret of SHOWN) expect(text).not.toContain(secret);
};

/** The provider in the gateway's place, which passes a deployment on as it is. */
class BedSession extends LocalSession {
  constructor() {
    super(["env", `DOCKER_HOST=unix://${path.join(bed.dir, "docker.sock")}`]);
  }

  override async forward(): Promise<Duplex> {
    return net.connect(path.join(bed.dir, "http.sock"));
  }
}

describe("a function's image", () => {
  const wanted = (more: object = {}): FunctionInputs =>
    faasFunction.schema.parse({
      name: "locked",
      image,
      labels: { "com.openfaas.scale.max": "3" },
      waitSeconds: 60,
      ...more,
    });
  const context = () => gatewayContext(new BedSession(), { username: USER, password: PASSWORD });
  const scale = (replicas: number) => bed.call("POST", "/system/scale-function/locked", { replicas });
  const imageGoes = () => registry.forget(image);
  let outputs: Awaited<ReturnType<typeof faasFunction.create>>["outputs"];

  test("is refused without a login, and the error says what to give", async () => {
    const failure = await faasFunction.create(context(), wanted({ waitSeconds: 10 })).then(
      () => undefined,
      (error: HostError) => error,
    );
    expect(failure?.message).toContain(`No such image: ${image}`);
    expect(failure?.message).toContain("asks for a login");
    expect(failure?.details.remedy).toContain("where it asks for a login, set registryAuth for it");
  });

  test("is pulled with one: what was refused before is taken up", async () => {
    ({ outputs } = await faasFunction.create(context(), wanted({ registryAuth: LOGIN })));
    await bed.available("locked", 1);
    const { text } = await bed.call("GET", "/system/function/locked");
    expectNoLogin(text);
  });

  test("is pulled again when it is scaled, at zero and by an update that brings no login", async () => {
    await imageGoes();
    expect((await scale(2)).status).toBe(202);
    await bed.available("locked", 2);
    await scale(0);
    await until("its end", async () =>
      (await bed.docker.listTasks({ filters: { service: ["locked"] } })).every(
        ({ Status }) => Status.State !== "running",
      ),
    );
    await imageGoes();
    await scale(1);
    await bed.available("locked", 1);
    await imageGoes();
    const body = {
      service: "locked",
      image,
      envVars: { seen: "yes" },
      labels: { "com.oslo-faas.managed": "true" },
    };
    expect((await bed.call("PUT", "/system/functions", body)).status).toBe(202);
    await until("the update", async () => {
      const [service] = await bed.docker.listServices({ filters: { name: ["locked"] } });
      return service!.UpdateStatus?.State === "completed";
    });
  });

  test("is refused with a login that is not taken any more, while the version before serves; the new one is an update", async () => {
    registry.accept(NEW_LOGIN);
    await imageGoes();
    const change = { env: { version: "2" } };
    const old = wanted({ registryAuth: LOGIN });
    const attempt = faasFunction.update(
      context(),
      "locked",
      old,
      wanted({ registryAuth: LOGIN, ...change }),
      outputs,
    );
    const failure = await attempt.then(
      () => undefined,
      (error: HostError) => error,
    );
    expect(failure?.message).toContain("the version before it serves");
    expect(failure?.details.remedy).toContain("still takes the login of registryAuth");
    const [before] = await bed.docker.listServices({ filters: { name: ["locked"] } });
    await faasFunction.update(
      context(),
      "locked",
      old,
      wanted({ registryAuth: NEW_LOGIN, ...change }),
      outputs,
    );
    const [after] = await bed.docker.listServices({ filters: { name: ["locked"] } });
    expect(after!.ID).toBe(before!.ID);
    expect((await bed.call("GET", "/system/function/locked")).json.envVars).toEqual({ version: "2" });
  });

  test("and its login is in no log, no list of processes, and nothing that the engine tells", async () => {
    expectNoLogin(await bed.providerLog());
    expectNoLogin(fs.readFileSync(path.join(bed.dir, "dockerd.log"), "utf8"));
    expectNoLogin(JSON.stringify(await bed.docker.listServices()));
    const processes = fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name));
    const lines = processes.flatMap((id) => {
      try {
        return [fs.readFileSync(`/proc/${id}/cmdline`, "utf8")];
      } catch {
        return [];
      }
    });
    expectNoLogin(lines.join("\n"));
  });
});

const CLONE = path.resolve(__dirname, "../..");

/** A service of the stack, an image that is built, and a function, as the components make them. */
const PROGRAM = `
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import * as fs from "node:fs";
import * as openfaas from "OPENFAAS_SDK";
import { dockerLogins, PulledImages } from "${CLONE}/components/images/login";
import { Images } from "${CLONE}/components/images/own";
import { stackService } from "${CLONE}/components/openfaas/service";

const { socket, image, base, login, first, fn } = JSON.parse(fs.readFileSync("input.json", "utf8"));
const environment = {
  images: { own: "build" },
  registryAuth: login ? { "${REGISTRY}": pulumi.secret(login) } : {},
} as any;
const provider = new docker.Provider("api", { host: "unix://" + socket, registryAuth: dockerLogins(environment.registryAuth) });
if (image) {
  const network = new docker.Network("net", { name: "private-net", driver: "overlay" }, { provider });
  const parent = new pulumi.ComponentResource("test:index:Stack", "stack", {}, { providers: [provider] });
  const dependsOn = first ? new PulledImages("stack", environment.registryAuth, parent).first(image) : [];
  stackService("stack", "stack", { image, labels: {}, networks: [network] }, { parent, dependsOn });
}
if (base) {
  const build = { lang: "dockerfile", handler: "own", args: { BASE: base }, copy: [] };
  const resolver = { any: (x: string) => x, stack: (x: string) => x } as any;
  const functions = [{ spec: { name: "own" }, build, file: "stack.yml" }] as any;
  const { images: settings, registryAuth } = environment;
  new Images("images", { settings, resolver, registryAuth, functions, services: false }, { providers: [provider] });
}
if (fn) {
  const gateway = new openfaas.Provider("gateway", fn.connection);
  const registryAuth = environment.registryAuth["${REGISTRY}"];
  new openfaas.Function("fn", { ...fn.args, registryAuth }, { provider: gateway });
}
`;

describe("a stack", () => {
  let project: PulumiProject;
  let base: string;
  let service: string;
  let sshd: Sshd;
  let gatewayPort: number;
  /** The provider in the gateway's place, where a host has that: at a port of its loopback. */
  const relay = net.createServer((socket) => {
    const other = net.connect(path.join(bed.dir, "http.sock"));
    for (const [one, two] of [
      [socket, other],
      [other, socket],
    ] as const)
      one.on("error", () => two.destroy()).pipe(two);
  });
  const input = (more: object) =>
    project.input({ socket: path.join(bed.dir, "docker.sock"), image: service, base, ...more });

  beforeAll(async () => {
    registry.accept(LOGIN);
    base = await registry.push(IMAGE, "private/base");
    service = await registry.push(IMAGE, "private/service");
    sshd = await startSshd();
    relay.listen(0, "127.0.0.1");
    await once(relay, "listening");
    gatewayPort = (relay.address() as net.AddressInfo).port;
    project = await PulumiProject.make(PROGRAM);
    fs.mkdirSync(path.join(project.dir, "own"));
    fs.mkdirSync(path.join(project.dir, "templates"));
    fs.writeFileSync(path.join(project.dir, "own/Dockerfile"), "ARG BASE\nFROM ${BASE}\nENV own=yes\n");
  }, 120_000);
  afterAll(async () => {
    project?.remove();
    relay.close();
    await sshd?.stop();
  });

  test("is refused the base of a build without a login", async () => {
    input({ image: undefined });
    const { code, text } = await project.run("up", "--yes", "--skip-preview");
    expect(code).not.toBe(0);
    expect(text).toMatch(/no basic auth credentials|authorization failed|401 Unauthorized/);
  });

  test("is told at once that a login is wrong, and not that a service does not converge", async () => {
    input({ base: undefined, login: `ci:not-${CANARY}`, first: true });
    const { code, text } = await project.run("up", "--yes", "--skip-preview");
    expect(code).not.toBe(0);
    expect(text).toContain(`unable to pull image ${service}`);
    expect(text).toMatch(/unauthorized|no basic auth credentials/);
    expectNoLogin(text);
    expect(await bed.docker.listServices({ filters: { name: ["stack"] } })).toEqual([]);
  });

  test("has its services and its builds with one, which is plain in no state and no output", async () => {
    input({ login: LOGIN });
    const { text } = await project.ok("up", "--yes", "--diff");
    const [made] = await bed.docker.listServices({ filters: { name: ["stack"] } });
    expect(made!.Spec!.TaskTemplate).toMatchObject({ ContainerSpec: { Image: service } });
    expectNoLogin(text);
    expectNoLogin(await project.state());
    expectNoLogin((await project.ok("up", "--yes", "--refresh", "--expect-no-changes", "--diff")).text);
  });

  test("takes a new password as a change of the connection: nothing is replaced, and nothing restarted", async () => {
    registry.accept(NEW_LOGIN);
    input({ login: NEW_LOGIN });
    const preview = await project.ok("preview", "--diff");
    expect(preview.text).toMatch(/docker:.*api/s);
    expect(preview.text).not.toMatch(/replace|docker:index\/service/);
    expectNoLogin(preview.text);
    const [before] = await bed.docker.listServices({ filters: { name: ["stack"] } });
    expectNoLogin((await project.ok("up", "--yes", "--skip-preview", "--diff")).text);
    const [after] = await bed.docker.listServices({ filters: { name: ["stack"] } });
    expect(after!.Version).toEqual(before!.Version);
    expectNoLogin(await project.state());
    // What comes from there next is pulled with the new one.
    service = await registry.push(IMAGE, "private/next");
    input({ login: NEW_LOGIN });
    await project.ok("up", "--yes", "--skip-preview");
    const [next] = await bed.docker.listServices({ filters: { name: ["stack"] } });
    expect(next!.ID).toBe(before!.ID);
    expect(next!.Spec!.TaskTemplate).toMatchObject({ ContainerSpec: { Image: service } });
    await project.ok("destroy", "--yes", "--skip-preview");
  });

  test("updates its function for a new password, which state and preview do not show", async () => {
    const fn = {
      connection: {
        host: "127.0.0.1",
        port: sshd.port,
        hostKey: sshd.hostKeys.ed25519,
        privateKeyPath: sshd.privateKeyPath,
        gateway: { port: gatewayPort },
        username: USER,
        password: PASSWORD,
      },
      args: {
        name: "stated",
        image,
        waitSeconds: 60,
      },
    };
    const only = { image: undefined, base: undefined, fn };
    registry.accept(LOGIN);
    input({ ...only, login: LOGIN });
    await project.ok("up", "--yes", "--skip-preview");
    expectNoLogin(await project.state());
    registry.accept(NEW_LOGIN);
    input({ ...only, login: NEW_LOGIN });
    const preview = await project.ok("preview", "--diff");
    expect(preview.text).toMatch(/~ openfaas:index:Function: \(update\)/);
    expect(preview.text).toContain("~ registryAuth: [secret] => [secret]");
    expectNoLogin(preview.text);
    expectNoLogin((await project.ok("up", "--yes", "--skip-preview", "--diff")).text);
    expectNoLogin(await project.state());
    await registry.forget(image);
    // While the engine still watches the update, it is refused.
    await until("the scaling", async () => {
      const { status } = await bed.call("POST", "/system/scale-function/stated", { replicas: 2 });
      return status === 202;
    });
    await bed.available("stated", 2);
    await project.ok("destroy", "--yes", "--skip-preview");
  });
});
