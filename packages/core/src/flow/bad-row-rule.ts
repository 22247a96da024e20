import type { OnBadRow } from "../domain/dataset.ts";
import type { ConvertRequest } from "../ports/converter.ts";

/** Under the policy `coerce` a value that does not fit is null, unless the rules ask for the file's failure. */
export function badRowRule({ mode, rules }: Pick<ConvertRequest, "mode" | "rules">): OnBadRow {
  if (mode === "remake" && rules.onBadRow === "strict") return "quarantine";
  return rules.policy === "coerce" && rules.onBadRow === "quarantine" ? "coerce" : rules.onBadRow;
}
