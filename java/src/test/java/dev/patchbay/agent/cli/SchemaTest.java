// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.agent.cli.SchemaCommand.Of;
import dev.patchbay.agent.health.Status;
import dev.patchbay.compile.Decision;
import dev.patchbay.inspect.NearMiss;
import dev.patchbay.kernel.AttachReport;
import dev.patchbay.lab.Json;
import dev.patchbay.model.Problem;
import dev.patchbay.testkit.JsonSchemas;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The schemas themselves, and what needs no kernel of what they describe. */
class SchemaTest {
  private static String patchbay(String... args) {
    StringWriter out = new StringWriter();
    PatchbayCommand.execute(new PrintWriter(out), new PrintWriter(new StringWriter()), args);
    return out.toString();
  }

  @ParameterizedTest
  @EnumSource
  void theCommandPrintsAGoodSchema(Of of) throws IOException {
    String schema = patchbay("schema", of.name());
    assertThat(schema).isEqualTo(SchemaCommand.text(of));
    assertThat(JsonSchemas.violationsOfSchema(schema)).isEmpty();
    assertThat(Json.parse(schema).get("$id").text()).isEqualTo("urn:patchbay:schema:" + of.name());
  }

  /** So that a field that is put out and not described fails. */
  @ParameterizedTest
  @EnumSource
  void noObjectMayHaveOtherFields(Of of) throws IOException {
    Json schema = Json.parse(SchemaCommand.text(of));
    assertThat(objects(schema)).isPositive();
  }

  private static int objects(Json node) {
    int objects = 0;
    if (node.isObject()) {
      if (node.find("type").filter(t -> !t.isObject() && t.text().equals("object")).isPresent()) {
        Json others = node.get("additionalProperties");
        assertThat(others.isObject() || others.text().equals("false")).as("%s", node).isTrue();
        objects++;
      }
      for (Json member : node.members().values()) {
        objects += objects(member);
      }
    } else if (node.isArray()) {
      for (Json element : node.elements()) {
        objects += objects(element);
      }
    }
    return objects;
  }

  private static List<String> words(Of of, String... path) throws IOException {
    Json node = Json.parse(SchemaCommand.text(of));
    for (String step : path) {
      node = node.get(step);
    }
    return node.get("enum").elements().stream().map(Json::text).toList();
  }

  private static List<String> names(Enum<?>[] values) {
    return Arrays.stream(values).map(Enum::name).toList();
  }

  @Test
  void wordsAreThoseOfTheCode() throws IOException {
    String[] reason = {"properties", "endpoints", "items", "properties", "reason"};
    assertThat(words(Of.explain, reason)).isEqualTo(names(Decision.Reason.values()));
    String[] kind = {"properties", "nearMisses", "items", "properties", "kind"};
    assertThat(words(Of.explain, kind)).isEqualTo(names(NearMiss.Kind.values()));
    String[] state = {"properties", "programs", "items", "properties", "state"};
    assertThat(words(Of.status, state))
        .containsExactlyInAnyOrderElementsOf(names(AttachReport.State.values()));
    String[] status = {
      "properties", "health", "properties", "checks", "items", "properties", "status"
    };
    assertThat(words(Of.status, status))
        .isEqualTo(Arrays.stream(Status.values()).map(Status::label).toList());
    String[] severity = {"properties", "problems", "items", "properties", "severity"};
    assertThat(words(Of.validate, severity))
        .containsExactlyInAnyOrderElementsOf(names(Problem.Severity.values()));
  }

  @Test
  void versionsAreAsDescribed() throws IOException {
    assertThat(
            JsonSchemas.violations(
                SchemaCommand.text(Of.version), patchbay("version", "-o", "json")))
        .isEmpty();
  }

  @Test
  void problemsAreAsDescribed(@TempDir Path manifests) throws IOException {
    String schema = SchemaCommand.text(Of.validate);
    String[] validate = {"validate", "--manifests=" + manifests, "-o", "json"};
    assertThat(JsonSchemas.violations(schema, patchbay(validate))).isEmpty();
    Files.writeString(
        manifests.resolve("bad.yaml"),
        """
        apiVersion: v1
        kind: Service
        metadata: {name: web}
        spec: {ports: [{port: 70000}]}
        ---
        : [
        """);
    String bad = patchbay(validate);
    assertThat(JsonSchemas.violations(schema, bad)).isEmpty();
    assertThat(Json.parse(bad).get("good").text()).isEqualTo("false");
    assertThat(Json.parse(bad).get("problems").elements()).isNotEmpty();
    assertThat(JsonSchemas.violations(schema, bad.replace("\"files\"", "\"file\"")))
        .as("another field is seen")
        .isNotEmpty();
  }
}
