/** How a state on paper is completed: until the plugin sees no difference, and never over what it knows. */
import { keysOf, settle } from "../../../../cli/preview/paper/settle";

const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
type Values = Record<string, unknown>;

/** A plugin that wants a value of a type at each path, and reads nothing where one of another type is. */
function plugin(wanted: Record<string, (value: unknown) => boolean>, calls: Values[] = []) {
  return (outputs: Values): Promise<string[]> => {
    calls.push(outputs);
    const at = (path: string) =>
      keysOf(path).reduce<unknown>((value, key) => (value as Values | undefined)?.[key as string], outputs);
    return Promise.resolve(Object.keys(wanted).filter((path) => !wanted[path]!(at(path))));
  };
}

test("a blank of the type at which the plugin is content, one for each path", async () => {
  const compare = plugin({
    text: (value) => value === "",
    "deep.number": (value) => value === 0,
    flag: (value) => value === false,
    list: (value) => Array.isArray(value),
  });
  const settled = await settle({ known: "k", text: UNKNOWN, deep: { number: UNKNOWN, own: 7 } }, compare);
  expect(settled).toEqual({ known: "k", text: "", deep: { number: 0, own: 7 }, flag: false, list: [] });
});

test("what the plugin itself planned is never overwritten, though it sees a difference there", async () => {
  const settled = await settle(
    { image: "a:1", list: [1, UNKNOWN, { x: UNKNOWN }] },
    plugin({ image: () => false }),
  );
  expect(settled).toEqual({ image: "a:1", list: [1, {}] });
});

test("a blank that the plugin cannot read is taken back, the others stay", async () => {
  const compare = (outputs: Values): Promise<string[]> => {
    if (outputs.bad !== undefined && outputs.bad !== 0) return Promise.reject(new Error("expected a number"));
    return Promise.resolve(["bad", "good"].filter((key) => outputs[key] !== (key === "bad" ? 0 : "")));
  };
  expect(await settle({}, compare)).toEqual({ bad: 0, good: "" });
});

test("outputs that cannot be read at all stay as they are, and nothing is thrown", async () => {
  expect(await settle({ a: 1 }, () => Promise.reject(new Error("no")))).toEqual({ a: 1 });
});

test("paths as plugins write them", () => {
  expect(keysOf("taskSpec.containerSpec.env")).toEqual(["taskSpec", "containerSpec", "env"]);
  expect(keysOf('a["b.c"][0].d')).toEqual(["a", "b.c", 0, "d"]);
  expect(keysOf("list[12]")).toEqual(["list", 12]);
});
