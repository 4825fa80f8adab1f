// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kube;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps a {@link Store} equal to all objects of one kind: lists them, then follows a watch, for as
 * long as it is not closed. What client-go calls a reflector.
 *
 * <p>What the store is told:
 *
 * <ul>
 *   <li>a list only when it is complete, so nothing is removed on half a knowledge;
 *   <li>after that each change, in the order of the server.
 * </ul>
 *
 * <p>Lists. The first may come from the server's cache ({@code resourceVersion=0}). Later ones must
 * not be older than what was seen already; if the server does not know that version (it is behind,
 * or was restored from a backup), the newest is asked for, in pages.
 *
 * <p>Watches. They begin where the list or the last event ended; bookmarks move that on where
 * nothing happens. When a watch ends by itself or is cut off, the next one goes on from there. A
 * new list is read when the server no longer has the version, {@code 410} as HTTP status or as
 * event.
 *
 * <p>Failures. Repeated with a growing pause; {@link Timing} says how long. A watch that says
 * nothing, not even a bookmark, for longer than the server ever takes is given up.
 *
 * <p>Threads: {@link #run} by one, all else by any.
 *
 * @param <A> an object as read
 */
final class ListWatch<A> implements Runnable {
  private static final Logger log = LoggerFactory.getLogger(ListWatch.class);

  /** How many objects a page has, when the server cannot answer from its cache. */
  private static final int PAGE = 500;

  /** A watch that ended sooner than this, without a word, counts as a failure. */
  private static final long SHORT_NANOS = TimeUnit.SECONDS.toNanos(1);

  /** Where objects go. Called by the thread of one {@link ListWatch}. */
  interface Store {
    /** All objects of the kind, each once. */
    void replace(List<KubeObject> all);

    /** An object is new or differs. */
    void put(KubeObject object);

    /** An object is gone. */
    void remove(KubeObject object);

    /** How many objects there are. */
    int size();
  }

  /**
   * Which objects.
   *
   * @param name the plural
   * @param path of the collection, absolute
   * @param labels selector by labels, encoded as a parameter; empty for all
   * @param fields selector by fields, likewise. Only spares objects that are of no use anyway, so
   *     it is left out for servers that do not know the field
   */
  record Kind(String name, String path, String labels, String fields) {}

  private final Kind kind;
  private final ApiClient api;
  private final Timing timing;
  private final Connectivity connectivity;
  private final ObjectReader<A> reader;
  private final Function<A, KubeObject> translate;
  private final Store store;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition wake = lock.newCondition();
  private @Nullable BodyStream open;
  private boolean closed;
  private boolean renewed;

  // Written by the thread of run() alone.
  private volatile String version = "";
  private volatile boolean listed;
  private final AtomicLong lists = new AtomicLong();
  private final AtomicLong watches = new AtomicLong();
  private final AtomicLong events = new AtomicLong();
  private volatile Instant lastHeard = Instant.EPOCH;
  private boolean newest;
  private int failures;
  private boolean byFields = true;

  ListWatch(
      Kind kind,
      ApiClient api,
      Timing timing,
      Connectivity connectivity,
      ObjectReader<A> reader,
      Function<A, KubeObject> translate,
      Store store) {
    this.kind = kind;
    this.api = api;
    this.timing = timing;
    this.connectivity = connectivity;
    this.reader = reader;
    this.translate = translate;
    this.store = store;
  }

  @Override
  public void run() {
    boolean listNeeded = true;
    while (!isClosed()) {
      URI server = api.server();
      try {
        if (listNeeded) {
          list(server);
          listNeeded = false;
        }
        watch(server);
      } catch (ApiException e) {
        if (e.versionIsGone()) {
          // A version that even a list does not go by, or that lies in the future, is left behind.
          newest = listNeeded || e.code() != 410;
          listNeeded = true;
          log.debug("{}: {}; listing again", kind.name, e.getMessage());
          if (failures++ > 0) {
            pause(timing.backoffMost(), e.retryAfter());
          }
        } else if (e.code() == 400 && byFields && !kind.fields.isEmpty()) {
          log.atInfo()
              .addKeyValue("kind", kind.name)
              .addKeyValue("error", e.getMessage())
              .log("asking without a field selector");
          byFields = false;
        } else {
          failed(server, e, e.isRefusal() ? timing.backoffRefused() : timing.backoffMost());
        }
      } catch (JsonProcessingException e) {
        // Seldom more than a connection that was cut; what comes again is left out by a new list.
        listNeeded = true;
        failed(server, e, timing.backoffMost());
      } catch (IOException e) {
        failed(server, e, timing.backoffMost());
      } catch (RuntimeException e) {
        log.atError().addKeyValue("kind", kind.name).setCause(e).log("reading failed");
        listNeeded = true;
        failed(server, e, timing.backoffMost());
      }
    }
  }

  /** Begins the watch anew, on a new connection, and ends a pause: credentials have changed. */
  void reconnect() {
    lock.lock();
    try {
      renewed = true;
      wake.signalAll();
      if (open != null) {
        open.close();
      }
    } finally {
      lock.unlock();
    }
  }

  /** Makes {@link #run} return soon. */
  void close() {
    lock.lock();
    try {
      closed = true;
      wake.signalAll();
      if (open != null) {
        open.close();
      }
    } finally {
      lock.unlock();
    }
  }

  ClusterHealth.Resource health() {
    return new ClusterHealth.Resource(
        kind.name,
        listed,
        store.size(),
        lists.get(),
        watches.get(),
        events.get(),
        lastHeard,
        version);
  }

  private boolean isClosed() {
    lock.lock();
    try {
      return closed || Thread.currentThread().isInterrupted();
    } finally {
      lock.unlock();
    }
  }

  private void failed(URI server, Exception failure, Duration most) {
    if (isClosed()) {
      return;
    }
    connectivity.failed(kind.name, server, Failures.describe(failure));
    Duration atLeast = Duration.ZERO;
    if (failure instanceof ApiException answer) {
      atLeast = answer.retryAfter();
      if (answer.code() == 401) {
        api.refused();
      }
      if (!answer.isRefusal()) {
        api.failed(server);
      }
    } else {
      api.failed(server);
    }
    failures++;
    pause(most, atLeast);
  }

  /** Waits the longer the more attempts have failed, unless something happens that may help. */
  private void pause(Duration most, Duration atLeast) {
    long first = timing.backoffFirst().toNanos();
    long longest = Math.min(most.toNanos(), first << Math.clamp(failures - 1, 0, 20));
    long nanos =
        Math.max(atLeast.toNanos(), ThreadLocalRandom.current().nextLong(longest / 2, longest + 1));
    lock.lock();
    try {
      while (!closed && !renewed && nanos > 0) {
        nanos = wake.awaitNanos(nanos);
      }
      renewed = false;
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    } finally {
      lock.unlock();
    }
  }

  private String query(String parameters) {
    StringBuilder query = new StringBuilder(kind.path).append('?').append(parameters);
    if (!kind.labels.isEmpty()) {
      query.append('&').append(kind.labels);
    }
    if (byFields && !kind.fields.isEmpty()) {
      query.append('&').append(kind.fields);
    }
    return query.toString();
  }

  private void list(URI server) throws IOException {
    List<KubeObject> all = new ArrayList<>(store.size());
    Page page = new Page("", "");
    do {
      String parameters;
      if (!page.next.isEmpty()) {
        parameters = "limit=" + PAGE + "&continue=" + encoded(page.next);
      } else if (newest) {
        parameters = "limit=" + PAGE;
      } else {
        parameters = "resourceVersion=" + (version.isEmpty() ? "0" : encoded(version));
      }
      long start = System.nanoTime();
      try (BodyStream body = api.get(server, query(parameters), timing.listIdle(), true)) {
        page = page(body, all);
      }
      api.requests().took("GET", server, System.nanoTime() - start);
    } while (!page.next.isEmpty());
    if (page.version.isEmpty()) {
      throw new IOException("the list of " + kind.name + " has no resourceVersion");
    }
    version = page.version;
    newest = false;
    store.replace(all);
    lists.incrementAndGet();
    lastHeard = Instant.now();
    listed = true;
  }

  /**
   * What a page says of the list.
   *
   * @param version of the list
   * @param next token of the next page; empty if it was the last
   */
  private record Page(String version, String next) {}

  private Page page(BodyStream body, List<KubeObject> into) throws IOException {
    if (body.isProto()) {
      return page(body.decoded(), into);
    }
    try (JsonParser parser = ApiClient.JSON.createParser(body.decoded())) {
      return page(parser, into);
    }
  }

  /** All lists have {@code ListMeta} and the items in the same fields. */
  private Page page(InputStream in, List<KubeObject> into) throws IOException {
    String[] found = {"", ""};
    ProtoObject.read(
        in,
        (number, value) -> {
          if (number == 1) {
            for (int field = value.next(); field != 0; field = value.next()) {
              switch (field) {
                case 2 -> found[0] = value.text();
                case 3 -> found[1] = value.text();
                default -> value.skip();
              }
            }
          } else if (number == 2) {
            KubeObject object = translated(reader.read(value));
            if (object != null) {
              into.add(object);
            }
          }
        });
    return new Page(found[0], found[1]);
  }

  private Page page(JsonParser parser, List<KubeObject> into) throws IOException {
    if (parser.nextToken() != JsonToken.START_OBJECT) {
      throw new IOException("the list of " + kind.name + " is no object");
    }
    String found = "";
    String next = "";
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String name = parser.currentName();
      JsonToken value = parser.nextToken();
      if (name.equals("metadata") && value == JsonToken.START_OBJECT) {
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
          String field = parser.currentName();
          parser.nextToken();
          switch (field) {
            case "resourceVersion" -> found = parser.getText();
            case "continue" -> next = parser.getText();
            default -> parser.skipChildren();
          }
        }
      } else if (name.equals("items") && value == JsonToken.START_ARRAY) {
        while (parser.nextToken() != JsonToken.END_ARRAY) {
          KubeObject object = translated(reader.read(parser));
          if (object != null) {
            into.add(object);
          }
        }
      } else {
        parser.skipChildren();
      }
    }
    return new Page(found, next);
  }

  /** Follows a watch until it ends by itself or its connection does. */
  private void watch(URI server) throws IOException {
    long seconds =
        ThreadLocalRandom.current()
            .nextLong(timing.watch().toSeconds(), 2 * timing.watch().toSeconds() + 1);
    String parameters =
        "watch=true&allowWatchBookmarks=true&timeoutSeconds="
            + seconds
            + "&resourceVersion="
            + encoded(version);
    BodyStream body = api.get(server, query(parameters), timing.watchIdle(), false);
    long begun = System.nanoTime();
    long heard = events.get();
    try (body) {
      if (!opened(body)) {
        return;
      }
      watches.incrementAndGet();
      lastHeard = Instant.now();
      connectivity.succeeded(kind.name, server);
      try (JsonParser parser = ApiClient.JSON.createParser(body)) {
        while (parser.nextToken() != null) {
          event(parser);
          failures = 0;
        }
      }
      log.debug("{}: the watch ended", kind.name);
    } catch (ApiException | JsonProcessingException e) {
      throw e;
    } catch (IOException e) {
      // What counts is whether there will be an answer to the next attempt.
      log.debug("{}: the watch was cut off: {}", kind.name, e.getMessage());
    } finally {
      ended();
    }
    if (events.get() == heard && System.nanoTime() - begun < SHORT_NANOS) {
      failures++;
      pause(timing.backoffMost(), Duration.ZERO);
    } else {
      failures = 0;
    }
  }

  /** Makes the stream known to those who may want to end it; false if they did already. */
  private boolean opened(BodyStream body) {
    lock.lock();
    try {
      open = body;
      return !closed;
    } finally {
      lock.unlock();
    }
  }

  private void ended() {
    lock.lock();
    try {
      open = null;
    } finally {
      lock.unlock();
    }
  }

  private void event(JsonParser parser) throws IOException {
    String type = "";
    A object = null;
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String name = parser.currentName();
      JsonToken value = parser.nextToken();
      if (name.equals("type")) {
        type = parser.getText();
      } else if (name.equals("object") && value == JsonToken.START_OBJECT) {
        if (type.equals("ERROR")) {
          throw ApiStatus.read(parser, 500, Duration.ZERO);
        }
        object = reader.read(parser);
      } else {
        parser.skipChildren();
      }
    }
    if (object == null) {
      throw new IOException("an event without an object, of type " + type);
    }
    lastHeard = Instant.now();
    if (!type.equals("BOOKMARK")) {
      events.incrementAndGet();
      KubeObject translated = translated(object);
      if (translated != null) {
        switch (type) {
          case "ADDED", "MODIFIED" -> store.put(translated);
          case "DELETED" -> store.remove(translated);
          default -> log.debug("{}: an event of type \"{}\"", kind.name, type);
        }
      }
    }
    String at = reader.meta(object).resourceVersion;
    if (!at.isEmpty()) {
      version = at;
    }
  }

  /** Null if that fails, which is a mistake of ours: others must not suffer from it. */
  private @Nullable KubeObject translated(A object) {
    try {
      return translate.apply(object);
    } catch (RuntimeException e) {
      log.atError()
          .addKeyValue("kind", kind.name)
          .addKeyValue("object", reader.meta(object).key())
          .setCause(e)
          .log("cannot use an object; left out");
      return null;
    }
  }

  private static String encoded(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }
}
