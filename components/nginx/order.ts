import * as pulumi from "@pulumi/pulumi";
import * as host from "../../providers/host/sdk";
import { ORDER_UNIT, SCRIPT_FILE } from "./certificate";

export interface CertificateArgs {
  /** Another value orders again what has changed. Example: nginx.order. */
  order: pulumi.Input<string>;
}

/**
 * The certificate of an Nginx with `tls.auto`, which it depends on. A refused order fails the `up`, and the next one tries again: so it
 * comes after everything that is to be there in any case. Example:
 * `new Certificate("certificate", { order: nginx.order! }, { provider: machine.provider, dependsOn: nginx })`.
 */
export class Certificate extends pulumi.ComponentResource {
  constructor(name: string, args: CertificateArgs, opts?: pulumi.ComponentResourceOptions) {
    super("oslo-faas:index:Certificate", name, { ...args }, opts);
    new host.SystemdUnit(
      `${name}-order`,
      {
        unit: `${ORDER_UNIT}.service`,
        enabled: true,
        active: true,
        restartOn: [args.order],
        probe: `sh ${SCRIPT_FILE} check`,
        timeoutSeconds: 900,
      },
      { parent: this },
    );
    this.registerOutputs({});
  }
}
