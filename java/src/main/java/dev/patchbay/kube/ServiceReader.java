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
}
