import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Registry } from "prom-client";

export interface Health {
  /** The port it listens on. */
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Serves /livez, /readyz and /metrics. Ready means that jobs are really being taken; an idle worker is ready.
 * No key is asked for: it listens on loopback unless it is told otherwise, and shows no names and no ids.
 */
export async function serveHealth(
  at: { readonly host: string; readonly port: number },
  ready: () => boolean,
  registry: Registry,
): Promise<Health> {
  const server = createServer((request, response) => {
    if (request.method !== "GET" && request.method !== "HEAD") return answer(response, 405, { error: "only GET" });
    switch (request.url?.split("?")[0] ?? "") {
      case "/livez":
        return answer(response, 200, { live: true });
      case "/readyz":
        return answer(response, ready() ? 200 : 503, { ready: ready() });
      case "/metrics":
        return void sendMetrics(response, registry);
      default:
        return answer(response, 404, { error: "there are /livez, /readyz and /metrics" });
    }
  });
  await listen(server, at);
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, at: { readonly host: string; readonly port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(at.port, at.host, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" }).end(`${JSON.stringify(body)}\n`);
}

async function sendMetrics(response: ServerResponse, registry: Registry): Promise<void> {
  const text = await registry.metrics();
  response.writeHead(200, { "content-type": registry.contentType }).end(text);
}
