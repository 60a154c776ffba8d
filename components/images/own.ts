import * as fs from "node:fs";
import * as path from "node:path";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { Environment } from "../../environment/schema";
import type { FunctionOfFile } from "../functions/functionOfFile";
import type { FunctionBuild } from "../functions/stack";
import type { EnvironmentImages } from ".";
import { baseArgument, type BasePart, baseParts, packFunction } from "../functions/build";
import { loadedImage } from "./loaded";
import { readLock } from "./lock";
import { type Logins, loginOf, PulledImages } from "./login";
import { parentImages } from "./registries";
import { packService } from "./service";

/** Plain values: they decide which images are built. */
export interface ImagesArgs {
  /** Section `images` of an environment. */
  settings: Environment["images"];
  /** Turns names of images into references by digest. */
  resolver: EnvironmentImages;
  /** Logins by registry, each "user:password" (secret). */
  registryAuth: Logins;
  /** The functions whose images are wanted. */
  functions: FunctionOfFile[];
  /** Whether the platform's own services are wanted from the host's engine, where that builds. Default: true. */
  services?: boolean;
}

/** An image, and what to wait for before it is used. */
export interface ServiceImage {
  image: string;
  builds: pulumi.Resource[];
}

/** Image of a function, and the login of its registry. */
export interface FunctionImage {
  image: pulumi.Input<string>;
  registryAuth?: pulumi.Input<string>;
}

/**
 * Images of this project: the Swarm provider's, the queue worker's and those of functions.
 *
 * With `images.own: build` (the default) the host's engine builds them: a host of one's own then needs no registry. Their tag is
 * the hash of what they are made of, so a tag never means two things; their name lies under "localhost", where no registry
 * of somebody else's can answer for it. With `images.own: registry` they are pulled like all others.
 */
export class Images extends pulumi.ComponentResource {
  readonly swarmProvider: ServiceImage;
  /** Of the queue worker and the exporter. */
  readonly queueWorker: ServiceImage;
  /** By the functions' names. */
  readonly functions: Record<string, FunctionImage>;

  private readonly pulled: PulledImages;

  constructor(
    private readonly label: string,
    private readonly args: ImagesArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("oslo-faas:index:OwnImages", label, { settings: args.settings }, opts);
    const { resolver, settings, functions, services = true } = args;
    this.pulled = new PulledImages(label, args.registryAuth, this);
    const pull = settings.own === "registry" || !services;
    this.swarmProvider = pull
      ? { image: resolver.stack("swarmProvider"), builds: [] }
      : this.service("swarm-provider");
    this.queueWorker = pull ? { image: resolver.stack("queueWorker"), builds: [] } : this.service("queue");
    this.functions = Object.fromEntries(functions.map((one) => [one.spec.name, this.ofFunction(one)]));
    this.registerOutputs({
      swarmProvider: this.swarmProvider.image,
      queueWorker: this.queueWorker.image,
      functions: Object.fromEntries(Object.entries(this.functions).map(([name, { image }]) => [name, image])),
    });
  }

  private service(name: string): ServiceImage {
    const args = { NODE_IMAGE: this.args.resolver.stack("node") };
    const { folder, hash } = packService(name, args);
    const build = this.build(name, hash, folder, args);
    return { image: nameOf(name, hash), builds: [build] };
  }

  /** As its stack.yml names it, built from its folder, or loaded onto the host before. */
  private ofFunction({ spec, build, file }: FunctionOfFile): FunctionImage {
    const { settings, resolver, registryAuth } = this.args;
    const loaded = settings.functions === "loaded";
    if (!build || (settings.own === "registry" && !loaded)) {
      const image = resolver.any(spec.image);
      const login = loginOf(registryAuth, image);
      return login ? { image, registryAuth: login } : { image };
    }
    const { folder, hash, args } = packFunction(spec.name, build, file, this.bases(build, file));
    if (loaded) return { image: loadedImage(spec.name, hash, readLock(settings.lock))! };
    return { image: this.build(`fn-${spec.name}`, hash, folder, args).name };
  }

  private bases(build: FunctionBuild, file: string): Record<string, string> {
    const image = (part: BasePart) => [baseArgument(part), this.args.resolver.stack(part)];
    return Object.fromEntries(baseParts(build, file).map(image)) as Record<string, string>;
  }

  private build(
    name: string,
    hash: string,
    context: string,
    buildArgs: Record<string, string>,
  ): docker.RemoteImage {
    const dockerfile = fs.readFileSync(path.join(context, "Dockerfile"), "utf8");
    const pulled = parentImages(dockerfile, buildArgs).flatMap((parent) => this.pulled.first(parent));
    return new docker.RemoteImage(
      `${this.label}-${name}`,
      {
        name: nameOf(name, hash),
        // Buildx would build on the engine of the machine that runs `pulumi`, not on the host's.
        build: { context, buildArgs, useLegacyBuilder: true },
        // A task that is still stopping holds its image; the engine's own clean-up takes it later.
        keepLocally: true,
      },
      { parent: this, dependsOn: pulled, customTimeouts: { create: "20m" } },
    );
  }
}

const nameOf = (name: string, hash: string) => `localhost/oslo-faas/${name}:${hash}`;
