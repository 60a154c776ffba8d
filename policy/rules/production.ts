/** The level "mandatory in production": a rule that fails a preview there, and says nothing elsewhere. */
import type { ReportViolation, ResourceValidationArgs, ResourceValidationPolicy } from "@pulumi/policy";
import { isProduction, PRODUCTION_NAME } from "../../shared/production";
import { saidOfProduction, stackOf } from "./stack";

export const PRODUCTION_CONFIG = {
  production: {
    type: "string" as const,
    default: PRODUCTION_NAME,
    description:
      "Regular expression for the names of stacks that are production, where their file does not say.",
  },
};

export interface Rule {
  name: string;
  description: string;
  judge: (args: Pick<ResourceValidationArgs, "type" | "props">, report: ReportViolation) => void;
}

/** @param said what a stack's file says. Default: its key `production` */
export const inProduction = (
  { name, description, judge }: Rule,
  said: (stack: string) => unknown = saidOfProduction,
): ResourceValidationPolicy => ({
  name,
  description,
  enforcementLevel: "mandatory",
  configSchema: { properties: PRODUCTION_CONFIG },
  validateResource: (args, report) => {
    // Asked where something is wrong, and not of every resource: what the stack says is in files.
    const isJudged = () => {
      const { production } = args.getConfig<{ production: string }>();
      const stack = stackOf(args.urn);
      return isProduction(stack, said(stack), production);
    };
    judge(args, (...violation) => {
      if (isJudged()) report(...violation);
    });
  },
});

export const always = (
  { name, description, judge }: Rule,
  enforcementLevel: "advisory" | "mandatory",
): ResourceValidationPolicy => ({ name, description, enforcementLevel, validateResource: judge });
