import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.File;
import java.io.IOException;
import java.lang.reflect.Field;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Executors;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.core.Appender;
import org.apache.logging.log4j.core.LoggerContext;
import org.apache.logging.log4j.core.appender.RollingFileAppender;
import org.apache.storm.Config;
import org.apache.storm.DaemonConfig;
import org.apache.storm.daemon.drpc.DRPC;
import org.apache.storm.daemon.drpc.DRPCThrift;
import org.apache.storm.generated.ClusterSummary;
import org.apache.storm.generated.DistributedRPC;
import org.apache.storm.generated.DistributedRPCInvocations;
import org.apache.storm.metric.StormMetricsRegistry;
import org.apache.storm.security.auth.ServerAuthUtils;
import org.apache.storm.security.auth.ThriftConnectionType;
import org.apache.storm.security.auth.ThriftServer;
import org.apache.storm.utils.ConfigUtils;
import org.apache.storm.utils.NimbusClient;
import org.apache.storm.utils.ObjectReader;
import org.apache.storm.utils.Utils;
import org.apache.storm.validation.ConfigValidation;

/**
 * The UI, the log viewer and the DRPC server, which Maven Central lacks (storm-webapp), without their web pages: what their settings and
 * Log4j's are used for, in the same order and by the classes of Storm that are there.
 *
 * https://github.com/apache/storm/tree/v2.8.3/storm-webapp/src/main/java/org/apache/storm/daemon
 */
public final class Webapp {
    public static void main(String[] args) throws Exception {
        Utils.setupDefaultUncaughtExceptionHandler();
        Map<String, Object> conf = ConfigUtils.readStormConfig(); // which also validates it
        refuseUnknownSettings();
        switch (System.getProperty("daemon.name")) {
            case "ui" -> ui(conf);
            case "logviewer" -> logviewer(conf);
            case "drpc" -> drpc(conf);
            default -> throw new IllegalArgumentException("no server has this name");
        }
    }

    /** Storm takes a setting that it does not know for a topology's, and says nothing. */
    private static void refuseUnknownSettings() throws IllegalAccessException {
        Set<String> unknown = new TreeSet<>(Utils.findAndReadConfigFile("storm.yaml", true).keySet());
        unknown.remove("storm.log.dir"); // the launcher's
        for (Class<?> known : ConfigValidation.getConfigClasses()) {
            for (Field field : known.getFields()) {
                if (field.getType() == String.class) {
                    unknown.remove((String) field.get(null));
                }
            }
        }
        if (!unknown.isEmpty()) {
            throw new IllegalArgumentException("settings that Storm does not know: " + unknown);
        }
    }

    /** UIServer, and of its REST API what the chart's probes and its test ask for. */
    private static void ui(Map<String, Object> conf) throws IOException {
        ServerAuthUtils.getHttpCredentialsPlugin(conf, (String) conf.get(DaemonConfig.UI_HTTP_CREDS_PLUGIN));
        HttpServer server = HttpServer.create(new InetSocketAddress((int) conf.get(DaemonConfig.UI_PORT)), 0);
        server.createContext("/index.html", exchange -> answer(exchange, 200, "<html/>"));
        server.createContext("/api/v1/cluster/summary", exchange -> {
            try (NimbusClient nimbus = NimbusClient.Builder.withConf(conf).build()) {
                ClusterSummary summary = nimbus.getClient().getClusterInfo();
                String version = summary.get_nimbuses().get(0).get_version();
                answer(exchange, 200, "{\"stormVersion\":\"" + version + "\",\"supervisors\":" + summary.get_supervisors_size() + "}");
            } catch (Exception e) {
                answer(exchange, 500, e.toString());
            }
        });
        server.setExecutor(Executors.newCachedThreadPool()); // a Nimbus that does not answer holds up nobody else
        server.start();
    }

    private static void answer(HttpExchange exchange, int status, String text) throws IOException {
        exchange.sendResponseHeaders(status, text.length());
        exchange.getResponseBody().write(text.getBytes());
        exchange.close();
    }

    /** LogviewerServer, and LogviewerApplication, which is made when the server starts. */
    private static void logviewer(Map<String, Object> conf) throws IOException {
        new File(ConfigUtils.workerArtifactsRoot(conf)).mkdirs();
        String name = ObjectReader.getString(conf.get(DaemonConfig.LOGVIEWER_APPENDER_NAME));
        Appender appender = ((LoggerContext) LogManager.getContext()).getConfiguration().getAppender(name);
        if (!(appender instanceof RollingFileAppender)) {
            throw new IllegalStateException("Log viewer could not find configured appender " + name);
        }
        System.out.println("daemons' logs: " + new File(((RollingFileAppender) appender).getFileName()).getParent());
        LogManager.getLogger(Webapp.class).info("serving");
        ServerAuthUtils.getUiHttpCredentialsPlugin(conf);
        try (ServerSocket socket = new ServerSocket((Integer) conf.get(DaemonConfig.LOGVIEWER_PORT))) {
            while (true) {
                socket.accept().close();
            }
        }
    }

    /** DRPCServer, but for HTTP. */
    private static void drpc(Map<String, Object> conf) {
        DRPCThrift drpc = new DRPCThrift(new DRPC(new StormMetricsRegistry(), conf));
        var invocations = new ThriftServer(conf, new DistributedRPCInvocations.Processor<>(drpc), ThriftConnectionType.DRPC_INVOCATIONS);
        new Thread(invocations::serve).start();
        if (!(conf.get(DaemonConfig.DRPC_HTTP_PORT) instanceof Integer) || !(conf.get(Config.DRPC_PORT) instanceof Integer)) {
            throw new IllegalArgumentException("ports of DRPC are whole numbers");
        }
        new ThriftServer(conf, new DistributedRPC.Processor<>(drpc), ThriftConnectionType.DRPC).serve();
    }
}
