/** What a team is told of, and how. */
import * as z from "zod";
import * as f from "../fields";

const MAIL = f.mail();

const webhook = z.strictObject({
  url: f.hook("alertWebhookUrl").meta({
    description:
      "Where Alertmanager posts its JSON, as the platform's containers reach it. The secret key alertWebhookToken, where it is set, goes with it as a bearer token. A URL that is a secret itself is the secret key alertWebhookUrl instead.",
    examples: ["https://alerts.example.no/hook"],
  }),
});

const email = z.strictObject({
  to: f
    .list(MAIL)
    .min(1, "must name somebody")
    .meta({ description: "Who gets them.", examples: [["ops@example.no"]] }),
  from: MAIL.meta({ description: "The sender.", examples: ["faas@example.no"] }),
  smarthost: f.mailServer().meta({
    description: "The mail server that takes them.",
    examples: ["smtp.example.no:587"],
  }),
  username: f
    .line()
    .optional()
    .meta({
      description: "Login there; its password is the secret key alertSmtpPassword. Default: no login.",
      examples: ["faas"],
    }),
  requireTls: f.flag().default(true).meta({ description: "Send nothing without TLS." }),
});

export const alerts = z.strictObject({
  webhook: webhook.optional().meta({ description: "A URL that is told. Default: none.", plain: true }),
  email: email.optional().meta({ description: "Mail. Default: none.", plain: true }),
  diskFreePercent: f
    .whole(1, 90)
    .default(10)
    .meta({ description: "Free part of the disk below which it is said.", unit: "%" }),
  queueAge: f.duration("10s").default("10m").meta({
    description: "Age of the oldest asynchronous call above which it is said.",
  }),
  queueDepth: f.whole(1, 10000000).default(10000).meta({
    description: "Waiting asynchronous calls above which it is said.",
    unit: "calls",
  }),
  failingPercent: f.whole(1, 100).default(10).meta({
    description: "Part of a function's calls answered with 5xx, over 5 minutes, above which it is said.",
    unit: "%",
  }),
  certificateDays: f.whole(1, 365).default(14).meta({
    description: "Days before the end of Nginx's certificate from which on it is said.",
    unit: "days",
  }),
  repeat: f.duration("1m", "168h").default("4h").meta({
    description: "An alert that lasts is told again after this time.",
  }),
});
