"use strict";
/**
 * The rooms of the house, from the top floor down. A room imports from the rooms below it and never from one above,
 * and files do not import each other in a circle. `npm run check -- imports` holds both.
 */
const ROOMS = [
  "index.ts",
  "cli",
  "lab",
  "policy",
  "components",
  "environment",
  "providers/openfaas",
  "providers/host",
  "providers/core",
  "services",
  "programs",
  "shared",
];
const inRoom = (room) => (room.endsWith(".ts") ? `^${room}$` : `^${room}/`);

/** @type {import("dependency-cruiser").IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: "no-circle",
      severity: "error",
      comment:
        "Files that import each other can only be understood together. Move what both need into a third.",
      from: {},
      to: { circular: true },
    },
    ...ROOMS.slice(1).map((room, index) => ({
      name: `not-up-from-${room.replace("/", "-")}`,
      severity: "error",
      comment: `${room} is below ${ROOMS.slice(0, index + 1).join(", ")}.`,
      from: { path: inRoom(room) },
      to: { path: ROOMS.slice(0, index + 1).map(inRoom) },
    })),
    {
      name: "not-into-tests",
      severity: "error",
      comment: "Product code and benchmarks do not depend on tests.",
      from: { pathNot: "^tests/" },
      to: { path: "^tests/" },
    },
    {
      name: "not-resolvable",
      severity: "error",
      comment: "An import that resolves to nothing fails at run time.",
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^(tests/integration/handlers|functions|templates)/|/dist/" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "require", "node", "types"],
    },
  },
};
