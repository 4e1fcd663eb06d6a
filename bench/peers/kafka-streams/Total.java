package bench;

/** The aggregate of a window. */
record Total(long count, double sum) {

    Total plus(Payment payment) {
        return new Total(count + 1, sum + payment.amount());
    }
}
