/** The files of a new repository. */
import { REFERENCE_OF_PACKAGE, SCHEMA_LINE_OF_PACKAGE as SCHEMA } from "../env/editor";
import { newPlatform } from "../env/template";

export interface Names {
  project: string;
  environment: string;
}

const pulumi = ({ project }: Names) => `name: ${project}
description: OpenFaaS on hosts of our own
main: index.ts
runtime:
  name: nodejs
  options:
    # The preload loads TypeScript by itself, without a type check at each start.
    typescript: false
    nodeargs: --require oslo-faas/preload
stackConfigDir: stacks
# State stays in this folder (./.pulumi) unless PULUMI_BACKEND_URL or \`pulumi login\` overrides it.
backend:
  url: file://.
plugins:
  providers:
    - name: host
      path: node_modules/oslo-faas/dist/plugins/host
    - name: openfaas
      path: node_modules/oslo-faas/dist/plugins/openfaas
`;

const index = () => `import { loadEnvironment, OsloFaas } from "oslo-faas";

export = async () => new OsloFaas("oslo-faas", loadEnvironment()).outputs;
`;

const base = () => `${SCHEMA}
# What the environments share. What an environment sets itself overrides it.
config:
  oslo-faas:location:
    country: "NO"
    city: Oslo
    provider: example-hosting
${newPlatform().join("\n")}
  oslo-faas:functions:
    - stack: functions/stack.yml
  oslo-faas:checks:
    - path: /function/hello
`;

const environmentFile = ({ environment }: Names) => `${SCHEMA}
# ${environment}. Every key, its default and its unit: ${REFERENCE_OF_PACKAGE}
config:
  # A resource without an explicit provider fails, instead of using the Docker engine of this machine.
  pulumi:disable-default-providers: [docker, host, openfaas]
  oslo-faas:extends: stacks/base.yaml
  oslo-faas:host:
    # An example: put your own host here, and the key that \`cat /etc/ssh/ssh_host_ed25519_key.pub\` prints on its console.
    address: faas.example.no
    user: ops
    hostKey: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH9gfNtPQk7A1sHJW5vN0MRXU6JcS1UJ350hMTVa5ygD
    # Without privateKeyPath the SSH agent logs in.
`;

const readme = ({ project, environment }: Names) => `# ${project}

OpenFaaS on hosts of our own, with [oslo-faas](https://www.npmjs.com/package/oslo-faas).

- \`npm ci\`, then \`pulumi preview -s ${environment}\` and \`pulumi up -s ${environment}\`
- an environment: \`stacks/Pulumi.NAME.yaml\`; \`npx oslo-faas env new NAME\` makes one, \`npx oslo-faas env validate\` checks all
- a function: \`functions/\`; \`npx oslo-faas functions new NAME --lang node\` makes one
- a change: \`npx oslo-faas preview --base main\` shows what it does; the workflows do so on each pull request
- how an environment is: \`npx oslo-faas status ${environment}\`
- a new version: \`npm update oslo-faas\`
`;

export const FILES: Record<string, (names: Names) => string> = {
  "Pulumi.yaml": pulumi,
  "index.ts": index,
  "stacks/base.yaml": base,
  "stacks/Pulumi.ENVIRONMENT.yaml": environmentFile,
  ".gitignore": () => "node_modules/\n.cache/\n.pulumi/\n",
  "README.md": readme,
};

export const WORKFLOWS = ["preview.yml", "apply.yml", "apply-environment.yml"];

/** A workflow of this project's own, for a repository that has the package installed. */
export const workflow = (text: string, environment: string): string =>
  text.replace(/options: \[.*\]/, `options: [${environment}]`);
