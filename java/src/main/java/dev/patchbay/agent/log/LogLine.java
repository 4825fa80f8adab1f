// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.log;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.event.KeyValuePair;
import org.slf4j.event.Level;

/**
 * One line of the log.
 *
 * @param time when it was written
 * @param level how bad it is
 * @param logger the class that wrote it
 * @param thread the name of its thread
 * @param message the message, with its arguments filled in
 * @param pairs what belongs to it, in the order given
 * @param thrown what was thrown; null if nothing was
 */
record LogLine(
    Instant time,
    Level level,
    String logger,
    String thread,
    String message,
    List<KeyValuePair> pairs,
    @Nullable Throwable thrown) {
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSSXXX", Locale.ROOT);
  private static final DateTimeFormatter LOCAL_TIME = TIME.withZone(ZoneId.systemDefault());
  private static final DateTimeFormatter UTC = TIME.withZone(ZoneOffset.UTC);
  private static final JsonFactory JSON = new JsonFactory();

  /** Keys of every line; a pair with one of them gets an underscore before it. */
  private static final Set<String> RESERVED =
      Set.of("time", "level", "logger", "thread", "message", "stack");

  /** In a format, without the newline at its end. */
  String as(LogFormat format) {
    return switch (format) {
      case text -> text();
      case json -> json();
    };
  }

  /** {@code 2026-01-02T03:04:05.678+01:00 WARN message key=value}; a stack trace on more lines. */
  private String text() {
    StringBuilder text = new StringBuilder(message.length() + 64);
    LOCAL_TIME.formatTo(time, text);
    text.append(' ').append(level).append(' ').append(message);
    for (KeyValuePair pair : pairs) {
      text.append(' ').append(pair.key).append('=').append(quoted(String.valueOf(pair.value)));
    }
    if (thrown != null) {
      text.append('\n').append(stack(thrown));
    }
    return text.toString();
  }

  /** In quotes if it could not be told from what comes next. */
  private static String quoted(String value) {
    boolean plain = !value.isEmpty();
    for (int i = 0; plain && i < value.length(); i++) {
      char c = value.charAt(i);
      plain = c > ' ' && c != '"' && c != '=' && c != 127;
    }
    if (plain) {
      return value;
    }
    StringBuilder text = new StringBuilder(value.length() + 2).append('"');
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      switch (c) {
        case '"', '\\' -> text.append('\\').append(c);
        case '\n' -> text.append("\\n");
        default -> text.append(c);
      }
    }
    return text.append('"').toString();
  }

  private String json() {
    StringWriter text = new StringWriter(256);
    try (JsonGenerator out = JSON.createGenerator(text)) {
      out.writeStartObject();
      out.writeStringField("time", UTC.format(time));
      out.writeStringField("level", level.name());
      out.writeStringField("logger", logger);
      out.writeStringField("thread", thread);
      out.writeStringField("message", message);
      for (KeyValuePair pair : pairs) {
        out.writeFieldName(RESERVED.contains(pair.key) ? "_" + pair.key : pair.key);
        value(out, pair.value);
      }
      if (thrown != null) {
        out.writeStringField("stack", stack(thrown));
      }
      out.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return text.toString();
  }

  private static void value(JsonGenerator out, @Nullable Object value) throws IOException {
    switch (value) {
      case null -> out.writeNull();
      case Boolean flag -> out.writeBoolean(flag);
      case Integer number -> out.writeNumber(number);
      case Long number -> out.writeNumber(number);
      case Double number -> out.writeNumber(number);
      case List<?> list -> {
        out.writeStartArray();
        for (Object element : list) {
          value(out, element);
        }
        out.writeEndArray();
      }
      default -> out.writeString(String.valueOf(value));
    }
  }

  private static String stack(Throwable thrown) {
    StringWriter text = new StringWriter();
    thrown.printStackTrace(new PrintWriter(text, true));
    return text.toString().stripTrailing();
  }
}
