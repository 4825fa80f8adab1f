// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.cli;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import dev.patchbay.agent.Stopper;
import dev.patchbay.agent.UserError;
import dev.patchbay.agent.config.GoDuration;
import dev.patchbay.agent.snapshot.SnapshotException;
import dev.patchbay.agent.snapshot.SnapshotFile;
import dev.patchbay.agent.watch.CgroupNames;
import dev.patchbay.agent.watch.Connection;
import dev.patchbay.agent.watch.Connection.Outcome;
import dev.patchbay.agent.watch.Joiner;
import dev.patchbay.agent.watch.Names;
import dev.patchbay.kernel.Cgroups;
import dev.patchbay.kernel.ConnectTimes;
import dev.patchbay.kernel.KernelException;
import dev.patchbay.kernel.PinnedDataplane;
import dev.patchbay.kernel.Watcher;
import dev.patchbay.kernel.sys.Errno;
import dev.patchbay.model.ClusterSnapshot;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.ServicePortKey;
import dev.patchbay.observe.ConnectionEvent.Caller;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(
    name = "watch",
    description =
        "Live: each connection and datagram to a Service that is translated or refused. Needs no"
            + " agent, and costs nothing while nobody watches. Ends with Ctrl-C; what could not be"
            + " shown in time is counted.",
    sortOptions = false)
final class WatchCommand implements Callable<Integer> {
  /** The forms of output. */
  enum Form {
    table,
    json
  }

  /** Room for half a second of 100,000 connections a second. */
  private static final int BUFFER_BYTES = 16 << 20;

  private static final int POLL_MILLIS = 50;
  private static final long NAMES_PAUSE_NANOS = TimeUnit.SECONDS.toNanos(2);
  private static final long COMPLAINT_NANOS = TimeUnit.SECONDS.toNanos(1);
  private static final JsonFactory JSON = new JsonFactory();

  private static final DateTimeFormatter CLOCK =
      DateTimeFormatter.ofPattern("HH:mm:ss.SSS").withZone(ZoneId.systemDefault());

