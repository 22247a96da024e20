import type { Gauges, History } from "@sluice/core/ports/history";
import { type FileState, OPEN_FILE_STATES } from "@sluice/core/domain/file";
import type { JobQueue } from "@sluice/core/ports/job-queue";
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";
import type { ApiDeps } from "./http/api-deps.ts";
import type { RequestObserver } from "./http/request-log.ts";
import { within } from "./within.ts";

const SECONDS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
const ASK_MS = 1_000;
const COUNT_AGAIN_MS = 5_000;

/** The API's numbers for Prometheus. */
export interface Metrics {
  readonly observeRequest: RequestObserver;
  readonly onAccepted: ApiDeps["onAccepted"];
  readonly contentType: string;
  /** The page. A source that does not answer within a second is told by `sluice_source_up 0`, and its numbers are left out. */
  page(): Promise<string>;
}

export function openMetrics(sources: { readonly history: History; readonly queue: JobQueue }): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const requests = new Histogram({
    name: "sluice_http_request_duration_seconds",
    help: "Time from a request's head to the end of its answer; status 499: the client left before one",
    labelNames: ["method", "route", "status"],
    buckets: SECONDS,
    registers,
  });
  const accepts = new Histogram({
    name: "sluice_accept_duration_seconds",
    help: "Time from an upload's head to its files being durable and committed",
    buckets: SECONDS,
    registers,
  });
  const acceptedFiles = new Counter({ name: "sluice_accepted_files_total", help: "Files acknowledged by this process", registers });
  const acceptedBytes = new Counter({ name: "sluice_accepted_bytes_total", help: "Bytes of the bodies that brought them", registers });
  const fleet = new Registry();
  const gauges = fleetGauges(fleet);
  // Summing up costs more the more syncs there have been, and several scrapers may ask: one answer serves a few seconds.
  let counted = { at: Number.NEGATIVE_INFINITY, gauges: Promise.resolve<Gauges | null>(null) };

  return {
    observeRequest: ({ method, route, status, seconds }) => requests.observe({ method, route, status }, seconds),
    onAccepted: ({ seconds, files, bytes }) => {
      accepts.observe(seconds);
      acceptedFiles.inc(files);
      acceptedBytes.inc(bytes);
    },
    contentType: registry.contentType,
    async page() {
      fleet.resetMetrics();
      if (performance.now() - counted.at > COUNT_AGAIN_MS) counted = { at: performance.now(), gauges: sources.history.gauges() };
      const asked = await Promise.allSettled([within(ASK_MS, "records", counted.gauges), within(ASK_MS, "queue", sources.queue.depth())]);
      gauges.records(asked[0].status === "fulfilled" ? asked[0].value : null);
      gauges.queue(asked[1].status === "fulfilled" ? asked[1].value : null);
      return `${await registry.metrics()}\n${await fleet.metrics()}`;
    },
  };
}

/** Numbers of the whole service, the same from every replica. */
function fleetGauges(registry: Registry) {
  const registers = [registry];
  const gauge = <const Label extends string>(name: string, help: string, labelNames: readonly Label[] = []) =>
    new Gauge({ name, help, labelNames: [...labelNames], registers });
  const up = gauge("sluice_source_up", "Whether the records and the queue answered for this page", ["source"]);
  const files = gauge("sluice_files", "Files by state", ["state"]);
  const oldestFile = gauge("sluice_open_file_oldest_seconds", "Age of the oldest open file; 0 when there is none");
  const syncs = gauge("sluice_open_syncs", "Syncs that are open or ending");
  const jobs = gauge("sluice_queue_jobs", "Jobs in the queue", ["state"]);
  const oldestJob = gauge("sluice_queue_oldest_seconds", "Age of the oldest waiting job; 0 when there is none");
  return {
    records(found: Gauges | null): void {
      up.set({ source: "records" }, found ? 1 : 0);
      if (!found) return;
      const states: readonly FileState[] = OPEN_FILE_STATES;
      for (const state of states) files.set({ state }, found.openFiles[state] ?? 0);
      for (const [state, count] of Object.entries(found.doneFiles)) files.set({ state }, count);
      oldestFile.set((found.oldestOpenMs ?? 0) / 1_000);
      syncs.set(found.openSyncs);
    },
    queue(depth: Awaited<ReturnType<JobQueue["depth"]>> | null): void {
      up.set({ source: "queue" }, depth ? 1 : 0);
      if (!depth) return;
      jobs.set({ state: "waiting" }, depth.waiting);
      jobs.set({ state: "active" }, depth.active);
      oldestJob.set((depth.oldestMs ?? 0) / 1_000);
    },
  };
}
