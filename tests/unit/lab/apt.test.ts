import {
  debianSources,
  httpProxy,
  keyringsOf,
  parseSources,
  reachingSettings,
  renderSources,
} from "../../../lab/apt";

const STANZAS = `# a comment
Types: deb
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb deb-src
URIs: http://mirror.example/security
Suites: bookworm-security
Components: main contrib
Check-Valid-Until: no
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc
 -----END PGP PUBLIC KEY BLOCK-----

Types: deb
URIs: https://node.example
Suites: nodistro
Components: main

Types: deb
Enabled: no
URIs: http://off.example
Suites: bookworm
Components: main
`;

describe("sources of packages", () => {
  const parsed = parseSources("debian.sources", STANZAS);

  test("stanzas are read with continued fields; disabled ones are not", () => {
    expect(parsed.map((source) => source.uris[0])).toEqual([
      "http://mirror.example/debian",
      "http://mirror.example/security",
      "https://node.example",
    ]);
    expect(parsed[1]!.signedBy).toContain("\n abc\n");
    expect(parsed[1]!.options).toEqual({ "check-valid-until": "no" });
  });

  test("lines are read with their options; source code, comments and disabled lines are not", () => {
    const text = [
      "deb [arch=amd64 signed-by=/k.gpg] http://m/debian bookworm main contrib # note",
      "deb-src http://m/debian bookworm main",
      "# deb http://m/debian bookworm main",
    ].join("\n");
    expect(parseSources("sources.list", text)).toEqual([
      {
        uris: ["http://m/debian"],
        suites: ["bookworm"],
        components: ["main", "contrib"],
        signedBy: "/k.gpg",
        options: { arch: "amd64" },
      },
    ]);
  });

  test("only Debian itself is handed on", () => {
    const third = parseSources(
      "x.list",
      "deb http://d/debian bookworm stable\ndeb http://p/ bookworm-pgdg main",
    );
    const kept = debianSources([...parsed, ...third], "bookworm", "bookworm");
    expect(kept.map((source) => source.uris[0])).toEqual([
      "http://mirror.example/debian",
      "http://mirror.example/security",
    ]);
  });

  test("a machine of another release hands on its mirror for the host's release", () => {
    const trixie = parseSources(
      "x.list",
      "deb http://m/debian trixie main\ndeb http://m/debian trixie-updates main",
    );
    expect(debianSources(trixie, "trixie", "bookworm").flatMap((source) => source.suites)).toEqual([
      "bookworm",
      "bookworm-updates",
    ]);
  });

  test("what is rendered reads back as the same", () => {
    const rendered = renderSources(parsed);
    expect(parseSources("debian.sources", rendered)).toEqual(parsed);
    expect(rendered).toContain("Suites: bookworm bookworm-updates\n");
  });

  test("keyrings are the files that are named, once, and no keys given inline", () => {
    expect(keyringsOf([...parsed, ...parsed])).toEqual(["/usr/share/keyrings/debian-archive-keyring.gpg"]);
  });
});

describe("settings of apt", () => {
  const dump = [
    'Acquire::Check-Valid-Until "false";',
    'Acquire::http::Proxy "http://proxy.example:3142";',
    'Acquire::http::Proxy::internal.example "DIRECT";',
    'Acquire::https::CaInfo "/etc/ca.pem";',
    'Acquire::cdrom::mount "/media/cdrom/";',
    'Acquire::Retries "";',
    'Acquire::GzipIndexes "true";',
    'DPkg::Post-Invoke:: "rm -rf /somewhere";',
  ].join("\n");

  test("those that say how to reach an archive are handed on, and no others", () => {
    expect(reachingSettings(dump).trimEnd().split("\n")).toEqual([
      'Acquire::Check-Valid-Until "false";',
      'Acquire::http::Proxy "http://proxy.example:3142";',
      'Acquire::http::Proxy::internal.example "DIRECT";',
      'Acquire::https::CaInfo "/etc/ca.pem";',
    ]);
  });

  test("the proxy for http is found", () => {
    expect(httpProxy(dump)).toBe("http://proxy.example:3142");
    expect(httpProxy('Acquire::http::Proxy "";')).toBeUndefined();
  });
});
