import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";

/**
 * A short value that changes when `parts` do: for what has to happen again then. The parts themselves would be shown in every
 * diff a second time.
 */
export function revisionOf(parts: pulumi.Input<unknown>[] | pulumi.Input<string>): pulumi.Output<string> {
  return pulumi
    .output(parts)
    .apply((known: unknown) => createHash("sha256").update(JSON.stringify(known)).digest("hex").slice(0, 12));
}
