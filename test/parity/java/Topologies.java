package parity;

import java.beans.Introspector;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;

/** All topologies: of each family the methods that take a builder and are not private, as `family.method`. */
final class Topologies {

    private static final List<Class<?>> FAMILIES =
            List.of(
            Stateless.class,
            Processors.class,
            Limits.class,
            Ttl.class,
            Aggregates.class,
            WindowedAggregates.class,
            SessionAggregates.class,
            SlidingAggregates.class,
            EmitFinal.class,
            Tables.class,
            Suppress.class,
            TableJoins.class,
            TableAggregates.class,
            Timestamps.class,
            TableTransforms.class,
            ForeignKeyJoins.class,
            Cogroup.class,
            StreamTableJoins.class,
            StreamJoins.class,
            VersionedTables.class,
            GlobalTables.class,
            StreamTableGrace.class,
            Differences.class);

    private static final Map<String, Method> METHODS = new TreeMap<>();

    static {
        for (Class<?> family : FAMILIES) {
            for (Method method : family.getDeclaredMethods()) {
                boolean isOpen = !Modifier.isPrivate(method.getModifiers());
                if (isOpen && List.of(method.getParameterTypes()).equals(List.of(StreamsBuilder.class))) {
                    METHODS.put(Introspector.decapitalize(family.getSimpleName()) + "." + method.getName(), method);
                }
            }
        }
    }

    private Topologies() {}

    static Iterable<String> names() {
        return METHODS.keySet();
    }

    static Topology of(String name) throws ReflectiveOperationException {
        Method method = METHODS.get(name);
        if (method == null) throw new IllegalArgumentException("no topology " + name);
        StreamsBuilder builder = new StreamsBuilder();
        method.invoke(null, builder);
        return builder.build();
    }
}
