// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent;

import dev.patchbay.agent.log.Log;
import dev.patchbay.agent.log.LogFormat;
import dev.patchbay.model.NodePortAddresses;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * Follows the file behind {@code --config}. What can change without a new start does; of the rest a
 * line in the log says that it waits for one. A file that cannot be used changes nothing.
 *
 * <p>The file is read every second and not watched, because it is a few hundred bytes, and it may
 * be replaced in many ways: in place, by another file, or by a symbolic link above it that changes,
 * as in a ConfigMap.
 */
public final class ConfigReload implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(ConfigReload.class);
  private static final long PERIOD_MILLIS = 1000;
  private static final String LOG_LEVEL = "log-level";
  private static final String LOG_FORMAT = "log-format";

  /** Names of options that say on which addresses node ports are served. */
  private static final Set<String> NODE_PORTS = Set.of("localhost-nodeports", "nodeport-addresses");

  /** Where settings come from besides the command line. */
  public interface Source {
    /** The file. */
    Path file();

    /**
     * All settings as they are with what the file says now.
     *
     * @throws UserError if they cannot be used
     */
    AgentConfig read() throws UserError;
  }

  private final Source source;
  private final Consumer<NodePortAddresses> nodePorts;
  private final CountDownLatch closed = new CountDownLatch(1);
  private final Thread thread;

  /** What is in force. */
  private volatile Map<String, Object> settings;

  /** Written and read by the thread; what it found last, also if it was of no use. */
  private byte[] content;

  /**
   * Begins to follow.
   *
   * @param started the settings that the agent was started with
   * @param nodePorts hears of other addresses for node ports, on the thread of this object
   */
  ConfigReload(Source source, AgentConfig started, Consumer<NodePortAddresses> nodePorts) {
    this.source = source;
    this.nodePorts = nodePorts;
    settings = started.settings();
    content = new byte[0]; // looked at once, since it may have changed meanwhile
    thread = Thread.ofPlatform().name("patchbay-config").daemon().start(this::loop);
  }

  /** All settings that are in force, by the names of the options; any thread. */
  Map<String, Object> settings() {
    return settings;
  }

  private void loop() {
    try {
      while (!closed.await(PERIOD_MILLIS, TimeUnit.MILLISECONDS)) {
        look();
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private void look() {
    byte[] now;
    try {
      now = Files.readAllBytes(source.file());
    } catch (IOException e) {
      now = String.valueOf(e).getBytes(StandardCharsets.UTF_8);
    }
    if (Arrays.equals(now, content)) {
      return;
    }
    content = now;
    try {
      apply(source.read());
    } catch (UserError e) {
      log.atError().addKeyValue("error", e.getMessage()).log("all settings stay as they are");
    }
  }

  private void apply(AgentConfig next) {
    Map<String, Object> before = settings;
    Map<String, Object> after = new LinkedHashMap<>(before);
    TreeSet<String> names = new TreeSet<>(before.keySet());
    names.addAll(next.settings().keySet());
    names.removeIf(name -> Objects.equals(before.get(name), next.settings().get(name)));
    TreeSet<String> inForce = new TreeSet<>();
    for (String name : names) {
      Object value = next.settings().get(name);
      if (value != null && (logs(name) || NODE_PORTS.contains(name))) {
        after.put(name, value);
        inForce.add(name + "=" + value);
      } else {
        log.atWarn()
            .addKeyValue("setting", name)
            .addKeyValue("now", before.get(name))
            .addKeyValue("then", value)
            .log("{}: {} waits for the next start of the agent", source.file(), name);
      }
    }
    settings = Collections.unmodifiableMap(after);
    if (names.stream().anyMatch(ConfigReload::logs)) {
      Log.configure(
          LogFormat.valueOf(String.valueOf(after.get(LOG_FORMAT))),
          Level.valueOf(String.valueOf(after.get(LOG_LEVEL)).toUpperCase(Locale.ROOT)));
    }
    if (names.stream().anyMatch(NODE_PORTS::contains)) {
      nodePorts.accept(next.nodePortAddresses());
    }
    if (!inForce.isEmpty()) {
      log.atInfo().addKeyValue("settings", inForce).log("{} changed: in force", source.file());
    }
  }

  private static boolean logs(String name) {
    return name.equals(LOG_LEVEL) || name.equals(LOG_FORMAT);
  }

  /** Ends the thread and waits for it, at most a second. */
  @Override
  public void close() {
    closed.countDown();
    try {
      thread.join(PERIOD_MILLIS);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }
}
