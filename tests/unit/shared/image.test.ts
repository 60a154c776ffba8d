import { parseImage, withRegistry } from "../../../shared/image";

const digest = (fill: string) => `sha256:${fill.repeat(64)}`;

describe("names of images", () => {
  test.each([
    ["nginx", { domain: "docker.io", path: "library/nginx" }],
    ["nginx:1.27", { domain: "docker.io", path: "library/nginx", tag: "1.27" }],
    ["docker.io/library/nginx:1.27", { domain: "docker.io", path: "library/nginx", tag: "1.27" }],
    ["index.docker.io/nginx", { domain: "docker.io", path: "library/nginx" }],
    ["prom/prometheus:v2.42.0", { domain: "docker.io", path: "prom/prometheus", tag: "v2.42.0" }],
    ["ghcr.io/openfaas/gateway:0.25.4", { domain: "ghcr.io", path: "openfaas/gateway", tag: "0.25.4" }],
    ["registry.lab:5000/a/b/c:d", { domain: "registry.lab:5000", path: "a/b/c", tag: "d" }],
    ["localhost/x", { domain: "localhost", path: "x" }],
    ["[::1]:5000/x:1", { domain: "[::1]:5000", path: "x", tag: "1" }],
    [`a/b@${digest("0")}`, { domain: "docker.io", path: "a/b", digest: digest("0") }],
    [
      `a/b@sha384:${"0".repeat(96)}`,
      { domain: "docker.io", path: "a/b", digest: `sha384:${"0".repeat(96)}` },
    ],
    [
      `x@sha512:${"0".repeat(128)}`,
      { domain: "docker.io", path: "library/x", digest: `sha512:${"0".repeat(128)}` },
    ],
    [`a/b:c@${digest("f")}`, { domain: "docker.io", path: "a/b", tag: "c", digest: digest("f") }],
  ])("%s", (text, parts) => expect(parseImage(text)).toEqual(parts));

  test.each([
    "",
    "Nginx",
    "nginx:",
    "a//b",
    "a/b@sha256:12",
    "-x/y",
    "a b",
    "ghcr.io/",
    "x:y:z",
    `x@${digest("g")}`,
    `x@sha512:${"0".repeat(64)}`,
    `x@md5:${"0".repeat(32)}`,
    `x@SHA256:${"0".repeat(64)}`,
    "a".repeat(256),
    "0".repeat(64),
    `x:${"t".repeat(129)}`,
  ])("refuses %p", (text) => expect(() => parseImage(text)).toThrow(`"${text}" is not the name of an image`));

  test.each([
    ["docker.io/library/nginx:1.27", undefined, "nginx:1.27"],
    ["docker.io/prom/prometheus:v2", undefined, "prom/prometheus:v2"],
    ["nginx", undefined, "nginx:latest"],
    [`docker.io/library/nginx:1.27@${digest("1")}`, undefined, `nginx:1.27@${digest("1")}`],
    ["ghcr.io/openfaas/gateway:1", undefined, "ghcr.io/openfaas/gateway:1"],
    ["nginx:1.27", "registry.lab:5000", "registry.lab:5000/library/nginx:1.27"],
    ["ghcr.io/openfaas/gateway:1", "registry.lab:5000", "registry.lab:5000/openfaas/gateway:1"],
    ["prom/prometheus:v2", "mirror.example.no/proxy/", "mirror.example.no/proxy/prom/prometheus:v2"],
    ["nginx", "localhost:5000", "localhost:5000/library/nginx:latest"],
    ["nginx:1.27", "docker.io", "nginx:1.27"],
    [`nginx@${digest("2")}`, "r.no", `r.no/library/nginx@${digest("2")}`],
  ])("%s from %s is %s", (text, registry, expected) => expect(withRegistry(text, registry)).toBe(expected));

  test("a stand-in that Docker would take for a folder of Docker Hub is refused", () =>
    expect(() => withRegistry("nginx", "mirror")).toThrow(
      'the registry "mirror" has to begin with a host name',
    ));
});
