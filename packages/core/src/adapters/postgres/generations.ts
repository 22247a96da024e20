import { sql } from "kysely";
import type { GenerationId } from "../../domain/ids.ts";
import { rows, type Tx } from "./connection.ts";

/** A generation that will never be read (again): its parts are dead from now on. */
export async function dropGeneration(tx: Tx, generation: GenerationId): Promise<void> {
  await rows(tx, sql`UPDATE generations SET state = 'dropped', dropped_at = clock_timestamp() WHERE id = ${generation}`);
  await rows(tx, sql`UPDATE parts SET dead_at = clock_timestamp() WHERE generation_id = ${generation} AND dead_at IS NULL`);
}
