/** A mail server that takes one mail after the other: STARTTLS, then AUTH PLAIN, then what is sent. */
import * as net from "node:net";
import * as tls from "node:tls";

export interface Mail {
  from: string;
  to: string[];
  /** Of AUTH PLAIN. */
  user: string;
  password: string;
  /** Whether it came over TLS. */
  encrypted: boolean;
  /** Headers, an empty line, the body. */
  text: string;
}

/** On a free port of 127.0.0.1. `took` is told each mail. */
export async function smtpServer(secure: { key: Buffer; cert: Buffer }, took: (mail: Mail) => void) {
  const server = net.createServer((socket) => session(socket, secure, false, took));
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return { port: (server.address() as net.AddressInfo).port, close: () => void server.close() };
}

function session(
  socket: net.Socket,
  secure: { key: Buffer; cert: Buffer },
  encrypted: boolean,
  took: (mail: Mail) => void,
): void {
  const say = (line: string) => socket.write(`${line}\r\n`);
  let mail: Mail = { from: "", to: [], user: "", password: "", encrypted, text: "" };
  let inText = false;
  let rest = "";
  const commands: Record<string, (argument: string) => void> = {
    EHLO: () => say(encrypted ? "250-test\r\n250 AUTH PLAIN" : "250-test\r\n250 STARTTLS"),
    STARTTLS: () => {
      say("220 go ahead");
      socket.removeAllListeners("data");
      session(new tls.TLSSocket(socket, { isServer: true, ...secure }), secure, true, took);
    },
    AUTH: (argument) => {
      const [, user = "", password = ""] = Buffer.from(argument.replace(/^PLAIN /, ""), "base64")
        .toString()
        .split("\0");
      mail = { ...mail, user, password };
      say("235 welcome");
    },
    MAIL: (argument) => (say("250 ok"), (mail.from = argument)),
    RCPT: (argument) => (say("250 ok"), mail.to.push(argument)),
    DATA: () => (say("354 end with a dot"), (inText = true)),
    QUIT: () => (say("221 bye"), socket.end()),
  };
  const line = (text: string) => {
    if (inText && text === ".") {
      inText = false;
      say("250 taken");
      took(mail);
    } else if (inText) mail.text += `${text.replace(/^\./, "")}\n`;
    else {
      const [word = "", ...more] = text.split(" ");
      (commands[word.toUpperCase()] ?? (() => say("502 what?")))(more.join(" "));
    }
  };
  socket.on("error", () => undefined);
  socket.on("data", (chunk) => {
    const lines = `${rest}${String(chunk)}`.split("\r\n");
    rest = lines.pop()!;
    lines.forEach(line);
  });
  if (!encrypted) say("220 test");
}
