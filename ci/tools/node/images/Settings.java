import java.io.InputStream;
import java.util.HashMap;
import java.util.Map;
import org.apache.storm.shade.org.yaml.snakeyaml.LoaderOptions;
import org.apache.storm.shade.org.yaml.snakeyaml.Yaml;
import org.apache.storm.shade.org.yaml.snakeyaml.constructor.SafeConstructor;

/**
 * Prints settings as Storm reads them, a line each: what its command ConfigValue does, for several at once. A JVM's start is
 * dear, and three times as dear with org.apache.storm.utils.Utils, which reads the same two files in the same way.
 */
public final class Settings {
    public static void main(String[] names) throws Exception {
        Map<String, Object> settings = new HashMap<>();
        for (String file : new String[] {"defaults.yaml", "storm.yaml"}) {
            try (InputStream text = ClassLoader.getSystemResourceAsStream(file)) {
                settings.putAll(new Yaml(new SafeConstructor(new LoaderOptions())).load(text));
            }
        }
        for (String name : names) {
            System.out.println("VALUE: " + settings.get(name));
        }
    }
}
