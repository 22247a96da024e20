import { describe, expect, it } from "vitest";
import { withService } from "../harness/service.ts";

describe("a service that is asked to stop", () => {
  it("ends in order at once when it is idle, though its parent's pipe stays open", () =>
    withService({}, async (service) => {
      const startedAtMs = performance.now();
      const ends = await Promise.all([service.api, ...service.workers].map((each) => each.kill("SIGTERM")));
      expect(ends).toEqual([
        { code: 0, signal: null },
        { code: 0, signal: null },
      ]);
      expect(performance.now() - startedAtMs).toBeLessThan(3_000);
    }));
});
