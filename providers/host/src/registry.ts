/** All that the provider has. A new resource or function is one line here and a class in ../sdk. */
import type { FunctionHandler, ResourceHandler } from "./resource";
import { aptRepository } from "./resources/aptRepository";
import { facts, getFacts } from "./resources/facts";
import { file } from "./resources/file";
import { faasFunction } from "./resources/function";
import { functionSecret } from "./resources/functionSecret";
import { packages } from "./resources/packages";
import { password } from "./resources/password";
import { preflight } from "./resources/preflight";
import { swarmMember } from "./resources/swarm";
import { sysctl } from "./resources/sysctl";
import { systemdUnit } from "./resources/systemdUnit";

export const resources: readonly ResourceHandler[] = [
  file,
  packages,
  aptRepository,
  systemdUnit,
  sysctl,
  swarmMember,
  faasFunction,
  functionSecret,
  preflight,
  facts,
  password,
];

export const functions: readonly FunctionHandler[] = [getFacts];
