/** Where a function may run, in Swarm's words. */

/** Swarm knows no other; one that it does not know fits no node. */
const KEYS = /^(node\.(id|hostname|ip|role|platform\.(os|arch)|labels\.[\w.-]+)|engine\.labels\.[\w.-]+)$/i;
/** Swarm's own rule for a value. */
const VALUE = /^[a-z0-9:\-_\s.*()?+[\]\\^$|/]+$/i;

/** @returns what is wrong with the constraint */
export function constraintProblem(text: string): string | undefined {
  const [, key = "", value = ""] = /^(.*?)(?:==|!=)(.*)$/s.exec(text) ?? [];
  if (!KEYS.test(key.trim()) || !VALUE.test(value.trim()))
    return `"${text}" is not like node.role==worker or node.labels.disk!=slow; before == or != stands node.id, node.hostname, node.ip, node.role, node.platform.os, node.platform.arch, node.labels.NAME or engine.labels.NAME`;
  return undefined;
}
