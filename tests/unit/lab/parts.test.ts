import { createServer } from "node:http";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, deflateSync } from "node:zlib";
import { recipeKey } from "../../../lab/base";
import { send } from "../../../lab/calls";
import { loadLab } from "../../../lab/config";
import { engineAddress, waitFor } from "../../../lab/docker";
import { mountsUnder, startTimeOf } from "../../../lab/engine";
import { describe as describeError, LabError } from "../../../lab/errors";
import { ensureKeys } from "../../../lab/keys";
import { innerContainers, removeControlGroups } from "../../../lab/leftovers";
import { listen } from "../../../lab/listener";
import { lockLab } from "../../../lab/lock";
import { readPng } from "../../../lab/png";

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "lab-parts-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function png(width: number, height: number): Buffer {
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(data.length);
    const sum = Buffer.alloc(4);
    sum.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, sum]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 8;
  const rows = deflateSync(Buffer.alloc((width + 1) * height));
  return Buffer.concat([
    Buffer.from("89504e470d0a1a0a", "hex"),
    chunk("IHDR", header),
    chunk("IDAT", rows),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

describe("readPng", () => {
  test("knows the size of a whole picture", () =>
    expect(readPng(png(64, 48))).toEqual({ width: 64, height: 48 }));

  test.each([
    ["text", Buffer.from('{"error":"no"}'), "no PNG signature"],
    ["half a picture", png(64, 48).subarray(0, 50), "ends in the middle of IDAT"],
    ["one without its end", png(64, 48).subarray(0, -12), "has no end"],
  ])("%s is refused", (_, data, why) => {
    expect(readPng(data)).toEqual({ wrong: expect.stringContaining(why) });
  });

  test("one flipped bit is found", () => {
    const data = png(64, 48);
    data[45]! ^= 1;
    expect(readPng(data)).toEqual({ wrong: "IDAT is damaged" });
  });
});

describe("listener", () => {
  test("gives back the POST to its own path, and answers no other", async () => {
    const listener = await listen("127.0.0.1");
    try {
      expect(
        (await send(new URL("/callback/guess", listener.url).toString(), { method: "POST" })).status,
      ).toBe(404);
      expect((await send(listener.url, {})).status).toBe(204);
      const body = Buffer.from("done");
      await send(listener.url, { method: "POST", headers: { "X-Call-Id": "7" }, body });
      const callback = await listener.callback;
      expect(callback.body.toString()).toBe("done");
      expect(callback.headers["x-call-id"]).toBe("7");
    } finally {
      listener.close();
    }
  });

  test("send gives up on a server that says nothing", async () => {
    const server = createServer(() => undefined).listen(0, "127.0.0.1");
    await new Promise((done) => server.once("listening", done));
    try {
      const { port } = server.address() as AddressInfo;
      await expect(send(`http://127.0.0.1:${port}/`, {}, 200)).rejects.toThrow("no answer within 0.2 s");
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});

describe("waitFor", () => {
  test("gives the first value that is there", async () => {
    let times = 0;
    const value = await waitFor(async () => (times += 1) > 2 && "ready", {
      what: "it",
      limitMs: 5000,
      everyMs: 1,
    });
    expect(value).toBe("ready");
  });

  test("names what was waited for and what was last seen", async () => {
    const waiting = waitFor(async () => false, {
      what: "sshd to answer",
      limitMs: 20,
      everyMs: 5,
      seen: () => "refused",
    });
    await expect(waiting).rejects.toThrow(/Waited 0 s for sshd to answer\. Last seen: refused/);
  });
});

describe("engineAddress", () => {
  test.each(["unix:///run/other.sock", "tcp://127.0.0.1:2375", "tcp://localhost:2375"])(
    "%s is this machine's",
    async (address) => {
      expect(await engineAddress({ DOCKER_HOST: address })).toBe(address);
    },
  );

  test.each(["tcp://192.0.2.7:2375", "ssh://root@build.example", "tcp://localhost.example:2375"])(
    "%s is refused: the lab's ports would be elsewhere",
    async (address) => {
      await expect(engineAddress({ DOCKER_HOST: address })).rejects.toThrow("not on this machine");
    },
  );
});

describe("keys", () => {
  test("are made once, for the owner only, in the form that ssh reads", () => {
    const lab = loadLab({}, folder);
    const first = ensureKeys(lab);
    expect(first.clientPublic).toMatch(/^ssh-ed25519 [A-Za-z0-9+/]+=* oslo-faas-lab client\n$/);
    expect(statSync(lab.ssh.privateKey).mode & 0o777).toBe(0o600);
    expect(readFileSync(lab.ssh.privateKey, "utf8")).toMatch(/^-----BEGIN OPENSSH PRIVATE KEY-----\n/);
    expect(ensureKeys(lab)).toEqual(first);
  });

  test("half a pair is made anew", () => {
    const lab = loadLab({}, folder);
    const first = ensureKeys(lab);
    rmSync(lab.ssh.hostPublicKey);
    const second = ensureKeys(lab);
    expect(second.hostPublic).not.toBe(first.hostPublic);
    expect(second.hostPrivate).not.toBe(first.hostPrivate);
    expect(second.clientPublic).toBe(first.clientPublic);
  });
});

describe("lock", () => {
  test("a living holder is named, a dead one counts for nothing", () => {
    const lab = loadLab({}, folder);
    const file = `${lab.cacheDir}.lock`;
    mkdirSync(join(folder, ".cache"));
    writeFileSync(file, JSON.stringify({ pid: process.pid, startTime: "1", command: "npm run up" }));
    lockLab(lab, "npm run down"); // The same number, but another process: its start time differs.
    expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({
      pid: process.pid,
      command: "npm run down",
    });
    expect(() => lockLab(lab, "npm run up")).toThrow(
      /`npm run down` of this lab is running already \(process \d+\)/,
    );
  });
});

describe("what is left behind", () => {
  test("mounts under a folder, innermost first", () => {
    const mounts =
      "a / ext4 rw\nb /var/lib/docker/x overlay rw\nc /var/lib/docker/x/y\\040z tmpfs rw\nd /var/lib/dockerx tmpfs rw\n";
    expect(mountsUnder(["/var/lib/docker/"], mounts)).toEqual(["/var/lib/docker/x/y z", "/var/lib/docker/x"]);
  });

  test("control groups of the host's containers go, those of others and used ones stay", () => {
    const [mine, used, other] = ["a", "b", "c"].map((letter) => letter.repeat(64)) as [
      string,
      string,
      string,
    ];
    for (const id of [mine, used, other])
      mkdirSync(join(folder, "cg", "memory", "docker", id, "inner"), { recursive: true });
    writeFileSync(join(folder, "cg", "memory", "docker", used, "in-use"), "");
    for (const id of [mine, used]) mkdirSync(join(folder, "volume", "containers", id), { recursive: true });
    mkdirSync(join(folder, "volume", "containers", "not-an-id"));
    const ids = innerContainers(join(folder, "volume"));
    expect(ids.sort()).toEqual([mine, used]);
    removeControlGroups(ids, join(folder, "cg"));
    expect(existsSync(join(folder, "cg", "memory", "docker", mine))).toBe(false);
    expect(existsSync(join(folder, "cg", "memory", "docker", used))).toBe(true);
    expect(existsSync(join(folder, "cg", "memory", "docker", other, "inner"))).toBe(true);
  });

  test("a volume that cannot be read holds nothing", () =>
    expect(innerContainers(join(folder, "none"))).toEqual([]));

  test("the start time tells processes apart, and a dead one has none", () => {
    expect(startTimeOf(process.pid)).toMatch(/^\d+$/);
    expect(startTimeOf(2 ** 22 + 1)).toBeUndefined();
  });
});

test("the base image's key follows its recipe and LAB_BASE, and no other file", () => {
  for (const name of ["build.sh", "setup.sh", "Dockerfile"]) writeFileSync(join(folder, name), name);
  const debian = recipeKey(undefined, folder);
  const ubuntu = recipeKey("ubuntu:18.04", folder);
  expect(ubuntu).not.toBe(debian);
  expect(recipeKey("ubuntu:20.04", folder)).not.toBe(ubuntu);
  writeFileSync(join(folder, "Dockerfile"), "changed");
  expect(recipeKey(undefined, folder)).toBe(debian);
  expect(recipeKey("ubuntu:18.04", folder)).not.toBe(ubuntu);
  writeFileSync(join(folder, "setup.sh"), "changed");
  expect(recipeKey(undefined, folder)).not.toBe(debian);
});

test("an error shows its remedy, and one of another kind its message alone", () => {
  expect(describeError(new LabError("It broke.", "Mend it."))).toBe("It broke.\n  → Mend it.");
  expect(describeError(new Error("plain"))).toBe("plain");
});
