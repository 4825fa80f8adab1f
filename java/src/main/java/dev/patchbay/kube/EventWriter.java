// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kube;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.patchbay.model.ObjectKey;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells people of things about a Service, as Events ({@code events.k8s.io/v1}) in its namespace.
 *
 * <p>An Event is best effort: {@link #write} never waits, and what cannot be delivered is dropped,
 * with a line in the log where that means that Events are not allowed at all. The same Event is not
 * written again within an hour. Its name is made from what it says, so when all nodes see the same
 * mistake the first of them creates it and the others are told that it exists: one Event, not one
 * for each node. Nothing but {@code create} is needed of the API.
 *
 * <p>Thread-safe; a thread of its own, {@code patchbay-events}, makes the requests.
 */
public final class EventWriter implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(EventWriter.class);

  static final String CONTROLLER = "patchbay.dev/agent";
  static final int MAX_NOTE_BYTES = 1024;
  private static final int MAX_WAITING = 256;
  private static final int MAX_REMEMBERED = 4096;
  private static final Duration REPEAT_AFTER = Duration.ofHours(1);

  /** {@code MicroTime} of the API. */
  private static final DateTimeFormatter MICROS =
      DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'").withZone(ZoneOffset.UTC);

  private final ApiClient api;
  private final String node;
  private final Function<ObjectKey, String> uid;
  private final Duration pause;
  private final BlockingQueue<KubernetesEvent> waiting = new ArrayBlockingQueue<>(MAX_WAITING);
  private final Map<KubernetesEvent, Long> written = new LinkedHashMap<>();
  private final Thread thread;
  private volatile boolean closed;
  private boolean complained;

  /**
   * Begins to write.
   *
   * @param node the name of the node that tells
   * @param uid {@code metadata.uid} of a Service; empty if unknown
   * @param pause between two Events
   */
  EventWriter(ApiClient api, String node, Function<ObjectKey, String> uid, Duration pause) {
    this.api = api;
    this.node = node;
    this.uid = uid;
    this.pause = pause;
    this.thread = Thread.ofPlatform().name("patchbay-events").daemon().start(this::run);
  }

  /** Tells something, soon; drops it if it was told within an hour, or if too much waits. */
  public void write(KubernetesEvent event) {
    if (isNews(event) && !waiting.offer(event)) {
      log.debug("too many Events wait; dropped: {}", event);
    }
  }

  private synchronized boolean isNews(KubernetesEvent event) {
    long now = System.nanoTime();
    Long before = written.get(event);
    if (before != null && now - before < REPEAT_AFTER.toNanos()) {
      return false;
    }
    written.remove(event);
    written.put(event, now);
    if (written.size() > MAX_REMEMBERED) {
      written.remove(written.keySet().iterator().next());
    }
    return true;
  }

  private synchronized void forget(KubernetesEvent event) {
    written.remove(event);
  }

  private void run() {
    try {
      while (!closed) {
        KubernetesEvent event = waiting.take();
        create(event);
        TimeUnit.NANOSECONDS.sleep(pause.toNanos());
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private void create(KubernetesEvent event) {
    String namespace = event.service().namespace();
    try {
      api.post(
          "/apis/events.k8s.io/v1/namespaces/" + namespace + "/events",
          json(event, uid.apply(event.service()), node, Instant.now()));
      complained = false;
    } catch (ApiException e) {
      if (e.code() == 409) {
        return; // another node was first
      }
      complain(event, e);
    } catch (IOException | RuntimeException e) {
      complain(event, e);
      forget(event);
    }
  }

  private void complain(KubernetesEvent event, Exception failure) {
    if (!complained && !closed) {
      log.atWarn()
          .addKeyValue("service", event.service())
          .addKeyValue("note", event.note())
          .addKeyValue("error", Failures.describe(failure))
          .log("cannot write Events; this is the first of them");
    }
    complained = true;
  }

  /** The Event as the API wants it. */
  static String json(KubernetesEvent event, String uid, String node, Instant now) {
    StringWriter text = new StringWriter();
    try (JsonGenerator json = ApiClient.JSON.createGenerator(text)) {
      json.writeStartObject();
      json.writeStringField("apiVersion", "events.k8s.io/v1");
      json.writeStringField("kind", "Event");
      json.writeObjectFieldStart("metadata");
      json.writeStringField("name", name(event, uid, node));
      json.writeStringField("namespace", event.service().namespace());
      json.writeEndObject();
      json.writeStringField("eventTime", MICROS.format(now));
      json.writeStringField("reportingController", CONTROLLER);
      json.writeStringField("reportingInstance", cut(node, 128));
      json.writeStringField("action", "Sync");
      json.writeStringField("reason", event.reason());
      json.writeStringField("type", event.warning() ? "Warning" : "Normal");
      json.writeStringField("note", cut(event.note(), MAX_NOTE_BYTES));
      json.writeObjectFieldStart("regarding");
      json.writeStringField("apiVersion", "v1");
      json.writeStringField("kind", "Service");
      json.writeStringField("namespace", event.service().namespace());
      json.writeStringField("name", event.service().name());
      if (!uid.isEmpty()) {
        json.writeStringField("uid", uid);
      }
      json.writeEndObject();
      json.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException("a string as output fails", e);
    }
    return text.toString();
  }

  /** The name of the Service, and a digest of what the Event says. */
  static String name(KubernetesEvent event, String uid, String node) {
    String said = String.join("\0", uid, event.reason(), event.note(), event.ofNode() ? node : "");
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256").digest(said.getBytes(StandardCharsets.UTF_8));
      return event.service().name() + "." + HexFormat.of().formatHex(digest, 0, 8);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  /** At most so many bytes of UTF-8, without a broken character. */
  static String cut(String text, int bytes) {
    byte[] encoded = text.getBytes(StandardCharsets.UTF_8);
    if (encoded.length <= bytes) {
      return text;
    }
    int end = bytes;
    while (end > 0 && (encoded[end] & 0xc0) == 0x80) {
      end--;
    }
    return new String(encoded, 0, end, StandardCharsets.UTF_8);
  }

  /** Drops what waits. */
  @Override
  public void close() {
    closed = true;
    thread.interrupt();
  }
}
