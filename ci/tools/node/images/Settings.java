import java.util.Map;
import org.apache.storm.utils.Utils;

/** Prints settings as Storm reads them, a line each: what its command ConfigValue does, for several at once. A JVM's start is dear. */
public final class Settings {
    public static void main(String[] names) {
        Map<String, Object> settings = Utils.readStormConfig();
        for (String name : names) {
            System.out.println("VALUE: " + settings.get(name));
        }
    }
}
