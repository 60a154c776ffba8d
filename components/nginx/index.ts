import * as pulumi from "@pulumi/pulumi";
import * as host from "../../providers/host/sdk";
import type { Environment } from "../../environment";
import { bytes } from "../../environment/units";
import { completeArgs } from "../complete";
import { revisionOf } from "../revision";
import type { NginxSettings } from "../settings.generated";
import {
  ACME_FOLDER,
  ORDER_UNIT,
  renderCertbotSettings,
  renderCertificateScript,
  renderOrderTimer,
  renderOrderUnit,
  SCRIPT_FILE,
  SETTINGS_FILE,
} from "./certificate";
import { localOrigin, publicUrl, renderNginxConf, renderNginxDropIn, renderSysusers } from "./render";

export interface NginxArgs extends NginxSettings {
  /** The gateway's port on the host. Default: 8080. Example: 8081. */
  gatewayPort?: pulumi.Input<number>;
  /** Open files that Nginx may have, in all. A proxied request holds two. Default: 65536. Example: 131072. */
  openFiles?: pulumi.Input<number>;
  /** Largest body of an asynchronous call; clientMaxBodySize where that is smaller. Default: "10m". Example: "1m". */
  asyncBody?: pulumi.Input<string>;
  /** Socket on the host through which functions are called. Default: none, and the gateway calls them. Example: "/run/oslo-faas-door/edge.sock". */
  functionsSocket?: pulumi.Input<string | undefined>;
  /** Socket on the host through which asynchronous calls are accepted. Default: none, and the gateway accepts them. Example: "/run/oslo-faas-door/edge.sock". */
  queueSocket?: pulumi.Input<string | undefined>;
  /** Name or address of the host, for `url` where `publicUrl` is not given. Default: "localhost". Example: "faas.example.no". */
  address?: pulumi.Input<string>;
  /** HMAC key of tls.auto.eabKeyId (secret). Default: none. Example: config.requireSecret("acmeEabKey"). */
  acmeEabKey?: pulumi.Input<string>;
}

/**
 * Nginx from the distribution in front of the gateway of one host, whose provider it takes. A change of its configuration is a reload:
 * no request is dropped. Example: `new Nginx("web", { serverName: "faas.example.no" }, { provider: machine.provider })`.
 */
export class Nginx extends pulumi.ComponentResource {
  /** How the outside calls it: https://… without a slash at the end. */
  readonly url: pulumi.Output<string>;
  /** How the host itself calls it. */
  readonly origin: pulumi.Output<string>;
  /** Changes when its configuration does. */
  readonly revision: pulumi.Output<string>;
  /** Changes when another certificate is to be ordered; undefined where none is. */
  readonly order?: pulumi.Output<string>;

