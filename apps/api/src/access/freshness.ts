/** What was found out about a key or a token counts so long: it works at most this much longer than it should. */
export const freshnessMs = 1_000;

/** So many are known at once on this replica. */
export const maxKnown = 10_000;
