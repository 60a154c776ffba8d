/** One Oslo environment, from a clean host to functions that answer. The stack's file says which: stacks/Pulumi.<stack>.yaml. */
import { setImmediate } from "node:timers/promises";
import * as command from "@pulumi/command";
import { Checks } from "./components/checks";
import { DockerEngine, dockerApi } from "./components/docker";
import { type LoadedEnvironment, loadEnvironment } from "./environment";
import { environmentFunctions, Functions } from "./components/functions";
import { Host } from "./components/host";
import { connectionOf } from "./components/host/connection";
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
  const connection = connectionOf(environment);
  const { docker, nginx, openfaas, base, location, registryAuth } = environment;
  const api = dockerApi("docker-api", { connection, registryAuth });
  const machine = new Host("host", {
    connection,
    preflight: environment.preflight,
    ports: wantedPorts(environment),
    engineVersion: docker.version,
    base,
    backlog: nginx.backlog,
    firewall: environment.firewall,
    gatewayPort: openfaas.gatewayPort,
    openPorts: [nginx.httpPort, ...(nginx.tls ? [nginx.httpsPort] : [])],
  });
  await setImmediate();

  const onHost = { providers: { host: machine.provider, command: actions } };
  const engine = new DockerEngine(
    "docker",
    { ...docker, openFiles: base.openFiles, facts: machine.facts, connection },
    { ...onHost, dependsOn: machine },
  );
  const swarm = new Swarm("swarm", { ...environment.swarm, location }, { ...onHost, dependsOn: engine });
  const own = new OwnImages("images", { environment, images }, { providers: [api], dependsOn: engine });
  const platform = new OpenFaaS(
    "openfaas",
    { environment, images: images.stack, providerImage: own.swarmProvider(), queueImage: own.queue() },
    { providers: { host: machine.provider, docker: api }, dependsOn: swarm },
  );
  const door = new Nginx(
    "nginx",
    {
      ...nginx,
      gatewayPort: openfaas.gatewayPort,
      openFiles: base.openFiles,
      asyncBody: openfaas.queue.maxBody,
      address: connection.address,
    },
    { ...onHost, dependsOn: machine },
  );
  const deployed = new Functions(
    "functions",
    { environment, wanted, images: own, user: platform.user, password: platform.password, url: door.url },
    { ...onHost, dependsOn: platform },
  );
  new Checks(
    "checks",
    {
      connection,
      origin: door.origin,
      user: platform.user,
      password: platform.password,
      functions: Object.keys(deployed.urls),
      services: platform.services,
      checks: environment.checks,
      triggers: [platform.revision, door.revision],
    },
    { providers: [actions], dependsOn: [deployed, door] },
  );
  images.report();

  return {
    url: door.url,
    gatewayUser: platform.user,
    gatewayPassword: platform.password,
    functions: deployed.urls,
    host: machine.facts,
    location,
  };
}

/** What nginx and the gateway listen on: free before the first `up`. */
function wantedPorts({ nginx, openfaas }: LoadedEnvironment): { port: number; ours: string }[] {
  const ports = [{ port: nginx.httpPort, ours: "nginx" }];
  if (nginx.tls) ports.push({ port: nginx.httpsPort, ours: "nginx" });
  return [...ports, { port: openfaas.gatewayPort, ours: "dockerd" }];
}
