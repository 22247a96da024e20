import type { Service } from "./service.ts";

/**
 * Everything the records count, counted again: empty when the totals of every sync are those of its files, every row read is loaded,
 * rejected or skipped, and each live part's rows are those of the file that is recorded as loaded.
 */
export async function audit(service: Pick<Service, "query">): Promise<object[]> {
  const totals = await service.query<object>(`
    WITH counted AS (
      SELECT sync_id, count(*) AS total, count(*) FILTER (WHERE state = 'failed') AS failed, count(*) FILTER (WHERE state = 'loaded') AS loaded,
             count(*) FILTER (WHERE state = 'stored') AS stored FROM files WHERE sync_id IS NOT NULL GROUP BY sync_id
    ), kept AS (
      SELECT sync_id, sum(total) AS total, sum(failed) AS failed, sum(loaded) AS loaded, sum(stored) AS stored FROM sync_counts GROUP BY sync_id
    )
    SELECT 'totals of a sync' AS what, sync_id, to_jsonb(counted) AS counted, to_jsonb(kept) AS kept FROM counted FULL JOIN kept USING (sync_id)
    WHERE (coalesce(counted.total, 0), coalesce(counted.failed, 0), coalesce(counted.loaded, 0), coalesce(counted.stored, 0))
       <> (coalesce(kept.total, 0), coalesce(kept.failed, 0), coalesce(kept.loaded, 0), coalesce(kept.stored, 0))`);
  const rows = await service.query<object>(`
    SELECT 'rows of a file' AS what, id, rows_read, rows_loaded, rows_rejected, rows_skipped FROM files
    WHERE rows_read <> rows_loaded + rows_rejected + rows_skipped`);
  const parts = await service.query<object>(`
    SELECT 'live rows of a file' AS what, f.id, f.name, f.state, f.rows_loaded, coalesce(sum(pf.rows), 0) AS live
    FROM files f JOIN datasets d ON d.id = f.dataset_id LEFT JOIN syncs s ON s.id = f.sync_id
    LEFT JOIN (part_files pf JOIN parts p ON p.id = pf.part_id) ON pf.file_id = f.id AND p.dead_at IS NULL AND p.generation_id = d.live_generation_id AND p.kind = 'part'
    WHERE f.state IN ('staged', 'claimed', 'waiting', 'failed') OR f.state = 'loaded' AND s.generation_id IS NULL
    GROUP BY f.id, d.id HAVING CASE WHEN f.state = 'loaded' THEN coalesce(sum(pf.rows), 0) NOT IN (0, f.rows_loaded) ELSE coalesce(sum(pf.rows), 0) > 0 END`);
  const attempts = await service.query<object>(`
    SELECT 'live parts of two attempts' AS what, pf.file_id, count(DISTINCT split_part(p.object_key, '.', -3)) AS attempts
    FROM parts p JOIN part_files pf ON pf.part_id = p.id JOIN datasets d ON d.live_generation_id = p.generation_id
    WHERE p.dead_at IS NULL AND p.kind = 'part' GROUP BY pf.file_id HAVING count(DISTINCT split_part(p.object_key, '.', -3)) > 1`);
  return [...totals, ...rows, ...parts, ...attempts];
}
