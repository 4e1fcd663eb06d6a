package bench;

/** A payment as JSON has it. */
record Payment(long id, String account, double amount, String currency, String status) {}
