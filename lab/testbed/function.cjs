/** The function that the provider's tests deploy: it echoes, counts, streams, waits, and tells what it was given. */
const { createHash } = require("node:crypto");
const fs = require("node:fs");
const http = require("node:http");
const os = require("node:os");

const server = http.createServer(async (request, response) => {
  const url = new URL(request.url, "http://function");
  const json = (value) => {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(value));
  };
  if (url.pathname === "/echo") {
    response.writeHead(200, {
      "content-type": request.headers["content-type"] ?? "application/octet-stream",
    });
    return request.pipe(response);
  }
  if (url.pathname === "/count") {
    const hash = createHash("sha256");
    let bytes = 0;
    for await (const chunk of request) {
      hash.update(chunk);
      bytes += chunk.length;
    }
    return json({ bytes, sha256: hash.digest("hex") });
  }
  if (url.pathname === "/say") {
    let text = "";
    for await (const chunk of request) text += chunk;
    process.stdout.write(`${text}\n`);
    return json({ said: text });
  }
  if (url.pathname === "/slow") {
    request.resume();
    return void setTimeout(() => json({ slept: true }), Number(url.searchParams.get("ms")));
  }
  if (url.pathname === "/secret")
    return json({ text: fs.readFileSync(`/var/openfaas/secrets/${url.searchParams.get("name")}`, "utf8") });
  if (url.pathname === "/write") {
    const attempt = (file) => {
      try {
        fs.writeFileSync(file, "x");
        return "written";
      } catch (error) {
        return error.code;
      }
    };
    return json({ root: attempt("/somewhere"), tmp: attempt("/tmp/somewhere") });
  }
  if (url.pathname === "/healthz") response.statusCode = process.env.sick ? 503 : 200;
  request.resume();
  json({
    host: os.hostname(),
    env: process.env,
    method: request.method,
    url: request.url,
    headers: request.headers,
  });
});

if (process.env.broken) {
  process.stderr.write("no such database: orders\n");
  process.exit(3);
}
setTimeout(() => server.listen(8080), Number(process.env.late ?? 0));
// As the watchdogs do it: what is under way is finished.
if (!process.env.careless)
  process.on("SIGTERM", () => {
    server.close(() => process.exit(0));
    server.closeIdleConnections();
  });
