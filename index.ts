import { loadEnvironment, OsloFaas } from "oslo-faas";

export = async () => new OsloFaas("oslo-faas", loadEnvironment()).outputs;
