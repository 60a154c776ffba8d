/** The certificate of the lab's Nginx: self-signed, made on the host itself, whose private key then never leaves it. */
import { LabError } from "./errors";

/** As stacks/Pulumi.local.yaml names them. */
const FOLDER = "/etc/ssl/oslo-faas";

/** Through a folder of another name, so that a run that is killed here leaves no half pair. */
const SCRIPT = `
test -s ${FOLDER}/privkey.pem && exit 0
set -e
rm -rf ${FOLDER}.new && mkdir -m 0755 ${FOLDER}.new
umask 077
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 365 -subj /CN=localhost \\
  -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout ${FOLDER}.new/privkey.pem -out ${FOLDER}.new/fullchain.pem
chmod 0644 ${FOLDER}.new/fullchain.pem
mv ${FOLDER}.new ${FOLDER}
`;

/** Makes what a server's owner brings along before the first `up`: a certificate chain and its key. Leaves those that are there. */
export async function ensureCertificate(onHost: (command: string[]) => Promise<string>): Promise<void> {
  const said = await onHost(["sh", "-c", SCRIPT]);
  const there = await onHost(["ls", FOLDER]);
  if (!there.includes("privkey.pem"))
    throw new LabError(`No certificate could be made on the host: ${said.trim().split("\n").pop()}`);
}
