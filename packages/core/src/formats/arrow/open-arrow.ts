import type { FormatInput } from "../format.ts";
import type { Source } from "../source.ts";
import type { ArrowArray } from "./array.ts";
import { Dictionaries } from "./dictionaries.ts";
import { checkBody, checkMetadata, CONTINUATION, type Framed, framedMessages, heldBody, heldWhole, uint32 } from "./framing.ts";
import { type BatchHead, type Block, type Footer, type Message, readFooter, readMessage } from "./message.ts";
import { type ArrayContext, readArrays } from "./read-arrays.ts";
import { type LazyBody, windowsOf } from "./read-window.ts";
import { beyond, unreadable } from "./refuse.ts";
import type { ArrowSchema } from "./schema.ts";

/** One record batch of a file, checked. */
export interface ReadBatch {
  readonly rows: number;
  readonly arrays: readonly ArrowArray[];
  /** Bytes of its body. */
  readonly bytes: number;
  /** Raw bytes of the file read to its end. */
  readonly rawBytes: number;
}

export interface OpenArrow {
  readonly schema: ArrowSchema;
  /** The batches, read as this schema, which has the layout of the file's own. */
  batches(as: ArrowSchema): AsyncGenerator<ReadBatch>;
}

type Limits = FormatInput["limits"];

const MAGIC = "ARROW1";
/** Fewer rows than this are never a bomb. */
const ROWS_FROM = 2 ** 20;

/** True when the head of a file is that of an Arrow file; a stream has no magic bytes. */
export function isArrowFile(head: Uint8Array): boolean {
  return Buffer.from(head.buffer, head.byteOffset, head.length).toString("latin1", 0, 6) === MAGIC;
}

/** An Arrow stream, read from front to back, as often as `decoded` is called. */
export async function openStream(input: Pick<FormatInput, "decoded" | "random" | "rawSize" | "limits">): Promise<OpenArrow> {
  const { rawSize, limits } = input;
  const framed = () => framedMessages(input.decoded(), () => input.random(), limits);
  const messages = framed();
  try {
    const first = await messages.next();
    if (first.done === true || first.value.message.is !== "schema") return unreadable("it does not begin with a schema");
    const { schema } = first.value.message;
    return {
      schema,
      batches: async function* (as) {
        const again = framed();
        await again.next();
        yield* batchesOf(as, again, rawSize, limits);
      },
    };
  } finally {
    await messages.return(undefined);
  }
}

/** An Arrow file: ["ARROW1" 0 0][a stream][footer][its length i32]["ARROW1"], read by the places in its footer. */
export async function openFile(source: Source, rawSize: number, limits: Limits): Promise<OpenArrow> {
  const tail = await source.read(Math.max(source.size - 10, 0), source.size);
  if (tail.length < 10 || Buffer.from(tail).toString("latin1", 4) !== MAGIC) {
    return unreadable("its last six bytes are not ARROW1, so it is cut off or still being written");
  }
  const length = uint32(tail);
  const end = source.size - 10 - length;
  if (end < 8) return unreadable(`its footer claims ${length} bytes, the file has ${source.size}`);
  checkMetadata(length, limits);
  const footer = readFooter(await source.read(end, source.size - 10), limits.columns);
  for (const block of [...footer.dictionaries, ...footer.batches]) checkBlock(block, end, limits);
  return {
    schema: footer.schema,
    batches: (as) => batchesOf(as, blocksOf(source, footer, rawSize, limits), rawSize, limits),
  };
}

function checkBlock(block: Block, end: number, limits: Limits): void {
  if (block.metadataBytes < 8 || block.at < 8 || block.at > end || block.metadataBytes + block.bodyBytes > end - block.at) {
    unreadable(`a batch of ${block.metadataBytes} and ${block.bodyBytes} bytes at ${block.at}, its batches end at ${end}`);
  }
  checkMetadata(block.metadataBytes, limits);
}

/** The dictionaries, those that others refer to first as far as they stand so, then the batches. */
async function* blocksOf(source: Source, footer: Footer, rawSize: number, limits: Limits): AsyncGenerator<Framed> {
  let seen = 0;
  for (const block of [...footer.dictionaries, ...footer.batches]) {
    const lazy = block.bodyBytes > heldWhole(limits);
    const bytes = await source.read(block.at, block.at + block.metadataBytes + (lazy ? 0 : block.bodyBytes));
    const message = messageOf(bytes, block, limits.columns);
    // Blocks lie where they like: what was read of a file that is decompressed first is its share.
    seen += block.metadataBytes + block.bodyBytes;
    const rawBytes = Math.min(rawSize, Math.floor((seen / source.size) * rawSize));
    // In memory of its own, so that it begins at a multiple of eight.
    const held = () => new Uint8Array(bytes.subarray(block.metadataBytes));
    yield { message, body: lazy ? { source, at: block.at + block.metadataBytes, bytes: block.bodyBytes } : held(), rawBytes };
  }
}

