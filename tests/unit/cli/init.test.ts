/** What `oslo-faas init` writes. That it works where the package is installed is tests/integration/package.test.ts. */
import fs from "node:fs";
import path from "node:path";
import { FILES } from "../../../cli/init/files";

const CLONE = path.resolve(__dirname, "../../..");
const names = { project: "ours", environment: "dev" };

test("init: writes the program that this repository runs itself", () => {
  expect(FILES["index.ts"]!(names)).toBe(fs.readFileSync(path.join(CLONE, "index.ts"), "utf8"));
});
