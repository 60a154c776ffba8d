/** The provider as a service on a real engine in swarm mode, called as the gateway calls it. */
import { createHash, randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { checkContract, type Contract } from "../contract/calls";
import { IMAGE, NETWORK, PASSWORD, Testbed, until } from "../../lab/testbed";

let bed: Testbed;

beforeAll(async () => {
  bed = await Testbed.withProvider();
}, 180_000);

afterAll(async () => bed?.stop(), 60_000);

jest.setTimeout(120_000);

const MIB = 1024 * 1024;

describe("a function's life", () => {
  const deployment = {
    service: "hello",
    image: IMAGE,
    envProcess: "node index.js",
    envVars: { colour: "blue", empty: "" },
    labels: { "com.openfaas.scale.max": "3", team: "web" },
    annotations: { topic: "orders" },
    constraints: ["node.role==manager"],
    secrets: ["api-key"],
    limits: { memory: "128m", cpu: "500m" },
    requests: { memory: "16Mi" },
    readOnlyRootFilesystem: true,
  };

  test("its secret is taken, listed without its value, and not taken twice", async () => {
    expect((await bed.call("POST", "/system/secrets", { name: "api-key", value: "s3cret" })).status).toBe(
      201,
    );
    expect((await bed.call("POST", "/system/secrets", { name: "api-key", value: "other" })).status).toBe(409);
    const list = await bed.call("GET", "/system/secrets");
    expect(list.json).toEqual([{ name: "api-key", namespace: NETWORK }]);
  });

  test("it is deployed, and reads back as it was sent", async () => {
    expect((await bed.call("POST", "/system/functions", deployment)).status).toBe(202);
    await bed.available("hello", 1);
    const { json } = await bed.call("GET", "/system/function/hello");
    const { service, ...sent } = deployment;
    expect(json).toMatchObject({
      name: service,
      ...sent,
      namespace: NETWORK,
      replicas: 1,
      invocationCount: 0,
    });
    expect(Date.now() - Date.parse(json.createdAt)).toBeLessThan(120_000);
    const list = await bed.call("GET", "/system/functions");
    // Lists carry the label that old clients look for.
    expect(list.json).toEqual([{ ...json, labels: { ...json.labels, faas_function: "hello" } }]);
  });

  test("it has what it was given, and no more", async () => {
    const answer = await bed.call("GET", "/function/hello/some/path%20x?a=1&b=%2F", undefined, {
      headers: { "x-trace": "t1" },
    });
    expect(answer.json).toMatchObject({ method: "GET", url: "/some/path%20x?a=1&b=%2F" });
    expect(answer.json.env).toMatchObject({ fprocess: "node index.js", colour: "blue", empty: "" });
    expect(answer.json.headers).toMatchObject({ "x-trace": "t1", host: `hello.${NETWORK}:8080` });
    expect((await bed.call("GET", "/function/hello/secret?name=api-key")).json).toEqual({ text: "s3cret" });
    expect((await bed.call("GET", "/function/hello/write")).json).toEqual({ root: "EROFS", tmp: "written" });
    expect((await bed.call("GET", `/function/hello.${NETWORK}`)).status).toBe(200);
  });

  test("deployed once more by POST it is refused, as upstream does it", async () => {
    const again = await bed.call("POST", "/system/functions", deployment);
    expect(again.status).toBe(400);
    expect(again.text).toContain("function hello already exists");
  });

  test("its secret cannot be taken from under it", async () => {
    const removed = await bed.call("DELETE", "/system/secrets", { name: "api-key" });
    expect(removed.status).toBe(409);
    expect(removed.text).toContain("in use by a function");
  });

  test("it scales as far as its labels allow, without a restart of what runs", async () => {
    const hosts = async () => {
      const seen = new Set<string>();
      for (let i = 0; i < 40; i++) seen.add((await bed.call("GET", "/function/hello/")).json.host);
      return seen;
    };
    const [before] = await hosts();
    const answer = await bed.call("POST", "/system/scale-function/hello", {
      serviceName: "hello",
      replicas: 9,
    });
    expect(answer).toMatchObject({ status: 202, text: expect.stringContaining("scaled to 3") });
    await bed.available("hello", 3);
    const all = await until("three hosts to answer", async () => {
      const seen = await hosts();
      return seen.size === 3 && seen;
    });
    expect(all.has(before!)).toBe(true);
  });

  test("an update keeps the number of replicas, and the same once more restarts nothing", async () => {
    const tasks = async () => (await bed.docker.listTasks({ filters: { service: ["hello"] } })).length;
    const changed = { ...deployment, image: IMAGE, envVars: { colour: "green" } };
    expect((await bed.call("PUT", "/system/functions", changed)).status).toBe(202);
    await until(
      "green replicas",
      async () => (await bed.call("GET", "/function/hello/")).json.env.colour === "green",
    );
    expect((await bed.call("GET", "/system/function/hello")).json).toMatchObject({
      replicas: 3,
      envVars: { colour: "green" },
    });
    await until("the end of the update", async () => {
      const service = await bed.docker.getService("hello").inspect();
      return service.UpdateStatus?.State === "completed";
    });
    const before = await tasks();
    // By its tag the image may be another one by now, so that update would restart; a label is not part of what runs.
    await bed.call("POST", "/system/scale-function/hello", { serviceName: "hello", replicas: 3 });
    await sleep(1000);
    expect(await tasks()).toBe(before);
  });

  test("a function scales to zero, reports it, and comes back", async () => {
    await bed.call("POST", "/system/scale-function/hello", { serviceName: "hello", replicas: 0 });
    await bed.available("hello", 0);
    expect((await bed.call("GET", "/system/function/hello")).json).toMatchObject({
      replicas: 0,
      availableReplicas: 0,
    });
    const call = await until("DNS to forget it", async () => {
      const answer = await bed.call("GET", "/function/hello/");
      return answer.status === 503 && answer;
    });
    expect(call.text).toBe("No endpoints available for: hello.");
    await bed.call("POST", "/system/scale-function/hello", { serviceName: "hello", replicas: 1 });
    await bed.available("hello", 1);
    expect((await bed.call("GET", "/function/hello/")).status).toBe(200);
  });

  test("removed, it is gone, and so is its name", async () => {
    const removed = await bed.call("DELETE", "/system/functions?wait=true", { functionName: "hello" });
    expect(removed.status).toBe(200);
    expect((await bed.call("GET", "/system/function/hello")).status).toBe(404);
    expect((await bed.call("GET", "/function/hello/")).status).toBe(404);
    expect((await bed.call("GET", "/system/functions")).json).toEqual([]);
    expect((await bed.call("DELETE", "/system/functions", { functionName: "hello" })).status).toBe(404);
    expect((await bed.call("DELETE", "/system/secrets", { name: "api-key" })).status).toBe(200);
  });
});

test("a function that knows nothing of signals is not waited for", async () => {
  await bed.deploy("careless", { envVars: { careless: "yes" }, readOnlyRootFilesystem: true });
  await until("it to listen", async () => (await bed.call("GET", "/function/careless/")).status === 200);
  // 202 would be: removed, but a replica still runs.
  const body = { functionName: "careless" };
  expect((await bed.call("DELETE", "/system/functions?wait=true", body)).status).toBe(200);
});

describe("services that are not functions", () => {
  test("are not shown, called, scaled, changed or removed", async () => {
    const id = await bed.startOther("database");
    const before = await bed.docker.getService(id).inspect();
    const deployment = { service: "database", image: IMAGE };
    const answers = [
      await bed.call("GET", "/system/function/database"),
      await bed.call("GET", "/function/database/"),
      await bed.call("POST", "/system/scale-function/database", { replicas: 5 }),
      await bed.call("DELETE", "/system/functions", { functionName: "database" }),
      // Ids and their beginnings are no names.
      await bed.call("DELETE", "/system/functions", { functionName: id }),
      await bed.call("POST", "/system/functions", deployment),
      await bed.call("PUT", "/system/functions", deployment),
    ];
    expect(answers.map((answer) => answer.status)).toEqual([404, 404, 404, 404, 404, 409, 409]);
    expect((await bed.call("GET", "/system/functions")).json).toEqual([]);
    const after = await bed.docker.getService(id).inspect();
    expect(after.Version).toEqual(before.Version);
    await bed.docker.getService(id).remove();
  });

  test("keep their secrets to themselves", async () => {
    const answer = await bed.call("POST", "/system/functions", {
      service: "thief",
      image: IMAGE,
      secrets: ["basic-auth-password"],
    });
    expect(answer).toMatchObject({
      status: 400,
      text: expect.stringContaining("secrets[0]: there is no secret"),
    });
    expect((await bed.call("DELETE", "/system/secrets", { name: "basic-auth-password" })).status).toBe(404);
  });
});

describe("calls", () => {
  beforeAll(async () => bed.deploy("stream"));
  afterAll(async () => void (await bed.call("DELETE", "/system/functions", { functionName: "stream" })));

  /** `size` bytes in pieces of 1 MiB, and their digest once they were read. */
  function source(size: number) {
    const piece = randomBytes(MIB);
    const hash = createHash("sha256");
    let left = size / MIB;
    const stream = new Readable({
      read() {
        if (left-- <= 0) return void this.push(null);
        hash.update(piece);
        this.push(piece);
      },
    });
    return { stream, digest: () => hash.digest("hex") };
  }

  test("stream both ways, in memory that does not grow with the bodies", async () => {
    const before = await bed.providerMemory();
    const size = 1024 * MIB;
    const { stream, digest } = source(size);
    const response = await bed.send(
      "POST",
      "/function/stream/echo",
      { headers: { "content-type": "image/raw" } },
      stream,
    );
    const hash = createHash("sha256");
    let bytes = 0;
    for await (const chunk of response) {
      hash.update(chunk as Buffer);
      bytes += (chunk as Buffer).length;
    }
    expect({ bytes, sha256: hash.digest("hex") }).toEqual({ bytes: size, sha256: digest() });
    expect(response.headers["content-type"]).toBe("image/raw");
    const { peak } = await bed.providerMemory();
    expect(peak - before.now).toBeLessThan(128 * MIB);
  });

  test("wait for a reader that stops reading", async () => {
    const { stream } = source(256 * MIB);
    const response = await bed.send("POST", "/function/stream/echo", {}, stream);
    response.pause();
    await sleep(1500);
    const { peak } = await bed.providerMemory();
    expect(peak).toBeLessThan(256 * MIB);
    response.destroy();
  });

  test("answer while the request's body is still being sent", async () => {
    const body = new Readable({ read: () => undefined });
    const more = (chunk: string | null) => body.push(chunk);
    more("one");
    const response = await bed.send("POST", "/function/stream/echo", {}, body);
    const first = await new Promise((done) =>
      response.once("data", (chunk: Buffer) => done(chunk.toString())),
    );
    expect(first).toBe("one");
    more(null);
    response.resume();
  });

  test.each(["POST", "PUT", "PATCH", "DELETE"])(
    "%s bodies arrive whole, chunked or with a length",
    async (method) => {
      const body = "x".repeat(100_000);
      const sha256 = createHash("sha256").update(body).digest("hex");
      const sized = await bed.call(method, "/function/stream/count", body, {
        headers: { "content-length": body.length },
      });
      expect(sized.json).toEqual({ bytes: body.length, sha256 });
      const chunked = await bed.call(method, "/function/stream/count", body, {
        headers: { "transfer-encoding": "chunked" },
      });
      expect(chunked.json).toEqual({ bytes: body.length, sha256 });
    },
  );

  test("carry end-to-end headers and no others", async () => {
    const headers = {
      connection: "close, x-mine",
      "x-mine": "1",
      te: "trailers",
      "x-kept": ["a", "b"],
      "x-forwarded-for": "1.2.3.4",
    };
    const { json } = await bed.call("GET", "/function/stream/", undefined, { headers });
    expect(json.headers).toMatchObject({ "x-kept": "a, b", "x-forwarded-for": "1.2.3.4" });
    expect(json.headers).not.toHaveProperty("x-mine");
    expect(json.headers).not.toHaveProperty("te");
  });

  test("need no credentials, the management API does", async () => {
    for (const auth of ["", "admin:wrong", `other:${PASSWORD}`, "admin:"]) {
      const answer = await bed.call("GET", "/system/functions", undefined, { auth });
      expect({ auth, status: answer.status }).toEqual({ auth, status: 401 });
    }
    expect((await bed.call("GET", "/function/stream/")).status).toBe(200);
  });
});

describe("logs", () => {
  beforeAll(async () => bed.deploy("talk", { labels: { "com.openfaas.scale.min": "2" } }));
  afterAll(async () => void (await bed.call("DELETE", "/system/functions", { functionName: "talk" })));

  const say = (text: string) => bed.call("POST", "/function/talk/say", text);
  const lines = (text: string) =>
    text
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as { text: string; instance: string; timestamp: string; name: string });

  test("are lines of JSON, of every replica or of one", async () => {
    for (let i = 0; i < 12; i++) await say(`line ${i} with, commas = and spaces`);
    const all = await until("twelve lines", async () => {
      const answer = await bed.call("GET", "/system/logs?name=talk");
      expect(answer.headers["content-type"]).toBe("application/x-ndjson");
      const found = lines(answer.text);
      return found.length === 12 && found;
    });
    expect(new Set(all.map((line) => line.text)).size).toBe(12);
    expect(all[0]).toMatchObject({
      name: "talk",
      namespace: NETWORK,
      text: expect.stringMatching(/^line \d+ with, commas = and spaces$/),
    });
    const instances = [...new Set(all.map((line) => line.instance))];
    expect(instances).toHaveLength(2);
    const one = lines((await bed.call("GET", `/system/logs?name=talk&instance=${instances[0]}`)).text);
    expect(one).toHaveLength(all.filter((line) => line.instance === instances[0]).length);
    expect(lines((await bed.call("GET", "/system/logs?name=talk&tail=1")).text)).toHaveLength(2);
    const later = new Date(Date.now() + 1000).toISOString();
    expect(lines((await bed.call("GET", `/system/logs?name=talk&since=${later}`)).text)).toEqual([]);
  });

  test("are followed as they come", async () => {
    const response = await bed.send("GET", "/system/logs?name=talk&follow=1&tail=1");
    let text = "";
    response.on("data", (chunk: Buffer) => (text += chunk.toString()));
    await say("afterwards");
    await until("the line", async () => text.includes("afterwards"), 20_000);
    response.destroy();
  });

  test("of services that are not functions are nobody's", async () => {
    expect((await bed.call("GET", "/system/logs?name=swarm-provider")).status).toBe(404);
    expect((await bed.call("GET", "/system/logs")).text).toBe("name: is required: the function's name");
  });
});

