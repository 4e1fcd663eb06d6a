package bench;

/** A payment with its account's row. */
record Enriched(long id, double amount, String tier, String country) {}
