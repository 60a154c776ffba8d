import { hostKeyProblem } from "../../../shared/hostKey";

const KEYS = [
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHPUuG0JR4gcfICCrp+eBfuxLkRYFYZk8YBmvBC2HVKJ",
  "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBLbJLYVspv52fgUzV2ebh1cE64JbXcYvWNzac0UI1tCeX/ObOrTtd8lHj3ELZ0kNK36KQlc3SysUYrndqiJmQ+o=",
  "ecdsa-sha2-nistp384 AAAAE2VjZHNhLXNoYTItbmlzdHAzODQAAAAIbmlzdHAzODQAAABhBNNJX0/eNwyK9UKiAhDdSwlC307J8kIFDHh5LFv3z68s0M/uk1ytkk7e6rTLlnr803HlGuCIAj02tCpb6n7gPuI5C+tZ5PG/OgkZxu3FATtSUzwYIqrR1SuNPyd+Ef1ODw==",
  "ecdsa-sha2-nistp521 AAAAE2VjZHNhLXNoYTItbmlzdHA1MjEAAAAIbmlzdHA1MjEAAACFBAA5DLft11eCAVnvNXI4itfoiB9cICYV1f8Xxnp0VvXx71JEZ1jm/y5mqCtM2xQhFvt9CCJ0PQxJ29LgbpmgQL7YiwGcXj5E/EsCED0w3c/4JzroIJttkrsDulaymZ+OqY4QK7zF5hG6elXrNqPCUgDyT9AB4UhbCWyKZTFVw07FdrfQog==",
  "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQDT97mlJUq13c6F9ZSzF7FJ2fYVWY47wpXVf1SrMNieIrTUfpXagbUMF66P1GCuZErXdmHqm4gp4F4lR9Et1vU6Tgzoao5VXg7ueSNfc2gt2nY2MlqXZeWZ/gFIYdTP4UJQuBVA3QWIXcz8fk/YfQ/Ol4OHOviKa10J7+MfpYMhGYxv3zCvmwcfk+6P8x/b+ing29AxFOknbcjuedtQd0AP9Ah6G194Mx9CyC+8Jji1kgWa2zDdfXDDZvxp7y/4DuN2MQykmzrn/W/pcA7zZp3tzSzPG8g50VC8Rw2HNnw6UiToFIAew9lfqSbiJ012iv9QGjohkWb93bLrdSlWKxFf",
];

test.each(KEYS)("%s", (key) => {
  expect(hostKeyProblem(key)).toBeUndefined();
  expect(hostKeyProblem(`${key} root@host\n`)).toBeUndefined();
});

const [type = "", data = ""] = KEYS[0]!.split(" ");
const blob = Buffer.from(data, "base64");
const line = (bytes: Buffer, name = type) => `${name} ${bytes.toString("base64")}`;

test("no length of a key but its own is one", () => {
  for (const key of KEYS) {
    const [name = "", text = ""] = key.split(" ");
    const bytes = Buffer.from(text, "base64");
    for (let length = 0; length < bytes.length; length++)
      expect(hostKeyProblem(line(bytes.subarray(0, length), name))).toBeDefined();
    expect(hostKeyProblem(line(Buffer.concat([bytes, Buffer.alloc(1)]), name))).toBeDefined();
  }
});

test.each([
  ["nothing", "", "is not base64"],
  ["no second word", type, "is not base64"],
  ["characters that are not base64", `${type} ${data.slice(0, -1)}!`, "is not base64"],
  ["four letters too few", `${type} ${data.slice(0, -4)}`, "cut short"],
  ["another type", `ssh-rsa ${data}`, "name different types"],
  [
    "a part too many",
    line(Buffer.concat([blob, Buffer.from([0, 0, 0, 1, 7])])),
    "what a key of type ssh-ed25519 consists of",
  ],
  [
    "another curve's point",
    KEYS[1]!.replaceAll("nistp256", "nistp384").replace(/ .*/, ` ${KEYS[1]!.split(" ")[1]}`),
    "name different types",
  ],
])("%s is refused", (_what, key, problem) => expect(hostKeyProblem(key)).toContain(problem));
