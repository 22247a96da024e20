import { describe, expect, it } from "vitest";
import type { ObjectStore } from "../ports/object-store.ts";
import { putSink } from "./put-sink.ts";

function store(put: ObjectStore["put"]): ObjectStore {
  return { put } as ObjectStore;
}

async function gather(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe("a sink over a store's put", () => {
  it("hands over every byte in order and closes with what the store said", async () => {
    let got: Uint8Array = new Uint8Array();
    const sink = putSink(
      store(async (_key, source) => {
        got = await gather(source);
        return { bytes: got.length, sha256: "s" };
      }),
      "k",
    );
    for (let i = 0; i < 100; i++) await sink.write(Buffer.from(`${i},`));
    expect(await sink.close()).toEqual({ bytes: got.length, sha256: "s" });
    expect(got.toString()).toBe(Array.from({ length: 100 }, (_, i) => `${i},`).join(""));
  });

  it("stores an empty object when nothing was written", async () => {
    const sink = putSink(
      store(async (_key, source) => ({ bytes: (await gather(source)).length, sha256: "" })),
      "k",
    );
    expect(await sink.close()).toEqual({ bytes: 0, sha256: "" });
  });

  it("rejects the running and every later write, and the close, when the store fails midway", async () => {
    const full = new Error("no room");
    const sink = putSink(
      store(async (_key, source) => {
        for await (const _chunk of source) throw full;
        return { bytes: 0, sha256: "" };
      }),
      "k",
    );
    await expect(sink.write(Buffer.from("a"))).rejects.toBe(full);
    await expect(sink.write(Buffer.from("b"))).rejects.toBe(full);
    await expect(sink.close()).rejects.toBe(full);
  });

  it("ends the put with the reason when it is aborted while the store waits for more", async () => {
    const why = new Error("stop");
    let ended: unknown;
    const sink = putSink(
      store(async (_key, source) => {
        try {
          await gather(source);
        } catch (error) {
          ended = error;
          throw error;
        }
        return { bytes: 0, sha256: "" };
      }),
      "k",
    );
    await sink.write(Buffer.from("a"));
    await sink.abort(why);
    expect(ended).toBe(why);
  });
});
