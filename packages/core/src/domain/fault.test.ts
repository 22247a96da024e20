import { expect, test } from "vitest";
import { may, SCOPES, type Caller } from "./access.ts";
import { Fault, FAULTS, isFault, printable } from "./fault.ts";

test("a fault survives its record, as plain JSON", () => {
  const fault = new Fault("too_large", "file: is too large", { field: "file", value: 12, limit: "10 MB" });
  const record = JSON.parse(JSON.stringify(fault.toRecord())) as ReturnType<Fault["toRecord"]>;
  expect(record).toEqual({ code: "too_large", message: "file: is too large", field: "file", value: 12, limit: "10 MB" });
  const again = Fault.fromRecord(record);
  expect(again.toRecord()).toEqual(record);
  expect([again.status, again.blame]).toEqual([413, "request"]);
});

test("a record holds what it is told and nothing more: no cause, no absent member", () => {
  expect(new Fault("internal", "m", { cause: new Error("secret") }).toRecord()).toEqual({ code: "internal", message: "m" });
  expect(new Fault("bad_request", "m", { value: null }).toRecord()).toEqual({ code: "bad_request", message: "m", value: null });
});

test("a record can be kept anywhere: NUL, controls and half characters are escaped, long texts cut", () => {
  const record = new Fault("bad_row", `m\u0000\u202e\ud800${"x".repeat(3_000)}`, { field: "f\u0007", value: "v".repeat(300) }).toRecord();
  expect(record.message.startsWith("m\\u0000\\u202e\ufffd")).toBe(true);
  expect(record.message).toHaveLength(2_001);
  expect(record.field).toBe("f\\u0007");
  expect(record.value).toBe(`${"v".repeat(200)}…`);
  expect(printable("line 1\n\tline 2")).toBe("line 1\n\tline 2");
});

test("the blame decides the status: request and content 4xx, platform 5xx but for a stale epoch", () => {
  for (const [code, { blame, status }] of Object.entries(FAULTS)) {
    if (code === "stale_epoch") continue;
    expect(`${code} ${Math.floor(status / 100)}`).toBe(`${code} ${blame === "platform" ? 5 : 4}`);
  }
});

test("only a Fault is a fault", () => {
  expect(isFault(new Fault("internal", "m"))).toBe(true);
  expect(isFault(Object.assign(new Error("m"), { code: "internal" }))).toBe(false);
});

test("a key may do what its scopes say, an admin everything", () => {
  const caller = (...scopes: Caller["scopes"]): Caller => ({ org: 0 as Caller["org"], keyId: null, scopes });
  expect(SCOPES.filter((scope) => may(caller("admin"), scope))).toEqual([...SCOPES]);
  expect(SCOPES.filter((scope) => may(caller("read"), scope))).toEqual(["read"]);
  expect(SCOPES.filter((scope) => may(caller(), scope))).toEqual([]);
});
