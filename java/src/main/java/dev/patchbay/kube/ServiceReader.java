// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kube;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Reads Services. */
final class ServiceReader extends ObjectReader<ApiService> {
  @Override
  ApiMeta meta(ApiService object) {
    return object.meta;
  }

  @Override
  ApiService read(JsonParser parser) throws IOException {
    ApiService service = new ApiService();
    ApiMeta meta = service.meta;
    members(
        parser,
        meta,
        "",
        (p, name) -> {
          switch (name) {
            case "metadata" -> metadata(p, meta, "");
            case "spec" -> spec(p, service);
            case "status" ->
                members(
                    p,
                    meta,
                    "status",
                    (q, part) -> {
                      if (part.equals("loadBalancer")) {
                        loadBalancer(q, service);
                      } else {
                        q.skipChildren();
                      }
                    });
            default -> p.skipChildren();
          }
        });
    return service;
  }

  private void spec(JsonParser parser, ApiService service) throws IOException {
    ApiMeta meta = service.meta;
    members(
        parser,
        meta,
        "spec",
        (p, name) -> {
          switch (name) {
            case "type" -> service.type = pooled(p, meta, "spec.type");
            case "clusterIP" -> service.clusterIp = text(p, meta, "spec.clusterIP");
            case "clusterIPs" -> service.clusterIps = texts(p, meta, "spec.clusterIPs");
            case "ipFamilies" -> service.ipFamilies = texts(p, meta, "spec.ipFamilies");
            case "ports" -> items(p, meta, "spec.ports", (q, _) -> port(q, service));
            case "sessionAffinity" ->
                service.sessionAffinity = pooled(p, meta, "spec.sessionAffinity");
            case "sessionAffinityConfig" -> affinity(p, service);
            case "externalIPs" -> service.externalIps = texts(p, meta, "spec.externalIPs");
            case "loadBalancerSourceRanges" ->
                service.sourceRanges = texts(p, meta, "spec.loadBalancerSourceRanges");
            case "externalTrafficPolicy" ->
                service.externalTrafficPolicy = pooled(p, meta, "spec.externalTrafficPolicy");
            case "internalTrafficPolicy" ->
                service.internalTrafficPolicy = pooled(p, meta, "spec.internalTrafficPolicy");
            case "trafficDistribution" ->
                service.trafficDistribution = pooled(p, meta, "spec.trafficDistribution");
            case "healthCheckNodePort" ->
                service.healthCheckNodePort = number(p, meta, "spec.healthCheckNodePort");
            default -> p.skipChildren();
          }
        });
  }

  private void port(JsonParser parser, ApiService service) throws IOException {
    ApiMeta meta = service.meta;
    String path = "spec.ports[" + service.ports.size() + "]";
    ApiService.Port port = new ApiService.Port();
    service.ports.add(port);
    members(
        parser,
        meta,
        path,
        (p, name) -> {
          switch (name) {
            case "name" -> port.name = pooled(p, meta, path + ".name");
            case "protocol" -> port.protocol = pooled(p, meta, path + ".protocol");
            case "port" -> port.port = number(p, meta, path + ".port");
            case "nodePort" -> port.nodePort = number(p, meta, path + ".nodePort");
            case "targetPort" ->
                port.targetPort =
                    p.currentToken() == JsonToken.VALUE_NUMBER_INT
                        ? Integer.toString(number(p, meta, path + ".targetPort"))
                        : pooled(p, meta, path + ".targetPort");
            default -> p.skipChildren();
          }
        });
  }

  private int number(JsonParser parser, ApiMeta meta, String path) throws IOException {
    Integer number = integer(parser, meta, path);
    return number == null ? 0 : number;
  }

  private void affinity(JsonParser parser, ApiService service) throws IOException {
    ApiMeta meta = service.meta;
    String path = "spec.sessionAffinityConfig";
    members(
        parser,
        meta,
        path,
        (p, name) -> {
          if (!name.equals("clientIP")) {
            p.skipChildren();
            return;
          }
          members(
              p,
              meta,
              path + ".clientIP",
              (q, field) -> {
                if (field.equals("timeoutSeconds")) {
                  service.affinitySeconds = integer(q, meta, path + ".clientIP.timeoutSeconds");
                } else {
                  q.skipChildren();
                }
              });
        });
  }

  private void loadBalancer(JsonParser parser, ApiService service) throws IOException {
    ApiMeta meta = service.meta;
    String path = "status.loadBalancer";
    members(
        parser,
        meta,
        path,
        (p, name) -> {
          if (!name.equals("ingress")) {
            p.skipChildren();
            return;
          }
          List<ApiService.Ingress> all = new ArrayList<>(1);
          service.ingress = all;
          items(
              p,
              meta,
              path + ".ingress",
              (q, list) -> {
                String item = list + "[" + all.size() + "]";
                ApiService.Ingress ingress = new ApiService.Ingress();
                all.add(ingress);
                members(
                    q,
                    meta,
                    item,
                    (r, field) -> {
                      switch (field) {
                        case "ip" -> ingress.ip = text(r, meta, item + ".ip");
                        case "ipMode" -> ingress.ipMode = pooled(r, meta, item + ".ipMode");
                        default -> r.skipChildren();
                      }
                    });
              });
        });
  }

