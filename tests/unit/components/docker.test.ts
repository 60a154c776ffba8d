import {
  daemonConfig,
  distroPackages,
  dockerPackages,
  renderDaemonJson,
  restartKey,
  type DaemonValues,
} from "../../../components/docker/render";
import { sshOptions } from "../../../components/docker/ssh";

const values: DaemonValues = {
  logMaxSize: "10m",
  logMaxFiles: 3,
  registryMirrors: [],
  insecureRegistries: [],
  openFiles: 65536,
  defaultAddressPools: [],
};

test("daemon.json rotates logs and gives containers open files", () => {
  expect(renderDaemonJson(values)).toMatchSnapshot();
  expect(daemonConfig(values)).not.toHaveProperty("live-restore");
  expect(daemonConfig(values)).not.toHaveProperty("registry-mirrors");
});

test("mirrors and insecure registries are reloaded, everything else restarts the engine", () => {
  const key = restartKey(values);
  expect(
    restartKey({ ...values, registryMirrors: ["https://mirror.example.no"], insecureRegistries: ["a:5000"] }),
  ).toBe(key);
  expect(restartKey({ ...values, logMaxSize: "20m" })).not.toBe(key);
  expect(restartKey({ ...values, mtu: 1400 })).not.toBe(key);
});

test("the engine's packages, pinned where a version is named", () => {
  expect(dockerPackages("5:24.0.2-1~ubuntu.18.04~bionic")).toEqual([
    "docker-ce=5:24.0.2-1~ubuntu.18.04~bionic",
    "docker-ce-cli=5:24.0.2-1~ubuntu.18.04~bionic",
    "containerd.io",
  ]);
  expect(dockerPackages()).toEqual(["docker-ce", "docker-ce-cli", "containerd.io"]);
});

test.each([
  ["ubuntu", "18.04", ["docker.io"]],
  ["ubuntu", "26.04", ["docker.io"]],
  ["debian", "12", ["docker.io"]],
  ["debian", "13", ["docker.io", "docker-cli"]],
  ["debian", "14", ["docker.io", "docker-cli"]],
  ["debian", "", ["docker.io", "docker-cli"]],
])("the engine of %s %s, with the command docker", (osId, osVersion, packages) =>
  expect(distroPackages({ osId, osVersion })).toEqual(packages),
);

test("the engine's own networks, where a key names them", () => {
  const pools = [{ base: "10.213.0.0/16", size: 24 }];
  expect(daemonConfig({ ...values, bip: "192.168.127.1/24", defaultAddressPools: pools })).toMatchObject({
    bip: "192.168.127.1/24",
    "default-address-pools": pools,
  });
  expect(restartKey({ ...values, bip: "192.168.127.1/24" })).not.toBe(restartKey(values));
});

describe("ssh options of the Docker API", () => {
  const KEY = "ssh-ed25519 AAAA";
  const pairs = (options: string[]) => options.filter((_, i) => i % 2 === 1);

  test("trust the pinned key and no file", () => {
    const options = sshOptions({ hostKey: KEY });
    expect(options.filter((_, i) => i % 2 === 0).every((flag) => flag === "-o")).toBe(true);
    expect(pairs(options)).toEqual(
      expect.arrayContaining([
        "StrictHostKeyChecking=yes",
        "UserKnownHostsFile=/dev/null",
        `KnownHostsCommand=/bin/echo %H ${KEY}`,
      ]),
    );
    expect(options.join(" ")).not.toContain("Identity");
  });

  test("a jump host has its own pinned key, protected from the outer ssh's tokens", () => {
    const jump = { address: "jump.example.no", port: 2022, user: "ops", hostKey: "ssh-ed25519 BBBB" };
    const proxy = pairs(sshOptions({ hostKey: KEY, privateKeyPath: "id", jump })).find((o) =>
      o.startsWith("ProxyCommand="),
    )!;
    expect(proxy).toContain('"KnownHostsCommand=/bin/echo %%H ssh-ed25519 BBBB"');
    expect(proxy).toContain("-o IdentityFile=id");
    expect(proxy).toMatch(/-p 2022 -W '\[%h\]:%p' ops@jump\.example\.no$/);
  });
});
