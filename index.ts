/** One Oslo environment, from a clean host to functions that answer. The stack's file says which: stacks/Pulumi.<stack>.yaml. */
import * as command from "@pulumi/command";
import { FrontDoorChecks } from "./components/checks";
import { DockerEngine } from "./components/docker";
import { loadEnvironment } from "./components/environment";
import { Functions } from "./components/functions";
import { Host } from "./components/host";
import { environmentImages } from "./components/images";
import { OwnImages } from "./components/images/own";
import { Nginx } from "./components/nginx";
import { OpenFaaS } from "./components/openfaas";
import { Swarm } from "./components/swarm";

const environment = loadEnvironment();
const images = environmentImages(environment);

const machine = new Host("host", { environment });
// Registered first, so that its plugin starts while the others are at work.
const actions = new command.Provider("actions");
const onHost = { providers: { host: machine.provider, command: actions } };

const engine = new DockerEngine(
  "docker",
  { environment, facts: machine.facts },
  { ...onHost, dependsOn: machine },
);
const swarm = new Swarm("swarm", { environment }, { ...onHost, dependsOn: engine });
const own = new OwnImages(
  "images",
  { environment, images },
  { providers: [engine.provider], dependsOn: engine },
);
const openfaas = new OpenFaaS(
  "openfaas",
  { environment, images: images.stack, providerImage: own.swarmProvider() },
  { providers: { host: machine.provider, docker: engine.provider }, dependsOn: swarm },
);
const nginx = new Nginx("nginx", { environment }, { ...onHost, dependsOn: machine });
const deployed = new Functions(
  "functions",
  { environment, images: own, user: openfaas.user, password: openfaas.password, url: nginx.url },
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

export const url = nginx.url;
export const gatewayUser = openfaas.user;
export const gatewayPassword = openfaas.password;
export const functions = deployed.urls;
export const host = machine.facts;
export const { location } = environment;
