import com.sun.net.httpserver.HttpServer;
import java.io.File;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.Executors;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.core.Appender;
import org.apache.logging.log4j.core.LoggerContext;
import org.apache.logging.log4j.core.appender.RollingFileAppender;
import org.apache.storm.generated.ClusterSummary;
import org.apache.storm.utils.ConfigUtils;
import org.apache.storm.utils.NimbusClient;
import org.apache.storm.utils.ObjectReader;
import org.apache.storm.utils.VersionInfo;

/**
 * Stands in for Storm's web application, which is on no registry: the UI and the log viewer, by the settings and with the
 * classes that they use, as far as a pod's start and its probes go. It shows no page.
 */
public final class Web {
  public static void main(String[] arguments) throws Exception {
    Map<String, Object> conf = ConfigUtils.readStormConfig();
    boolean isUi = System.getProperty("daemon.name").equals("ui");
    if (!isUi) {
      System.out.println("daemon logs are in " + daemonLogs((String) conf.get("logviewer.appender.name")));
      new File(ConfigUtils.workerArtifactsRoot(conf)).mkdirs();
    }
    int port = ObjectReader.getInt(conf.get(isUi ? "ui.port" : "logviewer.port"));
    HttpServer server = HttpServer.create(new InetSocketAddress(port), 0);
    server.createContext("/", exchange -> {
      boolean asksNimbus = exchange.getRequestURI().getPath().equals("/api/v1/cluster/summary");
      int code = 200;
      byte[] body;
      try {
        body = (asksNimbus ? summary(conf) : "").getBytes(StandardCharsets.UTF_8);
      } catch (Exception error) {
        code = 500;
        body = error.toString().getBytes(StandardCharsets.UTF_8);
      }
      exchange.sendResponseHeaders(code, body.length == 0 ? -1 : body.length);
      exchange.getResponseBody().write(body);
      exchange.close();
    });
    server.setExecutor(Executors.newCachedThreadPool());
    server.start();
    System.out.println("listening on " + port);
  }

  /** As LogviewerApplication finds the folder of the daemons' logs; it ends where it finds none. */
  private static String daemonLogs(String name) {
    Appender appender = ((LoggerContext) LogManager.getContext()).getConfiguration().getAppender(name);
    if (name != null && appender instanceof RollingFileAppender) {
      return new File(((RollingFileAppender) appender).getFileName()).getParent();
    }
    throw new RuntimeException("Log viewer could not find configured appender, or the appender is not a FileAppender: " + name);
  }

  /** As UIHelpers gets the summary of the cluster: from the leading Nimbus. */
  private static String summary(Map<String, Object> conf) throws Exception {
    try (NimbusClient nimbus = NimbusClient.Builder.withConf(conf).build()) {
      ClusterSummary cluster = nimbus.getClient().getClusterInfo();
      return "{\"stormVersion\":\"" + VersionInfo.getVersion() + "\",\"supervisors\":" + cluster.get_supervisors_size()
          + ",\"topologies\":" + cluster.get_topologies_size() + "}";
    }
  }
}
