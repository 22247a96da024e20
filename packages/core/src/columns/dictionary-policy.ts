/** More distinct values than this are never kept: ids stay within 16 bits. */
export const MOST_DISTINCT = 65_536;

/**
 * Whether a dictionary is worth going on with, asked when it has grown to `distinct` values out of `seen`. Giving up late costs
 * hashing for nothing, giving up early costs size: the first question comes at 2,048 distinct values, then at 8,192 and 32,768,
 * and asks for two occurrences a value on average.
 */
export function keepsDictionary(distinct: number, seen: number): boolean {
  if (distinct === 2_048 || distinct === 8_192 || distinct === 32_768) return seen >= distinct * 2;
  return distinct < MOST_DISTINCT;
}

/** After a dictionary was given up, how many row groups go by before another is tried. */
export const REST_GROUPS = 7;
