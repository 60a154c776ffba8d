/** When a team is alerted, and how. */
import * as z from "zod";
import * as f from "../fields";

const MAIL = f.mail();

const webhook = z.strictObject({
  url: f.hook("alertWebhookUrl").meta({
    description:
      "URL that Alertmanager posts its JSON to, as containers reach it. The secret key alertWebhookToken adds a bearer token. If the URL itself contains a secret, use the secret key alertWebhookUrl instead.",
    examples: ["https://alerts.example.no/hook"],
  }),
});

const email = z.strictObject({
  to: f
    .list(MAIL)
    .min(1, "must name somebody")
    .meta({ description: "Recipients.", examples: [["ops@example.no"]] }),
  from: MAIL.meta({ description: "Sender.", examples: ["faas@example.no"] }),
  smarthost: f.mailServer().meta({
    description: "Mail server that accepts the mail, with its port.",
    examples: ["smtp.example.no:587"],
  }),
  username: f
    .line()
    .optional()
    .meta({
      description:
        "Login at the mail server; its password is the secret key alertSmtpPassword. Default: no login.",
      examples: ["faas"],
    }),
  requireTls: f.flag().default(true).meta({ description: "Refuse to send mail without TLS." }),
});

export const alerts = z.strictObject({
  webhook: webhook.optional().meta({ description: "A URL to post alerts to. Default: none.", plain: true }),
  email: email.optional().meta({ description: "Mail to send alerts to. Default: none.", plain: true }),
  diskFreePercent: f
    .whole(1, 90)
    .default(10)
    .meta({ description: "Alert when less than this percentage of the disk is free.", unit: "%" }),
  queueAge: f.duration("10s").default("10m").meta({
    description: "Alert when the oldest asynchronous call is older than this.",
  }),
  queueDepth: f.whole(1, 10000000).default(10000).meta({
    description: "Alert when more asynchronous calls than this wait.",
    unit: "calls",
  }),
  failingPercent: f.whole(1, 100).default(10).meta({
    description:
      "Alert when more than this percentage of a function's calls over 5 minutes are answered 5xx.",
    unit: "%",
  }),
  certificateDays: f.whole(1, 365).default(14).meta({
    description: "Alert when Nginx's certificate expires in fewer days than this.",
    unit: "days",
  }),
  repeat: f.duration("1m", "168h").default("4h").meta({
    description: "Repeat an alert that still holds after this time.",
  }),
});
