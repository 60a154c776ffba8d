import type { Tree } from "./oci";
import type { Input, Work } from "./work";

/** An image that an engine builds from a Dockerfile. */
export interface BuiltImage {
  /** Name in the lab's registry, with its tag. */
  name: string;
  inputs: Input[];
  /** Stage of the Dockerfile. Default: the last. */
  target?: string;
  /** Whether it stands on the lab's node image, given as the build argument NODE_IMAGE. */
  onNode: boolean;
  /** The files to build from. */
  context(work: Work): Promise<Tree>;
}
