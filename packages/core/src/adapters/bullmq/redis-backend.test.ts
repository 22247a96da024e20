import { expect, it } from "vitest";
import { memoryShare } from "./redis-backend.ts";

it("the memory's share is told from INFO; without a limit there is always room", () => {
  expect(memoryShare("# Memory\r\nused_memory:700\r\nused_memory_rss:9\r\nmaxmemory:1000\r\nmaxmemory_policy:noeviction\r\n")).toBe(0.7);
  expect(memoryShare("# Memory\r\nused_memory:700\r\nmaxmemory:0\r\n")).toBe(0);
});
