/** The lock file of images, for an environment that names no other. Relative to the project. */
export const DEFAULT_LOCK = "stacks/images.lock.json";
