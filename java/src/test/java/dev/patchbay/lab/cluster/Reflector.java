// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.lab.cluster;

import dev.patchbay.lab.Json;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/**
 * Follows a collection: lists it, watches it, and begins again whenever that ends. Handlers are
 * called by one thread. An object that was deleted while nobody watched is reported by comparison
 * of two lists.
 */
final class Reflector implements AutoCloseable {
  private static final long PAUSE_NANOS = 100_000_000;

  private final ApiClient client;
  private final String path;
  private final Consumer<Json> present;
  private final Consumer<Json> gone;
  private final Map<String, Json> known = new HashMap<>();
  private final Thread thread;
  private volatile boolean closed;

  /**
   * Begins to follow.
   *
   * @param path of the collection; with a query, such as a field selector, if it has to be
   * @param present what to do with an object that is new or changed
   * @param gone what to do with the last known state of one that is not there any more
   */
  Reflector(ApiClient client, String path, Consumer<Json> present, Consumer<Json> gone) {
    this.client = client;
    this.path = path + (path.contains("?") ? "&" : "?");
    this.present = present;
    this.gone = gone;
    thread = Thread.ofVirtual().name("lab-reflector").start(this::run);
  }

  private void run() {
    while (!closed) {
      try {
        Json list = client.get(path + "resourceVersion=0");
        Map<String, Json> listed = new HashMap<>();
        list.find("items").ifPresent(items -> items.elements().forEach(o -> listed.put(uid(o), o)));
        for (Json object : List.copyOf(known.values())) {
          if (!listed.containsKey(uid(object))) {
            remove(object);
          }
        }
        listed.values().forEach(this::put);
        String version = list.get("metadata").get("resourceVersion").text();
        client.watch(path + "resourceVersion=" + version, this::event);
      } catch (IOException | UncheckedIOException | AssertionError e) {
        LockSupport.parkNanos(PAUSE_NANOS); // the server is away, or has forgotten the version
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  private void event(Json event) {
    switch (event.get("type").text()) {
      case "ADDED", "MODIFIED" -> put(event.get("object"));
      case "DELETED" -> remove(event.get("object"));
      default -> throw new AssertionError(event); // an error: list again
    }
  }

  private void put(Json object) {
    known.put(uid(object), object);
    present.accept(object);
  }

  private void remove(Json object) {
    known.remove(uid(object));
    gone.accept(object);
  }

  private static String uid(Json object) {
    return object.get("metadata").get("uid").text();
  }

  @Override
  public void close() {
    closed = true;
    thread.interrupt();
  }
}
