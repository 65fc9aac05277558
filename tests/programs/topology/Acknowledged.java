import java.util.Map;
import org.apache.storm.generated.ExecutorSummary;
import org.apache.storm.generated.TopologyInfo;
import org.apache.storm.utils.NimbusClient;
import org.apache.storm.utils.Utils;

/** Asks Nimbus, as the UI does, how many tuples of a topology were acknowledged, until there are some, or more than before. */
public final class Acknowledged {
    private Acknowledged() {
    }

    /**
     * Prints the number and of how many workers they are; 0 where time is up. Arguments: the topology's name, the seconds to
     * wait at most, and "growing" to wait until the number has grown, too.
     */
    public static void main(String[] arguments) throws Exception {
        long deadline = System.nanoTime() + Long.parseLong(arguments[1]) * 1_000_000_000;
        boolean growing = arguments.length > 2 && arguments[2].equals("growing");
        long before = 0;
        try (NimbusClient nimbus = NimbusClient.Builder.withConf(Utils.readStormConfig()).build()) {
            while (true) {
                TopologyInfo topology = nimbus.getClient().getTopologyInfoByName(arguments[0]);
                long acknowledged = topology.get_executors().stream().mapToLong(Acknowledged::of).sum();
                boolean late = System.nanoTime() > deadline;
                if (late || acknowledged > before && (before > 0 || !growing)) {
                    long workers = topology.get_executors().stream().map(ExecutorSummary::get_port).distinct().count();
                    System.out.println("acknowledged " + (late ? 0 : acknowledged) + " workers " + workers);
                    return;
                }
                before = acknowledged;
                Thread.sleep(500);
            }
        }
    }

    private static long of(ExecutorSummary executor) {
        if (executor.get_stats() == null || !executor.get_stats().get_specific().is_set_spout()) {
            return 0;
        }
        Map<String, Map<String, Long>> acked = executor.get_stats().get_specific().get_spout().get_acked();
        return acked.getOrDefault(":all-time", Map.of()).values().stream().mapToLong(Long::longValue).sum();
    }
}
