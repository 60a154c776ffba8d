import { parse } from "yaml";
import { loadLab } from "../../../lab/config";
import { deriveStackFile } from "../../../lab/stackfile";

const LOCAL = `# The lab on this machine.
encryptionsalt: v1:abc
config:
  oslo-faas:host:
    address: 127.0.0.1
    port: 2222
    privateKeyPath: .cache/lab/ssh/id_ed25519
    hostKeyFile: .cache/lab/ssh/host_ed25519.pub
  oslo-faas:images:
    # kept
    registry: registry.lab:5000
    lock: .cache/lab/images.lock.json
  oslo-faas:nginx:
    publicUrl: http://127.0.0.1:8088
`;

test("the derived stack file has this lab's ports and files, and all else as it was", () => {
  const lab = loadLab({ OSLO_FAAS_LAB: "e2e" }, "/clone");
  const derived = deriveStackFile(LOCAL, lab);
  expect(parse(derived)).toEqual({
    encryptionsalt: "v1:abc",
    config: {
      "oslo-faas:host": {
        address: "127.0.0.1",
        port: 2232,
        privateKeyPath: ".cache/e2e/ssh/id_ed25519",
        hostKeyFile: ".cache/e2e/ssh/host_ed25519.pub",
      },
      "oslo-faas:images": { registry: "registry.lab:5000", lock: ".cache/e2e/images.lock.json" },
      "oslo-faas:nginx": { publicUrl: "http://127.0.0.1:8098" },
    },
  });
  expect(derived).toContain("# kept");
});

test("an https address gets the https port", () => {
  const lab = loadLab({ OSLO_FAAS_LAB: "e2e" }, "/clone");
  const text = LOCAL.replace("http://127.0.0.1:8088", "https://faas.lab:8443");
  expect(parse(deriveStackFile(text, lab)).config["oslo-faas:nginx"].publicUrl).toBe("https://faas.lab:8453");
});
