import java.util.Map;
import org.apache.storm.generated.ExecutorSummary;
import org.apache.storm.generated.TopologyInfo;
import org.apache.storm.utils.NimbusClient;
import org.apache.storm.utils.Utils;

/** Asks Nimbus, as the UI does, how many tuples of a topology were acknowledged, until there are some. */
public final class Acknowledged {
    private Acknowledged() {
    }

    /** Prints the number and of how many workers they are. Arguments: the topology's name, and the seconds to wait at most. */
    public static void main(String[] arguments) throws Exception {
        long deadline = System.nanoTime() + Long.parseLong(arguments[1]) * 1_000_000_000;
        try (NimbusClient nimbus = NimbusClient.Builder.withConf(Utils.readStormConfig()).build()) {
            while (true) {
                TopologyInfo topology = nimbus.getClient().getTopologyInfoByName(arguments[0]);
                long acknowledged = topology.get_executors().stream().mapToLong(Acknowledged::of).sum();
                if (acknowledged > 0 || System.nanoTime() > deadline) {
                    long workers = topology.get_executors().stream().map(ExecutorSummary::get_port).distinct().count();
                    System.out.println("acknowledged " + acknowledged + " workers " + workers);
                    return;
                }
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
