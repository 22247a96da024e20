import { expect, test } from "vitest";
import { Fault, FAULTS, type FaultCode } from "@sluice/core/domain/fault";
import { FILE_STATES } from "@sluice/core/domain/file";
import { SYNC_STATES } from "@sluice/core/domain/sync";
import { errorBody, fileStates, historyQueryOf, listQueryOf, startOf, syncIdOf, syncStates } from "./wire.ts";

const fields = (text: string) => new Map(new URLSearchParams(text));

test("every sync state has one word, and every file state that history shows", () => {
  const words = ["Syncing", "Finished", "Failed"] as const;
  for (const state of SYNC_STATES) expect(words.filter((word) => syncStates(word).includes(state))).toHaveLength(1);
  for (const state of FILE_STATES) {
    expect(words.filter((word) => fileStates(word).includes(state))).toHaveLength(state === "receiving" || state === "aborted" ? 0 : 1);
  }
});

test("the defaults are the reference's: from 0, size 10, ascending ids", () => {
  expect(listQueryOf(fields(""))).toEqual({ offset: 0, limit: 10, sort: "id", descending: false });
  expect(historyQueryOf(fields("from=3&size=1000&sort=-end_time&sync_status=Failed&path=/a&sync_id=4&file_name=x"))).toEqual({
    offset: 3,
    limit: 1_000,
    sort: "ended",
    descending: true,
    states: ["failed"],
    path: "/a",
    sync: 4,
    name: "x",
  });
});

test("sync_id is a whole number, as a number or as text", () => {
  expect([syncIdOf(8), syncIdOf("8"), syncIdOf(0)]).toEqual([8, 8, 0]);
  for (const bad of [-1, 1.5, "08", "x", 2 ** 53, true, {}, [1]]) expect(() => syncIdOf(bad)).toThrow(/sync_id: must be a whole number/);
  for (const none of [undefined, null, ""]) expect(() => syncIdOf(none)).toThrow(/sync_id: is missing/);
});

test("start takes what the reference has, and more", () => {
  const reference = {
    name: "transactions incremental sync 06/12/21",
    path: "/data/db/transactions",
    api_key: "c",
    sync_type: "IncrementalSync",
  };
  expect(startOf(reference)).toEqual({
    name: reference.name,
    path: reference.path,
    type: "incremental",
    onFileError: null,
    allowEmpty: null,
    onBadRow: null,
    maxRejects: null,
    timeoutHours: null,
  });
  const more = { on_file_error: "keep_old", allow_empty: true, on_bad_row: "coerce", max_rejects: "5%", timeout_hours: 1.5 };
  expect(startOf({ ...reference, sync_type: "Full Sync", ...more })).toMatchObject({
    type: "full",
    onFileError: "keep_old",
    allowEmpty: true,
    onBadRow: "coerce",
    maxRejects: { share: 0.05 },
    timeoutHours: 1.5,
  });
  expect(() => startOf({ ...reference, timeout_hours: "1" })).toThrow(/timeout_hours: must be a number/);
  expect(() => startOf({ ...reference, allow_empty: "yes" })).toThrow(/allow_empty: must be true or false/);
});

test("an error's code is its HTTP status, so it is never 0", () => {
  for (const code of Object.keys(FAULTS) as FaultCode[])
    expect(errorBody(new Fault(code, "m"))).toEqual({ code: FAULTS[code].status, msg: "m" });
});
