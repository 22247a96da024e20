import dgram from "node:dgram";
import dns from "node:dns";
import { syncBuiltinESMExports } from "node:module";
import net from "node:net";

/**
 * Takes the network from this process. Node 24's permission model covers files, processes, workers and addons but has no
 * switch for the network, so the doors are nailed shut: connecting, listening, datagrams and name look-ups throw.
 * fetch, http, https, tls and http2 all go through these.
 */
export function denyNetwork(): void {
  const deny = (what: string) => () => {
    throw Object.assign(new Error(`${what}: a sandbox has no network`), { code: "ERR_ACCESS_DENIED" });
  };
  const close = (target: object, names: readonly string[], what: string) => {
    for (const name of names) Object.defineProperty(target, name, { value: deny(`${what}.${name}`), writable: false, configurable: false });
  };
  close(net.Socket.prototype, ["connect"], "net.Socket");
  close(net.Server.prototype, ["listen"], "net.Server");
  close(dgram.Socket.prototype, ["bind", "connect", "send"], "dgram.Socket");
  const lookups = Object.keys(dns).filter((name) => /^(lookup|resolve|reverse)/.test(name));
  close(dns, lookups, "dns");
  close(dns.promises, lookups, "dns.promises");
  close(dns.Resolver.prototype, lookups, "dns.Resolver");
  close(dns.promises.Resolver.prototype, lookups, "dns.promises.Resolver");
  syncBuiltinESMExports();
}
