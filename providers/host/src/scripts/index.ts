/** The scripts that run on a host, by name. They are files of their own so that shellcheck and editors see them. */
import apt from "./apt.sh";
import aptRepository from "./apt-repository.sh";
import aptRepositoryRead from "./apt-repository-read.sh";
import aptRepositoryRemove from "./apt-repository-remove.sh";
import defaultAddress from "./default-address.sh";
import facts from "./facts.sh";
import fileApply from "./file-apply.sh";
import fileDelete from "./file-delete.sh";
import fileLib from "./file-lib.sh";
import fileRead from "./file-read.sh";
import lib from "./lib.sh";
import loginShell from "./login-shell.sh";
import packagesApply from "./packages-apply.sh";
import packagesLib from "./packages-lib.sh";
import packagesRead from "./packages-read.sh";
import packagesRemove from "./packages-remove.sh";
import putFile from "./put-file.sh";
import swarmInfo from "./swarm-info.sh";
import swarmJoin from "./swarm-join.sh";
import sysctlApply from "./sysctl-apply.sh";
import sysctlRead from "./sysctl-read.sh";
import systemdApply from "./systemd-apply.sh";
import systemdRead from "./systemd-read.sh";
import writeFile from "./write-file.sh";

export const SCRIPTS = {
  apt,
  "apt-repository": aptRepository,
  "apt-repository-read": aptRepositoryRead,
  "apt-repository-remove": aptRepositoryRemove,
  "default-address": defaultAddress,
  facts,
  "file-apply": fileApply,
  "file-delete": fileDelete,
  "file-lib": fileLib,
  "file-read": fileRead,
  lib,
  "login-shell": loginShell,
  "packages-apply": packagesApply,
  "packages-lib": packagesLib,
  "packages-read": packagesRead,
  "packages-remove": packagesRemove,
  "put-file": putFile,
  "swarm-info": swarmInfo,
  "swarm-join": swarmJoin,
  "sysctl-apply": sysctlApply,
  "sysctl-read": sysctlRead,
  "systemd-apply": systemdApply,
  "systemd-read": systemdRead,
  "write-file": writeFile,
};

export type ScriptName = keyof typeof SCRIPTS;
