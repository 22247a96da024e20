import type { IngestReport } from "@sluice/core/ingest";
import { Counter, Gauge, Histogram, Registry } from "prom-client";

export interface WorkerMetrics {
  readonly registry: Registry;
  observe(report: IngestReport): void;
}

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800];

/** What this worker did since it began, for Prometheus. */
export function workerMetrics(held: () => number): WorkerMetrics {
  const registry = new Registry();
  const registers = [registry];
  const attempts = new Counter({
    name: "sluice_attempts_total",
    help: "Attempts at files by how they ended",
    labelNames: ["end"],
    registers,
  });
  const rows = new Counter({ name: "sluice_rows_loaded_total", help: "Rows loaded", registers });
  const bytes = new Counter({ name: "sluice_raw_bytes_processed_total", help: "Raw bytes of files that were loaded or stored", registers });
  const seconds = new Histogram({
    name: "sluice_attempt_duration_seconds",
    help: "From claim to outcome",
    labelNames: ["end"],
    buckets: SECONDS,
    registers,
  });
  void new Gauge({
    name: "sluice_files_held",
    help: "Files that this worker holds a lease on",
    registers,
    collect() {
      this.set(held());
    },
  });
  return {
    registry,
    observe: (report) => {
      attempts.inc({ end: report.end });
      seconds.observe({ end: report.end }, report.ms / 1_000);
      if (report.end === "loaded") rows.inc(report.rows);
      if (report.end === "loaded" || report.end === "stored") bytes.inc(report.file.bytes);
    },
  };
}
