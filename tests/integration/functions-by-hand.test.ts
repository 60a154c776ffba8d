/** What a destroy does with functions that somebody deployed outside of the stack, on a real engine in swarm mode. */
import removeFunctions from "../../components/openfaas/scripts/remove-functions.sh";
import { IMAGE, NETWORK, Testbed, until } from "../../lab/testbed";
import { run } from "../../programs/run";

let bed: Testbed;

beforeAll(async () => {
  bed = await Testbed.withProvider();
}, 180_000);

afterAll(async () => bed?.stop(), 60_000);

jest.setTimeout(120_000);

const remove = () =>
  run("sh", ["-c", removeFunctions], {
    env: { ...process.env, DOCKER_HOST: `unix://${bed.dir}/docker.sock` },
    limitMs: 60_000,
  });

const services = async () => (await bed.docker.listServices()).map(({ Spec }) => Spec?.Name).sort();

test("they are named and removed, other services are not, and their network can go", async () => {
  await bed.deploy("report");
  await bed.deploy("thumbs", { labels: { "com.openfaas.scale.min": "2" } });
  await bed.docker.createService({ Name: "other", TaskTemplate: { ContainerSpec: { Image: IMAGE } } });
  await bed.docker.getService("swarm-provider").remove();
  await expect(bed.docker.getNetwork(NETWORK).remove()).rejects.toThrow(/in use/);

  const first = await remove();
  expect(first).toMatchObject({ code: 0, stdout: "" });
  const [, names] = /^removed, as somebody deployed them outside of this stack: (.*)$/m.exec(first.stderr)!;
  expect(names!.split(" ").sort()).toEqual(["report", "thumbs"]);
  expect(await services()).toEqual(["other"]);
  await until("the network to go", async () => (await bed.docker.getNetwork(NETWORK).remove()) ?? true);

  expect(await remove()).toMatchObject({ code: 0, stdout: "", stderr: "" });
});
