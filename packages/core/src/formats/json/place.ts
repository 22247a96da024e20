import { type ColumnFacts, infer } from "../../schema/infer.ts";
import { newObservation, type Observation } from "../../schema/observe.ts";
import { observeScalar, scalarsIn } from "./observe-cells.ts";
import type { Cells } from "./row-cells.ts";
import { KIND } from "./scan-value.ts";

/** What stands in one place of every row: a column, or a place within a nested value. */
export class ValuePlace {
  readonly seen: Observation = newObservation();
  objects = 0;
  arrays = 0;

  /** Looks at values of this place. */
  add(cells: Cells): void {
    const { bytes, starts, ends, kinds, step, count, first } = cells;
    const { seen } = this;
    for (let i = 0, c = first; i < count; i++, c += step) {
      const kind = kinds[c] ?? 0;
      if (kind < KIND.object) observeScalar(seen, bytes, starts[c] ?? 0, ends[c] ?? 0, kind);
      else if (kind === KIND.object) this.objects++;
      else this.arrays++;
    }
  }

  get facts(): ColumnFacts {
    const facts = infer(this.seen);
    return this.objects + this.arrays > 0 ? { ...facts, whole: { kind: "text" } } : facts;
  }

  /** Values that are neither objects nor arrays nor null. */
  get scalars(): number {
    return scalarsIn(this.seen);
  }
}
