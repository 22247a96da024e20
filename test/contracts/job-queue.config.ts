/** Where the queue's contract finds servers to run against. Read once; absent means not reached, which CI refuses. */
export const servers = {
  /** A superuser's URL: every suite makes a database of its own. */
  databaseUrl: process.env["TEST_DATABASE_URL"],
  redisUrl: process.env["TEST_REDIS_URL"],
  ci: process.env["CI"] === "true",
} as const;