function messageOf(bytes: Uint8Array, block: Block, columns: number): Message {
  const first = uint32(bytes);
  const from = first === CONTINUATION ? 8 : 4;
  const length = first === CONTINUATION ? uint32(bytes.subarray(4)) : first;
  if (length > block.metadataBytes - from) return unreadable(`metadata of ${length} bytes in ${block.metadataBytes}`);
  const message = readMessage(bytes.subarray(from, from + length), columns);
  if (message.bodyBytes !== block.bodyBytes) return unreadable(`a body of ${message.bodyBytes} bytes, its footer says ${block.bodyBytes}`);
  return message;
}

async function* batchesOf(
  schema: ArrowSchema,
  messages: AsyncGenerator<Framed>,
  rawSize: number,
  limits: Limits,
): AsyncGenerator<ReadBatch> {
  const dictionaries = new Dictionaries(schema);
  const context = { bigEndian: schema.bigEndian, limits };
  /** Dictionaries that came ahead of those they refer to, as a file's footer may list them. */
  const waiting: { message: Message & { is: "dictionary" }; body: Uint8Array }[] = [];
  let rows = 0;
  for await (const { message, body, rawBytes } of messages) {
    if (message.is === "schema") return unreadable("a second schema");
    if (message.is === "dictionary") {
      waiting.push({ message, body: await heldBody(body, limits) });
      checkBody(
        waiting.reduce((sum, { body: held }) => sum + held.length, 0),
        limits,
      );
      addReady(dictionaries, waiting, context, false);
      continue;
    }
    addReady(dictionaries, waiting, context, true);
    rows += message.batch.rows;
    checkRows(rows, rawSize, limits);
    yield* arraysOf(schema, { batch: message.batch, body, rawBytes }, { ...context, dictionaries: dictionaries.arrays });
  }
  addReady(dictionaries, waiting, context, true);
}

/** A batch whole, or where its body is large by windows, if its types allow it. */
async function* arraysOf(
  schema: ArrowSchema,
  { batch, body, rawBytes }: { batch: BatchHead; body: Framed["body"]; rawBytes: number },
  context: ArrayContext & { limits: Limits },
): AsyncGenerator<ReadBatch> {
  const windows = body instanceof Uint8Array ? null : windowsOf(schema.fields, batch, body, context);
  if (windows === null) {
    const bytes = await heldBody(body, context.limits);
    yield { rows: batch.rows, arrays: readArrays(schema.fields, batch, bytes, context), bytes: bytes.length, rawBytes };
    return;
  }
  for await (const { rows, arrays } of windows) {
    const share = batch.rows === 0 ? 1 : rows / batch.rows;
    yield { rows, arrays, bytes: Math.ceil((body as LazyBody).bytes * share), rawBytes };
  }
}

function addReady(
  dictionaries: Dictionaries,
  waiting: { message: Message & { is: "dictionary" }; body: Uint8Array }[],
  context: { bigEndian: boolean; limits: Limits },
  all: boolean,
): void {
  for (let progress = true; progress && waiting.length > 0;) {
    progress = false;
    for (let i = 0; i < waiting.length; i++) {
      const next = waiting[i];
      if (!next || !dictionaries.needs(next.message.id).every((id) => dictionaries.arrays.has(id))) continue;
      dictionaries.add(next.message, next.body, context);
      waiting.splice(i--, 1);
      progress = true;
    }
  }
  // What still waits refers to what never came, which is well where no row does.
  if (all) for (const next of waiting.splice(0)) dictionaries.add(next.message, next.body, context);
}

/** Rows that take no bytes (nulls, runs, no columns at all) are not believed beyond the ratio that compression may have. */
function checkRows(rows: number, rawSize: number, limits: Limits): void {
  if (rows <= ROWS_FROM || rows <= rawSize * limits.ratio) return;
  beyond("ratio", `${rawSize} bytes claim ${rows} rows, more than ${limits.ratio} a byte`, Math.round(rows / rawSize), limits.ratio);
}
