package bench;

/** What the stateless workload passes on. */
record Settled(long id, long cents) {}
