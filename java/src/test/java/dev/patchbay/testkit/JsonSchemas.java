// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.testkit;

import com.networknt.schema.InputFormat;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaLocation;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import java.util.List;

/** Validates JSON by schemas of draft 2020-12. */
public final class JsonSchemas {
  private static final SchemaRegistry REGISTRY =
      SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12);

  private JsonSchemas() {}

  /** What is wrong with a text by a schema, a line each. */
  public static List<String> violations(String schema, String json) {
    return violations(REGISTRY.getSchema(schema, InputFormat.JSON), json);
  }

  /** What is wrong with a schema itself. */
  public static List<String> violationsOfSchema(String schema) {
    return violations(
        REGISTRY.getSchema(SchemaLocation.of("https://json-schema.org/draft/2020-12/schema")),
        schema);
  }

  private static List<String> violations(Schema schema, String json) {
    return schema.validate(json, InputFormat.JSON).stream().map(Object::toString).toList();
  }
}
