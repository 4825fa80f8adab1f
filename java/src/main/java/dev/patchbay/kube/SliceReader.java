// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kube;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Reads EndpointSlices. Endpoints are most of what there is to read at a start, so they are read by
 * plain loops, and paths are made only when there is something to complain about.
 */
final class SliceReader extends ObjectReader<ApiSlice> {
  private static final String SERVICE_NAME = "kubernetes.io/service-name";

  @Override
  ApiMeta meta(ApiSlice object) {
    return object.meta;
  }

  @Override
  ApiSlice read(JsonParser parser) throws IOException {
    ApiSlice slice = new ApiSlice();
    ApiMeta meta = slice.meta;
    members(
        parser,
        meta,
        "",
        (p, name) -> {
          switch (name) {
            case "metadata" -> metadata(p, meta, SERVICE_NAME);
            case "addressType" -> slice.addressType = pooled(p, meta, "addressType");
            case "ports" -> items(p, meta, "ports", (q, _) -> port(q, slice));
            case "endpoints" -> items(p, meta, "endpoints", (q, _) -> endpoint(q, slice));
            default -> p.skipChildren();
          }
        });
    return slice;
  }

  private void port(JsonParser parser, ApiSlice slice) throws IOException {
    ApiMeta meta = slice.meta;
    String path = "ports[" + slice.ports.size() + "]";
    ApiSlice.Port port = new ApiSlice.Port();
    slice.ports.add(port);
    members(
        parser,
        meta,
        path,
        (p, name) -> {
          switch (name) {
            case "name" ->
                port.name =
                    p.currentToken() == JsonToken.VALUE_NULL
                        ? null
                        : pooled(p, meta, path + ".name");
            case "protocol" -> {
              if (p.currentToken() != JsonToken.VALUE_NULL) {
                port.protocol = pooled(p, meta, path + ".protocol");
              }
            }
            case "port" -> port.port = integer(p, meta, path + ".port");
            default -> p.skipChildren();
          }
        });
  }

  private void endpoint(JsonParser parser, ApiSlice slice) throws IOException {
    ApiMeta meta = slice.meta;
    ApiSlice.Endpoint endpoint = new ApiSlice.Endpoint();
    slice.endpoints.add(endpoint);
    if (parser.currentToken() != JsonToken.START_OBJECT) {
      members(parser, meta, "endpoints[]", (p, _) -> p.skipChildren());
      return;
    }
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String name = parser.currentName();
      parser.nextToken();
      switch (name) {
        case "addresses" -> {
          List<String> addresses = texts(parser, meta, "endpoints[].addresses");
          endpoint.addresses = addresses.size();
          endpoint.address = addresses.isEmpty() ? "" : addresses.getFirst();
        }
        case "conditions" -> conditions(parser, meta, endpoint);
        case "nodeName" -> endpoint.nodeName = pooled(parser, meta, "endpoints[].nodeName");
        case "targetRef" -> targetRef(parser, meta, endpoint);
        case "hints" -> hints(parser, meta, endpoint);
        default -> parser.skipChildren();
      }
    }
  }

  private void conditions(JsonParser parser, ApiMeta meta, ApiSlice.Endpoint endpoint)
      throws IOException {
    if (parser.currentToken() != JsonToken.START_OBJECT) {
      members(parser, meta, "endpoints[].conditions", (p, _) -> p.skipChildren());
      return;
    }
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String name = parser.currentName();
      parser.nextToken();
      switch (name) {
        case "ready" -> endpoint.ready = bool(parser, meta, "endpoints[].conditions.ready");
        case "serving" -> endpoint.serving = bool(parser, meta, "endpoints[].conditions.serving");
        case "terminating" ->
            endpoint.terminating = bool(parser, meta, "endpoints[].conditions.terminating");
        default -> parser.skipChildren();
      }
    }
  }

  private void targetRef(JsonParser parser, ApiMeta meta, ApiSlice.Endpoint endpoint)
      throws IOException {
    String[] found = {"", ""};
    members(
        parser,
        meta,
        "endpoints[].targetRef",
        (p, name) -> {
          switch (name) {
            case "kind" -> found[0] = pooled(p, meta, "endpoints[].targetRef.kind");
            case "name" -> found[1] = text(p, meta, "endpoints[].targetRef.name");
            default -> p.skipChildren();
          }
        });
    endpoint.target = found[0].equals("Pod") ? found[1] : "";
  }

  private void hints(JsonParser parser, ApiMeta meta, ApiSlice.Endpoint endpoint)
      throws IOException {
    members(
        parser,
        meta,
        "endpoints[].hints",
        (p, name) -> {
          switch (name) {
            case "forZones" -> endpoint.forZones = names(p, meta, "endpoints[].hints.forZones");
            case "forNodes" -> endpoint.forNodes = names(p, meta, "endpoints[].hints.forNodes");
            default -> p.skipChildren();
          }
        });
  }

  /** Reads {@code [{"name": NAME}]}. */
  private List<String> names(JsonParser parser, ApiMeta meta, String path) throws IOException {
    List<String> names = new ArrayList<>(1);
    items(
        parser,
        meta,
        path,
        (p, at) ->
            members(
                p,
                meta,
                at + "[]",
                (q, field) -> {
                  if (field.equals("name")) {
                    names.add(pooled(q, meta, at + "[].name"));
                  } else {
                    q.skipChildren();
                  }
                }));
    return names;
  }
}
