import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import type { OrgId } from "../domain/ids.ts";
import type { ApiKey, Directory } from "../ports/directory.ts";
import { createKey, ensurePresetKey, KEY_CACHE_MS, keyPrefix, openAccess } from "./access.ts";

const ORG = 0 as OrgId;

/** A directory in memory that counts its look-ups. */
function fakeDirectory() {
  const keys = new Map<string, ApiKey>();
  const counts = { found: 0 };
  const directory = {
    findKey: async (prefix: string) => {
      counts.found++;
      return keys.get(prefix) ?? null;
    },
    putKey: async (key: Omit<ApiKey, "revokedAtMs" | "createdAtMs">) =>
      void keys.set(key.prefix, { ...key, createdAtMs: 0, revokedAtMs: null }),
  } as unknown as Directory;
  return { directory, keys, counts };
}

function clockAt(start: number) {
  let now = start;
  return { now: () => now, random: (count: number) => new Uint8Array(count).fill(7), pass: (ms: number) => (now += ms) };
}

test("a made key works, is found by its visible prefix, and is kept nowhere", async () => {
  const { directory, keys } = fakeDirectory();
  const clock = clockAt(0);
  const made = await createKey({ directory, clock }, { org: ORG, name: "n", scopes: ["read"] });
  expect(made.key).toMatch(/^slk_[a-z2-7]{8}_[A-Za-z0-9_-]{43}$/);
  expect([made.prefix, keyPrefix(made.key)]).toEqual([made.key.split("_")[1], made.prefix]);
  expect(JSON.stringify([...keys.values()])).not.toContain(made.key.slice(13));
  const access = openAccess({ directory, clock });
  expect(await access.authenticate(made.key)).toEqual({ org: ORG, keyId: made.id, scopes: ["read"] });
  expect(await access.authenticate(`${made.key.slice(0, -1)}_`)).toBeNull();
});

test("a preset key may be any text", async () => {
  const { directory, clock, access } = presetSetup();
  await ensurePresetKey({ directory, clock }, "any text of 16 or more: ünïcode", ORG);
  expect(await access.authenticate("any text of 16 or more: ünïcode")).toMatchObject({ scopes: ["admin"] });
  expect(keyPrefix("abc")).toBe(createHash("sha256").update("abc").digest("hex").slice(0, 16));
});

test("a revoked key stops working when what is remembered of it is too old", async () => {
  const { directory, keys, counts, clock, access } = presetSetup();
  await ensurePresetKey({ directory, clock }, "a-key-of-16-chars", ORG);
  expect(await access.authenticate("a-key-of-16-chars")).not.toBeNull();
  const prefix = keyPrefix("a-key-of-16-chars");
  const row = keys.get(prefix);
  if (row) keys.set(prefix, { ...row, revokedAtMs: 1 });
  clock.pass(KEY_CACHE_MS - 1);
  expect([await access.authenticate("a-key-of-16-chars"), counts.found]).toEqual([expect.anything(), 1]);
  clock.pass(1);
  expect([await access.authenticate("a-key-of-16-chars"), counts.found]).toEqual([null, 2]);
});

test("wrong keys are remembered too, so that guessing costs the records little", async () => {
  const { access, counts } = presetSetup();
  for (let i = 0; i < 5; i++) expect(await access.authenticate("wrong-wrong-wrong")).toBeNull();
  expect(counts.found).toBe(1);
  for (const bad of ["", "x".repeat(513)]) expect(await access.authenticate(bad)).toBeNull();
  expect(counts.found).toBe(1);
});

function presetSetup() {
  const fake = fakeDirectory();
  const clock = clockAt(0);
  return { ...fake, clock, access: openAccess({ directory: fake.directory, clock }) };
}