  private static final String LINE = "%-12s  %-7s  %-24s  %-32s  %-22s  %-32s  %-22s  %-22s  %s%n";

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FORM",
      defaultValue = "table",
      description =
          "one of ${COMPLETION-CANDIDATES}; json: a line each (default: ${DEFAULT-VALUE})")
  Form form = Form.table;

  @Option(
      names = "--service",
      paramLabel = "[NS/]NAME[:PORT]",
      description = "only what wants to reach this Service (NS: default)")
  @Nullable String service;

  @Option(
      names = "--pod",
      paramLabel = "NS/NAME|UID",
      description =
          "only what this Pod does: by name if it is an endpoint of a Service, else by UID")
  @Nullable String pod;

  @Option(
      names = "--cgroup",
      paramLabel = "PATH",
      description = "only what processes in this cgroup and those below it do")
  @Nullable Path cgroup;

  @Option(
      names = "--outcome",
      paramLabel = "OUTCOME",
      split = ",",
      description = "only these: ${COMPLETION-CANDIDATES}")
  List<Outcome> outcomes = new ArrayList<>();

  @Option(names = "--limit", paramLabel = "N", description = "end after so many lines")
  long limit = Long.MAX_VALUE;

  @Option(names = "--duration", paramLabel = "TIME", description = "end after this time: 30s, 5m")
  @Nullable String duration;

  @Mixin PathOptions paths = new PathOptions();
  @Spec CommandSpec spec = CommandSpec.create();

  private final CgroupNames cgroups = new CgroupNames(WatchCommand::allCgroups, System::nanoTime);

  /** To be added to the monotonic clock, for milliseconds since the epoch. */
  private final long epochNanos = System.currentTimeMillis() * 1_000_000 - System.nanoTime();

  private Names names = new Names(ClusterSnapshot.EMPTY);
  private long namesReadNanos = System.nanoTime() - NAMES_PAUSE_NANOS;
  private String cgroupBelow = "";
  private long shown;
  private long events;
  private volatile boolean stopped;

  @Override
  public Integer call() throws UserError {
    long end = end();
    cgroupBelow = cgroup == null ? "" : relative(cgroup);
    readNames();
    try (PinnedDataplane dataplane = PinnedDataplane.open(paths.bpfDir);
        ConnectTimes _ = timeConnects(dataplane);
        Watcher watcher = dataplane.watch(BUFFER_BYTES);
        Stopper _ = Stopper.install(() -> stopped = true)) {
      watch(watcher, end);
      return 0;
    } catch (KernelException.Busy e) {
      throw new UserError("cannot watch", e.getMessage(), "end one of them");
    } catch (KernelException e) {
      throw new UserError("cannot watch", e.getMessage(), "");
    }
  }

  /** What is watched is worth having without times too. */
  private @Nullable ConnectTimes timeConnects(PinnedDataplane dataplane) {
    try {
      return dataplane.timeConnects();
    } catch (KernelException e) {
      spec.commandLine().getErr().println("patchbay: connections are not timed: " + e.getMessage());
      return null;
    }
  }

  private long end() throws UserError {
    if (limit < 1) {
      throw UserError.usage("--limit " + limit, "not a number of lines", "give 1 or more");
    }
    if (duration == null) {
      return Long.MAX_VALUE;
    }
    Optional<Duration> parsed = GoDuration.parse(duration).filter(time -> !time.isNegative());
    if (parsed.isEmpty()) {
      throw UserError.usage("--duration " + duration, "not a time", "write it like 30s or 5m");
    }
    return System.nanoTime() + parsed.get().toNanos();
  }

  private static String relative(Path directory) throws UserError {
    try {
      Path root = Cgroups.root().orElse(Path.of("/sys/fs/cgroup")).toRealPath();
      return "/" + root.relativize(directory.toRealPath());
    } catch (KernelException | IOException | IllegalArgumentException e) {
      throw new UserError(
          "cannot watch --cgroup " + directory,
          String.valueOf(e.getMessage()),
          "give a directory of the cgroup v2 hierarchy");
    }
  }

  private void watch(Watcher watcher, long end) throws KernelException {
    PrintWriter out = spec.commandLine().getOut();
    PrintWriter err = spec.commandLine().getErr();
    Joiner joiner = new Joiner(connection -> show(connection, out));
    if (form == Form.table) {
      out.printf(
          LINE, "TIME", "TOOK", "PROCESS", "POD", "CLIENT", "SERVICE", "ADDRESS", "BACKEND",
          "OUTCOME");
    }
    out.flush();
    err.println("watching");
    err.flush();
    long complained = 0;
    long complainedNanos = System.nanoTime();
    while (!stopped && shown < limit && System.nanoTime() - end < 0 && !out.checkError()) {
      long left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
      events += watcher.poll(Math.clamp(left, 0, POLL_MILLIS), joiner::accept);
      joiner.tick(System.nanoTime());
      out.flush();
      long lost = watcher.lost();
      if (lost > complained && System.nanoTime() - complainedNanos >= COMPLAINT_NANOS) {
        err.println("lost " + lost + " events so far: they come faster than they can be shown");
        err.flush();
        complained = lost;
        complainedNanos = System.nanoTime();
      }
    }
    watcher.leave();
    int rest;
    do {
      rest = watcher.poll(0, joiner::accept);
      events += rest;
    } while (rest > 0);
    joiner.end();
    out.flush();
    err.println("watched " + events + " events, lost " + watcher.lost() + ", shown " + shown);
    err.flush();
  }

  /** As they are on the disk now; those of before if they cannot be read. */
  private void readNames() {
    namesReadNanos = System.nanoTime();
    try {
      names = new Names(SnapshotFile.read(paths.stateDir).cluster());
    } catch (SnapshotException e) {
      // Without names there are still addresses.
    }
  }

  /** What a connection is shown with. */
  private record Shown(
      Connection connection,
      @Nullable ServicePortKey port,
      @Nullable ObjectKey service,
      @Nullable ObjectKey pod,
      String podUid,
      String cgroup) {
    String serviceName() {
      if (port != null) {
        return port.service() + (port.port().isEmpty() ? "" : ":" + port.port());
      }
      return service == null ? "-" : service.toString();
    }

    String podName() {
      if (pod != null) {
        return pod.toString();
      }
      return !podUid.isEmpty() ? "pod " + podUid : cgroup.isEmpty() ? "-" : cgroup;
    }
  }

  private Shown named(Connection connection) {
    ServicePortKey port = names.port(connection.statsId());
    if (port == null
        && connection.statsId() != 0
        && System.nanoTime() - namesReadNanos >= NAMES_PAUSE_NANOS) {
      readNames();
      port = names.port(connection.statsId());
    }
    Caller caller = connection.caller();
    String path = caller == null ? "" : cgroups.path(caller.cgroup()).orElse("");
    return new Shown(
        connection,
        port,
        port == null ? names.service(connection.address()) : port.service(),
        names.pod(connection.client()),
        CgroupNames.podUid(path).orElse(""),
        path);
  }

  private static Map<Long, Path> allCgroups() {
    try {
      return Cgroups.all();
    } catch (KernelException e) {
      return Map.of(); // numbers do as well
    }
  }

  private void show(Connection connection, PrintWriter out) {
    if (shown >= limit || (!outcomes.isEmpty() && !outcomes.contains(connection.outcome()))) {
      return;
    }
    Shown named = named(connection);
    if (!isWanted(named)) {
      return;
    }
    shown++;
    switch (form) {
      case table -> out.print(line(named));
      case json -> out.println(json(named));
    }
  }

  private boolean isWanted(Shown named) {
    if (service != null) {
      String wanted = service.contains("/") ? service : "default/" + service;
      String found = String.valueOf(named.service());
      if (!wanted.equals(found)
          && (named.port() == null || !wanted.equals(found + ":" + named.port().port()))) {
        return false;
      }
    }
    if (pod != null && !pod.equals(String.valueOf(named.pod())) && !pod.equals(named.podUid())) {
      return false;
    }
    return cgroupBelow.isEmpty()
        || cgroupBelow.equals("/")
        || named.cgroup().equals(cgroupBelow)
        || named.cgroup().startsWith(cgroupBelow + "/");
  }

  private Instant time(Connection connection) {
    long nanos = epochNanos + connection.nanos();
    return Instant.ofEpochSecond(nanos / 1_000_000_000, nanos % 1_000_000_000);
  }

  private static String took(long nanos) {
    if (nanos == 0) {
      return "-";
    }
    return nanos < 10_000_000
        ? "%.1fus".formatted(nanos / 1e3)
        : nanos < 10_000_000_000L
            ? "%.1fms".formatted(nanos / 1e6)
            : "%.1fs".formatted(nanos / 1e9);
  }

  private static String client(Connection connection) {
    IpAddress client = connection.client();
    if (connection.clientPort() == 0) {
      return client.isUnspecified() ? "-" : client.toString();
    }
    return client.withPort(connection.clientPort());
  }

  private static String error(Connection connection) {
    Errno known = Errno.of(connection.error());
    return known == Errno.UNKNOWN ? "errno " + connection.error() : known.name();
  }

  private String line(Shown named) {
    Connection connection = named.connection();
    Caller caller = connection.caller();
    IpAddress backend = connection.backend();
    return LINE.formatted(
        CLOCK.format(time(connection)),
        took(connection.tookNanos()),
        caller == null ? "-" : caller.command() + "[" + caller.process() + "]",
        named.podName(),
        client(connection),
        named.serviceName(),
        connection.address().withPort(connection.port()) + "/" + connection.protocol().lowerCase(),
        backend == null ? "-" : backend.withPort(connection.backendPort()),
        connection.outcome() + (connection.error() == 0 ? "" : " " + error(connection)));
  }

  private String json(Shown named) {
    Connection connection = named.connection();
    StringWriter text = new StringWriter(512);
    try (JsonGenerator json = JSON.createGenerator(text)) {
      json.writeStartObject();
      json.writeStringField("time", time(connection).toString());
      json.writeStringField("outcome", connection.outcome().toString());
      if (connection.error() != 0) {
        json.writeStringField("error", error(connection));
      }
      if (connection.tookNanos() != 0) {
        json.writeNumberField("tookMicros", connection.tookNanos() / 1000);
      }
      json.writeStringField("protocol", connection.protocol().lowerCase());
      Caller caller = connection.caller();
      if (caller != null) {
        json.writeNumberField("process", caller.process());
        json.writeStringField("command", caller.command());
        json.writeNumberField("cgroupId", caller.cgroup());
      }
      optional(json, "cgroup", named.cgroup());
      optional(json, "podUid", named.podUid());
      optional(json, "pod", named.pod() == null ? "" : named.pod().toString());
      optional(json, "client", connection.clientPort() == 0 ? "" : client(connection));
      if (named.service() != null) {
        json.writeStringField("namespace", named.service().namespace());
        json.writeStringField("service", named.service().name());
      }
      if (named.port() != null) {
        json.writeStringField("port", named.port().port());
      }
      json.writeStringField("address", connection.address().withPort(connection.port()));
      if (connection.backend() != null) {
        json.writeStringField("backend", connection.backend().withPort(connection.backendPort()));
      }
      json.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return text.toString();
  }

  private static void optional(JsonGenerator json, String name, String value) throws IOException {
    if (!value.isEmpty()) {
      json.writeStringField(name, value);
    }
  }
}
