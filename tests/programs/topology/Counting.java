import java.util.HashMap;
import java.util.Map;
import org.apache.storm.Config;
import org.apache.storm.StormSubmitter;
import org.apache.storm.spout.SpoutOutputCollector;
import org.apache.storm.task.TopologyContext;
import org.apache.storm.topology.BasicOutputCollector;
import org.apache.storm.topology.OutputFieldsDeclarer;
import org.apache.storm.topology.TopologyBuilder;
import org.apache.storm.topology.base.BaseBasicBolt;
import org.apache.storm.topology.base.BaseRichSpout;
import org.apache.storm.tuple.Fields;
import org.apache.storm.tuple.Tuple;
import org.apache.storm.tuple.Values;
import org.apache.storm.utils.Utils;

/** A topology that counts words. A word is emitted with an id, so it is acknowledged when the bolt has counted it. */
@SuppressWarnings("serial")
public final class Counting {
    private Counting() {
    }

    /** Emits about 20 words a second. */
    public static final class Words extends BaseRichSpout {
        private static final String[] WORDS = {"version", "build", "lane"};
        private SpoutOutputCollector collector;
        private long emitted;

        @Override
        public void open(Map<String, Object> settings, TopologyContext context, SpoutOutputCollector output) {
            collector = output;
        }

        @Override
        public void nextTuple() {
            Utils.sleep(50);
            collector.emit(new Values(WORDS[(int) (emitted % WORDS.length)]), emitted++);
        }

        @Override
        public void declareOutputFields(OutputFieldsDeclarer declarer) {
            declarer.declare(new Fields("word"));
        }
    }

    /** Counts them; a BaseBasicBolt acknowledges what it has executed. */
    public static final class Count extends BaseBasicBolt {
        private final Map<String, Integer> counts = new HashMap<>();

        @Override
        public void execute(Tuple tuple, BasicOutputCollector collector) {
            counts.merge(tuple.getString(0), 1, Integer::sum);
        }

        @Override
        public void declareOutputFields(OutputFieldsDeclarer declarer) {
        }
    }

    /** Submits it. Arguments: its name, and the number of its workers, between which the words travel. */
    public static void main(String[] arguments) throws Exception {
        TopologyBuilder builder = new TopologyBuilder();
        builder.setSpout("words", new Words());
        builder.setBolt("count", new Count(), 2).fieldsGrouping("words", new Fields("word"));
        Config settings = new Config();
        settings.setNumWorkers(Integer.parseInt(arguments[1]));
        settings.setStatsSampleRate(1.0);
        // By default every thread of a worker looks a thousand times a second whether there is something to do, which takes
        // half of a processor for nothing.
        settings.put(Config.TOPOLOGY_BATCH_FLUSH_INTERVAL_MILLIS, 50);
        settings.put(Config.TOPOLOGY_BOLT_WAIT_PROGRESSIVE_LEVEL2_COUNT, 1);
        settings.put(Config.TOPOLOGY_BOLT_WAIT_PROGRESSIVE_LEVEL3_SLEEP_MILLIS, 50);
        settings.put(Config.TOPOLOGY_SPOUT_WAIT_PROGRESSIVE_LEVEL2_COUNT, 1);
        settings.put(Config.TOPOLOGY_SPOUT_WAIT_PROGRESSIVE_LEVEL3_SLEEP_MILLIS, 50);
        StormSubmitter.submitTopology(arguments[0], settings, builder.createTopology());
    }
}
