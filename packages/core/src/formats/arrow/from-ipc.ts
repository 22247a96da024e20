import type { FormatLimits } from "../format.ts";
import type { ArrowArray } from "./array.ts";
import { Dictionaries } from "./dictionaries.ts";
import { CONTINUATION, uint32 } from "./framing.ts";
import { type Message, readMessage } from "./message.ts";
import { readArrays } from "./read-arrays.ts";
import { unreadable } from "./refuse.ts";
import type { ArrowSchema } from "./schema.ts";

/** The schema of an Arrow IPC stream that is in memory whole. */
export function schemaOfIpc(ipc: Uint8Array, columns: number): ArrowSchema {
  for (const { message } of messagesOf(ipc, columns)) if (message.is === "schema") return message.schema;
  return unreadable("a stream without a schema");
}

/** The record batches of an Arrow IPC stream that is in memory whole and has this schema. */
export function batchesOfIpc(ipc: Uint8Array, schema: ArrowSchema, limits: FormatLimits): { rows: number; arrays: ArrowArray[] }[] {
  const dictionaries = new Dictionaries(schema);
  const context = { bigEndian: false, limits };
  const batches: { rows: number; arrays: ArrowArray[] }[] = [];
  for (const { message, body } of messagesOf(ipc, null)) {
    if (message.is === "dictionary") dictionaries.add(message, body, context);
    else if (message.is === "batch") {
      const arrays = readArrays(schema.fields, message.batch, body, { ...context, dictionaries: dictionaries.arrays });
      batches.push({ rows: message.batch.rows, arrays });
    }
  }
  return batches;
}

/** With `columns` null, schemas are passed over: they are known. */
function* messagesOf(ipc: Uint8Array, columns: number | null): Generator<{ message: Message; body: Uint8Array }> {
  for (let at = 0; at + 8 <= ipc.length;) {
    if (uint32(ipc.subarray(at)) !== CONTINUATION) unreadable("a stream out of step");
    const length = uint32(ipc.subarray(at + 4));
    if (length === 0) return;
    const metadata = ipc.subarray(at + 8, at + 8 + length);
    const passed = columns === null && at === 0;
    at += 8 + length;
    if (passed) continue;
    const message = readMessage(metadata, columns ?? 0);
    const body = ipc.subarray(at, at + message.bodyBytes);
    at += message.bodyBytes;
    yield { message, body };
  }
}
