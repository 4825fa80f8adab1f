// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kube;

import dev.patchbay.model.Endpoint;
import dev.patchbay.model.EndpointSlice;
import dev.patchbay.scale.World;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * Lists of EndpointSlices with the fields that an API server sends, those that nobody here reads
 * among them. Field numbers are those of the types {@code EndpointSlice} (discovery.k8s.io/v1) and
 * {@code ObjectMeta}.
 */
final class SliceLists {
  static final int SLICES = 100;

  private static final long CREATED_SECONDS = 1_767_225_600;
  private static final String UID = "00000000-0000-4000-8000-000000000000";
  private static final String SERVICE_NAME = "kubernetes.io/service-name";
  private static final String MANAGED_BY = "endpointslice.kubernetes.io/managed-by";
  private static final String CONTROLLER = "endpointslice-controller.k8s.io";
  private static final String FIELDS =
      """
      {"f:addressType":{},"f:endpoints":{},"f:metadata":{"f:labels":{".":{}},"f:ownerReferences":\
      {".":{}}},"f:ports":{}}""";

  private SliceLists() {}

  /** What a slice has to say; the endpoints are those of a few Services of the world. */
  private static List<Endpoint> endpoints(int number, int count) {
    List<Endpoint> endpoints = new ArrayList<>();
    for (int i = 0; endpoints.size() < count; i++) {
      EndpointSlice slice = World.service(number * count + i, 0).slices().getFirst();
      endpoints.addAll(slice.endpoints());
    }
    return endpoints.subList(0, count);
  }

  /** A list in JSON. */
  static byte[] json(int endpoints) {
    StringBuilder list =
        new StringBuilder(
            """
            {"kind":"EndpointSliceList","apiVersion":"discovery.k8s.io/v1",\
            "metadata":{"resourceVersion":"1000"},"items":[""");
    for (int i = 0; i < SLICES; i++) {
      list.append(i == 0 ? "" : ",").append(jsonSlice(i, endpoints(i, endpoints)));
    }
    return list.append("]}").toString().getBytes(StandardCharsets.UTF_8);
  }

  private static String jsonSlice(int number, List<Endpoint> endpoints) {
    StringBuilder all = new StringBuilder();
    for (Endpoint endpoint : endpoints) {
      all.append(all.isEmpty() ? "" : ",")
          .append(
              """
              {"addresses":["ADDRESS"],\
              "conditions":{"ready":true,"serving":true,"terminating":false},\
              "targetRef":{"kind":"Pod","namespace":"default","name":"POD","uid":"UID"},\
              "nodeName":"NODE","zone":"zone-a"}"""
                  .replace("ADDRESS", endpoint.address().toString())
                  .replace("POD", endpoint.target())
                  .replace("UID", UID)
                  .replace("NODE", endpoint.nodeName()));
    }
    return """
    {"metadata":{"name":"SERVICE-x","generateName":"SERVICE-","namespace":"default","uid":"UID",\
    "resourceVersion":"10","generation":2,"creationTimestamp":"CREATED",\
    "labels":{"MANAGED-BY":"CONTROLLER","SERVICE-NAME":"SERVICE"},\
    "ownerReferences":[{"apiVersion":"v1","kind":"Service","name":"SERVICE","uid":"UID"}],\
    "managedFields":[{"manager":"kube-controller-manager","operation":"Update",\
    "apiVersion":"discovery.k8s.io/v1","fieldsType":"FieldsV1","fieldsV1":FIELDS}]},\
    "addressType":"IPv4","endpoints":[ENDPOINTS],\
    "ports":[{"name":"http","protocol":"TCP","port":8080}]}"""
        .replace("SERVICE-NAME", SERVICE_NAME)
        .replace("SERVICE", service(number))
        .replace("UID", UID)
        .replace("CREATED", Instant.ofEpochSecond(CREATED_SECONDS).toString())
        .replace("MANAGED-BY", MANAGED_BY)
        .replace("CONTROLLER", CONTROLLER)
        .replace("FIELDS", FIELDS)
        .replace("ENDPOINTS", all);
  }

  private static String service(int number) {
    return "service-" + number;
  }

  /** The same list in protocol buffers. */
  static byte[] proto(int endpoints) {
    ByteArrayOutputStream list = new ByteArrayOutputStream();
    list.writeBytes(bytes(1, text(2, "1000")));
    for (int i = 0; i < SLICES; i++) {
      list.writeBytes(bytes(2, protoSlice(i, endpoints(i, endpoints))));
    }
    return message(
        "k8s\0".getBytes(StandardCharsets.US_ASCII),
        bytes(1, message(text(1, "discovery.k8s.io/v1"), text(2, "EndpointSliceList"))),
        bytes(2, list.toByteArray()));
  }

  private static byte[] protoSlice(int number, List<Endpoint> endpoints) {
    String service = service(number);
    byte[] metadata =
        message(
            text(1, service + "-x"),
            text(2, service + "-"),
            text(3, "default"),
            text(5, UID),
            text(6, "10"),
            number(7, 2),
            bytes(8, number(1, CREATED_SECONDS)),
            bytes(11, message(text(1, MANAGED_BY), text(2, CONTROLLER))),
            bytes(11, message(text(1, SERVICE_NAME), text(2, service))),
            bytes(13, message(text(1, "Service"), text(3, service), text(4, UID), text(5, "v1"))),
            bytes(
                17,
                message(
                    text(1, "kube-controller-manager"),
                    text(2, "Update"),
                    text(3, "discovery.k8s.io/v1"),
                    text(6, "FieldsV1"),
                    bytes(7, text(1, FIELDS)))));
    ByteArrayOutputStream slice = new ByteArrayOutputStream();
    slice.writeBytes(bytes(1, metadata));
    for (Endpoint endpoint : endpoints) {
      slice.writeBytes(
          bytes(
              2,
              message(
                  text(1, endpoint.address().toString()),
                  bytes(2, message(number(1, 1), number(2, 1), number(3, 0))),
                  bytes(
                      4,
                      message(
                          text(1, "Pod"),
                          text(2, "default"),
                          text(3, endpoint.target()),
                          text(4, UID))),
                  text(6, endpoint.nodeName()),
                  text(7, "zone-a"))));
    }
    slice.writeBytes(bytes(3, message(text(1, "http"), text(2, "TCP"), number(3, 8080))));
    slice.writeBytes(text(4, "IPv4"));
    return slice.toByteArray();
  }

  private static byte[] message(byte[]... parts) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      out.writeBytes(part);
    }
    return out.toByteArray();
  }

  private static byte[] text(int field, String text) {
    return bytes(field, text.getBytes(StandardCharsets.UTF_8));
  }

  private static byte[] bytes(int field, byte[] value) {
    return message(varint(((long) field << 3) | ProtoReader.BYTES), varint(value.length), value);
  }

  private static byte[] number(int field, long value) {
    return message(varint(((long) field << 3) | ProtoReader.VARINT), varint(value));
  }

  private static byte[] varint(long value) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    long rest = value;
    for (; rest > 0x7f; rest >>>= 7) {
      out.write((int) ((rest & 0x7f) | 0x80));
    }
    out.write((int) rest);
    return out.toByteArray();
  }
}
