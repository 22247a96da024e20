import { once } from "node:events";
import net, { type AddressInfo, type Socket } from "node:net";

/** A wire between a client and a server that can be cut and frozen, so that an outage disturbs nobody else's test. */
export interface TcpProxy {
  readonly port: number;
  /** Every connection ends and new ones are refused, as when the server's process is gone. */
  cut(): Promise<void>;
  /** Connections stay open and carry nothing more, as when the network drops every packet. */
  freeze(): void;
  /** As it was at first. What was frozen stays lost: its connections end. */
  mend(): Promise<void>;
  close(): Promise<void>;
}

export async function tcpProxy(host: string, port: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let frozen = false;
  let server = await listen(0);
  const own = (server.address() as AddressInfo).port;

  async function listen(at: number): Promise<net.Server> {
    const made = net.createServer((client) => {
      const upstream = net.connect(port, host);
      for (const [from, to] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        sockets.add(from);
        from.setNoDelay(true);
        from.on("data", (bytes) => frozen || to.write(bytes));
        from.on("error", () => undefined);
        from.on("close", () => {
          sockets.delete(from);
          to.destroy();
        });
      }
    });
    made.listen(at, "127.0.0.1");
    await once(made, "listening");
    return made;
  }

  async function cut(): Promise<void> {
    const closed = server.listening ? once(server, "close") : Promise.resolve();
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  }

  return {
    port: own,
    cut,
    freeze() {
      frozen = true;
    },
    async mend() {
      if (frozen) for (const socket of sockets) socket.destroy();
      frozen = false;
      if (!server.listening) server = await listen(own);
    },
    close: cut,
  };
}
