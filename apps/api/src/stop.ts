import type { Server } from "node:http";
import { Socket } from "node:net";

const IDLE_CHECK_MS = 50;

/** Resolves with the reason when the process is asked to end: a signal, or the end of the pipe that its parent holds. */
export function untilStopped(parentFd: number | null): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => resolve(signal));
    if (parentFd === null) return;
    const gone = () => resolve("its parent is gone");
    const pipe = new Socket({ fd: parentFd, readable: true, writable: false });
    pipe.on("end", gone).on("close", gone).on("error", gone).resume();
  });
}

/** Takes no new connection, lets running requests finish for at most `graceMs`, then cuts the rest. */
export async function closeServer(server: Server, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  const cut = setTimeout(() => server.closeAllConnections(), graceMs);
  // `close` ends the connections that are idle now; those whose answers had begun stay open for a next request.
  const idle = setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MS);
  await closed;
  clearInterval(idle);
  clearTimeout(cut);
}
