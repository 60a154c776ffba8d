/** The version of both providers: package.json has it. */
export { version as VERSION } from "../../package.json";
