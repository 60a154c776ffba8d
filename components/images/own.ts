import * as fs from "node:fs";
import * as path from "node:path";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type * as openfaas from "../../providers/openfaas/sdk";
import type { LoadedEnvironment } from "../../environment";
import type { FunctionOfFile } from "../functions/functionOfFile";
import type { FunctionBuild } from "../functions/stack";
import type { EnvironmentImages } from ".";
import { baseArgument, type BasePart, baseParts, packFunction } from "./context";
import { loadedImage } from "./loaded";
import { readLock } from "./lock";
import { loginOf, PulledImages } from "./login";
import { parentImages } from "./registries";
import { packService } from "./service";

export interface OwnImagesArgs {
  environment: LoadedEnvironment;
  images: EnvironmentImages;
}

/**
 * Images of this project: the Swarm provider's, the queue worker's and those of functions with a handler.
 *
 * With `images.own: build` (the default) the host's engine builds them: a host of one's own then needs no registry. Their tag is
 * the hash of what they are made of, so a tag never means two things; their name lies under "localhost", where no registry
 * of somebody else's can answer for it. With `images.own: registry` they are pulled like all others.
 */
export class OwnImages extends pulumi.ComponentResource {
  private readonly environment: LoadedEnvironment;
  private readonly images: EnvironmentImages;
  private readonly pulled: PulledImages;

  constructor(
    private readonly label: string,
    args: OwnImagesArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("oslo-faas:index:OwnImages", label, {}, opts);
    this.environment = args.environment;
    this.images = args.images;
    this.pulled = new PulledImages(label, args.environment.registryAuth, this);
  }

  /** Image of the Swarm provider. */
  swarmProvider(): pulumi.Input<string> {
    if (this.environment.images.own === "registry") return this.images.stack("swarmProvider");
    return this.service("swarm-provider");
  }

  /** Image of the queue worker and the exporter. */
  queue(): pulumi.Input<string> {
    if (this.environment.images.own === "registry") return this.images.stack("queueWorker");
    return this.service("queue");
  }

  private service(name: string): pulumi.Output<string> {
    const args = { NODE_IMAGE: this.images.stack("node") };
    const { folder, hash } = packService(name, args);
    return this.build(name, hash, folder, args);
  }

  /** Image of a function: as its stack.yml names it, with the login of its registry, built from its folder, or loaded onto the host before. */
  ofFunction({ spec, build, file }: FunctionOfFile): Pick<openfaas.FunctionArgs, "image" | "registryAuth"> {
    const { own, functions, lock } = this.environment.images;
    const loaded = functions === "loaded";
    if (!build || (own === "registry" && !loaded)) {
      const image = this.images.any(spec.image);
      const registryAuth = loginOf(this.environment.registryAuth, image);
      return registryAuth ? { image, registryAuth } : { image };
    }
    const { folder, hash, args } = packFunction(spec.name, build, file, this.bases(build, file));
    if (loaded) return { image: loadedImage(spec.name, hash, readLock(lock))! };
    return { image: this.build(`fn-${spec.name}`, hash, folder, args) };
  }

  private bases(build: FunctionBuild, file: string): Record<string, string> {
    const image = (part: BasePart) => [baseArgument(part), this.images.stack(part)];
    return Object.fromEntries(baseParts(build, file).map(image)) as Record<string, string>;
  }

  private build(
    name: string,
    hash: string,
    context: string,
    buildArgs: Record<string, string>,
  ): pulumi.Output<string> {
    const dockerfile = fs.readFileSync(path.join(context, "Dockerfile"), "utf8");
    const pulled = parentImages(dockerfile, buildArgs).flatMap((parent) => this.pulled.first(parent));
    const image = new docker.RemoteImage(
      `${this.label}-${name}`,
      {
        name: `localhost/oslo-faas/${name}:${hash}`,
        // Buildx would build on the engine of the machine that runs `pulumi`, not on the host's.
        build: { context, buildArgs, useLegacyBuilder: true },
        // A task that is still stopping holds its image; the engine's own clean-up takes it later.
        keepLocally: true,
      },
      { parent: this, dependsOn: pulled, customTimeouts: { create: "20m" } },
    );
    return image.name;
  }
}
