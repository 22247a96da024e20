export const SOURCES: readonly string[];
export function assemble(source: string): Promise<{ readonly path: string; readonly content: string }>;
