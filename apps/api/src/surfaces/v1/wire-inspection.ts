import type { InspectedTable, Inspection } from "@sluice/core/ports/converter";
import type { InspectionRow } from "@sluice/core/ports/inspections";
import { detectedWire, errorWire, rejectWire } from "./wire.ts";

/** A dry run: what was found out, or how far it is. */
export function inspectionWire(found: InspectionRow): object {
  const { id, name, bytes, state } = found;
  const head = { id, name, bytes, state, expires_at: new Date(found.expiresAtMs).toISOString() };
  if (found.fault !== null) return { ...head, valid: false, error: errorWire(found.fault) };
  return found.report === null ? head : { ...head, ...reportWire(found.report) };
}

function reportWire(report: Inspection): object {
  return {
    // Whether the rows looked at would be loaded: a file may be wrong further on.
    valid: report.fault === null,
    error: report.fault === null ? null : errorWire(report.fault),
    detected: report.detected && detectedWire(report.detected),
    tables: report.tables.map(tableWire),
    problems: report.problems.map(rejectWire),
  };
}

function tableWire(table: InspectedTable): object {
  return {
    table: table.table,
    columns: table.columns,
    difference: table.difference,
    estimated_rows: table.estimatedRows,
    sampled: { ...table.sampled, complete: table.complete },
    preview: table.preview,
  };
}