  constructor(name: string, args: NginxArgs = {}, opts?: pulumi.ComponentResourceOptions) {
    const eabKey = args.acmeEabKey === undefined ? undefined : pulumi.secret(args.acmeEabKey);
    super("oslo-faas:index:Nginx", name, { ...args, ...(eabKey ? { acmeEabKey: eabKey } : {}) }, opts);
    const { functionsSocket, queueSocket, address = "localhost", acmeEabKey: _, ...settings } = args;
    const completed = completeArgs(
      `Nginx ${name}`,
      settings,
      {
        nginx: "",
        "base.openFiles": "openFiles",
        "openfaas.gatewayPort": "gatewayPort",
        "openfaas.queue.maxBody": "asyncBody",
      },
      eabKey ? ["acmeEabKey"] : [],
    );
    const { nginx, openfaas } = completed;
    const { openFiles } = completed.base;
    const own = { parent: this };

    const user = new host.File(
      `${name}-user`,
      {
        path: "/etc/sysusers.d/oslo-faas-nginx.conf",
        content: nginx.user.apply(renderSysusers),
        onChange: ["systemd-sysusers /etc/sysusers.d/oslo-faas-nginx.conf"],
      },
      own,
    );
    const packages = new host.Packages(
      `${name}-packages`,
      // The site that the package brings listens on port 80, which may be another's, and on IPv6, which the kernel may lack.
      { packages: ["nginx"], startServices: false },
      { ...own, dependsOn: [user] },
    );
    const ordered = args.tls?.auto ? this.orders(name, nginx, eabKey) : undefined;
    this.order = ordered?.order;
    const config = new host.File(
      `${name}-conf`,
      {
        path: "/etc/nginx/nginx.conf",
        content: pulumi.all([nginx, openfaas, openFiles, functionsSocket, queueSocket]).apply(contentOf),
        validate: "nginx -t -q -c %s",
        onChange: ["if systemctl is-active --quiet nginx; then systemctl reload nginx; fi"],
      },
      { ...own, dependsOn: [packages, ...(ordered?.before ?? [])] },
    );
    new host.SystemdUnit(
      `${name}-unit`,
      {
        unit: "nginx.service",
        enabled: true,
        active: true,
        dropIns: { "oslo-faas": openFiles.apply(renderNginxDropIn) },
      },
      { ...own, dependsOn: [config] },
    );

    this.revision = revisionOf(config.content);
    this.origin = nginx.apply(localOrigin);
    this.url = pulumi.all([nginx, address]).apply(([values, outside]) => publicUrl(values, outside));
    this.registerOutputs({ url: this.url, origin: this.origin, revision: this.revision });
  }

  /** What orders and renews, and a placeholder until then. nginx.conf depends on `before`. */
  private orders(
    name: string,
    nginx: pulumi.Output<Environment["nginx"]>,
    eabKey: pulumi.Output<string> | undefined,
  ): { before: pulumi.Resource[]; order: pulumi.Output<string> } {
    const own = { parent: this };
    const packages = new host.Packages(
      `${name}-certbot`,
      // Its own timer renews what is in /etc/letsencrypt, which is somebody else's.
      { packages: ["certbot", "openssl"], startServices: false },
      own,
    );
    const script = new host.File(
      `${name}-certificate-script`,
      {
        path: SCRIPT_FILE,
        content: nginx.apply((values) => renderCertificateScript(values)),
        onChange: [`sh ${SCRIPT_FILE} placeholder`],
        onDelete: [`rm -rf ${ACME_FOLDER}`],
      },
      { ...own, dependsOn: [packages] },
    );
    const settings = new host.File(
      `${name}-certbot-settings`,
      {
        path: SETTINGS_FILE,
        content: pulumi.all([nginx, eabKey]).apply(([{ tls }, key]) => renderCertbotSettings(tls, key)),
        mode: "0600",
      },
      { ...own, dependsOn: [packages] },
    );
    const unit = new host.File(
      `${name}-certificate-service`,
      {
        path: `/etc/systemd/system/${ORDER_UNIT}.service`,
        content: renderOrderUnit(),
        onChange: ["systemctl daemon-reload"],
        onDelete: ["systemctl daemon-reload"],
      },
      { ...own, dependsOn: [script, settings] },
    );
    const timer = new host.SystemdUnit(
      `${name}-certificate-timer`,
      { unit: `${ORDER_UNIT}.timer`, content: renderOrderTimer() },
      { ...own, dependsOn: [unit] },
    );
    return { before: [script, timer], order: revisionOf([script.content, settings.sha256]) };
  }
}

type Values = [
  nginx: Environment["nginx"],
  openfaas: { gatewayPort: number; queue: { maxBody: string } },
  openFiles: number,
  functionsSocket: string | undefined,
  queueSocket: string | undefined,
];

const contentOf = ([
  nginx,
  { gatewayPort, queue },
  openFiles,
  functionsSocket,
  queueSocket,
]: Values): string =>
  renderNginxConf({
    nginx,
    gatewayPort,
    openFiles,
    functionsSocket,
    queueSocket,
    asyncBody: smaller(nginx.clientMaxBodySize, queue.maxBody),
  });

const smaller = (a: string, b: string): string => (bytes(a) < bytes(b) ? a : b);
