// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kube;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.patchbay.kube.KubeObject.NodeObject;
import dev.patchbay.kube.KubeObject.ServiceObject;
import dev.patchbay.kube.KubeObject.SliceObject;
import dev.patchbay.model.Service;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/**
 * Lists that a real API server (1.37) sent, once as JSON and once in protocol buffers: both must
 * mean the same.
 */
class ProtoTest {
  private static byte[] resource(String name) throws IOException {
    try (InputStream in = requireNonNull(ProtoTest.class.getResourceAsStream("/kube/" + name))) {
      return in.readAllBytes();
    }
  }

  private static <A> List<KubeObject> ofProto(
      byte[] bytes, ObjectReader<A> reader, Function<A, KubeObject> translate) throws IOException {
    List<KubeObject> all = new ArrayList<>();
    ProtoObject.read(
        new ByteArrayInputStream(bytes),
        (number, value) -> {
          if (number == 2) {
            all.add(translate.apply(reader.read(value)));
          }
        });
    return all;
  }

  private static <A> List<KubeObject> ofJson(
      byte[] bytes, ObjectReader<A> reader, Function<A, KubeObject> translate) throws IOException {
    List<KubeObject> all = new ArrayList<>();
    try (JsonParser parser = ApiClient.JSON.createParser(bytes)) {
      while (!"items".equals(parser.currentName())) {
        parser.nextToken();
      }
      parser.nextToken();
      while (parser.nextToken() != JsonToken.END_ARRAY) {
        all.add(translate.apply(reader.read(parser)));
      }
    }
    return all;
  }

  @Test
  void services() throws IOException {
    List<KubeObject> all =
        ofProto(resource("services.pb"), new ServiceReader(), ServiceTranslator::translate);
    assertThat(all)
        .isEqualTo(
            ofJson(resource("services.json"), new ServiceReader(), ServiceTranslator::translate))
        .hasSize(4);
    Service everything = ((ServiceObject) all.getFirst()).service();
    assertThat(everything.key()).hasToString("shop/everything");
    assertThat(everything.affinitySeconds()).isEqualTo(77);
    assertThat(everything.proxiedLoadBalancerIps()).hasToString("[198.51.100.2]");
    assertThat(everything.healthCheckNodePort()).isPositive();
    assertThat(everything.createdMillis()).isLessThan(Long.MAX_VALUE);
    assertThat(everything.ports()).hasSize(3);
  }

  @Test
  void endpointSlices() throws IOException {
    List<KubeObject> all =
        ofProto(resource("endpointslices.pb"), new SliceReader(), new SliceTranslator()::translate);
    assertThat(all)
        .isEqualTo(
            ofJson(
                resource("endpointslices.json"),
                new SliceReader(),
                new SliceTranslator()::translate))
        .hasSize(5);
    SliceObject first =
        all.stream()
            .map(SliceObject.class::cast)
            .filter(s -> s.key().name().equals("everything-a"))
            .findFirst()
            .orElseThrow();
    assertThat(requireNonNull(first.slice()).endpoints()).hasSize(4);
    assertThat(first.findings())
        .extracting(f -> f.field() + " " + f.reason())
        .as("what the API server lets through")
        .containsExactlyInAnyOrder(
            "ports[1].port is missing, and \"all ports\" cannot be served; port ignored",
            "ports[2].port 70000 is no port number; port ignored",
            "ports[3].port -1 is no port number; port ignored",
            "endpoints[2].addresses only the first of 2 is used, as by kube-proxy");
  }

  @Test
  void nodes() throws IOException {
    List<KubeObject> all =
        ofProto(resource("nodes.pb"), new NodeReader(), NodeTranslator::translate);
    assertThat(all)
        .isEqualTo(ofJson(resource("nodes.json"), new NodeReader(), NodeTranslator::translate))
        .hasSize(1);
    NodeObject node = (NodeObject) all.getFirst();
    assertThat(node.node().addresses()).hasToString("[192.168.0.1, fd00::1, 203.0.113.1]");
    assertThat(node.node().zone()).isEqualTo("zone-a");
    assertThat(node.node().eligible()).isFalse();
  }

  @Test
  void versionThatLiesInTheFuture() throws IOException {
    ApiException error =
        ApiStatus.read(
            new ByteArrayInputStream(resource("too-large.pb")), 504, Duration.ofSeconds(1));
    assertThat(error.versionIsGone()).isTrue();
    assertThat(error).hasMessageContaining("Too large resource version");
  }

  @Test
  void whatBreaksOffIsRefused() throws IOException {
    byte[] whole = resource("endpointslices.pb");
    for (int length = 0; length < whole.length - 8; length++) {
      byte[] part = Arrays.copyOf(whole, length);
      assertThatThrownBy(() -> ofProto(part, new SliceReader(), new SliceTranslator()::translate))
          .as("%d bytes", length)
          .isInstanceOf(IOException.class);
    }
  }

  @Test
  void nonsenseIsRefusedOrReadAndDoesNoHarm() throws IOException {
    byte[] whole = resource("endpointslices.pb");
    Random random = new Random(1);
    for (int i = 0; i < 20_000; i++) {
      byte[] odd = whole.clone();
      for (int changes = random.nextInt(3); changes >= 0; changes--) {
        odd[random.nextInt(odd.length)] = (byte) random.nextInt();
      }
      try {
        ofProto(odd, new SliceReader(), new SliceTranslator()::translate);
      } catch (IOException _) {
        // As it should be.
      }
    }
  }
}
