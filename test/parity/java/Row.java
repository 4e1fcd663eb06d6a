package parity;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;

/** A record as test/parity/record.ts has it. */
record Row(String topic, JsonNode key, JsonNode value, long timestamp, List<List<String>> headers) {}