test("an idle function goes to zero, and the first call after that waits and is answered", async () => {
  await bed.deploy("sleepy", {
    labels: { "com.openfaas.scale.zero": "true", "com.openfaas.scale.zero-duration": "3s" },
    envVars: { late: "1000" },
  });
  await until(
    "it to sleep",
    async () => (await bed.call("GET", "/system/function/sleepy")).json.replicas === 0,
  );
  await until(
    "its replica to go",
    async () =>
      (await bed.docker.listTasks({ filters: { service: ["sleepy"], "desired-state": ["running"] } }))
        .length === 0,
  );
  const answers = await Promise.all(["a", "b"].map((body) => bed.call("POST", "/function/sleepy/say", body)));
  expect(answers.map(({ status, json }) => [status, json.said])).toEqual([
    [200, "a"],
    [200, "b"],
  ]);
  const { text } = await bed.call("GET", "/metrics");
  expect(text).toContain('provider_idler_scalings_total{direction="up"} 1\n');
  await bed.call("DELETE", "/system/functions", { functionName: "sleepy" });
});

describe("the rest", () => {
  test("every endpoint keeps to OpenFaaS's contract", async () => {
    const call: Contract["call"] = (method, path, { body, auth } = {}) =>
      bed.call(method, path, body, auth ? {} : { auth: "" });
    const made = await checkContract({ call, image: IMAGE, namespace: NETWORK, through: "provider" });
    expect(made).toBeGreaterThan(30);
  });

  test("bad input is refused, everything wrong at once", async () => {
    const answer = await bed.call("POST", "/system/functions", {
      service: "No",
      image: "",
      limits: { memory: "5 sheep" },
    });
    expect(answer.status).toBe(400);
    expect(answer.text.split("\n").map((line) => line.split(":")[0])).toEqual([
      "service",
      "image",
      "limits.memory",
    ]);
  });

  test("info and namespaces answer as clients expect", async () => {
    const info = (await bed.call("GET", "/system/info")).json;
    expect(info).toEqual({
      provider: "swarm-provider",
      orchestration: "swarm",
      version: {
        release: expect.stringMatching(/^\d+\.\d+\.\d+$/),
        sha: expect.stringMatching(/^[0-9a-f]{12}$/),
      },
    });
    expect((await bed.call("GET", "/system/namespaces")).json).toEqual([NETWORK]);
    expect((await bed.call("GET", "/system/functions?namespace=other")).json).toEqual([]);
  });

  test("no secret is in the provider's log", async () => {
    const log = await bed.providerLog();
    expect(log).toContain("deployed");
    for (const secret of [PASSWORD, "s3cret", Buffer.from(`admin:${PASSWORD}`).toString("base64")])
      expect(log).not.toContain(secret);
  });
});
