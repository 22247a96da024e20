/** One conversion for a process of bench/convert or bench/peers to do. */
export interface Work {
  /** The declared name, which says the format. */
  readonly name: string;
  readonly input: string;
  readonly output: string;
}

/** What it took. */
export interface Ran {
  readonly ms: number;
  readonly cpuMs: number;
  readonly rows: number;
  /** Bytes of Parquet. */
  readonly bytes: number;
}
