/** Machines and the hypervisors that people run: systemd-detect-virt's words. No container is among them. */
export const VIRTUAL_MACHINES = [
  "none",
  "kvm",
  "qemu",
  "amazon",
  "apple",
  "google",
  "microsoft",
  "oracle",
  "parallels",
  "vmware",
  "xen",
  "bhyve",
];
