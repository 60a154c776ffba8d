/** The remedy for a finding of `judge`. */
const REMEDIES: readonly [RegExp, (environment: string) => string][] = [
  [/ is not there$/, (environment) => `pulumi up --refresh -s ${environment} puts it back`],
  [/^(service|function) \S+( runs|:)/, () => "on the host: docker service ps --no-trunc NAME says why"],
  [/^host: cannot be asked/, () => "the host, its address and your key: ssh to it by hand says more"],
  [/: cannot be asked/, () => "it answers again once its service runs; see the findings about services"],
  [/^\S+ is \w+$/, () => "on the host: systemctl status of that unit"],
  [/^\/healthz/, () => "on the host: nginx -t, and journalctl -u nginx"],
  [/^disk \S+: \d+ of/, () => "on the host: docker system df shows what takes the space"],
  [/^memory:/, () => "on the host: docker stats shows what takes it; a function may need limits.memory"],
  [/^port \d+ of the host answers/, (environment) => `pulumi up --refresh -s ${environment} closes it`],
  [/^disk: \d+ synchronous/, () => "a faster disk for the queue, or a lower preflight.minFsyncPerSecond"],
  [/^queue: .* no worker/, (environment) => `pulumi up --refresh -s ${environment} brings the worker back`],
  [
    /^queue: the oldest/,
    () => "ask again: if the depth does not fall, the function is too slow or scaled too low",
  ],
  [/^queue: .* are missing/, () => "docs/queue.md says what it can come from"],
  [
    /^certificate: (the order|Nginx)/,
    () => "put right what it names; then on the host: systemctl start oslo-faas-certificate",
  ],
  [/^certificate:/, () => "renew it on the host, then reload nginx"],
  [/^latency: \S+ cannot/, () => "its name, its firewall, or latency.targets; on the host: tracepath HOST"],
  [/^latency: .* to the host/, () => "ask again from where callers are; tracepath shows the way"],
  [/^latency:/, () => "on the host: tracepath HOST shows the way; ask the host's operator about it"],
  [/^drift:/, (environment) => `pulumi up --refresh -s ${environment}`],
  [/^alert /, () => "docs/every-day.md says what each alert means"],
];

/** Undefined if the finding itself says what to do. */
export const remedyFor = (problem: string, environment: string): string | undefined =>
  REMEDIES.find(([form]) => form.test(problem))?.[1](environment);
