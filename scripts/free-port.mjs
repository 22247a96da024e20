import { createServer } from "node:net";
import { randomInt } from "node:crypto";

/** Whether one can listen there; otherwise the reason (`EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL`, …). */
export function whyNotFree(port, host = "127.0.0.1") {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error) => resolve(error.code ?? String(error)));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(null)));
  });
}

/**
 * A free loopback port outside of Linux' range for outgoing connections (32768-60999): a client that keeps trying to
 * reach a server which is down may otherwise be given that very port, connect to itself and keep the server from coming back.
 */
export async function freePort() {
  for (let tries = 0; tries < 200; tries++) {
    const port = randomInt(20_000, 32_000);
    if ((await whyNotFree(port)) === null) return port;
  }
  throw new Error("no free port between 20000 and 32000 on 127.0.0.1");
}
