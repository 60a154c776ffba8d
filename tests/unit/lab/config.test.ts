import { loadLab } from "../../../lab/config";
import { LabError } from "../../../lab/errors";

describe("loadLab", () => {
  test("the usual lab has the documented ports and the stack `local`", () => {
    const lab = loadLab({ XDG_CACHE_HOME: "/cache" }, "/clone");
    expect(lab.ports).toEqual({ ssh: 2222, http: 8088, https: 8443 });
    expect(lab.stack).toBe("local");
    expect(lab.container).toBe("oslo-faas-lab");
    expect(lab.derivedStackFile).toBeUndefined();
    expect(lab.ssh.privateKey).toBe("/clone/.cache/lab/ssh/id_ed25519");
    expect(lab.sharedCacheDir).toBe("/cache/oslo-faas");
    expect(lab.labels).toEqual({ "no.oslo-faas.instance": "lab", "no.oslo-faas.clone": "/clone" });
  });

  test("the usual lab keeps its ports whatever the environment says, since the committed stack names them", () => {
    expect(loadLab({ OSLO_FAAS_LAB_SSH_PORT: "2300" }, "/clone").ports.ssh).toBe(2222);
  });

  test("another lab shares nothing with it", () => {
    const usual = loadLab({}, "/clone");
    const other = loadLab({ OSLO_FAAS_LAB: "e2e", OSLO_FAAS_LAB_SSH_PORT: "2300" }, "/clone");
    expect(other.ports).toEqual({ ssh: 2300, http: 8098, https: 8453 });
    expect(other.stack).toBe("e2e");
    expect(other.derivedStackFile).toBe("/clone/.cache/e2e/Pulumi.e2e.yaml");
    for (const key of [
      "name",
      "container",
      "network",
      "volume",
      "cacheDir",
      "imagesLock",
      "stack",
    ] as const) {
      expect(other[key]).not.toBe(usual[key]);
    }
  });

  test.each([
    [{ OSLO_FAAS_LAB: "No Such" }, "OSLO_FAAS_LAB"],
    [{ OSLO_FAAS_LAB: "oslo-prod" }, "OSLO_FAAS_LAB"],
    [{ OSLO_FAAS_LAB: "-x" }, "OSLO_FAAS_LAB"],
    [{ OSLO_FAAS_LAB: "e2e", OSLO_FAAS_LAB_HTTP_PORT: "eighty" }, "OSLO_FAAS_LAB_HTTP_PORT"],
    [{ OSLO_FAAS_LAB: "e2e", OSLO_FAAS_LAB_HTTPS_PORT: "80" }, "OSLO_FAAS_LAB_HTTPS_PORT"],
    [{ OSLO_FAAS_LAB: "e2e", OSLO_FAAS_LAB_SSH_PORT: "8098" }, "ports have to differ"],
  ])("%j is refused, naming what is wrong", (env, named) => {
    expect(() => loadLab(env, "/clone")).toThrow(LabError);
    expect(() => loadLab(env, "/clone")).toThrow(named);
  });
});
