// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Builds the trees of JSON values, several in a row if the text has them. */
final class JsonReader implements AutoCloseable {
  private static final JsonFactory FACTORY =
      JsonFactory.builder()
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNestingDepth(YamlReader.MAX_DEPTH)
                  .maxStringLength(Integer.MAX_VALUE)
                  .build())
          .build();

  private final JsonParser parser;
  private final boolean lines;

  /**
   * @param lines whether to record line numbers, which costs time
   */
  JsonReader(String text, boolean lines) {
    try {
      this.parser = FACTORY.createParser(text);
    } catch (IOException e) {
      throw new UncheckedIOException("a string as input fails", e);
    }
    this.lines = lines;
  }

  /**
   * The next value of the text; null at its end.
   *
   * @throws SyntaxException after which the rest of the text is lost
   */
  @Nullable Node next() throws SyntaxException {
    try {
      JsonToken token = parser.nextToken();
      return token == null ? null : node(token);
    } catch (JsonProcessingException e) {
      String reason = e.getOriginalMessage().strip();
      int newline = reason.indexOf('\n');
      throw new SyntaxException(
          "is not valid JSON: " + (newline < 0 ? reason : reason.substring(0, newline)),
          e.getLocation() == null ? 0 : e.getLocation().getLineNr());
    } catch (IOException e) {
      throw new UncheckedIOException("a string as input fails", e);
    }
  }

  @Override
  public void close() {
    try {
      parser.close();
    } catch (IOException e) {
      throw new UncheckedIOException("a string as input fails", e);
    }
  }

  private Node node(JsonToken token) throws IOException, SyntaxException {
    int line = line();
    return switch (token) {
      case START_OBJECT -> mapping(line);
      case START_ARRAY -> sequence(line);
      case VALUE_STRING -> new Scalar(parser.getText(), false, line);
      default -> new Scalar(parser.getText(), true, line);
    };
  }

  private Node sequence(int line) throws IOException, SyntaxException {
    List<Node> items = new ArrayList<>();
    for (JsonToken token = parser.nextToken();
        token != JsonToken.END_ARRAY;
        token = parser.nextToken()) {
      items.add(node(token));
    }
    return new Sequence(items, line);
  }

  private Node mapping(int line) throws IOException, SyntaxException {
    Mapping.Builder entries = new Mapping.Builder();
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String key = parser.currentName();
      int keyLine = line();
      if (!entries.add(key, node(parser.nextToken()))) {
        throw new SyntaxException("has the key \"" + key + "\" twice", keyLine);
      }
    }
    return entries.build(line);
  }

  private int line() {
    return lines ? parser.currentTokenLocation().getLineNr() : 0;
  }
}
