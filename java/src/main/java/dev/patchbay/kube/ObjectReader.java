// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kube;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads objects of one kind from JSON, token by token, and keeps nothing of what is not needed. A
 * value of an unexpected type is a finding and counts as absent: one odd object must not keep
 * others from being read.
 *
 * <p>Not thread-safe.
 *
 * @param <T> what an object is read into
 */
abstract class ObjectReader<T> {
  /** Above this many strings the pool is begun anew: what is in it changes with the cluster. */
  private static final int POOL_LIMIT = 20_000;

  private final Map<String, String> pool = new HashMap<>();

  /**
   * Reads one object.
   *
   * @param parser at the token the object begins with; at the one it ends with afterwards
   * @throws IOException if the text is no JSON, or cannot be read
   */
  abstract T read(JsonParser parser) throws IOException;

  /**
   * Reads one object from a message of protocol buffers, by the field numbers of {@code
   * generated.proto} in k8s.io/api.
   *
   * @param in at the beginning of the message; at its end afterwards
   * @throws IOException if it is no such message
   */
  abstract T read(ProtoReader in) throws IOException;

  /** {@code metadata} of an object that was read. */
  abstract ApiMeta meta(T object);

  /** A member of an object, for {@link #members}. */
  @FunctionalInterface
  interface Member {
    /** Reads the value that the parser is at, to its end. */
    void read(JsonParser parser, String name) throws IOException;
  }

  /** Reads an object; anything else is passed over. */
  final void members(JsonParser parser, ApiMeta meta, String path, Member member)
      throws IOException {
    if (parser.currentToken() != JsonToken.START_OBJECT) {
      odd(parser, meta, path, "an object");
      return;
    }
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String name = parser.currentName();
      parser.nextToken();
      member.read(parser, name);
    }
  }

  /** Reads an array; anything else is passed over. */
  final void items(JsonParser parser, ApiMeta meta, String path, Member item) throws IOException {
    if (parser.currentToken() != JsonToken.START_ARRAY) {
      odd(parser, meta, path, "a list");
      return;
    }
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      item.read(parser, path);
    }
  }

  final String text(JsonParser parser, ApiMeta meta, String path) throws IOException {
    if (parser.currentToken() == JsonToken.VALUE_STRING) {
      return parser.getText();
    }
    odd(parser, meta, path, "a string");
    return "";
  }

  /** A text that many objects have in common. */
  final String pooled(JsonParser parser, ApiMeta meta, String path) throws IOException {
    return pooled(text(parser, meta, path));
  }

  /** A text that many objects have in common. */
  final String pooled(String text) {
    if (pool.size() >= POOL_LIMIT) {
      pool.clear();
    }
    String known = pool.putIfAbsent(text, text);
    return known == null ? text : known;
  }

  final List<String> texts(JsonParser parser, ApiMeta meta, String path) throws IOException {
    List<String> texts = new ArrayList<>(1);
    items(parser, meta, path, (p, at) -> texts.add(text(p, meta, at)));
    return texts;
  }

  final @Nullable Integer integer(JsonParser parser, ApiMeta meta, String path) throws IOException {
    if (parser.currentToken() == JsonToken.VALUE_NUMBER_INT) {
      long value =
          parser.getNumberType() == JsonParser.NumberType.BIG_INTEGER ? -1 : parser.getLongValue();
      if (value >= Integer.MIN_VALUE && value <= Integer.MAX_VALUE) {
        return (int) value;
      }
    }
    odd(parser, meta, path, "a number of 32 bits");
    return null;
  }

  final @Nullable Boolean bool(JsonParser parser, ApiMeta meta, String path) throws IOException {
    JsonToken token = parser.currentToken();
    if (token == JsonToken.VALUE_TRUE || token == JsonToken.VALUE_FALSE) {
      return token == JsonToken.VALUE_TRUE;
    }
    odd(parser, meta, path, "true or false");
    return null;
  }

  /**
   * Reads {@code metadata}.
   *
   * @param label the label to keep
   */
  final void metadata(JsonParser parser, ApiMeta meta, String label) throws IOException {
    members(
        parser,
        meta,
        "metadata",
        (p, name) -> {
          switch (name) {
            case "namespace" -> meta.namespace = pooled(p, meta, "metadata.namespace");
            case "name" -> meta.name = text(p, meta, "metadata.name");
            case "uid" -> meta.uid = text(p, meta, "metadata.uid");
            case "resourceVersion" ->
                meta.resourceVersion = text(p, meta, "metadata.resourceVersion");
            case "creationTimestamp" ->
                meta.createdMillis = Timestamps.millis(text(p, meta, "metadata.creationTimestamp"));
            case "deletionTimestamp" ->
                meta.deleting = !text(p, meta, "metadata.deletionTimestamp").isEmpty();
            case "labels" ->
                members(
                    p,
                    meta,
                    "metadata.labels",
                    (q, key) -> {
                      if (key.equals(label)) {
                        meta.label = pooled(q, meta, "metadata.labels[" + label + "]");
                      } else {
                        q.skipChildren();
                      }
                    });
            case "annotations" ->
                members(
                    p,
                    meta,
                    "metadata.annotations",
                    (q, key) -> {
                      if (ApiMeta.isRead(key)) {
                        meta.annotation(key, text(q, meta, "metadata.annotations[" + key + "]"));
                      } else {
                        q.skipChildren();
                      }
                    });
            default -> p.skipChildren();
          }
        });
  }

  /**
   * Reads {@code ObjectMeta}, to the end of the message.
   *
   * @param label the label to keep
   */
  final void metadata(ProtoReader in, ApiMeta meta, String label) throws IOException {
    for (int field = in.next(); field != 0; field = in.next()) {
      switch (field) {
        case 1 -> meta.name = in.text();
        case 3 -> meta.namespace = pooled(in.text());
        case 5 -> meta.uid = in.text();
        case 6 -> meta.resourceVersion = in.text();
        case 8 -> {
          int outer = in.enter();
          for (int part = in.next(); part != 0; part = in.next()) {
            if (part == 1) {
              meta.createdMillis = 1000 * in.number();
            } else {
              in.skip();
            }
          }
          in.leave(outer);
        }
        case 9 -> {
          meta.deleting = true;
          in.skip();
        }
        case 11 -> {
          int outer = in.enter();
          boolean wanted = false;
          for (int part = in.next(); part != 0; part = in.next()) {
            if (part == 1) {
              wanted = in.text().equals(label);
            } else if (part == 2 && wanted) {
              meta.label = pooled(in.text());
            } else {
              in.skip();
            }
          }
          in.leave(outer);
        }
        case 12 -> {
          int outer = in.enter();
          String key = "";
          for (int part = in.next(); part != 0; part = in.next()) {
            if (part == 1) {
              key = in.text();
            } else if (part == 2 && ApiMeta.isRead(key)) {
              meta.annotation(key, in.text());
            } else {
              in.skip();
            }
          }
          in.leave(outer);
        }
        default -> in.skip();
      }
    }
  }

  /** Passes over a value of the wrong type; null counts as absent. */
  private static void odd(JsonParser parser, ApiMeta meta, String path, String wanted)
      throws IOException {
    if (parser.currentToken() != JsonToken.VALUE_NULL) {
      meta.findings.error(path, "is not " + wanted + "; ignored");
    }
    parser.skipChildren();
  }
}
