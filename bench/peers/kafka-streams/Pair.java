package bench;

/** Two payments of one account. */
record Pair(long left, long right, double amount) {}
