import { describe, expect, it } from "vitest";
import { FRAME, FrameReader, frame, header, jsonFrame } from "./frames.ts";

function read(chunks: readonly Buffer[]): { kind: number; id: number; payload: Buffer }[] {
  const got: { kind: number; id: number; payload: Buffer }[] = [];
  const reader = new FrameReader((kind, id, payload) => got.push({ kind, id, payload: Buffer.from(payload) }));
  for (const chunk of chunks) reader.push(chunk);
  return got;
}

describe("frames", () => {
  const sent = [
    frame(FRAME.data, 7, Buffer.from("hello")),
    frame(FRAME.ready, 0),
    Buffer.concat([header(FRAME.write, 4_294_967_295, 300), Buffer.alloc(300, 1)]),
    jsonFrame(FRAME.job, 3, { name: "Übung.csv" }),
  ];
  const whole = Buffer.concat(sent);

  it("come out as they went in, however the bytes are cut", () => {
    const expected = read([whole]);
    expect(expected.map(({ kind, id, payload }) => [kind, id, payload.length])).toEqual([
      [FRAME.data, 7, 5],
      [FRAME.ready, 0, 0],
      [FRAME.write, 4_294_967_295, 300],
      [FRAME.job, 3, 21],
    ]);
    for (let size = 1; size <= 40; size++) {
      const chunks = Array.from({ length: Math.ceil(whole.length / size) }, (_, i) => whole.subarray(i * size, (i + 1) * size));
      expect(read(chunks)).toEqual(expected);
    }
  });

  it("memory that was given back serves a later payload, once, and never one that is still looked at", () => {
    const got: Buffer[] = [];
    const reader = new FrameReader((_kind, _id, payload) => got.push(payload));
    const send = (byte: number) => {
      const bytes = frame(FRAME.data, 1, Buffer.alloc(100_000, byte));
      // In two pieces, as a pipe gives them: a payload that lies in one piece needs no memory of its own.
      reader.push(bytes.subarray(0, 50_000));
      reader.push(bytes.subarray(50_000));
      return got.at(-1) ?? Buffer.alloc(0);
    };
    const first = send(1);
    const second = send(2);
    expect(first.buffer).not.toBe(second.buffer);
    reader.recycle(first);
    reader.recycle(first);
    reader.recycle(Buffer.from("none of ours"));
    const third = send(3);
    const fourth = send(4);
    expect(third.buffer).toBe(first.buffer);
    expect(new Set([second, third, fourth].map((payload) => payload.buffer)).size).toBe(3);
    for (const [payload, byte] of [
      [second, 2],
      [third, 3],
      [fourth, 4],
    ] as const)
      expect(payload.equals(Buffer.alloc(100_000, byte))).toBe(true);
  });

  it("an empty frame at the end of a chunk is not held back", () => {
    const ready = frame(FRAME.ready, 0);
    expect(read([ready.subarray(0, 4), ready.subarray(4)])).toHaveLength(1);
  });

  it("a frame longer than any of ours is refused before memory is taken for it", () => {
    expect(() => read([header(FRAME.write, 1, 2 ** 31)])).toThrow("a frame of 2147483648 bytes");
  });
});
