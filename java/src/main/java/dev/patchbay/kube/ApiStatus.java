// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kube;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;

/** {@code Status}: how the API tells errors. */
final class ApiStatus {
  private int code;
  private String message = "";
  private String cause = "";
  private int retryAfterSeconds;

  private ApiStatus() {}

  /**
   * Reads a Status, of any shape.
   *
   * @param parser at its beginning; at its end afterwards
   * @param httpCode stands in for a code that is missing
   */
  static ApiException read(JsonParser parser, int httpCode, Duration retryAfter)
      throws IOException {
    ApiStatus status = new ApiStatus();
    status.code = httpCode;
    status.members(parser);
    Duration asked = Duration.ofSeconds(status.retryAfterSeconds);
    return new ApiException(
        status.code,
        status.message,
        status.cause,
        asked.compareTo(retryAfter) > 0 ? asked : retryAfter);
  }

  /** Reads a Status in protocol buffers. */
  static ApiException read(InputStream in, int httpCode, Duration retryAfter) throws IOException {
    ApiStatus status = new ApiStatus();
    ProtoObject.read(
        in,
        (number, value) -> {
          if (number == 3) {
            status.message = value.rest();
          } else if (number == 5) {
            status.details(value);
          }
        });
    return new ApiException(httpCode, status.message, status.cause, retryAfter);
  }

  private void details(ProtoReader in) throws IOException {
    for (int field = in.next(); field != 0; field = in.next()) {
      if (field != 4) {
        in.skip();
        continue;
      }
      int outer = in.enter();
      for (int part = in.next(); part != 0; part = in.next()) {
        if (part == 1 && cause.isEmpty()) {
          cause = in.text();
        } else {
          in.skip();
        }
      }
      in.leave(outer);
    }
  }

  /** Names are the same at all depths of a Status, as far as they are of interest. */
  private void members(JsonParser parser) throws IOException {
    if (parser.currentToken() == JsonToken.START_ARRAY) {
      while (parser.nextToken() != JsonToken.END_ARRAY) {
        if (parser.currentToken() == JsonToken.START_OBJECT) {
          cause(parser);
        } else {
          parser.skipChildren();
        }
      }
      return;
    }
    if (parser.currentToken() != JsonToken.START_OBJECT) {
      return;
    }
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String name = parser.currentName();
      JsonToken value = parser.nextToken();
      if (name.equals("code") && value == JsonToken.VALUE_NUMBER_INT) {
        code = parser.getValueAsInt();
      } else if (name.equals("message") && value == JsonToken.VALUE_STRING) {
        message = parser.getText();
      } else if (name.equals("retryAfterSeconds") && value == JsonToken.VALUE_NUMBER_INT) {
        retryAfterSeconds = parser.getValueAsInt();
      } else if (name.equals("details") || name.equals("causes")) {
        members(parser);
      } else {
        parser.skipChildren();
      }
    }
  }

  private void cause(JsonParser parser) throws IOException {
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String name = parser.currentName();
      JsonToken value = parser.nextToken();
      if (name.equals("reason") && value == JsonToken.VALUE_STRING && cause.isEmpty()) {
        cause = parser.getText();
      } else {
        parser.skipChildren();
      }
    }
  }
}
