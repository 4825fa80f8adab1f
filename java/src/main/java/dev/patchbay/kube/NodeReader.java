// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kube;

import com.fasterxml.jackson.core.JsonParser;
import java.io.IOException;

/** Reads Nodes. */
final class NodeReader extends ObjectReader<ApiNode> {
  private static final String ZONE = "topology.kubernetes.io/zone";

  @Override
  ApiMeta meta(ApiNode object) {
    return object.meta;
  }

  @Override
  ApiNode read(JsonParser parser) throws IOException {
    ApiNode node = new ApiNode();
    ApiMeta meta = node.meta;
    members(
        parser,
        meta,
        "",
        (p, name) -> {
          switch (name) {
            case "metadata" -> metadata(p, meta, ZONE);
            case "spec" -> spec(p, node);
            case "status" -> status(p, node);
            default -> p.skipChildren();
          }
        });
    return node;
  }

  private void spec(JsonParser parser, ApiNode node) throws IOException {
    ApiMeta meta = node.meta;
    members(
        parser,
        meta,
        "spec",
        (p, name) -> {
          if (!name.equals("taints")) {
            p.skipChildren();
            return;
          }
          items(
              p,
              meta,
              "spec.taints",
              (q, path) ->
                  members(
                      q,
                      meta,
                      path + "[]",
                      (r, field) -> {
                        if (field.equals("key")) {
                          node.taints.add(pooled(r, meta, path + "[].key"));
                        } else {
                          r.skipChildren();
                        }
                      }));
        });
  }

  private void status(JsonParser parser, ApiNode node) throws IOException {
    ApiMeta meta = node.meta;
    members(
        parser,
        meta,
        "status",
        (p, name) -> {
          if (!name.equals("addresses")) {
            p.skipChildren();
            return;
          }
          items(
              p,
              meta,
              "status.addresses",
              (q, list) -> {
                String path = list + "[" + node.addresses.size() + "]";
                ApiNode.Address address = new ApiNode.Address();
                node.addresses.add(address);
                members(
                    q,
                    meta,
                    path,
                    (r, field) -> {
                      switch (field) {
                        case "type" -> address.type = pooled(r, meta, path + ".type");
                        case "address" -> address.address = text(r, meta, path + ".address");
                        default -> r.skipChildren();
                      }
                    });
              });
        });
  }

  @Override
  ApiNode read(ProtoReader in) throws IOException {
    ApiNode node = new ApiNode();
    for (int field = in.next(); field != 0; field = in.next()) {
      if (field > 3) {
        in.skip();
        continue;
      }
      int outer = in.enter();
      switch (field) {
        case 1 -> metadata(in, node.meta, ZONE);
        case 2 -> spec(in, node);
        default -> status(in, node);
      }
      in.leave(outer);
    }
    return node;
  }

  private void spec(ProtoReader in, ApiNode node) throws IOException {
    for (int field = in.next(); field != 0; field = in.next()) {
      if (field != 5) {
        in.skip();
        continue;
      }
      int outer = in.enter();
      for (int part = in.next(); part != 0; part = in.next()) {
        if (part == 1) {
          node.taints.add(pooled(in.text()));
        } else {
          in.skip();
        }
      }
      in.leave(outer);
    }
  }

  private void status(ProtoReader in, ApiNode node) throws IOException {
    for (int field = in.next(); field != 0; field = in.next()) {
      if (field != 5) {
        in.skip();
        continue;
      }
      ApiNode.Address address = new ApiNode.Address();
      node.addresses.add(address);
      int outer = in.enter();
      for (int part = in.next(); part != 0; part = in.next()) {
        switch (part) {
          case 1 -> address.type = pooled(in.text());
          case 2 -> address.address = in.text();
          default -> in.skip();
        }
      }
      in.leave(outer);
    }
  }
}
