import { expect, it } from "vitest";
import { withSearchPath } from "./postgres-backend.ts";

it.each([
  ["postgres://u:p%40@db.local:5433/sluice?sslmode=require", "-c search_path=bullmq"],
  ["postgres://db/sluice?options=-c%20statement_timeout%3D5s", "-c statement_timeout=5s -c search_path=bullmq"],
  ["postgresql:///sluice?host=/run/postgresql", "-c search_path=bullmq"],
])("%s is opened with its own options and the queue's schema", (given, options) => {
  const url = new URL(withSearchPath(given));
  expect(url.searchParams.get("options")).toBe(options);
  url.searchParams.delete("options");
  expect(url.href.startsWith(given.split("?")[0] ?? "")).toBe(true);
});
