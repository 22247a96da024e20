/** The texts that pandas takes for null (`keep_default_na`), but for the empty one. */
export const PANDAS_NULLS: readonly string[] = [
  "#N/A",
  "#N/A N/A",
  "#NA",
  "-1.#IND",
  "-1.#QNAN",
  "-NaN",
  "-nan",
  "1.#IND",
  "1.#QNAN",
  "<NA>",
  "N/A",
  "NA",
  "NULL",
  "NaN",
  "None",
  "n/a",
  "nan",
  "null",
];

/** The texts that mean null under these options, or null when there are none. */
export function nullTexts(options: {
  readonly null_values?: readonly string[];
  readonly keep_default_nulls?: boolean;
}): ReadonlySet<string> | null {
  const texts = [...(options.null_values ?? []), ...(options.keep_default_nulls ? PANDAS_NULLS : [])];
  return texts.length === 0 ? null : new Set(texts);
}
