import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { isFault } from "@sluice/core/domain/fault";
import { type RequestBytes, requestBytes } from "./request-bytes.ts";

/** Runs `read` on the body of a request that `send` makes. */
async function withRequest<T>(
  send: (client: ReturnType<typeof request>) => void,
  read: (bytes: RequestBytes, req: IncomingMessage, res: ServerResponse) => Promise<T>,
  options: { maxBytes: number; idleMs: number } = { maxBytes: 1e9, idleMs: 10_000 },
): Promise<T> {
  const outcome = Promise.withResolvers<T>();
  const server = createServer((req, res) => {
    const body = requestBytes(req, res, { ...options, statedLimit: options.maxBytes });
    read(body, req, res)
      .finally(() => {
        body[Symbol.dispose]();
        res.end();
      })
      .then(outcome.resolve, outcome.reject);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const client = request({ port: (server.address() as AddressInfo).port, host: "127.0.0.1", method: "POST" });
  client.on("error", () => undefined);
  send(client);
  try {
    return await outcome.promise;
  } finally {
    client.destroy();
    server.closeAllConnections();
    server.close();
  }
}

async function readAll(bytes: RequestBytes): Promise<number> {
  let total = 0;
  for (let chunk = await bytes.next(); chunk !== null; chunk = await bytes.next()) total += chunk.length;
  return total;
}

const codeOf = (error: unknown) => (isFault(error) ? error.code : error);

test("a whole body arrives, and its signal is not aborted", async () => {
  const aborted = await withRequest(
    (client) => client.end(Buffer.alloc(3_000_000)),
    async (bytes) => [await readAll(bytes), bytes.signal.aborted],
  );
  expect(aborted).toEqual([3_000_000, false]);
});

test("an unread body holds its sender back", async () => {
  const sent = await withRequest(
    (client) => client.write(Buffer.alloc(50_000_000)),
    async (bytes, req) => {
      await bytes.next();
      await new Promise((resolve) => setImmediate(resolve));
      return req.readableLength;
    },
  );
  expect(sent).toBeLessThan(1_000_000);
});

test("silence is ended with timeout, but only while the body is waited for", async () => {
  const options = { maxBytes: 1e9, idleMs: 30 };
  const read = withRequest((client) => client.write("x"), readAll, options);
  expect(await read.catch(codeOf)).toBe("timeout");
});

test("a client that hangs up is aborted, its signal too", async () => {
  const seen = await withRequest(
    (client) => client.write("x", () => client.destroy()),
    async (bytes) => [await readAll(bytes).catch(codeOf), codeOf(bytes.signal.reason)],
  );
  expect(seen).toEqual(["aborted", "aborted"]);
});

test("a body over the limit fails while it streams", async () => {
  const read = withRequest((client) => client.write(Buffer.alloc(200_000)), readAll, { maxBytes: 100_000, idleMs: 10_000 });
  expect(await read.catch(codeOf)).toBe("too_large");
});
