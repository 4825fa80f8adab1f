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

  @Override
  ApiSlice read(ProtoReader in) throws IOException {
    ApiSlice slice = new ApiSlice();
    for (int field = in.next(); field != 0; field = in.next()) {
      switch (field) {
        case 1 -> {
          int outer = in.enter();
          metadata(in, slice.meta, SERVICE_NAME);
          in.leave(outer);
        }
        case 2 -> {
          int outer = in.enter();
          slice.endpoints.add(endpoint(in));
          in.leave(outer);
        }
        case 3 -> {
          int outer = in.enter();
          slice.ports.add(port(in));
          in.leave(outer);
        }
        case 4 -> slice.addressType = pooled(in.text());
        default -> in.skip();
      }
    }
    return slice;
  }

  private ApiSlice.Port port(ProtoReader in) throws IOException {
    ApiSlice.Port port = new ApiSlice.Port();
    for (int field = in.next(); field != 0; field = in.next()) {
      switch (field) {
        case 1 -> port.name = pooled(in.text());
        case 2 -> port.protocol = pooled(in.text());
        case 3 -> port.port = (int) in.number();
        default -> in.skip();
      }
    }
    return port;
  }

  private ApiSlice.Endpoint endpoint(ProtoReader in) throws IOException {
    ApiSlice.Endpoint endpoint = new ApiSlice.Endpoint();
    for (int field = in.next(); field != 0; field = in.next()) {
      switch (field) {
        case 1 -> {
          if (endpoint.addresses++ == 0) {
            endpoint.address = in.text();
          } else {
            in.skip();
          }
        }
        case 2 -> {
          int outer = in.enter();
          conditions(in, endpoint);
          in.leave(outer);
        }
        case 4 -> {
          int outer = in.enter();
          targetRef(in, endpoint);
          in.leave(outer);
        }
        case 6 -> endpoint.nodeName = pooled(in.text());
        case 8 -> {
          int outer = in.enter();
          hints(in, endpoint);
          in.leave(outer);
        }
        default -> in.skip();
      }
    }
    return endpoint;
  }

  private static void conditions(ProtoReader in, ApiSlice.Endpoint endpoint) throws IOException {
    for (int field = in.next(); field != 0; field = in.next()) {
      switch (field) {
        case 1 -> endpoint.ready = in.bool();
        case 2 -> endpoint.serving = in.bool();
        case 3 -> endpoint.terminating = in.bool();
        default -> in.skip();
      }
    }
  }

  private static void targetRef(ProtoReader in, ApiSlice.Endpoint endpoint) throws IOException {
    boolean pod = false;
    String name = "";
    for (int field = in.next(); field != 0; field = in.next()) {
      switch (field) {
        case 1 -> pod = in.text().equals("Pod");
        case 3 -> name = in.text();
        default -> in.skip();
      }
    }
    endpoint.target = pod ? name : "";
  }

  private void hints(ProtoReader in, ApiSlice.Endpoint endpoint) throws IOException {
    List<String> zones = new ArrayList<>(1);
    List<String> nodes = new ArrayList<>(1);
    for (int field = in.next(); field != 0; field = in.next()) {
      if (field > 2) {
        in.skip();
        continue;
      }
      int outer = in.enter();
      for (int part = in.next(); part != 0; part = in.next()) {
        if (part == 1) {
          (field == 1 ? zones : nodes).add(pooled(in.text()));
        } else {
          in.skip();
        }
      }
      in.leave(outer);
    }
    endpoint.forZones = zones;
    endpoint.forNodes = nodes;
  }
}
