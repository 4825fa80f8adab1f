// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.health;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonEncoding;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * {@code health.json} of a state directory: how the checks stood when the agent last wrote it. Not
 * a part of the snapshot, because that may be large, and health turns when nothing else does.
 * Replaced as a whole. Fields that a reader does not know are passed over.
 *
 * @param writtenMillis when, in milliseconds since the epoch
 * @param pid process id of the agent
 * @param results how each check stood
 */
public record HealthFile(long writtenMillis, long pid, List<Result> results) {
  private static final String NAME = "health.json";
  private static final String TEMPORARY = ".health.json.tmp";
  private static final JsonFactory JSON = new JsonFactory();

  public HealthFile {
    results = List.copyOf(results);
  }

  /**
   * Replaces the file of a state directory. One thread at a time.
   *
   * @throws IOException if it cannot be written; the one before is then still in place
   */
  void write(Path stateDir) throws IOException {
    Path temporary = stateDir.resolve(TEMPORARY);
    try (OutputStream out = Files.newOutputStream(temporary);
        JsonGenerator json = JSON.createGenerator(out, JsonEncoding.UTF8)) {
      json.writeStartObject();
      json.writeNumberField("writtenMillis", writtenMillis);
      json.writeNumberField("pid", pid);
      json.writeArrayFieldStart("checks");
      for (Result result : results) {
        json.writeStartObject();
        json.writeStringField("name", result.name());
        json.writeBooleanField("gates", result.gates());
        json.writeStringField("status", result.status().label());
        json.writeNumberField("sinceMillis", result.sinceMillis());
        json.writeStringField("detail", result.detail());
        json.writeEndObject();
      }
      json.writeEndArray();
      json.writeEndObject();
    } catch (IOException e) {
      Files.deleteIfExists(temporary);
      throw e;
    }
    Files.move(
        temporary,
        stateDir.resolve(NAME),
        StandardCopyOption.ATOMIC_MOVE,
        StandardCopyOption.REPLACE_EXISTING);
  }

  /**
   * Reads the file of a state directory.
   *
   * @return empty if there is none that could be used
   */
  public static Optional<HealthFile> read(Path stateDir) {
    try (InputStream in = Files.newInputStream(stateDir.resolve(NAME));
        JsonParser json = JSON.createParser(in)) {
      return Optional.of(read(json));
    } catch (NoSuchFileException | JacksonException e) {
      return Optional.empty();
    } catch (IOException | IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  private static HealthFile read(JsonParser json) throws IOException {
    long writtenMillis = 0;
    long pid = 0;
    List<Result> results = new ArrayList<>();
    requireObject(json.nextToken());
    while (json.nextToken() == JsonToken.FIELD_NAME) {
      String field = json.currentName();
      json.nextToken();
      switch (field) {
        case "writtenMillis" -> writtenMillis = json.getLongValue();
        case "pid" -> pid = json.getLongValue();
        case "checks" -> {
          while (json.nextToken() == JsonToken.START_OBJECT) {
            results.add(result(json));
          }
        }
        default -> json.skipChildren();
      }
    }
    return new HealthFile(writtenMillis, pid, results);
  }

  private static Result result(JsonParser json) throws IOException {
    String name = "";
    boolean gates = true;
    Status status = Status.OK;
    long sinceMillis = 0;
    String detail = "";
    while (json.nextToken() == JsonToken.FIELD_NAME) {
      String field = json.currentName();
      json.nextToken();
      switch (field) {
        case "name" -> name = json.getText();
        case "gates" -> gates = json.getBooleanValue();
        case "status" ->
            status = Status.valueOf(json.getText().toUpperCase(Locale.ROOT).replace('-', '_'));
        case "sinceMillis" -> sinceMillis = json.getLongValue();
        case "detail" -> detail = json.getText();
        default -> json.skipChildren();
      }
    }
    return new Result(name, gates, status, sinceMillis, detail);
  }

  private static void requireObject(JsonToken token) throws IOException {
    if (token != JsonToken.START_OBJECT) {
      throw new IOException("not an object");
    }
  }
}
