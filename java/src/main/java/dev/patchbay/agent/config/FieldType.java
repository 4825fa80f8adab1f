// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.config;

import dev.patchbay.agent.HostPort;
import dev.patchbay.model.Cidr;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.IpFamily;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * What a field of {@link KubeProxyConfiguration} may hold, given as YAML gives it.
 *
 * @param allowed the allowed values in words, behind "must be"
 * @param valid whether a value other than null is allowed
 * @param empty whether a value is what Go takes for a field that is not there
 */
record FieldType(String allowed, Predicate<Object> valid, Predicate<Object> empty) {
  static final FieldType TEXT = new FieldType("a text", String.class::isInstance, ""::equals);

  static final FieldType FLAG =
      new FieldType("true or false", Boolean.class::isInstance, Boolean.FALSE::equals);

  /** A flag of which false is something else than nothing. */
  static final FieldType OPTIONAL_FLAG =
      new FieldType("true or false", Boolean.class::isInstance, FieldType::never);

  static final FieldType RATE =
      new FieldType(
          "a number",
          value -> value instanceof Number,
          value -> value instanceof Number number && number.doubleValue() == 0);

  static final FieldType DURATION =
      new FieldType(
          "a duration of 0 or more like 30s or 1h2m",
          value -> duration(value).filter(duration -> !duration.isNegative()).isPresent(),
          value -> duration(value).filter(Duration::isZero).isPresent());

  /** A duration of which 0 is something else than nothing. */
  static final FieldType OPTIONAL_DURATION =
      new FieldType(DURATION.allowed, DURATION.valid, FieldType::never);

  /** The same, or a number of nanoseconds. */
  static final FieldType FLUSH_FREQUENCY =
      new FieldType(
          "a duration like 5s, or a number of nanoseconds",
          value -> value instanceof Integer || value instanceof Long || duration(value).isPresent(),
          value -> value.equals(0) || duration(value).filter(Duration::isZero).isPresent());

  static final FieldType TEXTS =
      new FieldType(
          "a list of texts",
          value ->
              value instanceof List<?> list && list.stream().allMatch(String.class::isInstance),
          List.of()::equals);

  static final FieldType RANGES =
      new FieldType(
          "a list of ranges like 10.0.0.0/8",
          value -> value instanceof List<?> list && list.stream().allMatch(FieldType::isRange),
          List.of()::equals);

  /** One range, or one of each family. */
  static final FieldType RANGE_OR_PAIR =
      new FieldType(
          "a range like 10.244.0.0/16, or one of each family with a comma between them",
          value -> value instanceof String text && (text.isEmpty() || isRangeOrPair(text)),
          ""::equals);

  static final FieldType GATES =
      new FieldType(
          "a mapping of names to true or false",
          value ->
              value instanceof Map<?, ?> map
                  && map.keySet().stream().allMatch(String.class::isInstance)
                  && map.values().stream().allMatch(Boolean.class::isInstance),
          Map.of()::equals);

  static final FieldType VERBOSITIES =
      new FieldType(
          "a list of mappings with filePattern and verbosity",
          value -> value instanceof List<?> list && list.stream().allMatch(FieldType::isVerbosity),
          List.of()::equals);

  static final FieldType QUANTITY =
      new FieldType(
          "a quantity like 64Ki",
          value ->
              value instanceof Integer
                  || (value instanceof String text
                      && text.matches("[0-9]+(\\.[0-9]+)?([kMGTPE]|[KMGTPE]i)?")),
          value -> value.equals(0) || value.equals("0"));

  static final FieldType ADDRESS =
      new FieldType(
          "an IP address",
          value -> value instanceof String text && (text.isEmpty() || isAddress(text)),
          ""::equals);

  static final FieldType ADDRESS_AND_PORT =
      new FieldType(
          "an IP address and a port of 1 to 65535 like 127.0.0.1:10256 or [::1]:10256, or an IP"
              + " address alone",
          value ->
              value instanceof String text
                  && (text.isEmpty()
                      || isAddress(text)
                      || HostPort.parse(text).filter(bind -> bind.port() > 0).isPresent()),
          ""::equals);

  private static boolean never(Object value) {
    return false;
  }

  /** An integer within bounds, of which 0 is something else than nothing. */
  static FieldType optionalInteger(int least, int most) {
    return new FieldType(
        words(least, most), value -> isInteger(value, least, most), FieldType::never);
  }

  /** An integer within bounds. */
  static FieldType integer(int least, int most) {
    return new FieldType(
        words(least, most), value -> isInteger(value, least, most), value -> value.equals(0));
  }

  /** One of some words, or nothing. */
  static FieldType oneOf(String... words) {
    return new FieldType(
        "one of " + String.join(", ", words) + ", or empty",
        value -> value.equals("") || Arrays.asList(words).contains(value),
        ""::equals);
  }

  private static String words(int least, int most) {
    return most == Integer.MAX_VALUE
        ? "an integer of " + least + " or more"
        : "an integer of " + least + " to " + most;
  }

  private static boolean isInteger(Object value, int least, int most) {
    return value instanceof Integer number && number >= least && number <= most;
  }

  static Optional<Duration> duration(Object value) {
    return value instanceof String text ? GoDuration.parse(text) : Optional.empty();
  }

  private static boolean isAddress(String text) {
    return IpAddress.parse(text).isPresent();
  }

  private static boolean isRange(Object value) {
    return value instanceof String text && Cidr.parseMasked(text).isPresent();
  }

  private static boolean isRangeOrPair(String text) {
    List<Optional<Cidr>> ranges =
        Arrays.stream(text.split(",", -1)).map(Cidr::parseMasked).toList();
    List<IpFamily> families =
        ranges.stream().flatMap(Optional::stream).map(Cidr::family).distinct().toList();
    return ranges.size() <= 2 && families.size() == ranges.size();
  }

  private static boolean isVerbosity(Object value) {
    return value instanceof Map<?, ?> map
        && map.size() == 2
        && map.get("filePattern") instanceof String
        && map.get("verbosity") instanceof Integer verbosity
        && verbosity >= 0;
  }
}
