import { condense, diagnostics } from "../../../lab/pulumi";

describe("condense", () => {
  const through = (text: string[], times: number[] = []) => {
    const said: string[] = [];
    const statuses: string[] = [];
    let call = 0;
    const each = condense(
      { say: (line) => said.push(line), status: (line) => statuses.push(line) },
      () => times[call++] ?? 1e9 + call * 5000,
    );
    text.forEach(each);
    return { said, statuses };
  };

  test("says what was done, counted, and notes what is being done", () => {
    const { said, statuses } = through([
      " +  host:index:Packages docker creating (0s) ",
      " +  host:index:Packages docker created (12s) ",
      "@ updating.....",
      " ~  docker:index:Service gateway updated (9s) [diff: ~taskSpec]",
    ]);
    expect(statuses).toEqual(["creating host:index:Packages docker"]);
    expect(said).toEqual([
      "  1 done: host:index:Packages docker created (12s)",
      "  2 done: docker:index:Service gateway updated (9s)",
    ]);
  });

  test("what is being done is what began and has not ended", () => {
    const { statuses } = through([
      " +  pulumi:pulumi:Stack oslo-faas-lab creating (0s) ",
      " +  oslo-faas:index:OpenFaaS openfaas creating (0s) ",
      " +  docker:index:Service nats creating (0s) ",
      " +  host:index:File nginx creating (0s) ",
      " +  host:index:File nginx created (1s) ",
      " +  docker:index:Service nats **creating failed**",
    ]);
    expect(statuses).toEqual([
      "creating docker:index:Service nats",
      "creating docker:index:Service nats and 1 more",
      "creating docker:index:Service nats",
    ]);
  });

  test("a burst of quick ones gives one line, and a slow one always has its own", () => {
    const burst = Array.from({ length: 20 }, (_, n) => ` +  host:index:File f${n} created (0.01s)`);
    const slow = " +  host:index:Packages p created (30s)";
    const { said } = through([...burst, slow], Array(40).fill(5_000_000));
    expect(said).toEqual([
      "  1 done: host:index:File f0 created (0.01s)",
      " 21 done: host:index:Packages p created (30s)",
    ]);
  });

  test("errors and warnings come through", () => {
    expect(through(["    error: no sudo", "    warning: old release"]).said).toEqual([
      "error: no sudo",
      "warning: old release",
    ]);
  });
});

test("diagnostics: the last of them, without what follows", () => {
  const output = `Previewing update (local):
Diagnostics:
  old
Resources:
    1 to create

Updating (local):
 +  host:index:File nginx creating (0s) error
Diagnostics:
  host:index:File (nginx):
    error: nginx -t failed
    see line 3

Outputs:
    url: "x"
Resources:
    + 3 created
`;
  expect(diagnostics(output)).toBe(
    "Diagnostics:\n  host:index:File (nginx):\n    error: nginx -t failed\n    see line 3",
  );
  expect(diagnostics("nothing of the kind")).toBe("");
});
