import type { BasePart } from "../../components/images/context";
import type { Tree } from "./oci";
import type { Input, Work } from "./work";

/** An image that an engine builds from a Dockerfile. */
export interface BuiltImage {
  /** Name in the lab's registry, with its tag. */
  name: string;
  inputs: Input[];
  /** The lab's base images that it stands on, given as build arguments such as NODE_IMAGE. */
  bases: BasePart[];
  /** Other build arguments. Default: none. */
  args?: Record<string, string>;
  /** The files to build from. */
  context(work: Work): Promise<Tree>;
}
