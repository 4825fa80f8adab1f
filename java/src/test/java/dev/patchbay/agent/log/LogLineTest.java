// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.log;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.lab.Json;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.slf4j.event.KeyValuePair;
import org.slf4j.event.Level;

class LogLineTest {
  private static LogLine line(String message, @Nullable Throwable thrown, KeyValuePair... pairs) {
    return new LogLine(
        Instant.parse("2026-01-02T03:04:05.678999Z"),
        Level.WARN,
        "dev.patchbay.Some",
        "main",
        message,
        Arrays.asList(pairs),
        thrown);
  }

  private static KeyValuePair pair(String key, @Nullable Object value) {
    return new KeyValuePair(key, value);
  }

  @Test
  void textHasTheMessageFirstAndQuotesWhatIsNotOneWord() {
    String text =
        line(
                "applied",
                null,
                pair("services", 1),
                pair("why", "a \"b\"\nc"),
                pair("empty", ""),
                pair("sum", "a=b"))
            .as(LogFormat.text);
    assertThat(text)
        .matches("2026-01-0[123]T\\d\\d:\\d4:05\\.678(Z|[+-]\\d\\d:\\d\\d) WARN .*")
        .endsWith(" applied services=1 why=\"a \\\"b\\\"\\nc\" empty=\"\" sum=\"a=b\"");
  }

  @Test
  void jsonHasStableKeysAndTypedPairs() {
    Json json =
        Json.parse(
            line(
                    "two\nlines",
                    null,
                    pair("services", 1),
                    pair("seconds", 1.5),
                    pair("micros", 7L),
                    pair("reread", false),
                    pair("nothing", null),
                    pair("causes", List.of("a", "b")),
                    pair("message", "mine"))
                .as(LogFormat.json));
    assertThat(json)
        .hasToString(
            "{\"time\":\"2026-01-02T03:04:05.678Z\",\"level\":\"WARN\","
                + "\"logger\":\"dev.patchbay.Some\",\"thread\":\"main\","
                + "\"message\":\"two\\nlines\",\"services\":1,\"seconds\":1.5,\"micros\":7,"
                + "\"reread\":false,\"nothing\":null,\"causes\":[\"a\",\"b\"],"
                + "\"_message\":\"mine\"}");
    assertThat(line("two\nlines", null).as(LogFormat.json)).doesNotContain("\n");
  }

  @Test
  void whatWasThrownIsToldWithItsStack() {
    IllegalStateException thrown = new IllegalStateException("no");
    assertThat(line("failed", thrown).as(LogFormat.text))
        .contains(" failed\njava.lang.IllegalStateException: no\n\tat ");
    assertThat(Json.parse(line("failed", thrown).as(LogFormat.json)).get("stack").text())
        .startsWith("java.lang.IllegalStateException: no\n\tat ");
  }
}
