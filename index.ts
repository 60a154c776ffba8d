/** One Oslo environment, from a clean host to functions that answer. The stack's file says which: stacks/Pulumi.<stack>.yaml. */
import { setImmediate } from "node:timers/promises";
import * as command from "@pulumi/command";
import { FrontDoorChecks } from "./components/checks";
import { DockerEngine, dockerApi } from "./components/docker";
import { loadEnvironment } from "./environment";
import { environmentFunctions, Functions } from "./components/functions";
import { Host } from "./components/host";
import { environmentImages } from "./components/images";
import { OwnImages } from "./components/images/own";
import { Nginx } from "./components/nginx";
import { OpenFaaS } from "./components/openfaas";
import { Swarm } from "./components/swarm";

/** Pulumi calls it. What it returns are the stack's outputs. */
export default async function program() {
  const environment = loadEnvironment();
  // Before anything is registered: a mistake in a stack.yml changes nothing on a host.
  const wanted = environmentFunctions(environment);
  const images = environmentImages(environment);

  // The three connections come first and are sent at once: their plugins start while the rest of the program is at work.
  const actions = new command.Provider("actions");
  const api = dockerApi("docker-api", environment);
  const machine = new Host("host", { environment });
  await setImmediate();

  const onHost = { providers: { host: machine.provider, command: actions } };
  const engine = new DockerEngine(
    "docker",
    { environment, facts: machine.facts },
    { ...onHost, dependsOn: machine },
  );
  const swarm = new Swarm("swarm", { environment }, { ...onHost, dependsOn: engine });
  const own = new OwnImages("images", { environment, images }, { providers: [api], dependsOn: engine });
  const openfaas = new OpenFaaS(
    "openfaas",
    { environment, images: images.stack, providerImage: own.swarmProvider(), queueImage: own.queue() },
    { providers: { host: machine.provider, docker: api }, dependsOn: swarm },
  );
  const nginx = new Nginx("nginx", { environment }, { ...onHost, dependsOn: machine });
  const deployed = new Functions(
    "functions",
    { environment, wanted, images: own, user: openfaas.user, password: openfaas.password, url: nginx.url },
    { ...onHost, dependsOn: openfaas },
  );
  new FrontDoorChecks(
    "checks",
    {
      environment,
      user: openfaas.user,
      password: openfaas.password,
      functions: Object.keys(deployed.urls),
      services: openfaas.services,
      triggers: [openfaas.revision, nginx.revision],
    },
    { providers: [actions], dependsOn: [deployed, nginx] },
  );
  images.report();

  return {
    url: nginx.url,
    gatewayUser: openfaas.user,
    gatewayPassword: openfaas.password,
    functions: deployed.urls,
    host: machine.facts,
    location: environment.location,
  };
}
