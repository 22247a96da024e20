import type { IncomingMessage } from "node:http";
import { expect, test } from "vitest";
import { basicPassword, isDirectLoopback } from "./auth.ts";

const from = (remoteAddress: string, headers: Record<string, string>) =>
  ({ headers, socket: { remoteAddress } }) as unknown as IncomingMessage;

test("only a loopback peer that names a loopback host, unforwarded and from no other site, is direct", () => {
  for (const host of ["127.0.0.1:8080", "localhost", "LOCALHOST:80", "[::1]:8080", "127.1.2.3"])
    expect(isDirectLoopback(from("127.0.0.1", { host }))).toBe(true);
  for (const peer of ["::1", "::ffff:127.0.0.1"]) expect(isDirectLoopback(from(peer, { host: "localhost" }))).toBe(true);
  for (const peer of ["10.0.0.1", "::ffff:10.0.0.1", "127.0.0.1.evil"])
    expect(isDirectLoopback(from(peer, { host: "localhost" }))).toBe(false);
  for (const host of ["", "evil.example", "localhost.evil.example", "127.0.0.1.nip.io", "localhost:80:80", "0.0.0.0"]) {
    expect([host, isDirectLoopback(from("127.0.0.1", { host }))]).toEqual([host, false]);
  }
  const host = "localhost:8080";
  expect(isDirectLoopback(from("::1", { host, origin: "http://localhost:8080" }))).toBe(true);
  for (const origin of ["http://localhost:3000", "https://localhost:8080", "null", "http://evil.example"]) {
    expect([origin, isDirectLoopback(from("::1", { host, origin }))]).toEqual([origin, false]);
  }
  for (const name of ["forwarded", "via", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-anything", "x-real-ip"]) {
    expect([name, isDirectLoopback(from("::1", { host, [name]: "" }))]).toEqual([name, false]);
  }
});

test("Basic credentials give their password, whatever the user", () => {
  const basic = (text: string) => from("::1", { authorization: `Basic ${Buffer.from(text).toString("base64")}` });
  expect(basicPassword(basic("any:a:b"))).toBe("a:b");
  expect(basicPassword(basic("none"))).toBeNull();
  expect(basicPassword(from("::1", { authorization: "Bearer x" }))).toBeNull();
});
