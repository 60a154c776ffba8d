/**
 * The shapes of OpenFaaS's provider API, from its public description (api-docs/spec.openapi.yml of openfaas/faas) and the types that
 * its Go clients decode into (openfaas/faas-provider, types): what those leave out when empty is optional here, null nowhere.
 */
import { z } from "zod";

const texts = z.record(z.string(), z.string());
const resources = z.object({ memory: z.string().optional(), cpu: z.string().optional() });
/** uint64 in Go: a fraction or a negative number does not decode. */
const count = z.number().int().nonnegative();

export const functionStatus = z.object({
  name: z.string().min(1),
  image: z.string().min(1),
  namespace: z.string().optional(),
  envProcess: z.string().optional(),
  envVars: texts.optional(),
  constraints: z.array(z.string()).optional(),
  secrets: z.array(z.string()).optional(),
  labels: texts.optional(),
  annotations: texts.optional(),
  limits: resources.optional(),
  requests: resources.optional(),
  readOnlyRootFilesystem: z.boolean().optional(),
  invocationCount: z.number().optional(),
  replicas: count.optional(),
  availableReplicas: count.optional(),
  createdAt: z.iso.datetime({ offset: true }),
  usage: z.object({ cpu: z.number().optional(), totalMemoryBytes: z.number().optional() }).optional(),
});

export const functionList = z.array(functionStatus);

const version = z.object({
  release: z.string().min(1),
  sha: z.string().min(1),
  commit_message: z.string().optional(),
});

export const providerInfo = z.object({
  provider: z.string().min(1),
  orchestration: z.string().min(1),
  version,
});

export const gatewayInfo = z.object({ provider: providerInfo, version, arch: z.string().min(1) });

export const secretList = z.array(
  z.object({
    name: z.string().min(1),
    namespace: z.string().optional(),
    // Never in an answer.
    value: z.never().optional(),
    rawValue: z.never().optional(),
  }),
);

export const namespaces = z.array(z.string().min(1)).min(1);

export const logEntry = z.object({
  name: z.string().min(1),
  namespace: z.string(),
  instance: z.string().min(1),
  timestamp: z.iso.datetime({ offset: true }),
  text: z.string(),
});
