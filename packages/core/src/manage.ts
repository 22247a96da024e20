import type { EnqueueDeps } from "./flow/enqueue.ts";
import type { AccessDeps } from "./manage/access.ts";
import type { LinkDeps } from "./manage/links.ts";
import type { QueryDeps } from "./manage/queries.ts";
import type { SchemaDeps } from "./manage/schema.ts";
import type { SyncDeps } from "./manage/syncs.ts";
import type { TrashDeps } from "./manage/trash.ts";

/**
 * What the doors without bytes need, all together; each of them (`manage/<noun>.ts`) names only its own part.
 * A caller's org scopes every lookup: what belongs to another org is not there.
 */
export type ManageDeps = AccessDeps & SchemaDeps & SyncDeps & TrashDeps & LinkDeps & QueryDeps & EnqueueDeps;
