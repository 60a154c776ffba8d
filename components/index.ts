/** What a program of one's own uses: the components, their arguments, and an environment's configuration. */
export { loadEnvironment, type LoadedEnvironment } from "../environment";
export { Checks, type ChecksArgs } from "./checks";
export { dockerApi, type DockerApiArgs, DockerEngine, type DockerEngineArgs } from "./docker";
export { type DeployedFunction, Functions, type FunctionsArgs } from "./functions";
export { Host, type HostArgs } from "./host";
export type { ConnectionArgs } from "./host/connection";
export { Nginx, type NginxArgs } from "./nginx";
export { Certificate, type CertificateArgs } from "./nginx/order";
export { OpenFaaS, type OpenFaaSArgs } from "./openfaas";
export { OsloFaas, type OsloFaasOutputs } from "./osloFaas";
export type * from "./settings.generated";
export { Swarm, type SwarmArgs } from "./swarm";
