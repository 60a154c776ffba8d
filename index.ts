import { loadEnvironment, OsloFaas } from "./components";

export default async () => new OsloFaas("oslo-faas", loadEnvironment()).outputs;
