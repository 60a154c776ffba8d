/** The provider's own configuration: how to reach the host, and the gateway on it. */
import * as z from "zod";
import { connectionShape, json, onlyOneKey } from "../../host/src/config";

const gateway = z
  .strictObject({
    host: z.string().min(1).default("127.0.0.1").describe("Address of the gateway as seen from the host."),
    port: z.number().int().min(1).max(65535).default(8080).describe("Port of the gateway."),
  })
  .meta({ id: "Gateway", description: "Where the gateway listens." });

export const configSchema = z
  .strictObject({
    ...connectionShape,
    gateway: json(gateway)
      .default({ host: "127.0.0.1", port: 8080 })
      .describe("Where the gateway listens, as seen from the host: it is reached over the SSH connection."),
    username: z.string().min(1).describe("User of the gateway."),
    password: z.string().min(1).describe("Password of the gateway. A new one rolls no function."),
  })
  .superRefine(onlyOneKey);
export type OpenFaasConfig = z.infer<typeof configSchema>;
