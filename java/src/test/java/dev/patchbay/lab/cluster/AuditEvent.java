// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.lab.cluster;

import dev.patchbay.lab.Json;

/**
 * A request, as the API server's audit log has it.
 *
 * @param stage {@code ResponseStarted} of a watch that was begun, or {@code ResponseComplete}
 * @param user who asked, such as {@code system:serviceaccount:kube-system:patchbay}
 * @param verb such as {@code list}
 * @param group API group of the resource; empty for the core group, and where there is no resource
 * @param resource plural, with the sub-resource: {@code nodes/status}; empty for other URLs
 * @param namespace empty if there is none
 * @param name empty if there is none
 * @param uri path and query
 * @param code HTTP status of the response
 */
public record AuditEvent(
    String stage,
    String user,
    String verb,
    String group,
    String resource,
    String namespace,
    String name,
    String uri,
    int code) {
  private static final Json NOTHING = Json.parse("{}");

  /** Whether the request was refused for lack of a permission. */
  public boolean isForbidden() {
    return code == 403;
  }

  static AuditEvent parse(String line) {
    Json event = Json.parse(line);
    Json object = event.find("objectRef").orElse(NOTHING);
    String part = text(object, "subresource");
    return new AuditEvent(
        text(event, "stage"),
        text(event.get("user"), "username"),
        text(event, "verb"),
        text(object, "apiGroup"),
        text(object, "resource") + (part.isEmpty() ? "" : "/" + part),
        text(object, "namespace"),
        text(object, "name"),
        text(event, "requestURI"),
        event
            .find("responseStatus")
            .flatMap(status -> status.find("code"))
            .map(code -> Math.toIntExact(code.number()))
            .orElse(0));
  }

  private static String text(Json object, String name) {
    return object.find(name).map(Json::text).orElse("");
  }
}
