import * as pulumi from "@pulumi/pulumi";
import * as host from "../../providers/host/sdk";
import { bracketed } from "../../shared/address";
import type { LoadedEnvironment } from "../../environment";
import { bytes } from "../../environment/units";
import { revisionOf } from "../revision";
import { renderNginxConf, renderNginxDropIn, renderSysusers } from "./render";

export interface NginxArgs {
  environment: LoadedEnvironment;
}

/** Nginx from the distribution in front of the gateway. A change of its configuration is a reload: no request is dropped. */
export class Nginx extends pulumi.ComponentResource {
  /** What the outside calls it. */
  readonly url: string;
  /** Changes when its configuration does. */
  readonly revision: pulumi.Output<string>;

  constructor(name: string, args: NginxArgs, opts?: pulumi.ComponentResourceOptions) {
    super("oslo-faas:index:Nginx", name, {}, opts);
    const { nginx, openfaas, base } = args.environment;
    const own = { parent: this };

    const user = new host.File(
      `${name}-user`,
      {
        path: "/etc/sysusers.d/oslo-faas-nginx.conf",
        content: renderSysusers(nginx.user),
        onChange: ["systemd-sysusers /etc/sysusers.d/oslo-faas-nginx.conf"],
      },
      own,
    );
    const packages = new host.Packages(
      `${name}-packages`,
      { packages: ["nginx"] },
      { ...own, dependsOn: [user] },
    );
    // Before the unit: the site that the package brings listens on port 80, which may be another's.
    const config = new host.File(
      `${name}-conf`,
      {
        path: "/etc/nginx/nginx.conf",
        content: renderNginxConf({
          nginx,
          gatewayPort: openfaas.gatewayPort,
          openFiles: base.openFiles,
          asyncBody: smaller(nginx.clientMaxBodySize, openfaas.queue.maxBody),
        }),
        validate: "nginx -t -q -c %s",
        onChange: ["if systemctl is-active --quiet nginx; then systemctl reload nginx; fi"],
      },
      { ...own, dependsOn: [packages] },
    );
    new host.SystemdUnit(
      `${name}-unit`,
      {
        unit: "nginx.service",
        enabled: true,
        active: true,
        dropIns: { "oslo-faas": renderNginxDropIn(base.openFiles) },
      },
      { ...own, dependsOn: [config] },
    );

    this.revision = revisionOf(config.content);
    this.url = publicUrl(args.environment);
    this.registerOutputs({ url: this.url });
  }
}

const smaller = (a: string, b: string): string => (bytes(a) < bytes(b) ? a : b);

/** nginx.publicUrl, or one made of the host's address and port. */
export function publicUrl(env: LoadedEnvironment): string {
  if (env.nginx.publicUrl) return env.nginx.publicUrl.replace(/\/$/, "");
  const [scheme, port, usual] = env.nginx.tls
    ? ["https", env.nginx.httpsPort, 443]
    : ["http", env.nginx.httpPort, 80];
  return `${scheme}://${bracketed(env.host.address)}${port === usual ? "" : `:${port}`}`;
}
