/** The program's side of the provider `host`: `import * as host from "./providers/host/sdk"`. */
export * from "./provider";
export * from "./file";
export * from "./packages";
export * from "./aptRepository";
export * from "./systemdUnit";
export * from "./sysctl";
export * from "./swarmMember";
export * from "./function";
export * from "./functionSecret";
export * from "./facts";
export * from "./password";
