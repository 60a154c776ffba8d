/** The same handler built twice, from nothing, on two engines: the same layers, and a container that is well. */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { packFunction } from "../../components/functions/build";
import { copyProgram, IMAGE, Testbed, until } from "../../lab/testbed";

const ROOT = path.resolve(__dirname, "../..");
const folder = path.join(ROOT, ".cache", `images-reproduced-${process.pid}`);
const PYTHON_IMAGE = "python-test:1";
let beds: Testbed[] = [];

beforeAll(async () => {
  beds = await Promise.all([Testbed.start(), Testbed.start()]);
  const python = pythonRoot();
  await Promise.all(
    beds.flatMap((bed) => [
      bed.importImage(),
      bed.importFolder(python, PYTHON_IMAGE, [
        "ENV PATH=/usr/bin PIP_NO_INDEX=1 PIP_FIND_LINKS=/wheels PIP_ROOT_USER_ACTION=ignore",
      ]),
    ]),
  );
}, 240_000);

afterAll(async () => {
  await Promise.all(beds.map((bed) => bed.stop()));
  fs.rmSync(folder, { recursive: true, force: true });
}, 60_000);

/** This machine's Python as a base image, with the template's packages at hand: the engines have no network. */
function pythonRoot(): string {
  const root = path.join(folder, "python");
  const asked =
    "import os, pip, sys; print(os.path.realpath(sys.executable), *(os.path.dirname(m.__file__) for m in (os, pip)), sep='\\n')";
  const [program, library, pip] = execFileSync("python3", ["-c", asked], { encoding: "utf8" }).split(
    "\n",
  ) as [string, string, string];
  copyProgram(root, program, "usr/bin/python3");
  const modules = path.join(library, "lib-dynload");
  for (const name of fs.readdirSync(modules))
    copyProgram(root, path.join(modules, name), path.join(modules, name));
  const left = /\/(test|dist-packages|site-packages|idlelib|__pycache__|config-[^/]*)$/;
  fs.cpSync(library, path.join(root, library), { recursive: true, filter: (file) => !left.test(file) });
  fs.cpSync(pip, path.join(root, library, "pip"), { recursive: true });
  const wheels = ["-q", "--require-hashes", "-r", path.join(ROOT, "templates/python/requirements.txt")];
  execFileSync("python3", ["-m", "pip", "download", ...wheels, "-d", path.join(root, "wheels")]);
  return root;
}

const HANDLERS: Record<string, Record<string, string>> = {
  node: {
    "handler.js": 'module.exports = () => require("./lib/words");\n',
    "lib/words.js": 'module.exports = "hei";\n',
  },
  python: {
    "handler.py": 'def handle(event, context):\n    return "hei"\n',
    "lib/words.py": 'WORD = "hei"\n',
  },
};

/** Laid out anew, as on another machine: at another time. */
function context(lang: string) {
  const at = process.cwd();
  process.chdir(ROOT);
  try {
    for (const [name, text] of Object.entries(HANDLERS[lang]!)) {
      const file = path.join(folder, lang, name);
      fs.mkdirSync(path.dirname(file), { recursive: true });
      fs.writeFileSync(file, text);
    }
    const stack = path.relative(ROOT, path.join(folder, "stack.yml"));
    const build = { lang, handler: `./${lang}`, args: {}, copy: [] };
    const bases: Record<string, string> = lang === "node" ? { NODE_IMAGE: IMAGE } : { PYTHON_IMAGE };
    fs.rmSync(packFunction("hei", build, stack, bases).folder, { recursive: true });
    return packFunction("hei", build, stack, bases);
  } finally {
    process.chdir(at);
  }
}

function docker(bed: Testbed, ...args: string[]): string {
  // Without BuildKit: the builder that every release has, and the one that the host's engine is asked for.
  const env = {
    ...process.env,
    DOCKER_HOST: `unix://${path.join(bed.dir, "docker.sock")}`,
    DOCKER_BUILDKIT: "0",
  };
  return execFileSync("docker", args, { env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

/** Of the image that is built now, without those of its base. */
function ownLayers(bed: Testbed, lang: string, base: string): string[] {
  const { folder: laid, args } = context(lang);
  const given = Object.entries(args).flatMap(([key, value]) => ["--build-arg", `${key}=${value}`]);
  docker(bed, "build", "--no-cache", "-q", "-t", lang, ...given, path.join(ROOT, laid));
  const layers = (image: string) =>
    JSON.parse(docker(bed, "image", "inspect", "-f", "{{json .RootFS.Layers}}", image)) as string[];
  return layers(lang).slice(layers(base).length);
}

test.each([
  ["node", IMAGE, ["node", "/home/app/index.js"]],
  ["python", PYTHON_IMAGE, ["python3", "/home/app/index.py"]],
])(
  "a handler of the template %s",
  async (lang, base, program) => {
    const [first, second] = beds as [Testbed, Testbed];
    const built = ownLayers(first, lang, base);
    expect(built.length).toBeGreaterThan(0);
    // Later by more than a second, so that a time of day in a layer would show.
    await new Promise((next) => setTimeout(next, 1100));
    expect(ownLayers(second, lang, base)).toEqual(built);

    docker(first, "run", "-d", "--name", lang, "--network", "none", "--read-only", "--tmpfs", "/tmp", lang);
    const healthy = () => docker(first, "exec", lang, ...program, "--healthcheck") === "";
    await until(`${lang} is well`, async () => healthy(), 30_000);
  },
  240_000,
);
