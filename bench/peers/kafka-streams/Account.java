package bench;

/** A row of the table. */
record Account(String tier, String country) {}
