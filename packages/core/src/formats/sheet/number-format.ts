/**
 * What a number under a format is: a plain number; a date, with or without a time of day; a time of day alone; or elapsed
 * time, which may exceed a day and stays a number of days.
 */
export const SHOWN = { number: 0, date: 1, time: 2, elapsed: 3 } as const;
export type Shown = (typeof SHOWN)[keyof typeof SHOWN];

/** Formats that are known by number alone (ECMA-376 part 1, 18.8.30; 27-36 and 50-58 are dates in East Asian locales). */
export function shownByNumber(id: number): Shown {
  if ((id >= 14 && id <= 17) || id === 22) return SHOWN.date;
  if ((id >= 18 && id <= 21) || id === 45 || id === 47) return SHOWN.time;
  if (id === 46) return SHOWN.elapsed;
  if ((id >= 27 && id <= 31) || id === 36 || (id >= 50 && id <= 58)) return SHOWN.date;
  // By their locale these are times of day or months.
  if (id >= 32 && id <= 35) return SHOWN.time;
  if (id === 71 || (id >= 72 && id <= 75) || id === 78) return SHOWN.date;
  if (id === 76 || id === 77 || id === 79 || id === 81) return SHOWN.time;
  return id === 80 ? SHOWN.elapsed : SHOWN.number;
}

/** Quoted text, escaped and filling characters, the general format, and what stands in brackets. */
const LITERAL = /"[^"]*"?|\\[\s\S]|[_*][\s\S]|general|\[[^\]]*\]?/gi;

/** What a format's code says (ECMA-376 part 1, 18.8.31). */
export function shownByCode(code: string): Shown {
  let elapsed = false;
  const plain = code.replace(LITERAL, (literal) => {
    if (/^\[(h+|m+|s+)\]$/i.test(literal)) elapsed = true;
    return " ";
  });
  if (elapsed) return SHOWN.elapsed;
  const letters = plain.replace(/am\/pm|a\/p/gi, "h");
  if (/[ydgb]|e(?![+-])|mmm/i.test(letters)) return SHOWN.date;
  if (/[hs]/i.test(letters)) return SHOWN.time;
  return /m/i.test(letters) ? SHOWN.date : SHOWN.number;
}