  @Override
  ApiService read(ProtoReader in) throws IOException {
    ApiService service = new ApiService();
    for (int field = in.next(); field != 0; field = in.next()) {
      if (field > 3) {
        in.skip();
        continue;
      }
      int outer = in.enter();
      switch (field) {
        case 1 -> metadata(in, service.meta, "");
        case 2 -> spec(in, service);
        default -> status(in, service);
      }
      in.leave(outer);
    }
    return service;
  }

  private void spec(ProtoReader in, ApiService service) throws IOException {
    List<String> clusterIps = new ArrayList<>(2);
    List<String> families = new ArrayList<>(2);
    List<String> externalIps = new ArrayList<>(0);
    List<String> sourceRanges = new ArrayList<>(0);
    for (int field = in.next(); field != 0; field = in.next()) {
      switch (field) {
        case 1 -> {
          int outer = in.enter();
          service.ports.add(port(in));
          in.leave(outer);
        }
        case 3 -> service.clusterIp = in.text();
        case 4 -> service.type = pooled(in.text());
        case 5 -> externalIps.add(in.text());
        case 7 -> service.sessionAffinity = pooled(in.text());
        case 9 -> sourceRanges.add(in.text());
        case 11 -> service.externalTrafficPolicy = pooled(in.text());
        case 12 -> service.healthCheckNodePort = (int) in.number();
        case 14 -> {
          int outer = in.enter();
          affinity(in, service);
          in.leave(outer);
        }
        case 18 -> clusterIps.add(in.text());
        case 19 -> families.add(pooled(in.text()));
        case 22 -> service.internalTrafficPolicy = pooled(in.text());
        case 23 -> service.trafficDistribution = pooled(in.text());
        default -> in.skip();
      }
    }
    service.clusterIps = clusterIps;
    service.ipFamilies = families;
    service.externalIps = externalIps;
    service.sourceRanges = sourceRanges;
  }

  private ApiService.Port port(ProtoReader in) throws IOException {
    ApiService.Port port = new ApiService.Port();
    for (int field = in.next(); field != 0; field = in.next()) {
      switch (field) {
        case 1 -> port.name = pooled(in.text());
        case 2 -> port.protocol = pooled(in.text());
        case 3 -> port.port = (int) in.number();
        case 4 -> {
          int outer = in.enter();
          port.targetPort = pooled(intOrString(in));
          in.leave(outer);
        }
        case 5 -> port.nodePort = (int) in.number();
        default -> in.skip();
      }
    }
    return port;
  }

  private static String intOrString(ProtoReader in) throws IOException {
    boolean text = false;
    long number = 0;
    String name = "";
    for (int field = in.next(); field != 0; field = in.next()) {
      switch (field) {
        case 1 -> text = in.number() == 1;
        case 2 -> number = in.number();
        case 3 -> name = in.text();
        default -> in.skip();
      }
    }
    return text ? name : Long.toString(number);
  }

  /**
   * {@code SessionAffinityConfig}: a message whose first field is one whose first is the number.
   */
  private static void affinity(ProtoReader in, ApiService service) throws IOException {
    for (int field = in.next(); field != 0; field = in.next()) {
      if (field != 1) {
        in.skip();
        continue;
      }
      int outer = in.enter();
      for (int part = in.next(); part != 0; part = in.next()) {
        if (part == 1) {
          service.affinitySeconds = (int) in.number();
        } else {
          in.skip();
        }
      }
      in.leave(outer);
    }
  }

  private void status(ProtoReader in, ApiService service) throws IOException {
    List<ApiService.Ingress> all = new ArrayList<>(0);
    for (int field = in.next(); field != 0; field = in.next()) {
      if (field != 1) {
        in.skip();
        continue;
      }
      int outer = in.enter();
      for (int part = in.next(); part != 0; part = in.next()) {
        if (part == 1) {
          int list = in.enter();
          all.add(ingress(in));
          in.leave(list);
        } else {
          in.skip();
        }
      }
      in.leave(outer);
    }
    service.ingress = all;
  }

  private ApiService.Ingress ingress(ProtoReader in) throws IOException {
    ApiService.Ingress ingress = new ApiService.Ingress();
    for (int field = in.next(); field != 0; field = in.next()) {
      switch (field) {
        case 1 -> ingress.ip = in.text();
        case 3 -> ingress.ipMode = pooled(in.text());
        default -> in.skip();
      }
    }
    return ingress;
  }
}
