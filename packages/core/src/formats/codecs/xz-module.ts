import { createRequire } from "node:module";

/**
 * xz-embedded as the package xz-decompress has compiled it to WebAssembly. Its exports are used themselves: the stream that the
 * package puts around them does not tell how much input was used, allows one stream a process at a time, and ends cut-off
 * input with a TypeError. Held to one exact version of the package; `test/formats/codecs.test.ts` notices when it differs.
 */
interface XzExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  create_context(): number;
  destroy_context(context: number): void;
  supply_input(context: number, length: number): void;
  get_next_output(context: number): number;
}

interface XzPackage {
  _getModuleInstance(): Promise<void>;
  _moduleInstance?: { readonly exports: XzExports };
}

/** What xz-embedded answers (enum xz_ret); the package's build never answers the others. */
export const XZ = { ok: 0, end: 1, memory: 3, memoryLimit: 4, format: 5, options: 6, data: 7, buffer: 8 } as const;

/** Wasm memory never shrinks: one that grew for a large dictionary is not used again. */
const KEPT_BYTES = 16 * 2 ** 20;
let idle: XzExports | null = null;

/** One decoder. Input and output each stand in a buffer of `size` bytes. */
export class XzContext {
  readonly #exports: XzExports;
  readonly #at: number;
  readonly size: number;

  private constructor(exports: XzExports) {
    this.#exports = exports;
    this.#at = exports.create_context();
    this.size = this.#field(0);
  }

  static async open(): Promise<XzContext> {
    const exports = idle ?? (await instantiate());
    idle = null;
    return new XzContext(exports);
  }

  /** The words of its struct: buffer size, input address, used, length, output address, length. */
  #field(word: number): number {
    return new Uint32Array(this.#exports.memory.buffer, this.#at, 6)[word] ?? 0;
  }

  /** Input that was given and not used. */
  get unused(): number {
    return this.#field(3) - this.#field(2);
  }

  /** At most `size` bytes, once the ones before are used; none at the end of the input. */
  give(bytes: Uint8Array): void {
    new Uint8Array(this.#exports.memory.buffer, this.#field(1), this.size).set(bytes);
    this.#exports.supply_input(this.#at, bytes.length);
  }

  /** Decodes what fits into the output buffer; `bytes` are a copy. */
  step(): { code: number; bytes: Uint8Array } {
    const code = this.#exports.get_next_output(this.#at);
    const { buffer } = this.#exports.memory;
    const struct = new Uint32Array(buffer, this.#at, 6);
    const bytes = new Uint8Array(buffer, struct[4], struct[5]).slice();
    struct[5] = 0;
    return { code, bytes };
  }

  /** Gives the memory back, for another decoder too. Not after a trap: nobody knows what state that left. */
  close(): void {
    this.#exports.destroy_context(this.#at);
    if (this.#exports.memory.buffer.byteLength <= KEPT_BYTES) idle = this.#exports;
  }
}

async function instantiate(): Promise<XzExports> {
  // Its exports are not seen by `import`, and files that are no xz need not wait for it.
  const { XzReadableStream: source } = createRequire(import.meta.url)("xz-decompress") as { XzReadableStream: XzPackage };
  await source._getModuleInstance();
  const instance = source._moduleInstance;
  delete source._moduleInstance;
  if (instance === undefined) throw new Error("xz-decompress has no module instance: another version of it is installed");
  return instance.exports;
}
