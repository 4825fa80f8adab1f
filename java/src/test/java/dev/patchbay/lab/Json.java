// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.lab;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A JSON value that is easy to take apart; a wrong guess about its shape fails the test. */
public final class Json {
  private static final JsonFactory FACTORY = new JsonFactory();

  /** The JSON value null. */
  public static final Json NULL = new Json(null);

  private final @Nullable Object value;

  private Json(@Nullable Object value) {
    this.value = value;
  }

  /** Parses one JSON text. */
  public static Json parse(String text) {
    try (JsonParser parser = FACTORY.createParser(text)) {
      parser.nextToken();
      Json value = new Json(read(parser));
      if (parser.nextToken() != null) {
        throw new AssertionError("more than one JSON value: " + text);
      }
      return value;
    } catch (IOException e) {
      throw new AssertionError("not JSON: " + e.getMessage() + "\n" + text, e);
    }
  }

  private static @Nullable Object read(JsonParser parser) throws IOException {
    JsonToken token = parser.currentToken();
    if (token == null) {
      throw new AssertionError("empty JSON text");
    }
    if (token == JsonToken.START_OBJECT) {
      Map<String, Json> members = new LinkedHashMap<>();
      while (parser.nextToken() != JsonToken.END_OBJECT) {
        String name = parser.currentName();
        parser.nextToken();
        members.put(name, new Json(read(parser)));
      }
      return members;
    }
    if (token == JsonToken.START_ARRAY) {
      List<Json> elements = new ArrayList<>();
      while (parser.nextToken() != JsonToken.END_ARRAY) {
        elements.add(new Json(read(parser)));
      }
      return elements;
    }
    return switch (token) {
      case VALUE_NULL -> null;
      case VALUE_TRUE -> true;
      case VALUE_FALSE -> false;
      case VALUE_NUMBER_INT -> parser.getLongValue();
      case VALUE_NUMBER_FLOAT -> parser.getDoubleValue();
      default -> parser.getText();
    };
  }

  /** The JSON text of maps, iterables, strings, numbers, booleans, null, and JSON values. */
  public static String write(@Nullable Object value) {
    StringWriter text = new StringWriter();
    try (JsonGenerator generator = FACTORY.createGenerator(text)) {
      write(generator, value);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return text.toString();
  }

  private static void write(JsonGenerator generator, @Nullable Object value) throws IOException {
    switch (value) {
      case null -> generator.writeNull();
      case Json json -> write(generator, json.value);
      case Map<?, ?> members -> {
        generator.writeStartObject();
        for (Map.Entry<?, ?> member : members.entrySet()) {
          generator.writeFieldName(String.valueOf(member.getKey()));
          write(generator, member.getValue());
        }
        generator.writeEndObject();
      }
      case Iterable<?> elements -> {
        generator.writeStartArray();
        for (Object element : elements) {
          write(generator, element);
        }
        generator.writeEndArray();
      }
      case Boolean flag -> generator.writeBoolean(flag);
      case Number number -> generator.writeRawValue(number.toString());
      default -> generator.writeString(value.toString());
    }
  }

  /** The member of an object, if there is one and it is not null. */
  @SuppressWarnings("unchecked") // read() makes no other maps
  public Optional<Json> find(String name) {
    return value instanceof Map<?, ?> members
        ? Optional.ofNullable(((Map<String, Json>) members).get(name)).filter(m -> m.value != null)
        : Optional.empty();
  }

  /** The member of an object. */
  public Json get(String name) {
    return find(name).orElseThrow(() -> new AssertionError("no member " + name + " in " + this));
  }

  /** The members of an object. */
  @SuppressWarnings("unchecked") // read() makes no other maps
  public Map<String, Json> members() {
    if (value instanceof Map<?, ?> members) {
      return (Map<String, Json>) members;
    }
    throw new AssertionError("not an object: " + this);
  }

  /** The elements of an array. */
  @SuppressWarnings("unchecked") // read() makes no other lists
  public List<Json> elements() {
    if (value instanceof List<?> elements) {
      return (List<Json>) elements;
    }
    throw new AssertionError("not an array: " + this);
  }

  /** Whether this is an array. */
  public boolean isArray() {
    return value instanceof List<?>;
  }

  /** Whether this is an object. */
  public boolean isObject() {
    return value instanceof Map<?, ?>;
  }

  /** A string, or the text of a number or boolean. */
  public String text() {
    if (value == null || isArray() || isObject()) {
      throw new AssertionError("not a string: " + this);
    }
    return value.toString();
  }

  /** A whole number. */
  public long number() {
    if (value instanceof Long number) {
      return number;
    }
    throw new AssertionError("not a whole number: " + this);
  }

  @Override
  public String toString() {
    return write(value);
  }
}
